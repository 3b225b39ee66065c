/**
 * Statuses of TLS 1.3, -600 … -639 of the one list that begins in abi/status.ts: why a handshake was refused.
 *
 * Two total functions say what goes on the wire: the alert (RFC 8446 §6), and the error code of QUIC's CONNECTION_CLOSE, which
 * carries the alert (RFC 9001 §4.8) except where RFC 9001 itself asks for PROTOCOL_VIOLATION. Numbers are never renumbered.
 *
 * This file is read by both compilers (AssemblyScript and TypeScript): it keeps to their common subset.
 */
import { X509Status } from "../x509/x509_status.ts";

export const enum TlsStatus {
  /** A message that the state does not expect, or at a level that it does not belong to. */
  UNEXPECTED_MESSAGE = -600,
  /** A length or vector that does not fit its message. */
  DECODE = -601,
  MESSAGE_TOO_LARGE = -602,
  ILLEGAL_PARAMETER = -603,
  EXTENSION_DUPLICATE = -604,
  /** An extension that does not belong in the message it came in. */
  EXTENSION_FORBIDDEN = -605,
  /** An answer to an extension that was never sent. */
  EXTENSION_UNSOLICITED = -606,
  EXTENSION_MISSING = -607,
  PROTOCOL_VERSION = -608,
  NO_CIPHER_SUITE = -609,
  NO_GROUP = -610,
  NO_SIGNATURE_SCHEME = -611,
  NO_APPLICATION_PROTOCOL = -612,
  KEY_SHARE_INVALID = -613,
  /** A finished message or a binder that does not prove its key. */
  FINISHED_INVALID = -614,
  SIGNATURE_INVALID = -615,
  CERTIFICATE_REQUIRED = -616,
  CERTIFICATE_EMPTY = -617,
  CERTIFICATE_INVALID = -618,
  /** The host could not sign, or the memory is full. */
  INTERNAL = -620,
  TRANSPORT_PARAMETERS_MISSING = -621,
  /** RFC 9001 §8.4: a session id that is not empty. */
  COMPATIBILITY_MODE = -622,
  /** RFC 9001 §4.6.1: another max_early_data_size than 0xffffffff. */
  EARLY_DATA_SIZE = -623,
  /** RFC 9001 §4.4: a CertificateRequest after the handshake. */
  POST_HANDSHAKE_REQUEST = -624,
  TOO_MANY_EXTENSIONS = -625,
  TICKET_FLOOD = -626,
}

/** RFC 8446 §6. */
export const enum Alert {
  UNEXPECTED_MESSAGE = 10,
  HANDSHAKE_FAILURE = 40,
  BAD_CERTIFICATE = 42,
  UNSUPPORTED_CERTIFICATE = 43,
  CERTIFICATE_EXPIRED = 45,
  ILLEGAL_PARAMETER = 47,
  UNKNOWN_CA = 48,
  DECODE_ERROR = 50,
  DECRYPT_ERROR = 51,
  PROTOCOL_VERSION = 70,
  INTERNAL_ERROR = 80,
  MISSING_EXTENSION = 109,
  UNSUPPORTED_EXTENSION = 110,
  CERTIFICATE_REQUIRED = 116,
  NO_APPLICATION_PROTOCOL = 120,
}

/** RFC 9001 §4.8: a CRYPTO_ERROR is this plus the alert. */
export const CRYPTO_ERROR_BASE: u32 = 0x100;
/** RFC 9000 §20.1. */
const PROTOCOL_VIOLATION: u32 = 0x0a;

/** Total: every status has an alert; what is not the peer's fault is internal_error. */
export function alertOf(status: i32): Alert {
  switch (status) {
    case TlsStatus.UNEXPECTED_MESSAGE:
    case TlsStatus.POST_HANDSHAKE_REQUEST:
    case TlsStatus.TICKET_FLOOD:
      return Alert.UNEXPECTED_MESSAGE;
    case TlsStatus.DECODE:
    case TlsStatus.CERTIFICATE_EMPTY:
    case TlsStatus.TOO_MANY_EXTENSIONS:
      return Alert.DECODE_ERROR;
    case TlsStatus.ILLEGAL_PARAMETER:
    case TlsStatus.MESSAGE_TOO_LARGE:
    case TlsStatus.EXTENSION_DUPLICATE:
    case TlsStatus.EXTENSION_FORBIDDEN:
    case TlsStatus.KEY_SHARE_INVALID:
    case TlsStatus.COMPATIBILITY_MODE:
    case TlsStatus.EARLY_DATA_SIZE:
      return Alert.ILLEGAL_PARAMETER;
    case TlsStatus.EXTENSION_UNSOLICITED:
      return Alert.UNSUPPORTED_EXTENSION;
    case TlsStatus.EXTENSION_MISSING:
    case TlsStatus.TRANSPORT_PARAMETERS_MISSING:
      return Alert.MISSING_EXTENSION;
    case TlsStatus.PROTOCOL_VERSION:
      return Alert.PROTOCOL_VERSION;
    case TlsStatus.NO_CIPHER_SUITE:
    case TlsStatus.NO_GROUP:
    case TlsStatus.NO_SIGNATURE_SCHEME:
      return Alert.HANDSHAKE_FAILURE;
    case TlsStatus.NO_APPLICATION_PROTOCOL:
      return Alert.NO_APPLICATION_PROTOCOL;
    case TlsStatus.FINISHED_INVALID:
    case TlsStatus.SIGNATURE_INVALID:
      return Alert.DECRYPT_ERROR;
    case TlsStatus.CERTIFICATE_REQUIRED:
      return Alert.CERTIFICATE_REQUIRED;
    case TlsStatus.CERTIFICATE_INVALID:
      return Alert.BAD_CERTIFICATE;
  }
  return certificateAlertOf(status);
}

/** RFC 8446 §6.2: what a chain is refused with. */
function certificateAlertOf(status: i32): Alert {
  switch (status) {
    case X509Status.MALFORMED:
    case X509Status.NAME_MISMATCH:
    case X509Status.NOT_A_CA:
    case X509Status.PATH_TOO_LONG:
    case X509Status.NAME_CONSTRAINT:
    case X509Status.SIGNATURE:
      return Alert.BAD_CERTIFICATE;
    case X509Status.ALGORITHM:
    case X509Status.PURPOSE:
    case X509Status.CRITICAL_EXTENSION:
      return Alert.UNSUPPORTED_CERTIFICATE;
    case X509Status.NOT_YET_VALID:
    case X509Status.EXPIRED:
      return Alert.CERTIFICATE_EXPIRED;
    case X509Status.UNKNOWN_ISSUER:
      return Alert.UNKNOWN_CA;
  }
  return Alert.INTERNAL_ERROR;
}

/** The error code of the CONNECTION_CLOSE that a failed handshake ends with. */
export function tlsErrorCode(status: i32): u32 {
  switch (status) {
    case TlsStatus.COMPATIBILITY_MODE:
    case TlsStatus.EARLY_DATA_SIZE:
    case TlsStatus.POST_HANDSHAKE_REQUEST:
      return PROTOCOL_VIOLATION;
  }
  return CRYPTO_ERROR_BASE + <u32>alertOf(status);
}
