/**
 * The opening handshake, RFC 6455 §4: what a request must be for a server to answer it with 101, what the response must be for a
 * client to go on, and the same for extended CONNECT (RFC 8441 §5, RFC 9220), where the stream takes the place of key and
 * upgrade.
 *
 * Each check answers Status.OK or the first rule that is broken; handshakeHttpStatusOf says how to refuse. Extensions and the
 * subprotocol are checked for their form here and decided in deflate_negotiation.ts and by the handler.
 *
 * Whose origin may open a WebSocket is not decided here: that is the application's to say (§10.2).
 */

import { FieldName } from "../abi/field_name.ts";
import { MessageFlag, MessageLane, Method, Version } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { equalBytesScalar } from "../core/scan.ts";
import { equalsIgnoreCase } from "../http/ascii.ts";
import { ACCEPT_BYTES, isKey, writeAccept } from "./accept.ts";
import { negotiateDeflate } from "./deflate_negotiation.ts";
import { Deflate } from "../abi/deflate_parameters.ts";
import { findOnlyLine, headLane, lineValueLen, lineValuePtr, linesHaveToken } from "./field_lines.ts";
import { subprotocolOfferStatus } from "./subprotocol.ts";
import { WsStatus } from "../abi/ws_status.ts";

const expectedAccept: usize = memory.data(ACCEPT_BYTES, 4);

/** Whether the HTTP/1.1 request with this message head is a valid opening handshake, §4.2.1. */
export function upgradeRequestStatus(head: usize): i32 {
  if (methodOf(head) != Method.GET) return WsStatus.REQUEST_METHOD;
  if (versionOf(head) != Version.HTTP_1_1) return WsStatus.REQUEST_VERSION;
  if (headLane(head, MessageLane.AUTHORITY_LEN) == 0) return WsStatus.REQUEST_HOST;
  // Content before the 101 would have to be told apart from frames: what browsers never send is refused.
  if ((flagsOf(head) & MessageFlag.HAS_BODY) != 0) return WsStatus.REQUEST_CONTENT;
  if (!linesHaveToken(head, FieldName.UPGRADE, "websocket")) return WsStatus.REQUEST_UPGRADE;
  if (!linesHaveToken(head, FieldName.CONNECTION, "upgrade")) return WsStatus.REQUEST_CONNECTION;
  // Before the key: clients of older drafts have none, and 426 tells them more.
  const status = offerStatus(head);
  if (status != Status.OK) return status;
  return requestKeyPtr(head) != 0 ? Status.OK : WsStatus.REQUEST_KEY;
}

/** Whether the extended CONNECT request, whose `:protocol` is known to be "websocket", is a valid handshake, RFC 8441 §5. */
export function connectRequestStatus(head: usize): i32 {
  if (methodOf(head) != Method.CONNECT) return WsStatus.REQUEST_METHOD;
  if (headLane(head, MessageLane.AUTHORITY_LEN) == 0) return WsStatus.REQUEST_HOST;
  return offerStatus(head);
}

/** Address of the request's key, as `writeAccept` wants it, or 0 when there is not exactly one valid key. */
export function requestKeyPtr(head: usize): usize {
  const index = findOnlyLine(head, FieldName.SEC_WEBSOCKET_KEY);
  if (index < 0) return 0;
  const ptr = lineValuePtr(head, index);
  return isKey(ptr, lineValueLen(head, index)) ? ptr : 0;
}

/**
 * Whether the response accepts the handshake that was sent with the key at `keyPtr`, §4.1. Its subprotocol and extensions
 * are for subprotocolAnswerStatus and readDeflateAnswer to check.
 */
export function upgradeResponseStatus(head: usize, keyPtr: usize): i32 {
  if (headLane(head, MessageLane.STATUS_CODE) != 101) return WsStatus.RESPONSE_STATUS_CODE;
  if (!isOnlyValue(head, FieldName.UPGRADE, "websocket")) return WsStatus.RESPONSE_UPGRADE;
  if (!linesHaveToken(head, FieldName.CONNECTION, "upgrade")) return WsStatus.RESPONSE_CONNECTION;
  const index = findOnlyLine(head, FieldName.SEC_WEBSOCKET_ACCEPT);
  if (index < 0 || lineValueLen(head, index) != ACCEPT_BYTES) return WsStatus.RESPONSE_ACCEPT;
  writeAccept(expectedAccept, keyPtr);
  const isAccepted = equalBytesScalar(lineValuePtr(head, index), expectedAccept, ACCEPT_BYTES);
  return isAccepted ? Status.OK : WsStatus.RESPONSE_ACCEPT;
}

/** The same for extended CONNECT: any 2xx opens the tunnel, RFC 8441 §5. */
export function connectResponseStatus(head: usize): i32 {
  const statusCode = headLane(head, MessageLane.STATUS_CODE);
  return statusCode >= 200 && statusCode <= 299 ? Status.OK : WsStatus.RESPONSE_STATUS_CODE;
}

/** What requests over every version of HTTP offer in the same fields. */
function offerStatus(head: usize): i32 {
  if (!isOnlyValue(head, FieldName.SEC_WEBSOCKET_VERSION, "13")) return WsStatus.REQUEST_WS_VERSION;
  const status = subprotocolOfferStatus(head);
  return status != Status.OK ? status : negotiateDeflate(head, Deflate.NONE);
}

/** Whether there is one line of this name, and its value is `value` (in lower case), in any case. */
function isOnlyValue(head: usize, nameId: u32, value: string): bool {
  const index = findOnlyLine(head, nameId);
  return index >= 0 && equalsIgnoreCase(lineValuePtr(head, index), lineValueLen(head, index), value);
}

function methodOf(head: usize): u32 {
  return headLane(head, MessageLane.KIND) & 0xff;
}

function versionOf(head: usize): u32 {
  return (headLane(head, MessageLane.KIND) >> 8) & 0xff;
}

function flagsOf(head: usize): u32 {
  return headLane(head, MessageLane.KIND) >> 16;
}
