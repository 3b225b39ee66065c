// One direction of a connection of TCP over a network that loses: a model, to compare HTTP/2 with HTTP/3 where packets are lost.
//
// What it has: segments of 1448 bytes; cumulative and selective acknowledgements for each of them; loss by three later ones that arrived
// (RFC 6675, by the order of sending as in RACK, RFC 8985), a tail loss probe after two round trips, and a retransmission timeout of
// 200 ms at least that doubles; slow start from ten segments, then CUBIC in its Reno-friendly region, where windows as small as these
// lie (RFC 9438 §4.3): 0.53 segments more for each round trip, and a cut to 0.7 once for each round of losses. What it has not, all in TCP's favour: delayed acknowledgements, losses in its handshake, the bytes of
// TLS, a receiver's window.

import type { Random } from "../fuzz/random.ts";

const SEGMENT_BYTES = 1448;
const FIRST_WINDOW = 10 * SEGMENT_BYTES;
const LEAST_TIMEOUT_MS = 200;
const DUPLICATES = 3;
const CUT = 0.7;
/** RFC 9438 §4.3: 3 (1 - β) / (1 + β). */
const GROWTH = (3 * (1 - CUT)) / (1 + CUT);

interface Segment {
  readonly start: number;
  readonly end: number;
  /** The how manieth of all sendings its last one was, and when. */
  order: number;
  sentMs: number;
  isLost: boolean;
  isArrived: boolean;
  wasSentAgain: boolean;
}

interface Event {
  readonly atMs: number;
  readonly act: (nowMs: number) => void;
}

export interface PipeOptions {
  readonly random: Random;
  readonly roundTripMs: number;
  /** 0 … 1, of segments and of acknowledgements alike. */
  readonly loss: number;
  /** Takes bytes in order. */
  readonly deliver: (bytes: Buffer) => void;
}

export class TcpPipe {
  readonly #options: PipeOptions;
  readonly #events: Event[] = [];
  readonly #segments = new Map<number, Segment>();
  #bytes: Buffer = Buffer.alloc(0);
  #next = 0;
  #expected = 0;
  readonly #received = new Map<number, number>();
  #window = FIRST_WINDOW;
  #threshold = Infinity;
  #recoverTo = 0;
  #order = 0;
  #newest = 0;
  #smoothedMs: number;
  #varianceMs: number;
  #backoff = 1;
  #quietSinceMs = 0;
  #isProbed = false;

  constructor(options: PipeOptions) {
    this.#options = options;
    // The handshake has measured it.
    this.#smoothedMs = options.roundTripMs;
    this.#varianceMs = options.roundTripMs / 2;
  }

  write(nowMs: number, bytes: Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    this.#send(nowMs);
  }

  /** When something happens next; Infinity when nothing does. */
  get nextMs(): number {
    return Math.min(this.#events[0]?.atMs ?? Infinity, this.#timerMs);
  }

  step(nowMs: number): void {
    while ((this.#events[0]?.atMs ?? Infinity) <= nowMs) (this.#events.shift() as Event).act(nowMs);
    if (this.#timerMs <= nowMs) this.#onTimer(nowMs);
    this.#send(nowMs);
  }

  get #timerMs(): number {
    if (this.#segments.size === 0) return Infinity;
    const timeoutMs = Math.max(LEAST_TIMEOUT_MS, this.#smoothedMs + 4 * this.#varianceMs) * this.#backoff;
    const probeMs = 2 * this.#smoothedMs;
    return this.#quietSinceMs + (this.#isProbed ? timeoutMs : Math.min(probeMs, timeoutMs));
  }

  #onTimer(nowMs: number): void {
    const waiting = [...this.#segments.values()].filter(({ isArrived }) => !isArrived);
    this.#quietSinceMs = nowMs;
    if (!this.#isProbed) {
      this.#isProbed = true;
      const last = waiting.at(-1);
      if (last !== undefined) this.#transmit(nowMs, last);
      return;
    }
    for (const segment of waiting) segment.isLost = true;
    this.#threshold = Math.max(this.#window / 2, 2 * SEGMENT_BYTES);
    this.#window = SEGMENT_BYTES;
    this.#recoverTo = this.#next;
    this.#backoff *= 2;
  }

  #send(nowMs: number): void {
    let flight = 0;
    for (const { isLost, isArrived, start, end } of this.#segments.values())
      if (!isLost && !isArrived) flight += end - start;
    for (const segment of this.#segments.values()) {
      if (flight + SEGMENT_BYTES > this.#window) return;
      if (!segment.isLost || segment.isArrived) continue;
      segment.wasSentAgain = true;
      flight += segment.end - segment.start;
      this.#transmit(nowMs, segment);
    }
    while (this.#next < this.#bytes.length && flight + SEGMENT_BYTES <= this.#window) {
      const end = Math.min(this.#next + SEGMENT_BYTES, this.#bytes.length);
      const state = { order: 0, sentMs: 0, isLost: false, isArrived: false, wasSentAgain: false };
      const segment: Segment = { start: this.#next, end, ...state };
      if (this.#segments.size === 0) this.#quietSinceMs = nowMs;
      this.#segments.set(segment.start, segment);
      flight += end - this.#next;
      this.#next = end;
      this.#transmit(nowMs, segment);
    }
  }

  #transmit(nowMs: number, segment: Segment): void {
    segment.isLost = false;
    segment.order = ++this.#order;
    segment.sentMs = nowMs;
    this.#post(nowMs, (atMs) => this.#onSegment(atMs, segment));
  }

  #onSegment(nowMs: number, { start, end, order }: Segment): void {
    if (start >= this.#expected) this.#received.set(start, end);
    const from = this.#expected;
    for (let to = this.#received.get(this.#expected); to !== undefined; to = this.#received.get(to)) {
      this.#received.delete(this.#expected);
      this.#expected = to;
    }
    if (this.#expected > from) this.#options.deliver(this.#bytes.subarray(from, this.#expected));
    const upTo = this.#expected;
    const beyond = [...this.#received.keys()];
    this.#post(nowMs, (atMs) => this.#onAck(atMs, upTo, beyond, order));
  }

  #onAck(nowMs: number, upTo: number, beyond: readonly number[], order: number): void {
    const arrived = [...this.#segments.values()].filter(({ end }) => end <= upTo);
    for (const start of beyond) {
      const segment = this.#segments.get(start);
      if (segment !== undefined && !segment.isArrived) arrived.push(segment);
    }
    let ackedBytes = 0;
    for (const segment of arrived) {
      if (!segment.isArrived) ackedBytes += segment.end - segment.start;
      segment.isArrived = true;
      if (segment.order === order && !segment.wasSentAgain) this.#measure(nowMs - segment.sentMs);
      if (segment.end <= upTo) this.#segments.delete(segment.start);
    }
    this.#newest = Math.max(this.#newest, order);
    if (ackedBytes > 0) {
      this.#quietSinceMs = nowMs;
      this.#backoff = 1;
      this.#isProbed = false;
      const isSlowStart = this.#window < this.#threshold;
      if (upTo >= this.#recoverTo)
        this.#window += isSlowStart ? ackedBytes : (GROWTH * SEGMENT_BYTES * ackedBytes) / this.#window;
    }
    for (const segment of this.#segments.values()) {
      if (segment.isArrived || segment.isLost || segment.order + DUPLICATES > this.#newest) continue;
      segment.isLost = true;
      if (segment.start < this.#recoverTo) continue;
      this.#recoverTo = this.#next;
      this.#window = Math.max(this.#window * CUT, 2 * SEGMENT_BYTES);
      this.#threshold = this.#window;
    }
  }

  #measure(sampleMs: number): void {
    this.#varianceMs += (Math.abs(this.#smoothedMs - sampleMs) - this.#varianceMs) / 4;
    this.#smoothedMs += (sampleMs - this.#smoothedMs) / 8;
  }

  #post(nowMs: number, act: (nowMs: number) => void): void {
    const { random, loss, roundTripMs } = this.#options;
    if (random.below(1_000_000) < loss * 1_000_000) return;
    const atMs = nowMs + roundTripMs / 2;
    let index = this.#events.length;
    while (index > 0 && (this.#events[index - 1] as Event).atMs > atMs) index--;
    this.#events.splice(index, 0, { atMs, act });
  }
}
