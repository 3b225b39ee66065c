/**
 * Statuses of HTTP/3, -800 … -849 of the one list that begins in abi/status.ts: why a stream or a connection was refused. All of
 * them blame the peer. What a malformed message breaks is said by the statuses that HTTP/2 and HTTP/3 share (H2_PSEUDO_FIELD and its
 * neighbours), since the rules are the same.
 *
 * Which error code a status becomes on the wire is decided in h3/error_code.ts. Numbers are never renumbered or reused.
 *
 * This file is read by both compilers (AssemblyScript and TypeScript): it keeps to their common subset.
 */
export const enum H3Status {
  // Frames and streams, RFC 9114 §6 and §7.
  FRAME_UNEXPECTED = -800,
  FRAME_LENGTH = -801,
  FRAME_CUT = -802,
  FRAME_TOO_LARGE = -803,
  SETTINGS_MISSING = -804,
  SETTINGS_DUPLICATE = -805,
  SETTINGS_RESERVED = -806,
  SETTINGS_VALUE = -807,
  STREAM_DUPLICATE = -808,
  STREAM_DIRECTION = -809,
  CRITICAL_STREAM_CLOSED = -810,
  PUSH_ID = -811,
  GOAWAY_ID = -812,
  PRIORITY_ID = -813,

  // Requests, RFC 9114 §4.1 and §5.2.
  REQUEST_INCOMPLETE = -815,
  /** The peer says that it has not begun to act on the request: it may be made again. */
  REJECTED = -816,
  CANCELLED = -817,
  /** The stream came after a GOAWAY that had told so. */
  GONE = -818,
  /** A pool is full: this side has not begun to act on the request. */
  REFUSED = -819,
  /** RFC 8470: a method that is not safe came in early data. 425. */
  TOO_EARLY = -820,

  // What a peer may do only so often.
  RESET_FLOOD = -825,
  CONTROL_FLOOD = -826,
  EMPTY_FRAME_FLOOD = -827,
  SECTION_TOO_LARGE = -828,
  STALLED = -829,

  // HTTP datagrams and capsules, RFC 9297.
  DATAGRAM = -835,
  CAPSULE = -836,

  // WebTransport over HTTP/3.
  SESSION_GONE = -840,
  SESSION_UNKNOWN = -841,
  /** The number names a stream that cannot be one of a session. */
  SESSION_ID = -842,
}

/** One short sentence per status. */
export function h3StatusText(status: i32): string {
  switch (status) {
    case H3Status.FRAME_UNEXPECTED:
      return "a frame where its type is not allowed";
    case H3Status.FRAME_LENGTH:
      return "a frame's payload does not have the length of its fields";
    case H3Status.FRAME_CUT:
      return "a stream ended within a frame";
    case H3Status.FRAME_TOO_LARGE:
      return "a control frame is too large";
    case H3Status.SETTINGS_MISSING:
      return "the control stream does not begin with SETTINGS";
    case H3Status.SETTINGS_DUPLICATE:
      return "a setting is there twice";
    case H3Status.SETTINGS_RESERVED:
      return "a setting of HTTP/2 that HTTP/3 does not have";
    case H3Status.SETTINGS_VALUE:
      return "a setting has a value that it must not have";
    case H3Status.STREAM_DUPLICATE:
      return "a second stream of a type that there is one of";
    case H3Status.STREAM_DIRECTION:
      return "a stream of a type that this peer must not open";
    case H3Status.CRITICAL_STREAM_CLOSED:
      return "a control stream or a stream of QPACK was closed";
    case H3Status.PUSH_ID:
      return "a push identifier that was not allowed or not promised";
    case H3Status.GOAWAY_ID:
      return "GOAWAY names an identifier that it must not name";
    case H3Status.PRIORITY_ID:
      return "PRIORITY_UPDATE names an identifier that it must not name";
    case H3Status.REQUEST_INCOMPLETE:
      return "a stream ended before its message was complete";
    case H3Status.REJECTED:
      return "the peer has not acted on the request";
    case H3Status.CANCELLED:
      return "the peer cancelled the stream";
    case H3Status.GONE:
      return "the stream came after the last one that is acted on";
    case H3Status.REFUSED:
      return "the request was refused before anything was done";
    case H3Status.TOO_EARLY:
      return "a request that may be replayed came in early data";
    case H3Status.RESET_FLOOD:
      return "too many streams were reset";
    case H3Status.CONTROL_FLOOD:
      return "too many frames or streams that carry no message";
    case H3Status.EMPTY_FRAME_FLOOD:
      return "too many frames without content";
    case H3Status.SECTION_TOO_LARGE:
      return "an encoded field section is too large";
    case H3Status.STALLED:
      return "the peer did not let content through in time";
    case H3Status.DATAGRAM:
      return "a datagram names no stream that it could belong to";
    case H3Status.CAPSULE:
      return "a capsule is malformed";
    case H3Status.SESSION_GONE:
      return "the WebTransport session is over";
    case H3Status.SESSION_UNKNOWN:
      return "a stream or datagram names no WebTransport session";
    case H3Status.SESSION_ID:
      return "a stream or datagram names what cannot be a WebTransport session";
  }
  return "unknown status";
}
