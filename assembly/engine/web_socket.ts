/**
 * Opening WebSockets: where the handshake meets the version of HTTP that carries it. All that comes after it is in assembly/ws
 * and knows no version.
 */
import { Limit } from "../abi/limit.ts";
import { Protocol, Role, SendFlag } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { h1OpenExchange } from "../h1/client.ts";
import { H1Connection } from "../h1/connection.ts";
import { h1SendHead } from "../h1/send.ts";
import { h2OpenExchange } from "../h2/client.ts";
import { H2Connection } from "../h2/connection.ts";
import { h2SendHead } from "../h2/send.ts";
import { h3OpenExchange } from "../h3/client.ts";
import { h3SendHead } from "../h3/send.ts";
import { writeAscii } from "../http/ascii.ts";
import { Connection } from "../session/connection.ts";
import { Exchange, exchangeOf, ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { limitOf } from "../session/limits.ts";
import { tunnelFree } from "../session/tunnel_block.ts";
import { agreedDeflate, answerFields, answerFieldsPtr, handshakeStatus } from "../ws/server.ts";
import { socketBegin, socketCreate, socketOf } from "../ws/socket.ts";
import { socketWatch } from "../ws/socket_deadlines.ts";
import { requestFields, requestFieldsPtr, socketOffer } from "../ws/client.ts";
import { isH2, isH3, protocolRelease } from "./protocol.ts";

const SWITCHING_PROTOCOLS: u32 = 101;
const OK: u32 = 200;

/** What the host wants of a WebSocket; negative numbers stand for the limits' own. */
@unmanaged
export class SocketWishes {
  deflate: i32;
  messageBytesMax: f64;
  idleTimeoutMs: f64;
  pingIntervalMs: f64;
}

/** The fields of `wishes`, filled by the door. */
export const wishes = changetype<SocketWishes>(memory.data(offsetof<SocketWishes>(), 8));

/** A wish, or what the limit says in its place. */
export function wishOr(wish: f64, limit: Limit): f64 {
  return wish >= 0 ? wish : limitOf(limit);
}

/**
 * Answers a valid handshake, and reads frames from there on. Answers the extension's parameters (0 for none), or a status, after
 * which the request can still be answered otherwise.
 */
export function acceptSocket(
  exchange: Exchange,
  block: usize,
  blockLen: u32,
  protocolPtr: usize,
  protocolLen: u32,
): i32 {
  if (hasFlag(exchange, ExchangeFlag.HEAD_SENT) || exchange.tunnel != 0) return Status.INVALID_STATE;
  const status = handshakeStatus(exchange);
  if (status != Status.OK) return status;
  const deflate = agreedDeflate(exchange, wishes.deflate);
  if (deflate < 0) return deflate;
  const len = answerFields(exchange, block, blockLen, protocolPtr, protocolLen, deflate);
  if (len < 0) return len;
  if (!socketCreate(exchange)) return Status.MEMORY_FULL;
  const socket = socketOf(exchange);
  const messageBytesMax = <u64>wishOr(wishes.messageBytesMax, Limit.WEB_SOCKET_MESSAGE_BYTES);
  socketBegin(socket, Role.SERVER, deflate, messageBytesMax);
  socketWatch(
    socket,
    wishOr(wishes.idleTimeoutMs, Limit.WEB_SOCKET_IDLE_TIMEOUT_MS),
    wishOr(wishes.pingIntervalMs, Limit.WEB_SOCKET_PING_INTERVAL_MS),
  );
  const sent = sendAnswer(exchange, answerFieldsPtr(), len);
  if (sent == Status.OK) return deflate;
  if (exchange.tunnel == 0) return sent;
  exchange.tunnel = 0;
  tunnelFree(changetype<usize>(socket));
  return sent;
}

/** RFC 6455 §4.2.2, RFC 8441 §5, RFC 9220 §3. */
function sendAnswer(exchange: Exchange, fields: usize, len: u32): i32 {
  if (isH3(exchange)) return h3SendHead(exchange, OK, fields, len, -1, SendFlag.TUNNEL);
  if (isH2(exchange)) return h2SendHead(exchange, OK, fields, len, -1, SendFlag.TUNNEL);
  return h1SendHead(exchange, SWITCHING_PROTOCOLS, fields, len, -1, SendFlag.TUNNEL);
}

const methods: usize = memory.data(16, 16);

/**
 * Asks for a WebSocket on a client's connection. Answers the handle of the exchange, WOULD_BLOCK while the connection cannot take
 * one more or a server of HTTP/2 or HTTP/3 has not said whether it would, or another status. SOCKET_OPEN, RESPONSE or ABORTED follows.
 */
export function openSocket(
  connection: Connection,
  targetPtr: usize,
  targetLen: u32,
  block: usize,
  blockLen: u32,
  protocolPtr: usize,
  protocolLen: u32,
  noncePtr: usize,
): i32 {
  const isStream = connection.protocol != Protocol.HTTP_1;
  const deflate = wishes.deflate;
  const len = requestFields(block, blockLen, protocolPtr, protocolLen, noncePtr, deflate, !isStream);
  if (len < 0) return len;
  const fields = requestFieldsPtr();
  const methodLen = writeAscii(methods, isStream ? "CONNECT" : "GET");
  const handle = isStream
    ? openStream(connection, methods, methodLen, targetPtr, targetLen, fields, len)
    : h1OpenExchange(
        changetype<H1Connection>(connection),
        methods,
        methodLen,
        targetPtr,
        targetLen,
        fields,
        len,
        -1,
        SendFlag.TUNNEL | SendFlag.END,
      );
  if (handle < 0) return handle;
  const exchange = changetype<Exchange>(exchangeOf(handle));
  const isOffered = socketOffer(
    exchange,
    protocolPtr,
    protocolLen,
    deflate,
    wishOr(wishes.messageBytesMax, Limit.WEB_SOCKET_MESSAGE_BYTES),
    wishOr(wishes.idleTimeoutMs, Limit.WEB_SOCKET_IDLE_TIMEOUT_MS),
    wishOr(wishes.pingIntervalMs, Limit.WEB_SOCKET_PING_INTERVAL_MS),
  );
  if (isOffered) return handle;
  protocolRelease(exchange);
  return Status.MEMORY_FULL;
}

function openStream(
  connection: Connection,
  method: usize,
  methodLen: u32,
  target: usize,
  targetLen: u32,
  fields: usize,
  len: u32,
): i32 {
  if (connection.protocol == Protocol.HTTP_3) {
    return h3OpenExchange(connection, method, methodLen, target, targetLen, fields, len, -1, SendFlag.TUNNEL);
  }
  const h2 = changetype<H2Connection>(connection);
  return h2OpenExchange(h2, method, methodLen, target, targetLen, fields, len, -1, SendFlag.TUNNEL);
}
