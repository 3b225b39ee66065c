/**
 * ClientHello, RFC 8446 §4.1.2, as a server reads it: the fixed fields here, the extensions by extension.ts.
 *
 * Also the readers of those extensions that only a ClientHello has in this form. The record that was read last is kept in
 * this file; its spans live as long as the message does.
 */
import { Status } from "../abi/status.ts";
import { Reader, readSpan, readU16, readU8, readerIsExact, readerLeft, readerOpen } from "../core/reader.ts";
import { Carrier, ExtensionType, extensionIsPresent, extensionOpen, readExtensions } from "./extension.ts";
import { RANDOM_BYTES } from "./handshake.ts";
import { TlsStatus } from "./tls_status.ts";
import { readVector16, readVector8 } from "./vector.ts";

/** RFC 8446 §4.1.2: legacy_version MUST be 0x0303, and the version is in supported_versions. */
export const LEGACY_VERSION: u32 = 0x0303;
export const TLS_1_3: u32 = 0x0304;
const SESSION_ID_BYTES_MAX: u32 = 32;
/** RFC 8446 §4.2.9. */
export const PSK_DHE_KE: u32 = 1;
/** RFC 6066 §3. */
export const HOST_NAME: u32 = 0;
const NAME_BYTES_MAX: u32 = 255;

const message = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const suites = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const list = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const entry = changetype<Reader>(memory.data(offsetof<Reader>(), 4));

export let clientRandom: usize = 0;
/** What `readServerName` found. */
export let namePtr: usize = 0;
export let nameLen: u32 = 0;

/** Reads the message without its header, and checks what does not depend on what the server wants. */
export function readClientHello(ptr: usize, len: u32): i32 {
  readerOpen(message, ptr, len);
  const legacyVersion = readU16(message);
  clientRandom = readSpan(message, RANDOM_BYTES);
  readVector8(message, entry);
  const sessionIdLen = readerLeft(entry);
  readVector16(message, suites);
  readVector8(message, entry);
  const methods = readerLeft(entry);
  const method = readU8(entry);
  if (message.failed != 0 || sessionIdLen > SESSION_ID_BYTES_MAX) return TlsStatus.DECODE;
  if (readerLeft(suites) == 0 || (readerLeft(suites) & 1) != 0 || methods == 0) return TlsStatus.DECODE;
  // A ClientHello may end here in earlier versions, and so is one of them.
  if (readerLeft(message) == 0) return TlsStatus.PROTOCOL_VERSION;
  const status = readExtensions(message, Carrier.CLIENT_HELLO, 0);
  if (status < 0) return status;
  if (!readerIsExact(message)) return TlsStatus.DECODE;
  if (!extensionIsPresent(ExtensionType.SUPPORTED_VERSIONS)) return TlsStatus.PROTOCOL_VERSION;
  const versions = offersVersion();
  if (versions < 0) return versions;
  if (legacyVersion != LEGACY_VERSION) return TlsStatus.ILLEGAL_PARAMETER;
  // RFC 8446 §4.1.2: for TLS 1.3 exactly one byte, set to zero.
  if (methods != 1 || method != 0) return TlsStatus.ILLEGAL_PARAMETER;
  return sessionIdLen == 0 ? Status.OK : TlsStatus.COMPATIBILITY_MODE;
}

/** Whether the client offers `suite`. */
export function offersSuite(suite: u32): bool {
  for (let at = suites.at; at < suites.end; at += 2) {
    if (<u32>bswap<u16>(load<u16>(at)) == suite) return true;
  }
  return false;
}

/** RFC 8446 §4.2.1: whether TLS 1.3 is among the versions. */
function offersVersion(): i32 {
  const reader = extensionOpen(ExtensionType.SUPPORTED_VERSIONS);
  readVector8(reader, list);
  if (!readerIsExact(reader) || !isListOf16(list)) return TlsStatus.DECODE;
  return listHas(list, TLS_1_3) ? Status.OK : TlsStatus.PROTOCOL_VERSION;
}

/** Whether an extension that is a list of 16-bit numbers with a length of two bytes is well formed. True when absent. */
export function isList16(type: ExtensionType): bool {
  if (!extensionIsPresent(type)) return true;
  const reader = extensionOpen(type);
  readVector16(reader, list);
  return readerIsExact(reader) && isListOf16(list);
}

/** Whether such an extension has `value`. It must be well formed. */
export function list16Has(type: ExtensionType, value: u32): bool {
  const reader = extensionOpen(type);
  readVector16(reader, list);
  return listHas(list, value);
}

/** RFC 8446 §4.2.9: 1 when the client takes a PSK with a key exchange, 0 when not, or a status. */
export function offersPskWithKeyExchange(): i32 {
  const reader = extensionOpen(ExtensionType.PSK_KEY_EXCHANGE_MODES);
  readVector8(reader, list);
  if (!readerIsExact(reader) || readerLeft(list) == 0) return TlsStatus.DECODE;
  for (let at = list.at; at < list.end; at++) {
    if (load<u8>(at) == PSK_DHE_KE) return 1;
  }
  return 0;
}

/** RFC 6066 §3: sets `namePtr` and `nameLen`, 0 when the client names no host. */
export function readServerName(): i32 {
  nameLen = 0;
  namePtr = 0;
  if (!extensionIsPresent(ExtensionType.SERVER_NAME)) return Status.OK;
  const reader = extensionOpen(ExtensionType.SERVER_NAME);
  readVector16(reader, list);
  if (!readerIsExact(reader) || readerLeft(list) == 0) return TlsStatus.DECODE;
  while (readerLeft(list) != 0) {
    const type = readU8(list);
    readVector16(list, entry);
    if (list.failed != 0) return TlsStatus.DECODE;
    if (type != HOST_NAME) continue;
    // "MUST NOT contain more than one name of the same name_type."
    if (nameLen != 0) return TlsStatus.ILLEGAL_PARAMETER;
    nameLen = readerLeft(entry);
    namePtr = entry.at;
    if (nameLen == 0 || nameLen > NAME_BYTES_MAX) return TlsStatus.DECODE;
    for (let at = entry.at; at < entry.end; at++) {
      // Printable ASCII: a name is compared and shown, so no byte may mislead either.
      if (load<u8>(at) <= 0x20 || load<u8>(at) >= 0x7f) return TlsStatus.ILLEGAL_PARAMETER;
    }
  }
  return Status.OK;
}

function isListOf16(reader: Reader): bool {
  return readerLeft(reader) != 0 && (readerLeft(reader) & 1) == 0;
}

function listHas(reader: Reader, value: u32): bool {
  for (let at = reader.at; at < reader.end; at += 2) {
    if (<u32>bswap<u16>(load<u16>(at)) == value) return true;
  }
  return false;
}
