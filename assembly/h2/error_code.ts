/**
 * Error codes, RFC 9113 §7, and the one place that says which of them a status becomes on the wire.
 */
import { Status } from "../abi/status.ts";

export const enum ErrorCode {
  NO_ERROR = 0x0,
  PROTOCOL_ERROR = 0x1,
  INTERNAL_ERROR = 0x2,
  FLOW_CONTROL_ERROR = 0x3,
  SETTINGS_TIMEOUT = 0x4,
  STREAM_CLOSED = 0x5,
  FRAME_SIZE_ERROR = 0x6,
  REFUSED_STREAM = 0x7,
  CANCEL = 0x8,
  COMPRESSION_ERROR = 0x9,
  CONNECT_ERROR = 0xa,
  ENHANCE_YOUR_CALM = 0xb,
  INADEQUATE_SECURITY = 0xc,
  HTTP_1_1_REQUIRED = 0xd,
}

/** Total: every status has a code. A rule of the protocol without a code of its own is PROTOCOL_ERROR (§7). */
export function errorCodeOf(status: i32): ErrorCode {
  switch (status) {
    case Status.OK:
    case Status.IDLE_TIMEOUT:
      return ErrorCode.NO_ERROR;
    case Status.H2_FRAME_SIZE:
      return ErrorCode.FRAME_SIZE_ERROR;
    case Status.H2_STREAM_CLOSED:
      return ErrorCode.STREAM_CLOSED;
    case Status.H2_INITIAL_WINDOW:
    case Status.H2_WINDOW_OVERFLOW:
    case Status.H2_FLOW_CONTROL:
      return ErrorCode.FLOW_CONTROL_ERROR;
    case Status.H2_COMPRESSION:
      return ErrorCode.COMPRESSION_ERROR;
    case Status.H2_REFUSED:
    case Status.EXCHANGES_FULL:
      return ErrorCode.REFUSED_STREAM;
    case Status.H2_CANCELLED:
    case Status.H2_GONE:
    case Status.BODY_TIMEOUT:
      return ErrorCode.CANCEL;
    case Status.H2_SETTINGS_TIMEOUT:
      return ErrorCode.SETTINGS_TIMEOUT;
    case Status.H2_STALLED:
    case Status.H2_RESET_FLOOD:
    case Status.H2_REPLY_FLOOD:
    case Status.H2_EMPTY_FRAME_FLOOD:
    case Status.H2_CONTROL_FLOOD:
    case Status.H2_HEADER_BLOCK_TOO_LARGE:
    case Status.H2_HEADER_LIST_TOO_LARGE:
    case Status.H2_TOO_MANY_FIELDS:
    case Status.BODY_TOO_LARGE:
      return ErrorCode.ENHANCE_YOUR_CALM;
  }
  return status > -100 ? ErrorCode.INTERNAL_ERROR : ErrorCode.PROTOCOL_ERROR;
}
