/**
 * WASI preview 1 (`wasi_snapshot_preview1`): the few functions that a server needs, and what its hosts have in common.
 *
 * Its records are laid out in static memory here: iovec (pointer, length), subscription (48 bytes) and event (32 bytes).
 */
import { Host } from "./host.ts";
import { Moved } from "./link.ts";
import { clockTimeGet, fdRead, fdWrite, pollOneoff, randomGet } from "./preview1_imports.ts";

export const enum Errno {
  SUCCESS = 0,
  AGAIN = 6,
  INTR = 27,
}

const enum Clock {
  REALTIME = 0,
  MONOTONIC = 1,
}

const enum EventType {
  CLOCK = 0,
  FD_READ = 1,
  FD_WRITE = 2,
}

const SUBSCRIPTION_BYTES: u32 = 48;
const EVENT_BYTES: u32 = 32;
const NANOSECONDS_PER_MS: f64 = 1000000;
/** Subscriptions of one poll; connections beyond it are looked at without being waited for. */
const SUBSCRIPTION_COUNT_MAX: u32 = 1024;

const vector: usize = memory.data(2 * sizeof<usize>(), 8);
const result: usize = memory.data(8, 8);
let subscriptions: usize = 0;
let subscriptionCount: u32 = 0;

/** The world of preview 1. */
export class Preview1Host extends Host {
  now(): f64 {
    return time(Clock.MONOTONIC);
  }

  wallClock(): f64 {
    return time(Clock.REALTIME);
  }

  entropy(dest: usize, len: u32): void {
    randomGet(dest, len);
  }
}

/** Reads from a descriptor: bytes, or a Moved. */
export function readFd(fd: u32, dest: usize, len: u32): i32 {
  store<usize>(vector, dest);
  store<usize>(vector, len, sizeof<usize>());
  const errno = fdRead(fd, vector, 1, result);
  if (errno != Errno.SUCCESS) return movedOf(errno);
  const count = load<u32>(result);
  return count == 0 ? Moved.END : count;
}

/** Writes to a descriptor: bytes, or a Moved. */
export function writeFd(fd: u32, ptr: usize, len: u32): i32 {
  store<usize>(vector, ptr);
  store<usize>(vector, len, sizeof<usize>());
  const errno = fdWrite(fd, vector, 1, result);
  if (errno != Errno.SUCCESS) return movedOf(errno);
  const count = load<u32>(result);
  return count == 0 ? Moved.WAIT : count;
}

/** Begins a list of what to wait for: at most `ms` milliseconds. */
export function waitBegin(ms: f64): void {
  if (subscriptions == 0)
    subscriptions = heap.alloc(SUBSCRIPTION_COUNT_MAX * (SUBSCRIPTION_BYTES + EVENT_BYTES));
  memory.fill(subscriptions, 0, SUBSCRIPTION_BYTES);
  store<u8>(subscriptions, EventType.CLOCK, 8);
  store<u32>(subscriptions, Clock.MONOTONIC, 16);
  store<u64>(subscriptions, <u64>(ms * NANOSECONDS_PER_MS), 24);
  subscriptionCount = 1;
}

/** Adds that a descriptor can be read, or written. */
export function waitFor(fd: u32, isWrite: bool): void {
  if (subscriptionCount == SUBSCRIPTION_COUNT_MAX) return;
  const subscription = subscriptions + subscriptionCount++ * SUBSCRIPTION_BYTES;
  memory.fill(subscription, 0, SUBSCRIPTION_BYTES);
  store<u8>(subscription, isWrite ? EventType.FD_WRITE : EventType.FD_READ, 8);
  store<u32>(subscription, fd, 16);
}

/** Waits. True when a descriptor is ready, or the host cannot tell. */
export function wait(): bool {
  const events = subscriptions + SUBSCRIPTION_COUNT_MAX * SUBSCRIPTION_BYTES;
  if (pollOneoff(subscriptions, events, subscriptionCount, result) != Errno.SUCCESS) return true;
  const eventCount = load<u32>(result);
  for (let i: u32 = 0; i < eventCount; i++) {
    if (load<u8>(events + i * EVENT_BYTES, 10) != EventType.CLOCK) return true;
  }
  return false;
}

/** What an error means for a link. */
export function movedOf(errno: u32): Moved {
  return errno == Errno.AGAIN || errno == Errno.INTR ? Moved.WAIT : Moved.LOST;
}

function time(id: Clock): f64 {
  clockTimeGet(id, 1000, result);
  return <f64>load<u64>(result) / NANOSECONDS_PER_MS;
}
