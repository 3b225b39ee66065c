/**
 * A server on TCP sockets of its own, for WASI 0.2: binds HOST and PORT of the environment (127.0.0.1 and 8080 when unset; port
 * 0 is any free one), says so in one line, and serves all of its connections at once: one poll waits for the listener, for
 * every peer that may say something, for every peer that is to take something, and for the engine's next deadline.
 *
 * Pollables are made once per stream and kept. Children of a resource are dropped before it, as the ABI demands.
 */
import { Link, Moved } from "./link.ts";
import { flushLink, idleMs, openLink, readLink, startLoop, turn } from "./loop.ts";
import {
  environmentVariable,
  NANOSECONDS_PER_MS,
  placeNextList,
  Preview2Host,
  printLine,
} from "./preview2.ts";
import {
  createTcpSocket,
  errorDrop,
  finishBind,
  finishListen,
  inputDrop,
  inputRead,
  inputSubscribe,
  instanceNetwork,
  localAddress,
  outputCheckWrite,
  outputDrop,
  outputSubscribe,
  outputWrite,
  pollableBlock,
  pollableDrop,
  pollAll,
  setListenBacklogSize,
  socketAccept,
  socketDrop,
  socketShutdown,
  socketSubscribe,
  startBind,
  startListen,
  subscribeDuration,
} from "./preview2_imports.ts";
import { currentTime, SERVER_BYTES, SERVER_CONNECTION_COUNT, SERVER_EXCHANGE_COUNT } from "./start.ts";

/** wasi:sockets/network error-code. */
const WOULD_BLOCK: u32 = 8;
const IPV4: u32 = 0;
const SHUTDOWN_SEND: u32 = 1;
/** Connections that one turn accepts. */
const ACCEPT_COUNT: u32 = 64;
/** Connections that wait to be accepted: a burst beyond it waits for its peers' retransmissions, a second or more. */
const BACKLOG_COUNT: u64 = 1024;
const LONGEST_WAIT_MS: f64 = 1000;
/** The listener, the clock, and one pollable for each connection. */
const POLLABLE_COUNT: u32 = SERVER_CONNECTION_COUNT + 2;

const result: usize = memory.data(64, 8);
const pollables: usize = memory.data(POLLABLE_COUNT * sizeof<u32>(), 4);
const ready: usize = memory.data(POLLABLE_COUNT * sizeof<u32>(), 4);
const links: TcpLink[] = [];
/** The links of the pollables after the first two, in their order. */
const polled: TcpLink[] = [];
let timer: u32 = 0;
/** A moment that has passed. */
let moment: u32 = 0;
let timerDueMs: f64 = Infinity;

class TcpLink extends Link {
  private readonly readable: u32;
  private writable: u32 = 0;

  constructor(
    private readonly socket: u32,
    private readonly input: u32,
    private readonly output: u32,
  ) {
    super();
    this.readable = inputSubscribe(input);
  }

  /** What this link waits for: 0 when it waits for nothing but time or others. */
  get pollable(): u32 {
    if (this.isBlocked) {
      if (this.writable == 0) this.writable = outputSubscribe(this.output);
      return this.writable;
    }
    return this.isPeerEnded || (this.isPaused && !this.isEnding) ? 0 : this.readable;
  }

  read(dest: usize, len: u32): i32 {
    placeNextList(dest);
    inputRead(this.input, len, result);
    placeNextList(0);
    if (load<u8>(result) != 0) return streamError(result + 4, Moved.END);
    const count = load<u32>(result, 8);
    return count == 0 ? Moved.WAIT : count;
  }

  write(ptr: usize, len: u32): i32 {
    outputCheckWrite(this.output, result);
    if (load<u8>(result) == 0 && load<u64>(result, 8) == 0) {
      renewBudget();
      outputCheckWrite(this.output, result);
    }
    if (load<u8>(result) != 0) return streamError(result + 8, Moved.LOST);
    const count = min(len, <u32>min<u64>(load<u64>(result, 8), u32.MAX_VALUE));
    if (count == 0) return Moved.WAIT;
    outputWrite(this.output, ptr, count, result);
    return load<u8>(result) != 0 ? streamError(result + 4, Moved.LOST) : count;
  }

  shutdown(): void {
    socketShutdown(this.socket, SHUTDOWN_SEND, result);
  }

  close(): void {
    pollableDrop(this.readable);
    if (this.writable != 0) pollableDrop(this.writable);
    inputDrop(this.input);
    outputDrop(this.output);
    socketDrop(this.socket);
  }
}

/** Serves for ever. Answers only when it cannot: 1, the failure of `wasi:cli/run`. */
export function serveTcp(): u32 {
  const host = addressOf(environmentVariable("HOST") || "127.0.0.1");
  const port = U32.parseInt(environmentVariable("PORT") || "8080");
  const listener = listen(host, port);
  if (listener == 0) {
    printLine(
      "cannot listen on port " +
        port.toString() +
        ": is it taken, or the network not allowed to this component?",
    );
    return 1;
  }
  if (!startLoop(new Preview2Host(), SERVER_BYTES, SERVER_CONNECTION_COUNT, SERVER_EXCHANGE_COUNT)) return 1;
  printLine(
    "listening on http://" +
      (environmentVariable("HOST") || "127.0.0.1") +
      ":" +
      portOf(listener).toString() +
      "/",
  );
  const listenable = socketSubscribe(listener);
  while (true) {
    turn();
    forgetClosed();
    waitForAny(listenable);
    const readyCount = load<u32>(result, 4);
    for (let i: u32 = 0; i < readyCount; i++) act(listener, load<u32>(ready + i * sizeof<u32>()));
  }
}

/** A socket that listens, or 0. */
function listen(address: u32, port: u32): u32 {
  createTcpSocket(IPV4, result);
  if (load<u8>(result) != 0) return 0;
  const socket = load<u32>(result, 4);
  // prettier-ignore
  startBind(socket, instanceNetwork(), IPV4, port, address >> 24, (address >> 16) & 0xff, (address >> 8) & 0xff,
    address & 0xff, 0, 0, 0, 0, 0, 0, result);
  if (load<u8>(result) != 0) return 0;
  const pollable = socketSubscribe(socket);
  do {
    pollableBlock(pollable);
    finishBind(socket, result);
  } while (isPending());
  let isListening = load<u8>(result) == 0;
  if (isListening) {
    // Refused or not, the host's own number is good enough to go on with.
    setListenBacklogSize(socket, BACKLOG_COUNT, result);
    startListen(socket, result);
    isListening = load<u8>(result) == 0;
  }
  if (isListening) {
    do {
      pollableBlock(pollable);
      finishListen(socket, result);
    } while (isPending());
    isListening = load<u8>(result) == 0;
  }
  pollableDrop(pollable);
  return isListening ? socket : 0;
}

/** Whether a call has answered that it would have to wait; `errorOffset` is where its result has the error. */
function isPending(errorOffset: usize = 1): bool {
  return load<u8>(result) != 0 && load<u8>(result + errorOffset) == WOULD_BLOCK;
}

function portOf(socket: u32): u32 {
  localAddress(socket, result);
  return load<u8>(result) == 0 ? load<u16>(result, 8) : 0;
}

/** `a.b.c.d` as a number. */
function addressOf(text: string): u32 {
  const parts = text.split(".");
  let address: u32 = 0;
  for (let i = 0; i < 4; i++) address = (address << 8) | (i < parts.length ? U8.parseInt(parts[i]) : 0);
  return address;
}

/** Waits until something can move; the indices of what is ready lie in `ready`, their count in `result`. */
function waitForAny(listenable: u32): void {
  setTimer();
  store<u32>(pollables, listenable);
  store<u32>(pollables, timer, sizeof<u32>());
  let count: u32 = 2;
  polled.length = 0;
  for (let i = 0; i < links.length; i++) {
    const link = unchecked(links[i]);
    const pollable = link.pollable;
    if (pollable == 0) continue;
    store<u32>(pollables + count++ * sizeof<u32>(), pollable);
    polled.push(link);
  }
  placeNextList(ready);
  pollAll(pollables, count, result);
  placeNextList(0);
}

/** A clock that is due no later than the engine's next deadline. */
function setTimer(): void {
  const now = currentTime();
  const dueMs = now + idleMs(LONGEST_WAIT_MS);
  if (timer != 0 && timerDueMs <= dueMs) return;
  clearTimer();
  timerDueMs = dueMs;
  timer = subscribeDuration(<u64>((dueMs - now) * NANOSECONDS_PER_MS));
}

function clearTimer(): void {
  if (timer != 0) pollableDrop(timer);
  timer = 0;
}

function act(listener: u32, index: u32): void {
  if (index == 0) return accept(listener);
  if (index == 1) return clearTimer();
  const link = polled[index - 2];
  if (link.isBlocked) flushLink(link);
  else readLink(link);
}

function accept(listener: u32): void {
  for (let count: u32 = 0; count < ACCEPT_COUNT; count++) {
    socketAccept(listener, result);
    if (isPending(4)) {
      renewBudget();
      socketAccept(listener, result);
    }
    if (load<u8>(result) != 0) return;
    const link = new TcpLink(load<u32>(result, 4), load<u32>(result, 8), load<u32>(result, 12));
    if (openLink(link)) links.push(link);
    else link.close();
  }
}

/**
 * Lets the host go on. wasmtime gives a guest a budget of operations that is renewed only where the guest waits; once it is
 * spent nothing can be written or accepted although every poll says so, and a busy guest would never come to wait. Waiting for
 * a moment that has passed takes no time, and renews the budget when it is spent.
 */
function renewBudget(): void {
  if (moment == 0) moment = subscribeDuration(1);
  pollableBlock(moment);
}

function forgetClosed(): void {
  let kept = 0;
  for (let i = 0; i < links.length; i++) {
    const link = links[i];
    if (!link.isOver) links[kept++] = link;
  }
  links.length = kept;
}

/** A stream's error: its resource is dropped. `closed` is what a stream that has ended means. */
function streamError(ptr: usize, closed: Moved): Moved {
  if (load<u8>(ptr) != 0) return closed;
  errorDrop(load<u32>(ptr, 4));
  return Moved.LOST;
}
