/**
 * Error codes, RFC 9114 §8.1 and RFC 9204 §6, and the one place that says which of them a status becomes on the wire: in
 * CONNECTION_CLOSE, RESET_STREAM and STOP_SENDING alike.
 */
import { H3Status } from "../abi/h3_status.ts";
import { Status } from "../abi/status.ts";
import { qpackErrorCodeOf } from "../abi/qpack_status.ts";

export const enum H3Error {
  NO_ERROR = 0x0100,
  GENERAL_PROTOCOL_ERROR = 0x0101,
  INTERNAL_ERROR = 0x0102,
  STREAM_CREATION_ERROR = 0x0103,
  CLOSED_CRITICAL_STREAM = 0x0104,
  FRAME_UNEXPECTED = 0x0105,
  FRAME_ERROR = 0x0106,
  EXCESSIVE_LOAD = 0x0107,
  ID_ERROR = 0x0108,
  SETTINGS_ERROR = 0x0109,
  MISSING_SETTINGS = 0x010a,
  REQUEST_REJECTED = 0x010b,
  REQUEST_CANCELLED = 0x010c,
  REQUEST_INCOMPLETE = 0x010d,
  MESSAGE_ERROR = 0x010e,
  CONNECT_ERROR = 0x010f,
  VERSION_FALLBACK = 0x0110,
  QPACK_DECOMPRESSION_FAILED = 0x0200,
  QPACK_ENCODER_STREAM_ERROR = 0x0201,
  QPACK_DECODER_STREAM_ERROR = 0x0202,
  /** RFC 9297 §2.1. */
  DATAGRAM_ERROR = 0x33,
  /** draft-ietf-webtrans-http3 §9.5. */
  WT_BUFFERED_STREAM_REJECTED = 0x3994bd84,
  WT_SESSION_GONE = 0x170d7b68,
}

/** The group of QPACK, which says itself what its statuses become. */
const QPACK_FIRST: i32 = -850;
const QPACK_LAST: i32 = -899;

/** Total: every status has a code. */
export function h3ErrorCode(status: i32): H3Error {
  switch (status) {
    case Status.OK:
    case Status.IDLE_TIMEOUT:
      return H3Error.NO_ERROR;
    case H3Status.STREAM_DUPLICATE:
    case H3Status.STREAM_DIRECTION:
      return H3Error.STREAM_CREATION_ERROR;
    case H3Status.CRITICAL_STREAM_CLOSED:
      return H3Error.CLOSED_CRITICAL_STREAM;
    case H3Status.FRAME_UNEXPECTED:
      return H3Error.FRAME_UNEXPECTED;
    case H3Status.FRAME_LENGTH:
    case H3Status.FRAME_CUT:
      return H3Error.FRAME_ERROR;
    case H3Status.PUSH_ID:
    case H3Status.GOAWAY_ID:
    case H3Status.PRIORITY_ID:
    case H3Status.SESSION_ID:
      return H3Error.ID_ERROR;
    case H3Status.SETTINGS_DUPLICATE:
    case H3Status.SETTINGS_RESERVED:
    case H3Status.SETTINGS_VALUE:
      return H3Error.SETTINGS_ERROR;
    case H3Status.SETTINGS_MISSING:
      return H3Error.MISSING_SETTINGS;
    case H3Status.REFUSED:
    case H3Status.REJECTED:
    case H3Status.GONE:
    case Status.EXCHANGES_FULL:
      return H3Error.REQUEST_REJECTED;
    case H3Status.CANCELLED:
    case Status.BODY_TIMEOUT:
    case Status.HEAD_TIMEOUT:
      return H3Error.REQUEST_CANCELLED;
    case H3Status.REQUEST_INCOMPLETE:
      return H3Error.REQUEST_INCOMPLETE;
    case H3Status.FRAME_TOO_LARGE:
    case H3Status.RESET_FLOOD:
    case H3Status.CONTROL_FLOOD:
    case H3Status.EMPTY_FRAME_FLOOD:
    case H3Status.SECTION_TOO_LARGE:
    case H3Status.STALLED:
    case Status.H2_HEADER_LIST_TOO_LARGE:
    case Status.H2_TOO_MANY_FIELDS:
    case Status.BODY_TOO_LARGE:
      return H3Error.EXCESSIVE_LOAD;
    case H3Status.CAPSULE:
      // RFC 9297 §3.3.
      return H3Error.MESSAGE_ERROR;
    case H3Status.DATAGRAM:
      return H3Error.DATAGRAM_ERROR;
    case H3Status.SESSION_GONE:
      return H3Error.WT_SESSION_GONE;
    case H3Status.SESSION_UNKNOWN:
      return H3Error.WT_BUFFERED_STREAM_REJECTED;
  }
  if (status <= QPACK_FIRST && status >= QPACK_LAST) return <H3Error>qpackErrorCodeOf(status);
  if (status > -100) return H3Error.INTERNAL_ERROR;
  if (isMessageStatus(status)) return H3Error.MESSAGE_ERROR;
  return H3Error.GENERAL_PROTOCOL_ERROR;
}

/** Whether a status says that a message is malformed, RFC 9114 §4.1.2: the group of the rules that all versions share. */
function isMessageStatus(status: i32): bool {
  if (status <= Status.HOST_MISSING && status > Status.HEAD_TIMEOUT) return true;
  return status <= Status.H2_FIELD_NAME && status > -600;
}
