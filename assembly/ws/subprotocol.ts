/**
 * `sec-websocket-protocol`, RFC 6455 §1.9, §4.1 and §4.2.2: the client offers a list of tokens, the server names one of
 * them or none. Tokens are compared byte by byte. Which one to choose is the handler's business.
 *
 * One pass over the bytes, whatever their number. That a client repeats a token is left to it: nothing depends on it.
 */

import { FieldName } from "../abi/field_name.ts";
import { Status } from "../abi/status.ts";
import { equalBytesScalar, findNonTokenScalar } from "../core/scan.ts";
import { findLine, findOnlyLine, lineValueLen, lineValuePtr } from "./field_lines.ts";
import { skipBlanks, skipEmptyElements } from "./list.ts";
import { WsStatus } from "../abi/ws_status.ts";

/** Status.OK when the request's offer is absent or a list of tokens. */
export function subprotocolOfferStatus(head: usize): i32 {
  const name = FieldName.SEC_WEBSOCKET_PROTOCOL;
  for (let index = findLine(head, name, 0); index >= 0; index = findLine(head, name, index + 1)) {
    const ptr = lineValuePtr(head, index);
    if (!isTokenList(ptr, lineValueLen(head, index))) return WsStatus.REQUEST_PROTOCOL;
  }
  return Status.OK;
}

/** Whether the request offers the subprotocol [ptr, ptr + len): the only ones that a server may choose. */
export function isSubprotocolOffered(head: usize, ptr: usize, len: u32): bool {
  const name = FieldName.SEC_WEBSOCKET_PROTOCOL;
  for (let index = findLine(head, name, 0); index >= 0; index = findLine(head, name, index + 1)) {
    if (isTokenInList(lineValuePtr(head, index), lineValueLen(head, index), ptr, len)) return true;
  }
  return false;
}

/**
 * Status.OK when the response names no subprotocol or one of those in [offerPtr, offerPtr + offerLen), the list that the client
 * sent. §4.1: "the client MUST _Fail the WebSocket Connection_" otherwise.
 */
export function subprotocolAnswerStatus(head: usize, offerPtr: usize, offerLen: u32): i32 {
  if (findLine(head, FieldName.SEC_WEBSOCKET_PROTOCOL, 0) < 0) return Status.OK;
  const index = findOnlyLine(head, FieldName.SEC_WEBSOCKET_PROTOCOL);
  if (index < 0) return WsStatus.RESPONSE_PROTOCOL;
  const isOffered = isTokenInList(offerPtr, offerLen, lineValuePtr(head, index), lineValueLen(head, index));
  return isOffered ? Status.OK : WsStatus.RESPONSE_PROTOCOL;
}

/** Whether it is a list of at least one token. */
function isTokenList(ptr: usize, len: u32): bool {
  const end = ptr + len;
  let at = skipEmptyElements(ptr, end);
  if (at == end) return false;
  while (at < end) {
    const tokenEnd = findNonTokenScalar(at, end);
    if (tokenEnd == at) return false;
    at = skipBlanks(tokenEnd, end);
    if (at < end && load<u8>(at) != 0x2c) return false;
    at = skipEmptyElements(at, end);
  }
  return true;
}

function isTokenInList(listPtr: usize, listLen: u32, ptr: usize, len: u32): bool {
  const end = listPtr + listLen;
  for (let at = skipEmptyElements(listPtr, end); at < end;) {
    const tokenEnd = findNonTokenScalar(at, end);
    // What is no token was refused before, or never sent.
    if (tokenEnd == at) return false;
    if (<u32>(tokenEnd - at) == len && equalBytesScalar(at, ptr, len)) return true;
    at = skipEmptyElements(tokenEnd, end);
  }
  return false;
}
