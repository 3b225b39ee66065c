// From the router's reply to the engine's commands.
//
// The usual reply, a short text with nothing but a content type, is one call with fields that already lie in the engine's
// memory. Everything else takes the general path: fields are collected, framing fields are the engine's, content is sent as
// fast as the peer takes it and no faster. Large pieces of content never pass through the engine's memory: it frames them,
// and the socket writes them.

import { EngineError } from "../engine/engine_error.ts";
import { SendFlag, Status } from "../engine/index.ts";
import type { HeaderPairs, Reply, ReplyBody } from "../router/index.ts";
import type { ServerExchange } from "./server_exchange.ts";

/** Text up to this many code units goes with its head in one call. */
const SHORT_BODY = 16384;
/** Content from this size on is framed by the engine and written by the socket. */
const FRAMED_BYTES = 4096;
/** One write to the socket: a slow peer holds no more than this beyond the high-water mark. */
const PIECE_BYTES = 262144;
const NOTHING = new Uint8Array(0);
const SERVER_ERROR = "500 Internal Server Error\n";
const encoder = new TextEncoder();

/** Sends a reply. Never throws for what the reply or the peer did; a trap passes through. */
export function writeReply(exchange: ServerExchange, reply: Reply): void {
  if (exchange.isOver) {
    void cancelBody(reply.body);
    return;
  }
  const { body } = reply;
  const { host } = exchange.session;
  if (
    typeof body === "string" &&
    reply.headers === null &&
    reply.trailers === null &&
    body.length <= SHORT_BODY
  ) {
    const fields = host.contentTypeFields(reply.contentType);
    if (fields !== null) {
      const rest = host.engine.respondText(exchange.handle, reply.status, fields, body, SendFlag.RELEASE);
      settleWhole(exchange, rest, body);
      return;
    }
  }
  writeGeneral(exchange, reply);
}

/** After a whole response in one call: done, or the rest follows, or it was refused. */
function settleWhole(exchange: ServerExchange, rest: number, body: string | Uint8Array): void {
  if (rest === 0) {
    exchange.session.host.finished(exchange);
  } else if (rest > 0) {
    const bytes = typeof body === "string" ? encoder.encode(body) : body;
    guard(exchange, sendRest(exchange, bytes.subarray(bytes.length - rest)));
  } else {
    refuse(exchange, rest);
  }
}

function writeGeneral(exchange: ServerExchange, reply: Reply): void {
  const { engine } = exchange.session.host;
  const { body, trailers } = reply;
  const head = fieldsOf(reply);
  let { flags } = head;
  const isWhole = body === null || typeof body === "string" || body instanceof Uint8Array;
  if (isWhole && trailers === null) {
    const content = body ?? "";
    if (body === null && head.contentLength >= 0) {
      // A statement about content that is not sent: the answer to HEAD.
      flags |= SendFlag.END | SendFlag.RELEASE;
      settleWhole(
        exchange,
        engine.sendHead(exchange.handle, reply.status, head.fields, head.contentLength, flags),
        "",
      );
      return;
    }
    if (content.length <= SHORT_BODY) {
      flags |= SendFlag.RELEASE;
      settleWhole(
        exchange,
        engine.respond(exchange.handle, reply.status, head.fields, content, flags),
        content,
      );
      return;
    }
  }
  const bytes = isWhole ? bytesOf(body) : null;
  if (trailers !== null) flags |= SendFlag.TRAILERS;
  // With trailers the framing has to be chunked, whatever is known of the length.
  const contentLength = trailers !== null ? -1 : bytes !== null ? bytes.length : head.contentLength;
  const sent = engine.sendHead(exchange.handle, reply.status, head.fields, contentLength, flags);
  if (sent < 0) {
    void cancelBody(body);
    refuse(exchange, sent);
    return;
  }
  exchange.headSent = true;
  guard(exchange, sendContent(exchange, bytes ?? (body as Streamed), trailers));
}

type Streamed = Exclude<ReplyBody, null | string | Uint8Array>;

async function sendContent(
  exchange: ServerExchange,
  body: Uint8Array | Streamed,
  trailers: (() => HeaderPairs | Promise<HeaderPairs>) | null,
): Promise<void> {
  if (body instanceof Uint8Array) {
    if (!(await sendBytes(exchange, body))) return;
  } else {
    for await (const chunk of body) {
      const bytes = typeof chunk === "string" ? encoder.encode(chunk) : chunk;
      // Leaving the loop tells the source that nobody reads on.
      if (exchange.isOver || !(await sendBytes(exchange, bytes))) return;
    }
  }
  if (exchange.isOver) return;
  const lines = trailers === null ? null : await trailers();
  if (exchange.isOver) return;
  const { engine } = exchange.session.host;
  const ended =
    lines === null
      ? engine.sendBody(exchange.handle, NOTHING, SendFlag.END)
      : engine.sendTrailers(exchange.handle, lines);
  if (ended < 0) throw new EngineError(ended, "ending the response");
  complete(exchange);
}

/** The rest of content whose beginning went with the head, whose length is declared. */
async function sendRest(exchange: ServerExchange, bytes: Uint8Array): Promise<void> {
  exchange.headSent = true;
  if (!(await sendBytes(exchange, bytes))) return;
  const ended = exchange.session.host.engine.sendBody(exchange.handle, NOTHING, SendFlag.END);
  if (ended < 0) throw new EngineError(ended, "ending the response");
  complete(exchange);
}

/** Sends bytes as the peer takes them; false when the exchange ended before that. */
async function sendBytes(exchange: ServerExchange, bytes: Uint8Array): Promise<boolean> {
  const { session } = exchange;
  const { engine } = session.host;
  let at = 0;
  while (at < bytes.length) {
    if (session.isBlocked) {
      await exchange.whenWritable();
      if (exchange.isOver) return false;
      continue;
    }
    const piece = at === 0 && bytes.length <= PIECE_BYTES ? bytes : bytes.subarray(at, at + PIECE_BYTES);
    const sent =
      piece.length >= FRAMED_BYTES ? sendFramed(exchange, piece) : engine.sendBody(exchange.handle, piece, 0);
    if (sent === Status.WOULD_BLOCK || sent === 0) {
      session.scheduleFlush();
      await exchange.whenWritable();
      if (exchange.isOver) return false;
      continue;
    }
    if (sent < 0) throw new EngineError(sent, "sending the content");
    session.scheduleFlush();
    at += sent;
  }
  return true;
}

/** Has the engine frame a piece and writes it to the socket; answers its length, WOULD_BLOCK or another status. */
function sendFramed(exchange: ServerExchange, piece: Uint8Array): number {
  const { session } = exchange;
  const { engine } = session.host;
  const framed = engine.doors.frameBody(exchange.handle, piece.length);
  if (framed === Status.INVALID_ARGUMENT) return engine.sendBody(exchange.handle, piece, 0);
  if (framed < 0) return framed;
  session.writeFramed(piece);
  return piece.length;
}

function complete(exchange: ServerExchange): void {
  const { session } = exchange;
  session.host.engine.doors.releaseExchange(exchange.handle);
  session.host.finished(exchange);
  session.scheduleFlush();
}

/** Sending went on after the head: what fails now can only cut the response short. */
function guard(exchange: ServerExchange, sending: Promise<void>): void {
  sending.catch((error: unknown) => {
    exchange.session.host.report(error, exchange);
    if (!exchange.isOver) exchange.session.socket.destroy();
  });
}

/** The engine refused the reply: the handler's fault is logged and answered 500, unless nobody is there any more. */
function refuse(exchange: ServerExchange, status: number): void {
  const { session } = exchange;
  const { engine } = session.host;
  if (status === Status.INVALID_HANDLE || status === Status.INVALID_STATE) {
    session.host.finished(exchange);
    return;
  }
  if (status === Status.MEMORY_FULL) {
    session.socket.destroy();
    return;
  }
  session.host.report(new EngineError(status, "the reply cannot be sent"), exchange);
  const plain = [["content-type", "text/plain; charset=utf-8"]] as const;
  const rest = engine.respond(exchange.handle, 500, plain, SERVER_ERROR, SendFlag.RELEASE);
  if (rest === 0) session.host.finished(exchange);
  else session.socket.destroy();
}

/** The fields as the engine takes them: those of the framing become what they mean. */
function fieldsOf(reply: Reply): { fields: [string, string][]; contentLength: number; flags: number } {
  const fields: [string, string][] = [];
  let contentLength = -1;
  let flags: number = SendFlag.NONE;
  if (reply.contentType !== null) fields.push(["content-type", reply.contentType]);
  if (reply.headers === null) return { fields, contentLength, flags };
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
      default:
        fields.push([name, value]);
    }
  }
  return { fields, contentLength, flags };
}

function bytesOf(body: null | string | Uint8Array): Uint8Array {
  if (body === null) return NOTHING;
  return typeof body === "string" ? encoder.encode(body) : body;
}

/** Tells a streamed body that nobody will read it. */
async function cancelBody(body: ReplyBody): Promise<void> {
  if (body === null || typeof body === "string" || body instanceof Uint8Array) return;
  if (body instanceof ReadableStream) await body.cancel().catch(() => undefined);
  else await body[Symbol.asyncIterator]().return?.();
}
