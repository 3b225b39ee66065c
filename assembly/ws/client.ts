/**
 * The client's side of the opening handshake: what the request offers, and whether the answer agrees to it. RFC 6455 §4.1,
 * RFC 8441 §5, RFC 7692 §5.
 *
 * What was offered lies behind the socket's struct until the answer has come.
 */

import { Deflate } from "../abi/deflate_parameters.ts";
import { EventKind } from "../abi/event.ts";
import { FieldName } from "../abi/field_name.ts";
import { FIELD_ENTRY_HEADER_BYTES } from "../abi/layout.ts";
import { Role } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { SocketFlag } from "../abi/web_socket.ts";
import { writeAscii } from "../http/ascii.ts";
import { emitTunnelEvent } from "../session/events.ts";
import { Exchange } from "../session/exchange.ts";
import { KEY_BYTES, writeKey } from "./accept.ts";
import {
  DEFLATE_PARAMETERS_BYTES_MAX,
  readDeflateAnswer,
  writeDeflateParameters,
} from "./deflate_negotiation.ts";
import { valueAt, writeEntry } from "./field_entry.ts";
import { connectResponseStatus, upgradeResponseStatus } from "./handshake.ts";
import { isUpgrade } from "./server.ts";
import { offerOf, Socket, socketBegin, socketCreate, socketOf } from "./socket.ts";
import { socketWatch } from "./socket_deadlines.ts";
import { subprotocolAnswerStatus } from "./subprotocol.ts";

/**
 * Behind the struct of a client's socket; the list of subprotocols that was offered follows.
 *
 *     +-----+-------------+------------------+
 *     | key | protocolLen | protocols, a list |
 *     +-----+-------------+------------------+
 */
@unmanaged
class Offer {
  key0: u64;
  key1: u64;
  key2: u64;
  messageBytesMax: f64;
  idleTimeoutMs: f64;
  pingIntervalMs: f64;
  deflate: i32;
  protocolLen: u32;
}

const HOST_FIELDS_BYTES_MAX: u32 = 16384;
const OWN_FIELDS_BYTES: u32 =
  5 * <u32>FIELD_ENTRY_HEADER_BYTES + 16 + KEY_BYTES + DEFLATE_PARAMETERS_BYTES_MAX;
const requestBlock: usize = memory.data(HOST_FIELDS_BYTES_MAX + OWN_FIELDS_BYTES, 16);
const requestKey: usize = memory.data(KEY_BYTES, 8);

/**
 * Makes the fields of the request: the host's block, then the offer. `noncePtr` are 16 random bytes. Answers the block's length,
 * or a status.
 */
export function requestFields(
  block: usize,
  blockLen: u32,
  protocolPtr: usize,
  protocolLen: u32,
  noncePtr: usize,
  deflate: i32,
  hasKey: bool,
): i32 {
  if (blockLen > HOST_FIELDS_BYTES_MAX || protocolLen > HOST_FIELDS_BYTES_MAX - blockLen) {
    return Status.FIELDS_TOO_LARGE;
  }
  memory.copy(requestBlock, block, blockLen);
  writeKey(requestKey, noncePtr);
  let at = requestBlock + blockLen;
  // Over HTTP/2 it becomes ":protocol", and there is no key (RFC 8441 §5).
  at = writeEntry(at, FieldName.UPGRADE, writeAscii(valueAt(at), "websocket"));
  if (hasKey) {
    memory.copy(valueAt(at), requestKey, KEY_BYTES);
    at = writeEntry(at, FieldName.SEC_WEBSOCKET_KEY, KEY_BYTES);
  }
  at = writeEntry(at, FieldName.SEC_WEBSOCKET_VERSION, writeAscii(valueAt(at), "13"));
  if (protocolLen != 0) {
    memory.copy(valueAt(at), protocolPtr, protocolLen);
    at = writeEntry(at, FieldName.SEC_WEBSOCKET_PROTOCOL, protocolLen);
  }
  if (deflate != Deflate.NONE) {
    at = writeEntry(at, FieldName.SEC_WEBSOCKET_EXTENSIONS, writeDeflateParameters(valueAt(at), deflate));
  }
  return <i32>(at - requestBlock);
}

export function requestFieldsPtr(): usize {
  return requestBlock;
}

/** Hangs a socket on the exchange of a request whose fields were made last. False when the memory is full. */
export function socketOffer(
  exchange: Exchange,
  protocolPtr: usize,
  protocolLen: u32,
  deflate: i32,
  messageBytesMax: f64,
  idleTimeoutMs: f64,
  pingIntervalMs: f64,
): bool {
  if (!socketCreate(exchange, <u32>offsetof<Offer>() + protocolLen)) return false;
  const ptr = offerOf(socketOf(exchange));
  const offer = changetype<Offer>(ptr);
  memory.copy(ptr, requestKey, KEY_BYTES);
  offer.deflate = deflate;
  offer.messageBytesMax = messageBytesMax;
  offer.idleTimeoutMs = idleTimeoutMs;
  offer.pingIntervalMs = pingIntervalMs;
  offer.protocolLen = protocolLen;
  memory.copy(ptr + offsetof<Offer>(), protocolPtr, protocolLen);
  return true;
}

/** The head of the answer is complete and would open the tunnel. Status.OK, or the first rule that it breaks. */
export function socketAnswered(exchange: Exchange): i32 {
  const socket = socketOf(exchange);
  const head = changetype<usize>(exchange);
  const offer = changetype<Offer>(offerOf(socket));
  let status = isUpgrade(exchange)
    ? upgradeResponseStatus(head, changetype<usize>(offer))
    : connectResponseStatus(head);
  if (status != Status.OK) return status;
  status = subprotocolAnswerStatus(head, changetype<usize>(offer) + offsetof<Offer>(), offer.protocolLen);
  if (status != Status.OK) return status;
  const deflate = readDeflateAnswer(head, offer.deflate);
  if (deflate < 0) return deflate;
  begin(socket, offer, deflate);
  emitTunnelEvent(EventKind.SOCKET_OPEN, SocketFlag.NONE, exchange, <u32>head, <u32>deflate, 0, 0);
  return Status.OK;
}

function begin(socket: Socket, offer: Offer, deflate: i32): void {
  socketBegin(socket, Role.CLIENT, deflate, <u64>offer.messageBytesMax);
  socketWatch(socket, offer.idleTimeoutMs, offer.pingIntervalMs);
}
