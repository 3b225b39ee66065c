/**
 * Chunked transfer coding, RFC 9112 §7.1, as a byte machine.
 *
 *     chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF,  last-chunk = 1*"0" [ chunk-ext ] CRLF
 *
 * The machine takes one step at a time: bytes of framing are consumed silently until data, the end of the data, or the end
 * of the input. CRLF is exact everywhere, the size is at most 16 hexadecimal digits up to 2^53 - 1, and an extension has the
 * grammar of §7.1.1: the differences between lenient readers here are the "funky chunks" of 2025.
 */
import { Limit } from "../abi/limit.ts";
import { Status } from "../abi/status.ts";
import { hexDigit, writeHex } from "../core/decimal.ts";
import { CharClass, isCharacter } from "../http/characters.ts";
import { limitHit, limitU32 } from "../session/limits.ts";
import { ChunkState, H1Connection } from "./connection.ts";

/** What the last step came to. */
export const enum ChunkStep {
  /** The input is used up. */
  NEED_MORE = 0,
  /** Chunk data begins at `chunkedAt`; `remaining` of the connection says how much. */
  DATA = 1,
  /** The last chunk was read; the trailer section begins at `chunkedAt`. */
  LAST = 2,
}

/** Where the last step stopped. */
export let chunkedAt: usize = 0;

/** 2^53 - 1 has 14 hexadecimal digits; two leading zeros are let through. */
const SIZE_DIGITS_MAX: u32 = 16;
const SIZE_MAX: u64 = 9007199254740991;
const CR: u32 = 0x0d;
const LF: u32 = 0x0a;
const SP: u32 = 0x20;
const HTAB: u32 = 0x09;
const SEMICOLON: u32 = 0x3b;
const QUOTE: u32 = 0x22;
const BACKSLASH: u32 = 0x5c;
const EQUALS: u32 = 0x3d;

/** Begins chunked content. */
export function chunkedBegin(connection: H1Connection): void {
  connection.chunkState = ChunkState.SIZE;
  connection.chunkDigits = 0;
  connection.chunkExtensionBytes = 0;
  connection.remaining = 0;
}

/** Consumes framing from [ptr, end). A ChunkStep, or a status. */
export function chunkedStep(connection: H1Connection, ptr: usize, end: usize): i32 {
  let at = ptr;
  let state: u32 = connection.chunkState;
  if (state == ChunkState.DATA) {
    if (connection.remaining != 0) {
      chunkedAt = at;
      return at == end ? ChunkStep.NEED_MORE : ChunkStep.DATA;
    }
    state = ChunkState.DATA_CR;
  }
  while (at < end) {
    const byte: u32 = load<u8>(at++);
    switch (state) {
      case ChunkState.SIZE:
      case ChunkState.SIZE_MORE: {
        const digit = hexDigit(byte);
        if (digit >= 0) {
          if (state == ChunkState.SIZE) connection.remaining = 0;
          const size = (connection.remaining << 4) | (<u64>digit);
          if (size > SIZE_MAX || connection.chunkDigits == SIZE_DIGITS_MAX) return Status.H1_CHUNK_SIZE;
          connection.remaining = size;
          connection.chunkDigits++;
          state = ChunkState.SIZE_MORE;
          break;
        }
        if (state == ChunkState.SIZE) return Status.H1_CHUNK_SIZE;
        connection.chunkDigits = 0;
        if (byte == CR) {
          state = ChunkState.SIZE_LF;
          break;
        }
        if (byte == SEMICOLON) state = ChunkState.EXTENSION_START;
        else if (isBlank(byte)) state = ChunkState.EXTENSION_BLANK;
        else return Status.H1_CHUNK_SIZE;
        if (!countExtension(connection)) return Status.H1_CHUNK_EXTENSION_TOO_LARGE;
        break;
      }
      default: {
        const next = extensionNext(state, byte);
        if (next < 0) return Status.H1_CHUNK_EXTENSION;
        state = next;
        if (state != ChunkState.SIZE_LF && !countExtension(connection))
          return Status.H1_CHUNK_EXTENSION_TOO_LARGE;
        break;
      }
      case ChunkState.SIZE_LF:
        if (byte != LF) return Status.H1_LINE_ENDING;
        chunkedAt = at;
        if (connection.remaining == 0) {
          connection.chunkState = ChunkState.SIZE;
          return ChunkStep.LAST;
        }
        connection.chunkState = ChunkState.DATA;
        return at == end ? ChunkStep.NEED_MORE : ChunkStep.DATA;
      case ChunkState.DATA_CR:
        if (byte != CR) return Status.H1_CHUNK_TERMINATOR;
        state = ChunkState.DATA_LF;
        break;
      case ChunkState.DATA_LF:
        if (byte != LF) return Status.H1_CHUNK_TERMINATOR;
        state = ChunkState.SIZE;
        break;
    }
  }
  connection.chunkState = state;
  chunkedAt = at;
  return ChunkStep.NEED_MORE;
}

/** Bytes that `chunkedWriteSize` writes at most: 16 digits and CRLF. */
export const CHUNK_SIZE_LINE_MAX: u32 = 18;

/** Writes the size line of a chunk and answers its length. */
export function chunkedWriteSize(dest: usize, size: u64): u32 {
  const len = <u32>writeHex(dest, size);
  store<u16>(dest + len, 0x0a0d);
  return len + 2;
}

// @ts-ignore: decorator
@inline
function countExtension(connection: H1Connection): bool {
  connection.chunkExtensionBytes++;
  if (connection.chunkExtensionBytes <= limitU32(Limit.CHUNK_EXTENSION_BYTES)) return true;
  limitHit(Limit.CHUNK_EXTENSION_BYTES);
  return false;
}

/**
 * The state after one more byte of an extension, or -1. RFC 9112 §7.1.1, where `BWS` is any run of blanks:
 *
 *     chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS ( token / quoted-string ) ] )
 */
function extensionNext(state: u32, byte: u32): i32 {
  switch (state) {
    case ChunkState.EXTENSION_BLANK:
      if (byte == SEMICOLON) return ChunkState.EXTENSION_START;
      return isBlank(byte) ? state : -1;
    case ChunkState.EXTENSION_START:
      if (isCharacter(byte, CharClass.TCHAR)) return ChunkState.EXTENSION_NAME;
      return isBlank(byte) ? state : -1;
    case ChunkState.EXTENSION_NAME:
      if (isCharacter(byte, CharClass.TCHAR)) return state;
      if (byte == EQUALS) return ChunkState.EXTENSION_VALUE_START;
      return afterElement(byte, ChunkState.EXTENSION_NAME_BLANK);
    case ChunkState.EXTENSION_NAME_BLANK:
      if (byte == EQUALS) return ChunkState.EXTENSION_VALUE_START;
      if (byte == SEMICOLON) return ChunkState.EXTENSION_START;
      return isBlank(byte) ? state : -1;
    case ChunkState.EXTENSION_VALUE_START:
      if (byte == QUOTE) return ChunkState.EXTENSION_QUOTED;
      if (isCharacter(byte, CharClass.TCHAR)) return ChunkState.EXTENSION_VALUE;
      return isBlank(byte) ? state : -1;
    case ChunkState.EXTENSION_VALUE:
      if (isCharacter(byte, CharClass.TCHAR)) return state;
      return afterElement(byte, ChunkState.EXTENSION_BLANK);
    case ChunkState.EXTENSION_QUOTED:
      if (byte == QUOTE) return ChunkState.EXTENSION_VALUE_END;
      if (byte == BACKSLASH) return ChunkState.EXTENSION_ESCAPE;
      return isText(byte) ? state : -1;
    case ChunkState.EXTENSION_ESCAPE:
      return isText(byte) ? ChunkState.EXTENSION_QUOTED : -1;
    case ChunkState.EXTENSION_VALUE_END:
      return afterElement(byte, ChunkState.EXTENSION_BLANK);
  }
  return -1;
}

/** What may follow a name or a value: the end of the line, another extension, or blanks. */
// @ts-ignore: decorator
@inline
function afterElement(byte: u32, blankState: i32): i32 {
  if (byte == CR) return ChunkState.SIZE_LF;
  if (byte == SEMICOLON) return ChunkState.EXTENSION_START;
  return isBlank(byte) ? blankState : -1;
}

// @ts-ignore: decorator
@inline
function isBlank(byte: u32): bool {
  return byte == SP || byte == HTAB;
}

/** qdtext and what may follow a backslash: anything but control bytes. */
// @ts-ignore: decorator
@inline
function isText(byte: u32): bool {
  return (byte >= SP && byte != 0x7f) || byte == HTAB;
}
