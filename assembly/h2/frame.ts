/**
 * Frames, RFC 9113 §4.1 and §6: the header that all of them have, their types and flags.
 *
 *     +-----------------------------------------------+
 *     |                 Length (24)                   |
 *     +---------------+---------------+---------------+
 *     |   Type (8)    |   Flags (8)   |
 *     +-+-------------+---------------+-------------------------------+
 *     |R|                 Stream Identifier (31)                      |
 *     +=+=============================================================+
 *     |                   Frame Payload (0...)                      ...
 *     +---------------------------------------------------------------+
 */
export const enum FrameType {
  DATA = 0x0,
  HEADERS = 0x1,
  PRIORITY = 0x2,
  RST_STREAM = 0x3,
  SETTINGS = 0x4,
  PUSH_PROMISE = 0x5,
  PING = 0x6,
  GOAWAY = 0x7,
  WINDOW_UPDATE = 0x8,
  CONTINUATION = 0x9,
  /** RFC 9218 §7.1. */
  PRIORITY_UPDATE = 0x10,
}

export const enum FrameFlag {
  NONE = 0,
  /** SETTINGS, PING. */
  ACK = 0x1,
  /** DATA, HEADERS. */
  END_STREAM = 0x1,
  END_HEADERS = 0x4,
  PADDED = 0x8,
  PRIORITY = 0x20,
}

export const FRAME_HEADER_BYTES: u32 = 9;
/** SETTINGS_MAX_FRAME_SIZE at its start, which this side never raises: a larger frame is refused before it is kept. */
export const FRAME_SIZE_DEFAULT: u32 = 16384;
/** The largest stream identifier. */
export const STREAM_ID_MAX: u32 = 0x7fffffff;

/** What `readFrameHeader` found, until the next call. */
export let frameLength: u32 = 0;
export let frameType: u32 = 0;
export let frameFlags: u32 = 0;
export let frameStreamId: u32 = 0;

/** Reads the FRAME_HEADER_BYTES at `ptr`. */
// @ts-ignore: decorator
@inline
export function readFrameHeader(ptr: usize): void {
  frameLength = bswap(load<u32>(ptr)) >> 8;
  frameType = load<u8>(ptr, 3);
  frameFlags = load<u8>(ptr, 4);
  // The reserved bit is ignored, §4.1.
  frameStreamId = bswap(load<u32>(ptr, 5)) & STREAM_ID_MAX;
}

/** Writes a header and answers the address after it. */
// @ts-ignore: decorator
@inline
export function writeFrameHeader(
  dest: usize,
  length: u32,
  type: FrameType,
  flags: u32,
  streamId: u32,
): usize {
  store<u32>(dest, bswap(length << 8) | (type << 24));
  store<u8>(dest, <u8>flags, 4);
  store<u32>(dest, bswap(streamId), 5);
  return dest + FRAME_HEADER_BYTES;
}
