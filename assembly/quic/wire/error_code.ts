/**
 * Error codes of the transport, RFC 9000 §20.1, RFC 9001 §4.8 and RFC 9368 §5, and the one place that says which of them a
 * status becomes in CONNECTION_CLOSE.
 */
import { QuicStatus } from "../../abi/quic_status.ts";
import { Status } from "../../abi/status.ts";

export const enum TransportError {
  NO_ERROR = 0x00,
  INTERNAL_ERROR = 0x01,
  CONNECTION_REFUSED = 0x02,
  FLOW_CONTROL_ERROR = 0x03,
  STREAM_LIMIT_ERROR = 0x04,
  STREAM_STATE_ERROR = 0x05,
  FINAL_SIZE_ERROR = 0x06,
  FRAME_ENCODING_ERROR = 0x07,
  TRANSPORT_PARAMETER_ERROR = 0x08,
  CONNECTION_ID_LIMIT_ERROR = 0x09,
  PROTOCOL_VIOLATION = 0x0a,
  INVALID_TOKEN = 0x0b,
  APPLICATION_ERROR = 0x0c,
  CRYPTO_BUFFER_EXCEEDED = 0x0d,
  KEY_UPDATE_ERROR = 0x0e,
  AEAD_LIMIT_REACHED = 0x0f,
  NO_VIABLE_PATH = 0x10,
  VERSION_NEGOTIATION_ERROR = 0x11,
  /** To 0x01ff: this and the alert of TLS. */
  CRYPTO_ERROR = 0x0100,
}

/** TLS' alert for a handshake that failed for a reason without an alert of its own, RFC 8446 §6.2. */
const ALERT_HANDSHAKE_FAILURE: u32 = 40;

/** RFC 9001 §4.8: the code that carries an alert of TLS. */
// @ts-ignore: decorator
@inline
export function cryptoError(alert: u32): u32 {
  return TransportError.CRYPTO_ERROR + (alert & 0xff);
}

/**
 * Total: every status has a code. A rule of QUIC without a code of its own is PROTOCOL_VIOLATION (RFC 9000 §20.1); what is not
 * the peer's fault is INTERNAL_ERROR; packets to drop end nothing. Where TLS knows its alert, `cryptoError` says more than
 * its status can.
 */
export function transportErrorOf(status: i32): u32 {
  switch (status) {
    case Status.OK:
    case Status.IDLE_TIMEOUT:
      return TransportError.NO_ERROR;
    case QuicStatus.FRAME_TYPE_UNKNOWN:
    case QuicStatus.FRAME_TRUNCATED:
    case QuicStatus.ACK_RANGE:
    case QuicStatus.CRYPTO_OFFSET:
    case QuicStatus.STREAM_OFFSET:
    case QuicStatus.TOKEN_EMPTY:
    case QuicStatus.STREAM_COUNT:
    case QuicStatus.CONNECTION_ID_LENGTH:
    case QuicStatus.RETIRE_PRIOR_TO:
      return TransportError.FRAME_ENCODING_ERROR;
    case QuicStatus.AEAD_LIMIT:
      return TransportError.AEAD_LIMIT_REACHED;
    case QuicStatus.PARAMETER_TRUNCATED:
    case QuicStatus.PARAMETER_DUPLICATE:
    case QuicStatus.PARAMETER_VALUE:
    case QuicStatus.PARAMETER_FORBIDDEN:
    case QuicStatus.PARAMETER_MISSING:
    case QuicStatus.PARAMETER_CONNECTION_ID:
      return TransportError.TRANSPORT_PARAMETER_ERROR;
    case Status.QUIC_FLOW_CONTROL:
      return TransportError.FLOW_CONTROL_ERROR;
    case Status.QUIC_STREAM_LIMIT:
      return TransportError.STREAM_LIMIT_ERROR;
    case Status.QUIC_STREAM_STATE:
      return TransportError.STREAM_STATE_ERROR;
    case Status.QUIC_FINAL_SIZE:
      return TransportError.FINAL_SIZE_ERROR;
    case Status.QUIC_STREAM_OFFSET:
    case Status.QUIC_STREAM_COUNT:
      return TransportError.FRAME_ENCODING_ERROR;
    case QuicStatus.CONNECTION_ID_COUNT:
    case QuicStatus.CONNECTION_ID_BACKLOG:
      return TransportError.CONNECTION_ID_LIMIT_ERROR;
    case QuicStatus.CRYPTO_BUFFER_EXCEEDED:
      return TransportError.CRYPTO_BUFFER_EXCEEDED;
    case QuicStatus.KEY_UPDATE:
      return TransportError.KEY_UPDATE_ERROR;
    case QuicStatus.TOKEN_INVALID:
      return TransportError.INVALID_TOKEN;
    case QuicStatus.CONNECTION_REFUSED:
      return TransportError.CONNECTION_REFUSED;
    case QuicStatus.NO_VIABLE_PATH:
      return TransportError.NO_VIABLE_PATH;
    case QuicStatus.HANDSHAKE_TIMEOUT:
    case QuicStatus.CONNECTION_IDLE:
      return TransportError.NO_ERROR;
    case QuicStatus.VERSION_NEGOTIATION:
    case QuicStatus.VERSION_OFFERED:
      return TransportError.VERSION_NEGOTIATION_ERROR;
  }
  if (status <= QuicStatus.PACKET_TRUNCATED && status >= QuicStatus.PACKET_DISCARD_LAST) {
    return TransportError.NO_ERROR;
  }
  if (status <= -600 && status >= -699) return cryptoError(ALERT_HANDSHAKE_FAILURE);
  if (status <= -700 && status >= -799) return TransportError.PROTOCOL_VIOLATION;
  return TransportError.INTERNAL_ERROR;
}
