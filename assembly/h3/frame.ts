/**
 * Frames, RFC 9114 §7.1 and §7.2: a type and a length, both variable-length integers, before a payload.
 *
 *   HTTP/3 Frame Format {
 *     Type (i),
 *     Length (i),
 *     Frame Payload (..),
 *   }
 *
 * The header is read byte by byte, since streams may be cut anywhere: what there is of it is kept in the stream's state. Which
 * type is legal where is one table (§7.2, Table 1); a type that is not in it, reserved ones (§7.2.8) among them, is passed over.
 */
import { varintLength } from "../core/writer.ts";

export const enum FrameType {
  DATA = 0x00,
  HEADERS = 0x01,
  CANCEL_PUSH = 0x03,
  SETTINGS = 0x04,
  PUSH_PROMISE = 0x05,
  GOAWAY = 0x07,
  MAX_PUSH_ID = 0x0d,
  /** The beginning of a stream of a WebTransport session, where a frame of a request could stand. It has no length. */
  WEBTRANSPORT_STREAM = 0x41,
  /** RFC 9218 §7.2. */
  PRIORITY_UPDATE_REQUEST = 0xf0700,
  PRIORITY_UPDATE_PUSH = 0xf0701,
}

/** Where a frame of a known type may come. */
export const enum FramePlace {
  /** A type that nobody knows: passed over. */
  UNKNOWN = 0,
  /** A type of HTTP/2 that HTTP/3 does not have (§7.2.8): never. */
  NEVER = 1,
  CONTROL = 2,
  /** On a control stream, from a client only. */
  CONTROL_FROM_CLIENT = 3,
  REQUEST = 4,
  /** On a request stream, from a server only. */
  REQUEST_FROM_SERVER = 5,
}

export function framePlace(type: u64): FramePlace {
  switch (type) {
    case FrameType.DATA:
    case FrameType.HEADERS:
      return FramePlace.REQUEST;
    case FrameType.PUSH_PROMISE:
      return FramePlace.REQUEST_FROM_SERVER;
    case FrameType.CANCEL_PUSH:
    case FrameType.SETTINGS:
    case FrameType.GOAWAY:
      return FramePlace.CONTROL;
    case FrameType.MAX_PUSH_ID:
    case FrameType.PRIORITY_UPDATE_REQUEST:
    case FrameType.PRIORITY_UPDATE_PUSH:
      return FramePlace.CONTROL_FROM_CLIENT;
    case 0x02:
    case 0x06:
    case 0x08:
    case 0x09:
      return FramePlace.NEVER;
  }
  return FramePlace.UNKNOWN;
}

/** Type and length, at their longest. */
export const FRAME_HEADER_MAX: u32 = 16;

/**
 * What there is of a frame's header, and what it says.
 *
 *   0        8        16      24       32
 *   ┌────────┬────────┬───────┬────────┬─────┐
 *   │ bytes, at most 16 │ type │ length │ len │
 *   └────────┴────────┴───────┴────────┴─────┘
 */
@unmanaged
export class FrameHeader {
  first: u64;
  second: u64;
  type: u64;
  length: u64;
  /** Bytes there are. */
  len: u32;
}

/** Takes one byte. True when the header is complete with it; then it is empty again, and `type` and `length` stand. */
export function frameHeaderPush(header: FrameHeader, byte: u32): bool {
  const base = changetype<usize>(header);
  store<u8>(base + header.len, <u8>byte);
  const len = ++header.len;
  const typeLen = varintBytes(base);
  if (len <= typeLen) return false;
  if (len < typeLen + varintBytes(base + typeLen)) return false;
  header.type = varintAt(base);
  header.length = varintAt(base + typeLen);
  header.len = 0;
  return true;
}

/** Takes one byte of a single variable-length integer. True when it is complete with it; `type` stands. */
export function varintPush(header: FrameHeader, byte: u32): bool {
  const base = changetype<usize>(header);
  store<u8>(base + header.len, <u8>byte);
  if (++header.len < varintBytes(base)) return false;
  header.type = varintAt(base);
  header.len = 0;
  return true;
}

/** Whether the header holds the type of a frame, whose length is still to come; `type` stands. */
export function frameHeaderHasType(header: FrameHeader): bool {
  const base = changetype<usize>(header);
  if (header.len == 0 || header.len != varintBytes(base)) return false;
  header.type = varintAt(base);
  return true;
}

/** Length of a variable-length integer, by its first byte. */
// @ts-ignore: decorator
@inline
function varintBytes(ptr: usize): u32 {
  return 1 << ((<u32>load<u8>(ptr)) >> 6);
}

function varintAt(ptr: usize): u64 {
  switch ((<u32>load<u8>(ptr)) >> 6) {
    case 0:
      return load<u8>(ptr);
    case 1:
      return bswap<u16>(load<u16>(ptr)) & 0x3fff;
    case 2:
      return bswap<u32>(load<u32>(ptr)) & 0x3fffffff;
  }
  return bswap<u64>(load<u64>(ptr)) & 0x3fffffffffffffff;
}

/** Bytes that `writeFrameHeader` takes. */
// @ts-ignore: decorator
@inline
export function frameHeaderLength(type: u64, length: u64): u32 {
  return varintLength(type) + varintLength(length);
}

/** Writes a frame's header at `dest`. Answers the address behind it. */
export function writeFrameHeader(dest: usize, type: u64, length: u64): usize {
  return putVarint(putVarint(dest, type), length);
}

/** Writes a variable-length integer in its shortest form at `dest`. Answers the address behind it. */
export function putVarint(dest: usize, value: u64): usize {
  const len = varintLength(value);
  switch (len) {
    case 1:
      store<u8>(dest, <u8>value);
      break;
    case 2:
      store<u16>(dest, bswap<u16>((<u16>value) | 0x4000));
      break;
    case 4:
      store<u32>(dest, bswap<u32>((<u32>value) | 0x80000000));
      break;
    default:
      store<u64>(dest, bswap<u64>(value | 0xc000000000000000));
  }
  return dest + len;
}
