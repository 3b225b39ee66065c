/**
 * Limits: every bound that the engine keeps, in one table. Each has a default, the range an embedder may choose from, and
 * the attack it stops; each is counted when it is hit (Layout.LIMIT_HIT_PTR) and shows in the metrics by its name.
 *
 * Bytes, counts and milliseconds as the name's end says. The host writes other values into the table before `initialize`.
 * This file is read by both compilers (AssemblyScript and TypeScript): it keeps to their common subset.
 */
export const enum Limit {
  CONNECTION_COUNT = 0,
  EXCHANGE_COUNT = 1,
  PIPELINED_COUNT = 2,
  METHOD_BYTES = 3,
  TARGET_BYTES = 4,
  HEAD_BYTES = 5,
  FIELD_COUNT = 6,
  TRAILER_BYTES = 7,
  TRAILER_COUNT = 8,
  CHUNK_EXTENSION_BYTES = 9,
  BODY_BYTES = 10,
  DRAIN_BYTES = 11,
  READ_WINDOW_BYTES = 12,
  OUTPUT_BYTES = 13,
  HEAD_TIMEOUT_MS = 14,
  IDLE_TIMEOUT_MS = 15,
  BODY_WINDOW_MS = 16,
  BODY_RATE_BYTES_PER_S = 17,
  WRITE_TIMEOUT_MS = 18,
  LINGER_TIMEOUT_MS = 19,
  COUNT = 20,
}

/** The names by which options and metrics know the limits, by Limit. */
export const LIMIT_NAMES: string[] = [
  "connectionCount",
  "exchangeCount",
  "pipelinedCount",
  "methodBytes",
  "targetBytes",
  "headBytes",
  "fieldCount",
  "trailerBytes",
  "trailerCount",
  "chunkExtensionBytes",
  "bodyBytes",
  "drainBytes",
  "readWindowBytes",
  "outputBytes",
  "headTimeoutMs",
  "idleTimeoutMs",
  "bodyWindowMs",
  "bodyRateBytesPerS",
  "writeTimeoutMs",
  "lingerTimeoutMs",
];

/** By Limit: default, least, most. */
// prettier-ignore
export const LIMIT_TABLE: number[] = [
  // Connection floods. Refused with CONNECTIONS_FULL; the host may open another instance.
  65536, 1, 262144,
  // Handlers in flight over all connections, counted until they end. Refused with 503.
  65536, 1, 262144,
  // Pipelining without reading the answers: the connection is not read beyond this many open exchanges.
  64, 1, 1024,
  // Endless method token: 501. The longest registered method has 17 bytes.
  32, 8, 255,
  // Endless request target: 414. Apache 8190, nginx 8 KiB.
  8192, 64, 32768,
  // Endless header section: 431, start line included.
  32768, 512, 48000,
  // Many small fields, each with its own bookkeeping: 431. Cookies count one by one.
  100, 8, 1000,
  // Endless trailer section: 431.
  8192, 64, 32768,
  32, 1, 1000,
  // CVE-2023-39326, CVE-2024-22019: extensions that cost more than the data. Per message, 400.
  16384, 0, 1048576,
  // Endless request content: 413. Off by default, since a streaming handler holds nothing; buffered readers have their own.
  9007199254740991, 0, 9007199254740991,
  // A request content that nobody reads is discarded up to this size to keep the connection; beyond it is closed.
  262144, 0, 9007199254740991,
  // Content delivered but not consumed by the handler, after which the peer is not read: memory of a slow handler.
  65536, 1024, 16777216,
  // Output that waits for a slow peer, per connection: beyond it handlers wait.
  1048576, 16384, 67108864,
  // Slowloris: an absolute deadline from the first byte of a head (from the accept for the first): 408.
  10000, 10, 3600000,
  // Kept-alive connection without a request.
  60000, 10, 86400000,
  // Slow bodies: in every window of this length at least window × rate bytes arrive: 408.
  30000, 10, 3600000,
  256, 0, 1073741824,
  // Slow readers: output that could not be handed on for this long.
  30000, 10, 3600000,
  // How long a closed connection goes on reading so that its last answer is not lost to a reset (RFC 9112 §9.6).
  2000, 0, 60000,
];

/** Columns of LIMIT_TABLE. */
export const enum LimitColumn {
  DEFAULT = 0,
  LEAST = 1,
  MOST = 2,
  COUNT = 3,
}
