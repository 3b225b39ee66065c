/**
 * Statuses: what every door of the engine answers when it cannot do what was asked, and why a peer was refused.
 *
 * A status is a negative i32; zero and above is success and carries a count or a handle. Numbers are never renumbered or
 * reused: they are grouped by layer, with room left in each group. Each group has one blame:
 *
 *   -1 … -39    the host misused the engine, or a pool of the engine is full
 *   -100 … -199 HTTP/1.1 (RFC 9112), blame: the peer
 *   -200 … -299 message semantics shared by all versions (RFC 9110), blame: the peer
 *   -300 … -399 deadlines and limits over time, blame: the peer
 *   -450 … -499 WebSocket (RFC 6455), blame: the peer; in ws_status.ts
 *   -500 … -599 HTTP/2 (RFC 9113), blame: the peer
 *   -600 … -699 TLS 1.3 and certificates (RFC 8446, RFC 5280), blame: the peer
 *   -700 … -799 QUIC (RFC 9000), blame: the peer; in abi/quic_status.ts
 *   -800 … -849 HTTP/3 (RFC 9114), blame: the peer; in abi/h3_status.ts
 *   -850 … -879 QPACK (RFC 9204), blame: the peer; in abi/qpack_status.ts
 *
 * This file is read by both compilers (AssemblyScript and TypeScript): it keeps to their common subset.
 */

/** What a door of the engine answers; negative when it could not do what was asked, or the peer was refused. */
export const enum Status {
  OK = 0,

  // The host's own mistakes and the engine's pools.
  INVALID_HANDLE = -1,
  INVALID_STATE = -2,
  INVALID_ARGUMENT = -3,
  OUT_OF_BOUNDS = -4,
  NOT_INITIALIZED = -5,
  WOULD_BLOCK = -6,
  CONNECTIONS_FULL = -10,
  EXCHANGES_FULL = -11,
  MEMORY_FULL = -12,
  FIELD_NAME_INVALID = -20,
  FIELD_VALUE_INVALID = -21,
  FIELD_FORBIDDEN = -22,
  BODY_LONGER_THAN_DECLARED = -23,
  BODY_SHORTER_THAN_DECLARED = -24,
  BODY_NOT_ALLOWED = -25,
  STATUS_CODE_INVALID = -26,
  METHOD_INVALID = -27,
  TARGET_INVALID = -28,
  FIELDS_TOO_LARGE = -29,

  // HTTP/1.1 syntax, RFC 9112.
  H1_METHOD = -100,
  H1_METHOD_TOO_LONG = -101,
  H1_TARGET = -102,
  H1_TARGET_TOO_LONG = -103,
  H1_VERSION = -104,
  H1_VERSION_UNSUPPORTED = -105,
  H1_LINE_ENDING = -106,
  H1_FIELD_NAME = -107,
  H1_FIELD_VALUE = -108,
  H1_OBS_FOLD = -109,
  H1_HEAD_TOO_LARGE = -110,
  H1_TOO_MANY_FIELDS = -111,
  H1_STATUS_LINE = -112,
  H1_TRANSFER_ENCODING_WITH_LENGTH = -120,
  H1_TRANSFER_ENCODING_VERSION = -121,
  H1_TRANSFER_ENCODING_INVALID = -122,
  H1_TRANSFER_ENCODING_UNSUPPORTED = -123,
  H1_CHUNK_SIZE = -130,
  H1_CHUNK_EXTENSION = -131,
  H1_CHUNK_EXTENSION_TOO_LARGE = -132,
  H1_CHUNK_TERMINATOR = -133,
  H1_TRAILERS_TOO_LARGE = -134,
  H1_UNEXPECTED_END = -140,
  H1_UNEXPECTED_RESPONSE = -141,

  // Message semantics, RFC 9110.
  HOST_MISSING = -200,
  HOST_DUPLICATE = -201,
  HOST_INVALID = -202,
  HOST_MISMATCH = -203,
  CONTENT_LENGTH_INVALID = -204,
  CONTENT_LENGTH_DUPLICATE = -205,
  EXPECTATION_FAILED = -206,
  MISDIRECTED = -207,
  BODY_TOO_LARGE = -208,

  // Deadlines.
  HEAD_TIMEOUT = -300,
  BODY_TIMEOUT = -301,
  IDLE_TIMEOUT = -302,
  WRITE_TIMEOUT = -303,
  LINGER_TIMEOUT = -304,
  // HTTP/2, RFC 9113.
  H2_PREFACE = -500,
  H2_FRAME_SIZE = -501,
  H2_STREAM_ID = -502,
  H2_STREAM_IDLE = -503,
  H2_STREAM_CLOSED = -504,
  H2_PADDING = -505,
  H2_SETTING = -506,
  H2_INITIAL_WINDOW = -507,
  H2_WINDOW_INCREMENT = -508,
  H2_WINDOW_OVERFLOW = -509,
  H2_FLOW_CONTROL = -510,
  H2_HEADER_BLOCK = -511,
  H2_COMPRESSION = -512,
  H2_DEPENDENCY = -513,
  H2_PRIORITY = -514,
  H2_PUSH = -515,
  H2_REFUSED = -516,
  H2_CANCELLED = -517,
  H2_GONE = -518,
  H2_SETTINGS_TIMEOUT = -519,
  H2_PING_TIMEOUT = -520,
  H2_STALLED = -521,
  H2_RESET_FLOOD = -522,
  H2_REPLY_FLOOD = -523,
  H2_EMPTY_FRAME_FLOOD = -524,
  H2_CONTROL_FLOOD = -525,
  H2_HEADER_BLOCK_TOO_LARGE = -526,
  H2_HEADER_LIST_TOO_LARGE = -527,
  H2_TOO_MANY_FIELDS = -528,
  H2_FIELD_NAME = -540,
  H2_FIELD_VALUE = -541,
  H2_FIELD_FORBIDDEN = -542,
  H2_PSEUDO_FIELD = -543,
  H2_TARGET = -544,
  H2_CONTENT_LENGTH = -545,
  H2_TRAILERS = -546,
  // QUIC streams, RFC 9000 §4 and §19, and datagrams, RFC 9221.
  QUIC_FLOW_CONTROL = -750,
  QUIC_STREAM_LIMIT = -751,
  QUIC_STREAM_STATE = -752,
  QUIC_FINAL_SIZE = -753,
  QUIC_STREAM_OFFSET = -754,
  QUIC_STREAM_COUNT = -755,
  QUIC_STREAM_FRAGMENTS = -756,
  QUIC_DATAGRAM = -757,
}

/** Who is to blame for a status: the host that called, the peer on the wire, or a pool that is full. */
export const enum Blame {
  NONE = 0,
  HOST = 1,
  PEER = 2,
  RESOURCE = 3,
}

/** Total: every status has a blame. */
export function blameOf(status: i32): Blame {
  if (status >= 0) return Blame.NONE;
  if (status <= -100) return Blame.PEER;
  if (status <= Status.CONNECTIONS_FULL && status >= Status.MEMORY_FULL) return Blame.RESOURCE;
  return Blame.HOST;
}

/**
 * The HTTP status code that answers a request refused with `status`, RFC 9110 §15. Total: what has no code of its own is
 * 400 where the peer is to blame and 500 elsewhere.
 */
export function httpStatusOf(status: i32): i32 {
  switch (status) {
    case Status.H1_METHOD_TOO_LONG:
    case Status.H1_TRANSFER_ENCODING_UNSUPPORTED:
      return 501;
    case Status.H1_TARGET_TOO_LONG:
      return 414;
    case Status.H1_VERSION_UNSUPPORTED:
      return 505;
    case Status.H1_HEAD_TOO_LARGE:
    case Status.H1_TOO_MANY_FIELDS:
    case Status.H1_TRAILERS_TOO_LARGE:
    case Status.H2_HEADER_LIST_TOO_LARGE:
    case Status.H2_TOO_MANY_FIELDS:
      return 431;
    case Status.EXPECTATION_FAILED:
      return 417;
    case Status.MISDIRECTED:
      return 421;
    case Status.BODY_TOO_LARGE:
      return 413;
    case Status.HEAD_TIMEOUT:
    case Status.BODY_TIMEOUT:
      return 408;
    case Status.EXCHANGES_FULL:
    case Status.CONNECTIONS_FULL:
    case Status.MEMORY_FULL:
      return 503;
  }
  return blameOf(status) == Blame.PEER ? 400 : 500;
}
