/**
 * ServerHello and HelloRetryRequest, RFC 8446 §4.1.3 and §4.1.4: the same message, told apart by its random.
 *
 * The record that was read last is kept here, and so are its extensions (extension.ts).
 */
import { Status } from "../abi/status.ts";
import { Reader, readSpan, readU16, readU8, readerIsExact, readerLeft, readerOpen } from "../core/reader.ts";
import { equalBytes } from "../core/scan.ts";
import { writeBytes, writeU16, writeU8 } from "../core/writer.ts";
import { LEGACY_VERSION, TLS_1_3 } from "./client_hello.ts";
import { draft, draftBegin } from "./draft.ts";
import { Carrier, ExtensionType, extensionIsPresent, extensionOpen, readExtensions } from "./extension.ts";
import { RANDOM_BYTES } from "./handshake.ts";
import { HandshakeType } from "./handshake_type.ts";
import { TlsStatus } from "./tls_status.ts";
import { beginVector, endVector, readVector16, readVector8 } from "./vector.ts";

/** RFC 8446 §4.1.3: SHA-256 of "HelloRetryRequest". */
// prettier-ignore
const retryRandom: usize = memory.data<u8>([
  0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
  0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
  // Room for a compare of sixteen bytes at a time.
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
]);

const message = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const part = changetype<Reader>(memory.data(offsetof<Reader>(), 4));

export let helloSuite: u32 = 0;
export let helloIsRetry: bool = false;
/** The share of a ServerHello; the group alone of a HelloRetryRequest. 0 for none. */
export let helloGroup: u32 = 0;
export let helloSharePtr: usize = 0;
export let helloShareLen: u32 = 0;
/** The PSK that the server selected, or -1. */
export let helloPskIndex: i32 = -1;
export let helloCookiePtr: usize = 0;
export let helloCookieLen: u32 = 0;

/** Reads the message without its header. `sent` is what the client's extensions were. */
export function readServerHello(ptr: usize, len: u32, sent: u64): i32 {
  readerOpen(message, ptr, len);
  const legacyVersion = readU16(message);
  const random = readSpan(message, RANDOM_BYTES);
  readVector8(message, part);
  const echoLen = readerLeft(part);
  helloSuite = readU16(message);
  const compression = readU8(message);
  if (message.failed != 0) return TlsStatus.DECODE;
  if (readerLeft(message) == 0) return TlsStatus.PROTOCOL_VERSION;
  helloIsRetry = equalBytes(random, retryRandom, RANDOM_BYTES);
  const carrier = helloIsRetry ? Carrier.HELLO_RETRY_REQUEST : Carrier.SERVER_HELLO;
  const status = readExtensions(message, carrier, sent);
  if (status < 0) return status;
  if (!readerIsExact(message)) return TlsStatus.DECODE;
  // RFC 8446 §4.2.1: without supported_versions an earlier version was chosen.
  if (!extensionIsPresent(ExtensionType.SUPPORTED_VERSIONS)) return TlsStatus.PROTOCOL_VERSION;
  const versions = extensionOpen(ExtensionType.SUPPORTED_VERSIONS);
  const version = readU16(versions);
  if (!readerIsExact(versions)) return TlsStatus.DECODE;
  if (version != TLS_1_3 || legacyVersion != LEGACY_VERSION) return TlsStatus.ILLEGAL_PARAMETER;
  // An empty session id was sent, so an empty one comes back (RFC 8446 §4.1.3, RFC 9001 §8.4).
  if (echoLen != 0 || compression != 0) return TlsStatus.ILLEGAL_PARAMETER;
  return helloIsRetry ? readRetryExtensions() : readHelloExtensions();
}

function readHelloExtensions(): i32 {
  helloPskIndex = -1;
  if (extensionIsPresent(ExtensionType.PRE_SHARED_KEY)) {
    const reader = extensionOpen(ExtensionType.PRE_SHARED_KEY);
    helloPskIndex = <i32>readU16(reader);
    if (!readerIsExact(reader)) return TlsStatus.DECODE;
  }
  // A key exchange goes with every handshake here, with a PSK too (psk_dhe_ke).
  if (!extensionIsPresent(ExtensionType.KEY_SHARE)) return TlsStatus.EXTENSION_MISSING;
  const reader = extensionOpen(ExtensionType.KEY_SHARE);
  helloGroup = readU16(reader);
  readVector16(reader, part);
  if (!readerIsExact(reader) || readerLeft(part) == 0) return TlsStatus.DECODE;
  helloSharePtr = part.at;
  helloShareLen = readerLeft(part);
  return Status.OK;
}

function readRetryExtensions(): i32 {
  helloGroup = 0;
  helloCookiePtr = 0;
  helloCookieLen = 0;
  if (extensionIsPresent(ExtensionType.KEY_SHARE)) {
    const reader = extensionOpen(ExtensionType.KEY_SHARE);
    helloGroup = readU16(reader);
    if (!readerIsExact(reader)) return TlsStatus.DECODE;
  }
  if (extensionIsPresent(ExtensionType.COOKIE)) {
    const reader = extensionOpen(ExtensionType.COOKIE);
    readVector16(reader, part);
    if (!readerIsExact(reader) || readerLeft(part) == 0) return TlsStatus.DECODE;
    helloCookiePtr = part.at;
    helloCookieLen = readerLeft(part);
  }
  return Status.OK;
}

/** Drafts a ServerHello with the server's share. `pskIndex` is -1 for none. */
export function draftServerHello(
  random: usize,
  suite: u32,
  group: u32,
  share: usize,
  shareLen: u32,
  pskIndex: i32,
): void {
  const extensions = draftHead(random, suite);
  writeU16(draft, ExtensionType.KEY_SHARE);
  writeU16(draft, 4 + shareLen);
  writeU16(draft, group);
  writeU16(draft, shareLen);
  writeBytes(draft, share, shareLen);
  if (pskIndex >= 0) {
    writeU16(draft, ExtensionType.PRE_SHARED_KEY);
    writeU16(draft, 2);
    writeU16(draft, pskIndex);
  }
  endVector(draft, extensions, 2);
}

/** Drafts a HelloRetryRequest that asks for a share of `group`. */
export function draftRetryRequest(suite: u32, group: u32): void {
  const extensions = draftHead(retryRandom, suite);
  writeU16(draft, ExtensionType.KEY_SHARE);
  writeU16(draft, 2);
  writeU16(draft, group);
  endVector(draft, extensions, 2);
}

/** All up to the extensions, and the version among them. Answers where they begin. */
function draftHead(random: usize, suite: u32): usize {
  draftBegin(HandshakeType.SERVER_HELLO);
  writeU16(draft, LEGACY_VERSION);
  writeBytes(draft, random, RANDOM_BYTES);
  writeU8(draft, 0);
  writeU16(draft, suite);
  writeU8(draft, 0);
  const extensions = beginVector(draft, 2);
  writeU16(draft, ExtensionType.SUPPORTED_VERSIONS);
  writeU16(draft, 2);
  writeU16(draft, TLS_1_3);
  return extensions;
}
