/**
 * Application protocols, RFC 7301: chosen by the server in its own order, and checked by the client.
 *
 * RFC 9001 §8.1: without an agreed protocol a QUIC connection ends with no_application_protocol, on both sides.
 */
import { Status } from "../abi/status.ts";
import { Reader, readerIsExact, readerLeft } from "../core/reader.ts";
import { equalBytes } from "../core/scan.ts";
import { ExtensionType, extensionIsPresent, extensionOpen } from "./extension.ts";
import { TlsSession } from "./handshake.ts";
import { TlsStatus } from "./tls_status.ts";
import { readVector16, readVector8 } from "./vector.ts";

const list = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const name = changetype<Reader>(memory.data(offsetof<Reader>(), 4));

/** The server chooses the first of its protocols that the client offers. */
export function chooseAlpn(session: TlsSession): i32 {
  if (!extensionIsPresent(ExtensionType.ALPN)) return TlsStatus.NO_APPLICATION_PROTOCOL;
  const reader = extensionOpen(ExtensionType.ALPN);
  readVector16(reader, list);
  if (!readerIsExact(reader) || readerLeft(list) == 0) return TlsStatus.DECODE;
  const offered = list.at;
  const offeredEnd = list.end;
  while (readerLeft(list) != 0) {
    readVector8(list, name);
    if (list.failed != 0 || readerLeft(name) == 0) return TlsStatus.DECODE;
  }
  const config = session.config;
  const end = config.alpn + config.alpnLen;
  for (let own = config.alpn; own < end; own += 1 + <u32>load<u8>(own)) {
    if (!hasName(offered, offeredEnd, own + 1, load<u8>(own))) continue;
    session.alpnPtr = own + 1;
    session.alpnLen = load<u8>(own);
    return Status.OK;
  }
  return TlsStatus.NO_APPLICATION_PROTOCOL;
}

/** The client takes the one protocol that the server chose, which must be one that it offered (RFC 7301 §3.1). */
export function acceptAlpn(session: TlsSession): i32 {
  if (!extensionIsPresent(ExtensionType.ALPN)) return TlsStatus.NO_APPLICATION_PROTOCOL;
  const reader = extensionOpen(ExtensionType.ALPN);
  readVector16(reader, list);
  if (!readerIsExact(reader)) return TlsStatus.DECODE;
  readVector8(list, name);
  if (list.failed != 0 || readerLeft(name) == 0) return TlsStatus.DECODE;
  if (readerLeft(list) != 0) return TlsStatus.DECODE;
  const config = session.config;
  const end = config.alpn + config.alpnLen;
  for (let own = config.alpn; own < end; own += 1 + <u32>load<u8>(own)) {
    const len: u32 = load<u8>(own);
    if (len != readerLeft(name) || !equalBytes(own + 1, name.at, len)) continue;
    session.alpnPtr = own + 1;
    session.alpnLen = len;
    return Status.OK;
  }
  return TlsStatus.ILLEGAL_PARAMETER;
}

function hasName(at: usize, end: usize, ptr: usize, len: u32): bool {
  while (at < end) {
    const offeredLen: u32 = load<u8>(at);
    if (offeredLen == len && equalBytes(at + 1, ptr, len)) return true;
    at += 1 + offeredLen;
  }
  return false;
}
