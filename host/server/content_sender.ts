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

/** Trailers as a reply has them. */
type Trailers = () => HeaderPairs | Promise<HeaderPairs>;

/** Content from this size on is framed by the engine and written by the socket. */
const FRAMED_BYTES = 4096;
/** One write to the socket: a slow peer holds no more than this beyond the high-water mark. */
const PIECE_BYTES = 262144;
/** Content of one response after which other connections get their turn, and what a chunk counts for at least. */
const TURN_BYTES = 262144;
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
  if (await sendBytes(exchange, bytes)) await end(exchange, trailers);
}

async function pullAndEnd(
  exchange: ServerExchange,
  source: ReplySource,
  trailers: Trailers | null,
): Promise<void> {
  let untilTurn = TURN_BYTES;
  try {
    for (let chunk = await source.next(); chunk !== null; chunk = await source.next()) {
      if (exchange.isOver || !(await sendBytes(exchange, chunk))) return;
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

/** Sends bytes as the peer takes them; false when the exchange ended before that. */
async function sendBytes(exchange: ServerExchange, bytes: Uint8Array): Promise<boolean> {
  const { session } = exchange;
  const { engine } = session.host;
  let untilTurn = TURN_BYTES;
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
    untilTurn -= sent;
    if (untilTurn > 0 || at === bytes.length) continue;
    untilTurn = TURN_BYTES;
    await nextTurn();
    if (exchange.isOver) return false;
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

async function end(exchange: ServerExchange, trailers: Trailers | null): Promise<void> {
  if (exchange.isOver) return;
  const lines = trailers === null ? null : await trailers();
  if (exchange.isOver) return;
  const { session } = exchange;
  const { engine } = session.host;
  const ended =
    lines === null
      ? engine.sendBody(exchange.handle, NOTHING, SendFlag.END)
      : engine.sendTrailers(exchange.handle, lines);
  if (ended < 0) throw new EngineError(ended, "ending the response");
  engine.doors.releaseExchange(exchange.handle);
  session.host.finished(exchange);
  session.scheduleFlush();
}

function guard(exchange: ServerExchange, sending: Promise<void>): void {
  sending.catch((error: unknown) => {
    const { host } = exchange.session;
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

/** A later turn of the event loop. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
