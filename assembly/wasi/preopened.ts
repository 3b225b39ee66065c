/**
 * Connections from listening sockets that the host opened (preview 1 with `sock_accept`): every descriptor from 3 on that is
 * a stream socket is accepted from.
 *
 * Hosts differ in what they can wait for. All of them answer at once when asked to read what is not there, and all of them can
 * wait for time; so every socket is tried, and when nothing moved the loop waits, at first for a short time, then longer, and
 * wakes earlier where the host can tell that a socket is ready. An idle server thus costs a hundred looks a second at most.
 */
import { Link } from "./link.ts";
import { flushLink, idleMs, openLink, readLink, startLoop, turn } from "./loop.ts";
import { fdClose, fdFdstatGet, fdFdstatSetFlags, sockAccept, sockShutdown } from "./preview1_imports.ts";
import { Errno, Preview1Host, readFd, wait, waitBegin, waitFor, writeFd } from "./preview1.ts";
import { SERVER_BYTES, SERVER_CONNECTION_COUNT, SERVER_EXCHANGE_COUNT } from "./start.ts";

const FIRST_PREOPENED: u32 = 3;
const FILETYPE_SOCKET_STREAM: u32 = 6;
const FDFLAG_NONBLOCK: u32 = 4;
const SHUTDOWN_WRITE: u32 = 2;
const SHORTEST_WAIT_MS: f64 = 1;
const LONGEST_WAIT_MS: f64 = 10;
/** Passes without anything to do before the loop waits at all: a client's next request is often a moment away. */
const SPIN_COUNT: u32 = 8;
/** Connections that one pass accepts from one socket. */
const ACCEPT_COUNT: u32 = 64;

const result: usize = memory.data(24, 8);
const listeners: u32[] = [];
const links: SocketLink[] = [];

class SocketLink extends Link {
  constructor(readonly fd: u32) {
    super();
  }

  read(dest: usize, len: u32): i32 {
    return readFd(this.fd, dest, len);
  }

  write(ptr: usize, len: u32): i32 {
    return writeFd(this.fd, ptr, len);
  }

  shutdown(): void {
    sockShutdown(this.fd, SHUTDOWN_WRITE);
  }

  close(): void {
    fdClose(this.fd);
  }
}

/** Serves what the host's listening sockets bring, for ever. Returns when there are none. */
export function servePreopened(): void {
  findListeners();
  if (listeners.length == 0) return;
  if (!startLoop(new Preview1Host(), SERVER_BYTES, SERVER_CONNECTION_COUNT, SERVER_EXCHANGE_COUNT)) return;
  let idleCount: u32 = 0;
  let waitMs = SHORTEST_WAIT_MS;
  while (true) {
    turn();
    if (pass()) {
      idleCount = 0;
      waitMs = SHORTEST_WAIT_MS;
    } else if (++idleCount > SPIN_COUNT) {
      waitForAny(idleMs(waitMs));
      waitMs = min(waitMs * 2, LONGEST_WAIT_MS);
    }
  }
}

function findListeners(): void {
  for (let fd = FIRST_PREOPENED; fdFdstatGet(fd, result) == Errno.SUCCESS; fd++) {
    if (load<u8>(result) != FILETYPE_SOCKET_STREAM) continue;
    fdFdstatSetFlags(fd, FDFLAG_NONBLOCK);
    listeners.push(fd);
  }
}

/** Looks at every socket once; whether anything moved. */
function pass(): bool {
  let moved = false;
  for (let i = 0; i < listeners.length; i++) if (accept(listeners[i])) moved = true;
  let kept = 0;
  for (let i = 0; i < links.length; i++) {
    const link = links[i];
    if (link.isBlocked) flushLink(link);
    else if (readLink(link)) moved = true;
    if (!link.isOver) links[kept++] = link;
  }
  links.length = kept;
  return moved;
}

function accept(listener: u32): bool {
  let count: u32 = 0;
  while (count < ACCEPT_COUNT) {
    const errno = sockAccept(listener, FDFLAG_NONBLOCK, result);
    if (errno != Errno.SUCCESS) break;
    count++;
    const link = new SocketLink(load<u32>(result));
    if (openLink(link)) links.push(link);
    else link.close();
  }
  return count > 0;
}

function waitForAny(ms: f64): void {
  waitBegin(ms);
  for (let i = 0; i < listeners.length; i++) waitFor(listeners[i], false);
  for (let i = 0; i < links.length; i++) {
    const link = links[i];
    if (link.isBlocked) waitFor(link.fd, true);
    else if (!link.isPaused) waitFor(link.fd, false);
  }
  wait();
}
