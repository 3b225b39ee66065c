/** EncryptedExtensions, RFC 8446 §4.3.1: what a server settled that is not about keys. */
import { Status } from "../abi/status.ts";
import { Reader, readerIsExact, readerLeft, readerOpen } from "../core/reader.ts";
import { writeBytes, writeU16, writeU8 } from "../core/writer.ts";
import { draft, draftBegin, draftSend } from "./draft.ts";
import { Carrier, ExtensionType, extensionIsPresent, extensionOpen, readExtensions } from "./extension.ts";
import { EarlyData, TlsSession } from "./handshake.ts";
import { Level } from "./handshake_state.ts";
import { HandshakeType } from "./handshake_type.ts";
import { TlsStatus } from "./tls_status.ts";
import { writeTransportParameters } from "./transport_parameters.ts";
import { beginVector, endVector } from "./vector.ts";

const message = changetype<Reader>(memory.data(offsetof<Reader>(), 4));

export function sendEncryptedExtensions(session: TlsSession): i32 {
  draftBegin(HandshakeType.ENCRYPTED_EXTENSIONS);
  const extensions = beginVector(draft, 2);
  writeU16(draft, ExtensionType.ALPN);
  writeU16(draft, 3 + session.alpnLen);
  writeU16(draft, 1 + session.alpnLen);
  writeU8(draft, session.alpnLen);
  writeBytes(draft, session.alpnPtr, session.alpnLen);
  writeTransportParameters(draft, session);
  if (session.earlyData == EarlyData.ACCEPTED) {
    writeU16(draft, ExtensionType.EARLY_DATA);
    writeU16(draft, 0);
  }
  endVector(draft, extensions, 2);
  return draftSend(session, Level.HANDSHAKE);
}

/** Reads the message without its header. Which extensions there are, extension.ts knows afterwards. */
export function readEncryptedExtensions(ptr: usize, len: u32, sent: u64): i32 {
  readerOpen(message, ptr, len);
  const status = readExtensions(message, Carrier.ENCRYPTED_EXTENSIONS, sent);
  if (status < 0) return status;
  if (!readerIsExact(message)) return TlsStatus.DECODE;
  // Both are empty in an answer (RFC 6066 §3, RFC 8446 §4.2.10).
  return isEmpty(ExtensionType.SERVER_NAME) && isEmpty(ExtensionType.EARLY_DATA)
    ? Status.OK
    : TlsStatus.DECODE;
}

function isEmpty(type: ExtensionType): bool {
  return !extensionIsPresent(type) || readerLeft(extensionOpen(type)) == 0;
}
