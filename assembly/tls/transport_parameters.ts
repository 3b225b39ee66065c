/** The extension that carries QUIC's transport parameters, RFC 9001 §8.2. What is in them is QUIC's: here they are bytes. */
import { Status } from "../abi/status.ts";
import { Reader, readerLeft } from "../core/reader.ts";
import { Writer, writeBytes, writeU16 } from "../core/writer.ts";
import { ExtensionType, extensionIsPresent, extensionOpen } from "./extension.ts";
import { TlsSession, copyToBlock, freeBlock } from "./handshake.ts";
import { TlsStatus } from "./tls_status.ts";

/** Keeps the peer's parameters. RFC 9001 §8.2: an endpoint that does not send them MUST be refused with missing_extension. */
export function takeTransportParameters(session: TlsSession): i32 {
  if (!extensionIsPresent(ExtensionType.QUIC_TRANSPORT_PARAMETERS)) {
    return TlsStatus.TRANSPORT_PARAMETERS_MISSING;
  }
  const reader: Reader = extensionOpen(ExtensionType.QUIC_TRANSPORT_PARAMETERS);
  const len = readerLeft(reader);
  const copy = copyToBlock(reader.at, len);
  if (copy == 0) return TlsStatus.INTERNAL;
  freeBlock(session.remoteParametersPtr);
  session.remoteParametersPtr = copy;
  session.remoteParametersLen = len;
  return Status.OK;
}

export function writeTransportParameters(writer: Writer, session: TlsSession): void {
  writeU16(writer, ExtensionType.QUIC_TRANSPORT_PARAMETERS);
  writeU16(writer, session.localParametersLen);
  writeBytes(writer, session.localParametersPtr, session.localParametersLen);
}
