/**
 * An HTTP/1.1 connection: what it adds to the shared `Connection`.
 *
 * The receiving side is a machine of its own, fed by receive.ts; the sending side is the list of open exchanges, answered in
 * order, first to last (RFC 9112 §9.3.2).
 *
 *              head complete                    content complete
 *     HEAD ───────────────────▶ LENGTH, CHUNKED ───────────────▶ HEAD
 *       │                        UNTIL_CLOSE                      │ too many open exchanges, or an upgrade to decide
 *       │ CONNECT, upgrade: 2xx, 101                              ▼
 *       ├───────────────────▶ TUNNEL                            HELD ── an exchange ended ──▶ HEAD
 *       └── error ──▶ IGNORE
 */
import { Connection } from "../session/connection.ts";

export const enum ReceiveState {
  /** Within or before a start line or field section. */
  HEAD = 0,
  /** Within content of known length. */
  LENGTH = 1,
  /** Within chunked content, trailers excluded. */
  CHUNKED = 2,
  /** Within content that ends with the connection (client role). */
  UNTIL_CLOSE = 3,
  /** Within the trailer section of chunked content. */
  TRAILERS = 4,
  /** Nothing is read for now: what has arrived waits in the input block. */
  HELD = 5,
  /** Bytes belong to a tunnel. */
  TUNNEL = 6,
  /** Whatever arrives is thrown away. */
  IGNORE = 7,
  /** The connection goes on in HTTP/2: what follows is not read here. */
  SWITCHED = 8,
}

/** States within chunked content, RFC 9112 §7.1. */
export const enum ChunkState {
  SIZE = 0,
  /** After at least one digit. */
  SIZE_MORE = 1,
  /** Blanks after the size or a value: only ";" may follow. */
  EXTENSION_BLANK = 2,
  /** After ";". */
  EXTENSION_START = 3,
  EXTENSION_NAME = 4,
  /** Blanks after a name: only "=" or ";" may follow. */
  EXTENSION_NAME_BLANK = 5,
  /** After "=". */
  EXTENSION_VALUE_START = 6,
  EXTENSION_VALUE = 7,
  EXTENSION_QUOTED = 8,
  EXTENSION_ESCAPE = 9,
  /** After the closing quote. */
  EXTENSION_VALUE_END = 10,
  SIZE_LF = 11,
  DATA = 12,
  DATA_CR = 13,
  DATA_LF = 14,
  COUNT = 15,
}


@unmanaged
export class H1Connection extends Connection {
  receiveState: u32;
  chunkState: u32;
  /** Digits of the chunk size read so far. */
  chunkDigits: u32;
  /** Whether the start line of the current head has been read. */
  startLineRead: u8;
  /** Part of the current head has arrived: its deadline runs. */
  headBegun: u8;
  /** The connection fails without an error response: an answer is under way or was given. */
  answerBegun: u8;
  /** Offset of the line that is being read, from the first byte of the current head or trailer section. */
  lineOffset: u32;
  /** Field lines read before that. */
  lineCount: u32;
  /** Bytes that wait for more, or for leave to be read: the current head, trailer section, or everything in HELD. */
  input: usize;
  inputLen: u32;
  /** Offset of the first waiting byte from the block's first. */
  inputStart: u32;
  /** Content, or chunk data, still to come. */
  remaining: u64;
  chunkExtensionBytes: u32;
  /** Content that arrived in the window of the slow-body deadline. */
  windowBytes: u32;
  /** Content thrown away because nobody reads it. */
  drainedBytes: f64;
  /** The exchange whose message is being received; 0 between messages. */
  receiving: usize;
}
