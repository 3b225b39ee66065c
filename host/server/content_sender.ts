// Content of a reply after its head: sent as fast as the peer takes it and no faster.
//
// Large pieces never pass through the engine's memory: it frames them, and the socket writes them, so the bytes of a chunk
// must not be changed after it was given away. Small pieces go through the engine, which gathers them. A peer that is as
// fast as the source gives way now and then, so that one response does not keep the event loop from all others.
//
// What fails here can only cut the response short, and does so in a way that the peer cannot take for its end.

import { EngineError } from "../engine/engine_error.ts";
import { SendFlag, Status } from "../engine/index.ts";
import type { HeaderPairs } from "../router/index.ts";
import type { ReplySource } from "./reply_source.ts";
import type { ServerExchange } from "./server_exchange.ts";
import { nextTurn } from "./platform.ts";

/** Trailers as a reply has them. */
type Trailers = () => HeaderPairs | Promise<HeaderPairs>;

/** Content from this size on is framed by the engine and written by the socket. */
const FRAMED_BYTES = 4096;
/** One write to the socket: a slow peer holds no more than this beyond the high-water mark. */
const PIECE_BYTES = 262144;
/** Content of one response after which other connections get their turn, and what a chunk counts for at least. */
const TURN_BYTES = 1048576;
const LEAST_TURN_BYTES = 1024;
const NOTHING = new Uint8Array(0);

/** Sends content that is there already, then the trailers, and ends the message. */
export function sendWhole(exchange: ServerExchange, bytes: Uint8Array, trailers: Trailers | null): void {
  guard(exchange, sendBytesAndEnd(exchange, bytes, trailers));
}

/** The same with content that is pulled as the peer takes it. */
export function sendSource(exchange: ServerExchange, source: ReplySource, trailers: Trailers | null): void {
  exchange.cancelsReply((reason) => source.cancel(reason));
  guard(exchange, pullAndEnd(exchange, source, trailers));
}

async function sendBytesAndEnd(
  exchange: ServerExchange,
  bytes: Uint8Array,
  trailers: Trailers | null,
): Promise<void> {
  if (await sendRest(exchange, bytes, 0)) await end(exchange, trailers);
}

async function pullAndEnd(
  exchange: ServerExchange,
  source: ReplySource,
  trailers: Trailers | null,
): Promise<void> {
  let untilTurn = TURN_BYTES;
  try {
    for (;;) {
      let pulled;
      try {
        pulled = await source.pull();
      } catch (error) {
        source.ended();
        throw error;
      }
      const chunk = source.chunkOf(pulled);
      if (chunk === null) break;
      if (exchange.isOver) return;
      // Promises cost more than a chunk's framing: there is one only where something is waited for.
      const sent = sendSome(exchange, chunk, 0);
      if (sent < chunk.length && !(await sendRest(exchange, chunk, sent))) return;
      untilTurn -= Math.max(chunk.length, LEAST_TURN_BYTES);
      if (untilTurn > 0) continue;
      untilTurn = TURN_BYTES;
      await nextTurn();
      if (exchange.isOver) return;
    }
  } catch (error) {
    source.cancel(error as Error);
    throw error;
  }
  await end(exchange, trailers);
}

/** Sends bytes from `from` on as the peer takes them; false when the exchange ended before that. */
async function sendRest(exchange: ServerExchange, bytes: Uint8Array, from: number): Promise<boolean> {
  for (let at = from; at < bytes.length;) {
    const sent = sendSome(exchange, bytes, at);
    at += sent;
    if (at === bytes.length) break;
    await (sent >= TURN_BYTES ? nextTurn() : exchange.whenWritable());
    if (exchange.isOver) return false;
  }
  return true;
}

/** Sends what can go without waiting, and no more than is one turn's; answers how much. After less, WRITABLE follows. */
function sendSome(exchange: ServerExchange, bytes: Uint8Array, from: number): number {
  const { session } = exchange;
  let at = from;
  while (at < bytes.length && at - from < TURN_BYTES) {
    // Where several share a connection the engine says who is next, so it is to have something of each.
    if (session.isBlocked && !isSharing(exchange)) break;
    const piece = at === 0 && bytes.length <= PIECE_BYTES ? bytes : bytes.subarray(at, at + PIECE_BYTES);
    const sent = sendPiece(exchange, piece);
    if (sent === Status.WOULD_BLOCK || sent === 0) break;
    if (sent < 0) throw new EngineError(sent, "sending the content");
    at += sent;
  }
  session.scheduleFlush();
  return at - from;
}

/** Whether other exchanges that are not complete share the connection. */
function isSharing(exchange: ServerExchange): boolean {
  return exchange.session.exchangeCount > 1 && exchange.protocol === "h2";
}

/** Sends a piece, or some of it; answers how much, WOULD_BLOCK or another status. */
function sendPiece(exchange: ServerExchange, piece: Uint8Array): number {
  const { session } = exchange;
  const { engine } = exchange.host;
  if (piece.length >= FRAMED_BYTES && !isSharing(exchange)) {
    const framed =
      exchange.protocol === "h2" ? session.layContent(exchange.handle, piece) : frame(exchange, piece);
    if (framed !== Status.INVALID_ARGUMENT) return framed;
  }
  return engine.sendBody(exchange.handle, piece, 0);
}

/** Has the engine frame a piece for HTTP/1.1 and writes it to the socket. */
function frame(exchange: ServerExchange, piece: Uint8Array): number {
  const { session } = exchange;
  const framed = exchange.host.engine.doors.frameBody(exchange.handle, piece.length);
  if (framed < 0) return framed;
  session.writeFramed(piece);
  return piece.length;
}

async function end(exchange: ServerExchange, trailers: Trailers | null): Promise<void> {
  if (exchange.isOver) return;
  const lines = trailers === null ? null : await trailers();
  if (exchange.isOver) return;
  const { session } = exchange;
  const { engine } = exchange.host;
  const ended =
    lines === null
      ? engine.sendBody(exchange.handle, NOTHING, SendFlag.END)
      : engine.sendTrailers(exchange.handle, lines);
  if (ended < 0) throw new EngineError(ended, "ending the response");
  engine.doors.releaseExchange(exchange.handle);
  exchange.host.finished(exchange);
  session.scheduleFlush();
}

function guard(exchange: ServerExchange, sending: Promise<void>): void {
  sending.catch((error: unknown) => {
    const { host } = exchange;
    if (error instanceof WebAssembly.RuntimeError) {
      host.fail(error);
      return;
    }
    // Once the peer is gone, what its absence does to the source is no news.
    if (exchange.isOver) return;
    host.report(error, exchange);
    exchange.cut();
  });
}
