/**
 * Where links, engine and handlers meet: bytes that arrived go to the engine, what the engine tells goes to handlers, and what
 * it has to send goes to the link. The same order of calls as in every host (exports/instance.ts).
 *
 * While a link takes nothing, nothing is polled from the engine, so that a slow peer's output waits in one place with one limit
 * and one deadline. All objects are reached from the tables here: the collector runs between turns only, when no handler is
 * under way.
 */
import { EventFlag, EventKind, EventLane } from "../abi/event.ts";
import { HANDLE_INDEX_MASK } from "../abi/handle.ts";
import { Layout } from "../abi/layout.ts";
import { OpenFlag, Protocol, Role } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import {
  closeConnection,
  openConnection,
  pollTransmit,
  receive,
  receiveEnd,
  transmitBlocked,
  transmitDrained,
} from "../exports/connection.ts";
import { handleTimeout, pollDeadline } from "../exports/instance.ts";
import { layoutTable, receiveRegion, RECEIVE_BYTES, transmitRegion } from "../session/regions.ts";
import { Exchange } from "./exchange.ts";
import { Host } from "./host.ts";
import { Link, Moved } from "./link.ts";
import { dispatch } from "./routes.ts";
import { currentTime, refreshDate, startEngine } from "./start.ts";

/** Requests after which what handlers left behind is collected. */
const REQUESTS_PER_COLLECTION: u32 = 1024;

let links = new StaticArray<Link | null>(0);
/** Made when first needed, then used again and again. */
let exchanges = new StaticArray<Exchange | null>(0);
/** Links that have something to send though nobody was calling them. */
let unsent: Link[] = [];
let requestCount: u32 = 0;

/** Starts the engine, and the tables beside it; false when it cannot. */
export function startLoop(host: Host, byteCount: u32, connectionCount: u32, exchangeCount: u32): bool {
  if (!startEngine(host, byteCount, connectionCount, exchangeCount)) return false;
  links = new StaticArray<Link | null>(connectionCount + 1);
  exchanges = new StaticArray<Exchange | null>(exchangeCount + 1);
  return true;
}

/** Takes a connection; false when the engine is full. */
export function openLink(link: Link): bool {
  const handle = openConnection(Protocol.HTTP_1, Role.SERVER, OpenFlag.NONE, currentTime());
  if (handle < 0) return false;
  link.handle = handle;
  links[handle & HANDLE_INDEX_MASK] = link;
  return true;
}

/** Reads what a link has, once, and answers it. False when nothing was there. */
export function readLink(link: Link): bool {
  if (link.isOver || link.isPeerEnded || (link.isPaused && !link.isEnding)) return false;
  const count = link.read(receiveRegion, RECEIVE_BYTES);
  if (count == Moved.WAIT) return false;
  if (count == Moved.LOST) {
    closeLink(link);
  } else if (count == Moved.END) {
    link.isPeerEnded = true;
    while (!link.isOver && receiveEnd(link.handle, currentTime()) == Status.WOULD_BLOCK) readEvents();
  } else {
    receiveAll(link, count);
  }
  flushLink(link);
  return true;
}

/** Writes what a link has to send, as far as it takes it. */
export function flushLink(link: Link): void {
  if (link.isOver) return;
  if (link.isBlocked && !writePending(link)) return;
  do {
    readEvents();
    while (!link.isOver && !link.isBlocked) {
      const len = pollTransmit(link.handle);
      if (len <= 0) break;
      writeOrHold(link, len);
    }
  } while (hasEvents());
  if (link.isOver || link.isBlocked || !link.isEnding) return;
  if (!link.isShut) {
    link.isShut = true;
    link.shutdown();
  }
  if (link.isPeerEnded) closeLink(link);
}

/** Acts on the engine's deadlines, writes what waits, and collects garbage now and then. Once per turn of a loop. */
export function turn(): void {
  const now = currentTime();
  refreshDate(now);
  if (pollDeadline() <= now) handleTimeout(now);
  readEvents();
  while (unsent.length > 0) {
    const waiting = unsent;
    unsent = [];
    for (let i = 0; i < waiting.length; i++) flushLink(waiting[i]);
  }
  if (requestCount < REQUESTS_PER_COLLECTION) return;
  requestCount = 0;
  __collect();
}

/** Milliseconds until `turn` has something to do, `most` at most. */
export function idleMs(most: f64): f64 {
  return max(0, min(most, pollDeadline() - currentTime()));
}

/** Gives a link up. */
export function closeLink(link: Link): void {
  if (link.isOver) return;
  link.isOver = true;
  links[link.handle & HANDLE_INDEX_MASK] = null;
  closeConnection(link.handle);
  link.letGo();
  link.close();
}

function receiveAll(link: Link, count: u32): void {
  let at: u32 = 0;
  while (at < count && !link.isOver) {
    const taken = receive(link.handle, at, count - at, currentTime());
    readEvents();
    if (taken < 0) closeLink(link);
    else at += taken;
  }
}

/** Writes [transmit region, + len); what the link does not take is kept. */
function writeOrHold(link: Link, len: u32): void {
  let at: u32 = 0;
  while (at < len) {
    const moved = link.write(transmitRegion + at, len - at);
    if (moved == Moved.LOST) return closeLink(link);
    if (moved < 0) {
      link.hold(transmitRegion + at, len - at);
      transmitBlocked(link.handle, currentTime());
      return;
    }
    at += moved;
  }
}

/** Goes on with what was kept; false while something is left. */
function writePending(link: Link): bool {
  while (link.pendingAt < link.pendingLen) {
    const moved = link.write(link.pendingBlock + link.pendingAt, link.pendingLen - link.pendingAt);
    if (moved == Moved.LOST) closeLink(link);
    if (moved < 0) return false;
    link.pendingAt += moved;
  }
  link.letGo();
  transmitDrained(link.handle, currentTime());
  return true;
}

function hasEvents(): bool {
  return eventCounter(Layout.EVENT_READ_PTR) != eventCounter(Layout.EVENT_WRITE_PTR);
}

/** Acts on everything that the engine tells, and on what that causes. */
function readEvents(): void {
  const records = lane(Layout.EVENT_PTR);
  const mask = lane(Layout.EVENT_CAPACITY) - 1;
  while (hasEvents()) {
    const count = eventCounter(Layout.EVENT_READ_PTR);
    const record: usize = records + (count & mask) * (EventLane.COUNT << 2);
    const kind = load<u32>(record, EventLane.KIND << 2);
    const exchange = load<u32>(record, EventLane.EXCHANGE << 2);
    const connection = load<u32>(record, EventLane.CONNECTION << 2);
    const a = load<u32>(record, EventLane.A << 2);
    const b = load<u32>(record, EventLane.B << 2);
    // The record is free from here on: what a handler does may need its place.
    store<u32>(lane(Layout.EVENT_READ_PTR), count + 1);
    if (exchange != 0) tellExchange(kind, exchange, a, b);
    else tellLink(kind, links[connection & HANDLE_INDEX_MASK]);
  }
}

function tellExchange(kind: u32, handle: u32, a: u32, b: u32): void {
  const index = handle & HANDLE_INDEX_MASK;
  let exchange = exchanges[index];
  if (exchange == null) {
    exchange = new Exchange();
    exchanges[index] = exchange;
  }
  if ((kind & 0xffff) == EventKind.REQUEST) {
    requestCount++;
    exchange.open(handle, a);
    return dispatch(exchange);
  }
  // Its answer came to an end before this was read.
  if (exchange.handle != handle) return;
  switch (kind & 0xffff) {
    case EventKind.BODY:
      return exchange.bodyArrived(a, b, ((kind >> 16) & EventFlag.END) != 0);
    case EventKind.END:
      return exchange.bodyArrived(0, 0, true);
    case EventKind.WRITABLE:
      return exchange.canWrite();
    case EventKind.ABORTED:
      return exchange.aborted();
  }
}

function tellLink(kind: u32, link: Link | null): void {
  if (link == null) return;
  switch (kind & 0xffff) {
    case EventKind.READ_PAUSE:
      link.isPaused = true;
      break;
    case EventKind.READ_RESUME:
      link.isPaused = false;
      break;
    case EventKind.TRANSMIT:
      unsent.push(link);
      break;
    case EventKind.CLOSE:
      if ((kind >> 16) & EventFlag.ABORT) {
        closeLink(link);
      } else {
        link.isEnding = true;
        unsent.push(link);
      }
      break;
  }
}

function eventCounter(index: Layout): u32 {
  return load<u32>(lane(index));
}

function lane(index: Layout): u32 {
  return load<u32>(layoutTable() + (index << 2));
}
