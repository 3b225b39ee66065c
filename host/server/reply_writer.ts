// From the router's reply to the engine's commands.
//
// The usual reply, a short text with nothing but a content type, is one call with fields that already lie in the engine's
// memory. Everything else takes the general path: fields are collected, framing fields are the engine's, and content follows
// its head (content_sender.ts). What cannot be sent as it is, is told and answered 500; an answer that has none for content
// (204, 205, 304, any to HEAD) loses the content it was given.

import { EngineError } from "../engine/engine_error.ts";
import { SendFlag, Status } from "../engine/index.ts";
import { Reply, WebSocketReply, WebTransportReply } from "../router/index.ts";
import type { ReplyBody } from "../router/index.ts";
import { sendSource, sendWhole } from "./content_sender.ts";
import { ReplySource } from "./reply_source.ts";
import type { ServerExchange } from "./server_exchange.ts";
import { openServerSession, type SessionOpener } from "./session_opening.ts";
import { openServerSocket, type SocketOpener } from "./socket_opening.ts";

/** Text up to this many code units goes with its head in one call. */
const SHORT_BODY = 16384;
const NOTHING = new Uint8Array(0);
const SERVER_ERROR = "500 Internal Server Error\n";
const encoder = new TextEncoder();

/** The instance that replies are written to. */
export interface ReplyHost extends SocketOpener, SessionOpener {}

/** Sends a reply. Never throws for what the reply or the peer did; a trap passes through. */
export function writeReply(host: ReplyHost, exchange: ServerExchange, reply: Reply): void {
  try {
    write(host, exchange, reply);
  } catch (error) {
    writeFailure(exchange, error);
  }
}

/** Tells that no reply can be sent, and answers 500 where that is still possible. A trap passes through. */
export function writeFailure(exchange: ServerExchange, error: unknown): void {
  if (error instanceof WebAssembly.RuntimeError) throw error;
  const { host } = exchange;
  host.report(error, exchange);
  if (exchange.isOver) {
    if (!exchange.isAnswered) exchange.release();
    return;
  }
  exchange.isAnswered = true;
  const plain = [["content-type", "text/plain; charset=utf-8"]] as const;
  const rest = host.engine.respond(exchange.handle, 500, plain, SERVER_ERROR, SendFlag.RELEASE);
  if (rest === 0) host.finished(exchange);
  else exchange.cut();
}

function write(host: ReplyHost, exchange: ServerExchange, reply: Reply): void {
  if (exchange.isOver) {
    exchange.release();
    cancelBody(reply.body);
    return;
  }
  exchange.isAnswered = true;
  const { body } = reply;
  if (
    typeof body === "string" &&
    reply.headers === null &&
    reply.trailers === null &&
    body.length <= SHORT_BODY
  ) {
    const fields = host.usualFields.with(reply.contentType, exchange.session.altSvc);
    if (fields !== null) {
      const rest = host.engine.respondText(exchange.handle, reply.status, fields, body, SendFlag.RELEASE);
      settleWhole(exchange, rest, body, reply);
      return;
    }
  }
  if (reply instanceof WebSocketReply) openServerSocket(host, exchange, reply);
  else if (reply instanceof WebTransportReply) openServerSession(host, exchange, reply);
  else writeGeneral(exchange, reply);
}

/** After a whole response in one call: done, or the rest follows, or it was refused. */
function settleWhole(exchange: ServerExchange, rest: number, body: string | Uint8Array, reply: Reply): void {
  if (rest === 0) {
    exchange.host.finished(exchange);
  } else if (rest > 0) {
    const bytes = bytesOf(body);
    sendWhole(exchange, bytes.subarray(bytes.length - rest), null);
  } else if (rest === Status.BODY_NOT_ALLOWED && isBodiless(reply.status)) {
    writeGeneral(exchange, withoutBody(reply));
  } else {
    refuse(exchange, rest);
  }
}

function writeGeneral(exchange: ServerExchange, reply: Reply): void {
  const { body } = reply;
  if (body !== null && isBodiless(reply.status)) {
    cancelBody(body);
    writeWhole(exchange, withoutBody(reply), null);
  } else if (body === null || typeof body === "string" || body instanceof Uint8Array) {
    writeWhole(exchange, reply, body);
  } else if (exchange.method === "HEAD") {
    cancelBody(body);
    writeWhole(exchange, withoutBody(reply), null);
  } else {
    writeStreamed(exchange, reply, new ReplySource(body));
  }
}

function writeWhole(exchange: ServerExchange, reply: Reply, body: null | string | Uint8Array): void {
  const { engine } = exchange.host;
  const { status, trailers } = reply;
  const { fields, contentLength, flags } = fieldsOf(exchange, reply);
  const content = body ?? "";
  if (trailers !== null) {
    // With trailers the framing has to be chunked, whatever is known of the length.
    const sent = engine.sendHead(exchange.handle, status, fields, -1, flags | SendFlag.TRAILERS);
    if (sent < 0) refuse(exchange, sent);
    else sendWhole(exchange, bytesOf(content), trailers);
  } else if (body === null && contentLength >= 0) {
    // A statement about content that is not sent: the answer to HEAD.
    const whole = flags | SendFlag.END | SendFlag.RELEASE;
    settleWhole(exchange, engine.sendHead(exchange.handle, status, fields, contentLength, whole), "", reply);
  } else if (body === null && exchange.method === "HEAD") {
    // RFC 9110 §8.6: no length where that of the answer to GET is not known.
    const sent = engine.sendHead(exchange.handle, status, fields, -1, flags);
    if (sent < 0) refuse(exchange, sent);
    else sendWhole(exchange, NOTHING, null);
  } else if (content.length <= SHORT_BODY) {
    const whole = flags | SendFlag.RELEASE;
    settleWhole(exchange, engine.respond(exchange.handle, status, fields, content, whole), content, reply);
  } else {
    const bytes = bytesOf(content);
    const sent = engine.sendHead(exchange.handle, status, fields, bytes.length, flags);
    if (sent < 0) refuse(exchange, sent);
    else sendWhole(exchange, bytes, null);
  }
}

function writeStreamed(exchange: ServerExchange, reply: Reply, source: ReplySource): void {
  const { engine } = exchange.host;
  const { status, trailers } = reply;
  const { fields, contentLength, flags } = fieldsOf(exchange, reply);
  const sent =
    trailers === null
      ? engine.sendHead(exchange.handle, status, fields, contentLength, flags)
      : engine.sendHead(exchange.handle, status, fields, -1, flags | SendFlag.TRAILERS);
  if (sent < 0) {
    source.cancel(new EngineError(sent, "the reply cannot be sent"));
    refuse(exchange, sent);
    return;
  }
  sendSource(exchange, source, trailers);
}

/** The engine refused the reply: the handler's fault is logged and answered 500, unless nobody is there any more. */
function refuse(exchange: ServerExchange, status: number): void {
  if (status === Status.INVALID_HANDLE || status === Status.INVALID_STATE) {
    exchange.host.finished(exchange);
    return;
  }
  if (status === Status.MEMORY_FULL) {
    exchange.session.socket.reset();
    return;
  }
  writeFailure(exchange, new EngineError(status, "the reply cannot be sent"));
}

/** The fields as the engine takes them: those of the framing become what they mean. */
function fieldsOf(
  exchange: ServerExchange,
  reply: Reply,
): { fields: [string, string][]; contentLength: number; flags: number } {
  const fields: [string, string][] = [];
  let contentLength = -1;
  let flags: number = SendFlag.NONE;
  if (reply.contentType !== null) fields.push(["content-type", reply.contentType]);
  const altSvc = exchange.session.altSvc;
  if (altSvc !== null && !saysAltSvc(reply)) fields.push(["alt-svc", altSvc]);
  if (reply.headers === null) return { fields, contentLength, flags };
  const isHttp1 = exchange.protocol.startsWith("http/1");
  for (const [name, value] of reply.headers) {
    switch (name) {
      case "content-type":
        break;
      case "content-length":
        if (/^\d{1,15}$/u.test(value)) contentLength = Number(value);
        break;
      case "connection":
        if (/(?:^|,)\s*close\s*(?:,|$)/iu.test(value)) flags |= SendFlag.CLOSE;
        break;
      case "keep-alive":
      case "proxy-connection":
      case "transfer-encoding":
        break;
      case "upgrade":
        // RFC 9113 §8.2.2: HTTP/2 has no such field.
        if (isHttp1) fields.push([name, value]);
        break;
      default:
        fields.push([name, value]);
    }
  }
  return { fields, contentLength, flags };
}

/** A handler that names alternative services itself knows better. */
function saysAltSvc({ headers }: Reply): boolean {
  return headers !== null && [...headers].some(([name]) => name === "alt-svc");
}

function bytesOf(body: string | Uint8Array): Uint8Array {
  return typeof body === "string" ? encoder.encode(body) : body;
}

/** RFC 9110 §15.3.5, §15.3.6, §15.4.5. */
function isBodiless(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

/** The same answer without the content that its status does not allow. */
function withoutBody(reply: Reply): Reply {
  const bare = new Reply(reply.status, reply.contentType);
  bare.headers = reply.headers;
  return bare;
}

/** Tells a streamed body that nobody will read it. */
function cancelBody(body: ReplyBody): void {
  if (body === null || typeof body === "string" || body instanceof Uint8Array) return;
  new ReplySource(body).cancel(new EngineError(Status.H1_UNEXPECTED_END));
}
