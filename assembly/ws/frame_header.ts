/**
 * The frame header, RFC 6455 §5.2, read and written side by side.
 *
 *   0         1                  2                    +0 … +8          +0 … +4
 *   ┌─────────┬──────────────────┬────────────────────┬────────────────┐
 *   │ FIN RSV │ MASK │ length    │ extended length    │ masking key    │
 *   │ opcode  │ 1    │ 7 bits    │ 0, 2 or 8 bytes    │ 0 or 4 bytes   │
 *   └─────────┴──────────────────┴────────────────────┴────────────────┘
 *
 * Reading is strict in what a header says of itself (shortest length form, no highest bit) and needs no more bytes than it
 * takes to find a fault. What the opcode may be is decided in opcode.ts, who has to mask in receiver.ts.
 */

import { WsStatus } from "../abi/ws_status.ts";

/** Two bytes, an extended length of eight, a key of four. */
export const FRAME_HEADER_BYTES_MAX: u32 = 14;

const MASK_BIT: u32 = 0x80;
const LENGTH_MASK: u32 = 0x7f;
/** The largest length in seven bits; the two values above it announce 2 and 8 bytes. */
const SHORT_LENGTH_MAX: u32 = 125;
const LENGTH_IN_2: u32 = 126;
const LENGTH_IN_8: u32 = 127;

/** Payloads of control frames end here, §5.5. */
export const CONTROL_PAYLOAD_BYTES_MAX: u32 = SHORT_LENGTH_MAX;

/** Whether the second byte of a header has the mask bit. */
// @ts-ignore: decorator
@inline
export function hasMaskBit(secondByte: u32): bool {
  return (secondByte & MASK_BIT) != 0;
}

/** Whether the second byte announces more than a control frame may carry. */
// @ts-ignore: decorator
@inline
export function hasExtendedLength(secondByte: u32): bool {
  return (secondByte & LENGTH_MASK) > SHORT_LENGTH_MAX;
}

/** Bytes of the header that has this second byte. */
export function frameHeaderBytes(secondByte: u32): u32 {
  const shortLength = secondByte & LENGTH_MASK;
  const lengthBytes: u32 = shortLength <= SHORT_LENGTH_MAX ? 0 : shortLength == LENGTH_IN_2 ? 2 : 8;
  return 2 + lengthBytes + (hasMaskBit(secondByte) ? 4 : 0);
}

/** What `readPayloadLength` answers while the length is not there in full. No payload is so long: its highest bit is set. */
export const LENGTH_PENDING: i64 = i64.MIN_VALUE;

/** The payload length of the header whose first `len` ≥ 2 bytes are at `ptr`; LENGTH_PENDING, or a negative WsStatus. */
export function readPayloadLength(ptr: usize, len: u32): i64 {
  const shortLength: u32 = load<u8>(ptr, 1) & LENGTH_MASK;
  if (shortLength <= SHORT_LENGTH_MAX) return shortLength;
  if (shortLength == LENGTH_IN_2) {
    if (len < 4) return LENGTH_PENDING;
    const length: u32 = bswap(load<u16>(ptr, 2));
    // "the minimal number of bytes MUST be used to encode the length"
    return length > SHORT_LENGTH_MAX ? <i64>length : <i64>WsStatus.LENGTH_NOT_MINIMAL;
  }
  if (len < 10) return LENGTH_PENDING;
  const length = <i64>bswap(load<u64>(ptr, 2));
  // "the most significant bit MUST be 0"
  if (length < 0) return WsStatus.LENGTH_INVALID;
  return length > 0xffff ? length : <i64>WsStatus.LENGTH_NOT_MINIMAL;
}

/** The masking key of a complete masked header of `headerLen` bytes, as mask.ts wants it. */
// @ts-ignore: decorator
@inline
export function readMaskKey(ptr: usize, headerLen: u32): u32 {
  return load<u32>(ptr + headerLen - 4);
}

/** Writes an unmasked header: what a server sends. Answers its length. */
export function writeFrameHeader(dest: usize, firstByte: u32, payloadLen: u64): u32 {
  return writeHeader(dest, firstByte, payloadLen, 0);
}

/** Writes a masked header: what a client sends. The payload is to be masked with the same key. Answers its length. */
export function writeMaskedFrameHeader(dest: usize, firstByte: u32, payloadLen: u64, key: u32): u32 {
  const len = writeHeader(dest, firstByte, payloadLen, MASK_BIT);
  store<u32>(dest + len, key);
  return len + 4;
}

function writeHeader(dest: usize, firstByte: u32, payloadLen: u64, maskBit: u32): u32 {
  store<u8>(dest, <u8>firstByte);
  if (payloadLen <= SHORT_LENGTH_MAX) {
    store<u8>(dest, <u8>(maskBit | (<u32>payloadLen)), 1);
    return 2;
  }
  if (payloadLen <= 0xffff) {
    store<u8>(dest, <u8>(maskBit | LENGTH_IN_2), 1);
    store<u16>(dest, bswap(<u16>payloadLen), 2);
    return 4;
  }
  store<u8>(dest, <u8>(maskBit | LENGTH_IN_8), 1);
  store<u64>(dest, bswap(payloadLen), 2);
  return 10;
}
