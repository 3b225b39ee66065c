/**
 * The server's side of the opening handshake: from a request to an answer that opens the tunnel, 101 over HTTP/1.1 and 200 over
 * HTTP/2 and 3. RFC 6455 §4.2.2, RFC 8441 §5.1.
 *
 * Who may open a WebSocket, and which subprotocol it speaks, the host has decided by then.
 */

import { FieldName } from "../abi/field_name.ts";
import { FIELD_ENTRY_HEADER_BYTES } from "../abi/layout.ts";
import { MessageFlag, Version } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { WsStatus } from "../abi/ws_status.ts";
import { Deflate } from "../abi/deflate_parameters.ts";
import { writeAscii } from "../http/ascii.ts";
import { Exchange } from "../session/exchange.ts";
import { ACCEPT_BYTES, writeAccept } from "./accept.ts";
import {
  DEFLATE_PARAMETERS_BYTES_MAX,
  negotiateDeflate,
  writeDeflateParameters,
} from "./deflate_negotiation.ts";
import { valueAt, writeEntry } from "./field_entry.ts";
import { linesHaveToken } from "./field_lines.ts";
import { connectRequestStatus, requestKeyPtr, upgradeRequestStatus } from "./handshake.ts";
import { isSubprotocolOffered } from "./subprotocol.ts";

const UPGRADE_BYTES: u32 = 9;
const OWN_FIELDS_BYTES: u32 =
  4 * <u32>FIELD_ENTRY_HEADER_BYTES + UPGRADE_BYTES + ACCEPT_BYTES + DEFLATE_PARAMETERS_BYTES_MAX;
/** Fields of the host and the subprotocol: what the answer to a handshake may say beside its own. */
const HOST_FIELDS_BYTES_MAX: u32 = 16384;
const answerBlock: usize = memory.data(HOST_FIELDS_BYTES_MAX + OWN_FIELDS_BYTES, 16);

/** Whether the request opens a WebSocket: Status.OK, or the first rule that it breaks. */
export function handshakeStatus(exchange: Exchange): i32 {
  const head = changetype<usize>(exchange);
  if (isUpgrade(exchange)) return upgradeRequestStatus(head);
  const messageFlags = exchange.kind >> 16;
  const isExtended = (messageFlags & MessageFlag.CONNECT) != 0 && (messageFlags & MessageFlag.UPGRADE) != 0;
  // RFC 8441 §4: ":protocol" is shown as `upgrade`.
  if (!isExtended || !linesHaveToken(head, FieldName.UPGRADE, "websocket")) return WsStatus.REQUEST_UPGRADE;
  return connectRequestStatus(head);
}

/** Whether the handshake is HTTP/1.1's, which is answered by 101. */
export function isUpgrade(exchange: Exchange): bool {
  return ((exchange.kind >> 8) & 0xff) <= <u32>Version.HTTP_1_1;
}

/**
 * Makes the fields of the answer: the host's block, then what was agreed. `deflate` is what the extension was agreed to be.
 * Answers the block's length, or a status.
 */
export function answerFields(
  exchange: Exchange,
  block: usize,
  blockLen: u32,
  protocolPtr: usize,
  protocolLen: u32,
  deflate: i32,
): i32 {
  if (blockLen > HOST_FIELDS_BYTES_MAX || protocolLen > HOST_FIELDS_BYTES_MAX - blockLen) {
    return Status.FIELDS_TOO_LARGE;
  }
  // §4.2.2: one of those that the client offered, or none.
  const head = changetype<usize>(exchange);
  if (protocolLen != 0 && !isSubprotocolOffered(head, protocolPtr, protocolLen))
    return Status.INVALID_ARGUMENT;
  memory.copy(answerBlock, block, blockLen);
  let at = answerBlock + blockLen;
  if (isUpgrade(exchange)) at = writeEntry(at, FieldName.UPGRADE, writeAscii(valueAt(at), "websocket"));
  // Deviation: RFC 8441 §5 has neither key nor accept over HTTP/2. Clients that send the one there too, as undici's do, fail
  // without the other; no client is bothered by it.
  const keyPtr = requestKeyPtr(head);
  if (keyPtr != 0) {
    at = writeEntry(at, FieldName.SEC_WEBSOCKET_ACCEPT, writeAccept(valueAt(at), keyPtr));
  }
  if (protocolLen != 0) {
    memory.copy(valueAt(at), protocolPtr, protocolLen);
    at = writeEntry(at, FieldName.SEC_WEBSOCKET_PROTOCOL, protocolLen);
  }
  if (deflate != Deflate.NONE) {
    at = writeEntry(at, FieldName.SEC_WEBSOCKET_EXTENSIONS, writeDeflateParameters(valueAt(at), deflate));
  }
  return <i32>(at - answerBlock);
}

export function answerFieldsPtr(): usize {
  return answerBlock;
}

/** What the extension is agreed to be, given the host's wishes (both abi/deflate_parameters.ts). */
export function agreedDeflate(exchange: Exchange, wishes: i32): i32 {
  return negotiateDeflate(changetype<usize>(exchange), wishes);
}
