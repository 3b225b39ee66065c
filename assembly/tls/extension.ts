/**
 * Extensions, RFC 8446 §4.2: a block of them is read once, and each known one is found afterwards by its slot.
 *
 * Decides what holds for every block: no type twice, none that is known but does not belong in this message
 * (illegal_parameter), and in an answer none that was not asked for (unsupported_extension). Unknown ones in a ClientHello, a
 * CertificateRequest or a NewSessionTicket are ignored, GREASE (RFC 8701) among them. What is inside of an extension is read
 * by the message that it belongs to.
 *
 * The block that was read last is kept here; its spans live as long as the message does.
 */
import { Status } from "../abi/status.ts";
import { Reader, readSpan, readU16, readerLeft, readerOpen } from "../core/reader.ts";
import { TlsStatus } from "./tls_status.ts";
import { readVector16 } from "./vector.ts";

export const enum ExtensionType {
  SERVER_NAME = 0,
  MAX_FRAGMENT_LENGTH = 1,
  STATUS_REQUEST = 5,
  SUPPORTED_GROUPS = 10,
  SIGNATURE_ALGORITHMS = 13,
  USE_SRTP = 14,
  HEARTBEAT = 15,
  ALPN = 16,
  SIGNED_CERTIFICATE_TIMESTAMP = 18,
  CLIENT_CERTIFICATE_TYPE = 19,
  SERVER_CERTIFICATE_TYPE = 20,
  PADDING = 21,
  PRE_SHARED_KEY = 41,
  EARLY_DATA = 42,
  SUPPORTED_VERSIONS = 43,
  COOKIE = 44,
  PSK_KEY_EXCHANGE_MODES = 45,
  CERTIFICATE_AUTHORITIES = 47,
  OID_FILTERS = 48,
  POST_HANDSHAKE_AUTH = 49,
  SIGNATURE_ALGORITHMS_CERT = 50,
  KEY_SHARE = 51,
  /** RFC 9001 §8.2. */
  QUIC_TRANSPORT_PARAMETERS = 57,
}

/** The messages that extensions come in, one bit each. */
export const enum Carrier {
  CLIENT_HELLO = 1,
  SERVER_HELLO = 2,
  ENCRYPTED_EXTENSIONS = 4,
  CERTIFICATE = 8,
  CERTIFICATE_REQUEST = 16,
  NEW_SESSION_TICKET = 32,
  HELLO_RETRY_REQUEST = 64,
}

/** In these an extension answers one that was sent (RFC 8446 §4.2); in the others unknown ones are ignored. */
const ANSWERS: u32 =
  Carrier.SERVER_HELLO | Carrier.ENCRYPTED_EXTENSIONS | Carrier.CERTIFICATE | Carrier.HELLO_RETRY_REQUEST;

/** Types fit the bits of a u64, and so does what is known, sent or present. */
const TYPE_COUNT: u32 = 64;
/** Chromium sends 18; each further one costs a look at all before it. */
const EXTENSION_COUNT_MAX: u32 = 96;

const spans: usize = memory.data(TYPE_COUNT * 8, 4);
const seenTypes: usize = memory.data(EXTENSION_COUNT_MAX * 2, 2);
const block = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const content = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
let present: u64 = 0;

/** The table of RFC 8446 §4.2, with RFC 9001 §8.2: where a type may appear. 0 = not known. */
export function carriersOf(type: u32): u32 {
  switch (type) {
    case ExtensionType.SERVER_NAME:
    case ExtensionType.MAX_FRAGMENT_LENGTH:
    case ExtensionType.SUPPORTED_GROUPS:
    case ExtensionType.USE_SRTP:
    case ExtensionType.HEARTBEAT:
    case ExtensionType.ALPN:
    case ExtensionType.CLIENT_CERTIFICATE_TYPE:
    case ExtensionType.SERVER_CERTIFICATE_TYPE:
    case ExtensionType.QUIC_TRANSPORT_PARAMETERS:
      return Carrier.CLIENT_HELLO | Carrier.ENCRYPTED_EXTENSIONS;
    case ExtensionType.STATUS_REQUEST:
    case ExtensionType.SIGNED_CERTIFICATE_TIMESTAMP:
      return Carrier.CLIENT_HELLO | Carrier.CERTIFICATE_REQUEST | Carrier.CERTIFICATE;
    case ExtensionType.SIGNATURE_ALGORITHMS:
    case ExtensionType.CERTIFICATE_AUTHORITIES:
    case ExtensionType.SIGNATURE_ALGORITHMS_CERT:
      return Carrier.CLIENT_HELLO | Carrier.CERTIFICATE_REQUEST;
    case ExtensionType.PADDING:
    case ExtensionType.PSK_KEY_EXCHANGE_MODES:
    case ExtensionType.POST_HANDSHAKE_AUTH:
      return Carrier.CLIENT_HELLO;
    case ExtensionType.PRE_SHARED_KEY:
      return Carrier.CLIENT_HELLO | Carrier.SERVER_HELLO;
    case ExtensionType.EARLY_DATA:
      return Carrier.CLIENT_HELLO | Carrier.ENCRYPTED_EXTENSIONS | Carrier.NEW_SESSION_TICKET;
    case ExtensionType.SUPPORTED_VERSIONS:
    case ExtensionType.KEY_SHARE:
      return Carrier.CLIENT_HELLO | Carrier.SERVER_HELLO | Carrier.HELLO_RETRY_REQUEST;
    case ExtensionType.COOKIE:
      return Carrier.CLIENT_HELLO | Carrier.HELLO_RETRY_REQUEST;
    case ExtensionType.OID_FILTERS:
      return Carrier.CERTIFICATE_REQUEST;
  }
  return 0;
}

/** The bit by which sets of extensions know `type`. */
// @ts-ignore: decorator
@inline
export function extensionBit(type: u32): u64 {
  return type < TYPE_COUNT ? (<u64>1) << type : 0;
}

/**
 * Reads the vector of extensions that starts here. `sent` is the set that an answer may answer. Afterwards the extensions are
 * found with `extensionIsPresent` and `extensionOpen`.
 */
export function readExtensions(reader: Reader, carrier: Carrier, sent: u64): i32 {
  present = 0;
  readVector16(reader, block);
  let count: u32 = 0;
  while (readerLeft(block) != 0) {
    const type = readU16(block);
    const len = readU16(block);
    const ptr = readSpan(block, len);
    if (block.failed != 0) break;
    // RFC 8446 §4.2.11: pre_shared_key MUST be the last extension of a ClientHello.
    if (carrier == Carrier.CLIENT_HELLO && extensionIsPresent(ExtensionType.PRE_SHARED_KEY)) {
      return isSeen(type, count) ? TlsStatus.EXTENSION_DUPLICATE : TlsStatus.ILLEGAL_PARAMETER;
    }
    if (isSeen(type, count)) return TlsStatus.EXTENSION_DUPLICATE;
    if (count == EXTENSION_COUNT_MAX) return TlsStatus.TOO_MANY_EXTENSIONS;
    store<u16>(seenTypes + (count << 1), <u16>type);
    count++;
    const carriers = carriersOf(type);
    if (carriers != 0 && (carriers & carrier) == 0) return TlsStatus.EXTENSION_FORBIDDEN;
    if ((ANSWERS & carrier) != 0 && !isSolicited(type, carrier, sent)) return TlsStatus.EXTENSION_UNSOLICITED;
    if (carriers == 0) continue;
    present |= extensionBit(type);
    store<usize>(spans + (type << 3), ptr);
    store<u32>(spans + (type << 3), len, 4);
  }
  return block.failed != 0 || reader.failed != 0 ? TlsStatus.DECODE : Status.OK;
}

/** Whether the block that was read last has this extension. */
export function extensionIsPresent(type: ExtensionType): bool {
  return (present & extensionBit(type)) != 0;
}

/** A reader on the content of an extension; on nothing when it is not present. Valid until the next call. */
export function extensionOpen(type: ExtensionType): Reader {
  const isPresent = extensionIsPresent(type);
  const span = spans + ((<u32>type) << 3);
  readerOpen(content, isPresent ? load<usize>(span) : 0, isPresent ? load<u32>(span, 4) : 0);
  return content;
}

function isSeen(type: u32, count: u32): bool {
  for (let index: u32 = 0; index < count; index++) {
    if (load<u16>(seenTypes + (index << 1)) == type) return true;
  }
  return false;
}

/** RFC 8446 §4.2: a cookie comes unasked in a HelloRetryRequest. */
function isSolicited(type: u32, carrier: Carrier, sent: u64): bool {
  if (carrier == Carrier.HELLO_RETRY_REQUEST && type == ExtensionType.COOKIE) return true;
  return (sent & extensionBit(type)) != 0;
}
