// Flows of QUIC that share one bottleneck: a link of so many bytes per millisecond with a queue before it that drops what it has no room
// for, and chance losses if wished. Each flow is a client that sends without end and a server that takes everything; acknowledgements
// come back by a way that has no bottleneck.

import { QuicOption, type QuicStat, StreamNews } from "../../assembly/abi/quic.ts";
import { SignatureScheme } from "../../host/crypto/signature.ts";
import { Random } from "../fuzz/random.ts";
import type { Identity } from "./quic_pair.ts";
import { QuicNode } from "./quic_node.ts";

/** The values of QuicOption.CONGESTION. */
export const CUBIC = 0;
export const NEW_RENO = 1;
export const BBR = 2;

export interface FlowOptions {
  readonly congestion: number;
  /** When it connects. Default 0. */
  readonly atMs?: number;
}

export interface BottleneckOptions {
  readonly module: WebAssembly.Module;
  readonly identity: Identity;
  readonly flows: readonly FlowOptions[];
  readonly roundTripMs: number;
  /** Of the link. Default: no limit. */
  readonly bytesPerMs?: number;
  /** Default: no limit. */
  readonly queueBytes?: number;
  /** 0 … 1, in each direction alike. */
  readonly loss?: number;
  readonly seed: number;
  readonly limits?: Record<string, number>;
}

interface Delivery {
  readonly atMs: number;
  readonly order: number;
  readonly deliver: () => void;
}

/** Datagrams under way: a heap, the earliest first. */
class Deliveries {
  readonly #heap: Delivery[] = [];
  #order = 0;

  get nextMs(): number {
    return this.#heap[0]?.atMs ?? Infinity;
  }

  add(atMs: number, deliver: () => void): void {
    const heap = this.#heap;
    let index = heap.push({ atMs, order: this.#order++, deliver }) - 1;
    for (let up = (index - 1) >> 1; index > 0 && isBefore(heap, index, up); up = (index - 1) >> 1) {
      swap(heap, index, up);
      index = up;
    }
  }

  take(): Delivery {
    const heap = this.#heap;
    const first = heap[0] as Delivery;
    const last = heap.pop() as Delivery;
    if (heap.length === 0) return first;
    heap[0] = last;
    for (let index = 0; ;) {
      const left = 2 * index + 1;
      const right = left + 1;
      let least = index;
      if (left < heap.length && isBefore(heap, left, least)) least = left;
      if (right < heap.length && isBefore(heap, right, least)) least = right;
      if (least === index) return first;
      swap(heap, index, least);
      index = least;
    }
  }
}

function isBefore(heap: Delivery[], one: number, other: number): boolean {
  const [a, b] = [heap[one] as Delivery, heap[other] as Delivery];
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

function swap(heap: Delivery[], one: number, other: number): void {
  [heap[one], heap[other]] = [heap[other] as Delivery, heap[one] as Delivery];
}

const PIECE = new Uint8Array(65_536);
const MEMORY_BYTES = 32 * 1024 * 1024;

/** One sender and its receiver. */
export class Flow {
  readonly client: QuicNode;
  readonly server: QuicNode;
  readonly startMs: number;
  connection = -1;
  stream = -1;
  /** Bytes that the receiver has taken. */
  bytes = 0;
  readonly #arriving = new Map<number, number>();
  #isFull = false;

  constructor({ module, identity, seed, limits }: BottleneckOptions, flow: FlowOptions, index: number) {
    const { key, chain, names } = identity;
    const common = {
      memoryBytes: MEMORY_BYTES,
      options: [[QuicOption.CONGESTION, flow.congestion]] as const,
      limits: { connectionCount: 16, exchangeCount: 16, ...limits },
    };
    const certificate = { key, chain, names, scheme: SignatureScheme.ED25519 };
    const seeds = [1, 2].map((end) => seed * 64 + index * 2 + end) as [number, number];
    const at = { server: `198.51.100.${index + 1}`, client: `192.0.2.${index + 1}` };
    this.startMs = flow.atMs ?? 0;
    this.server = new QuicNode(module, { ...common, certificate, seed: seeds[0], address: at.server }, 0);
    this.client = new QuicNode(module, { ...common, root: chain[0], seed: seeds[1], address: at.client }, 0);
    this.server.events.stream = (connection, stream) => this.#arriving.set(stream, connection);
    this.client.events.stream = (_connection, _stream, news) => {
      if ((news & StreamNews.WRITABLE) !== 0) this.#isFull = false;
    };
  }

  stat(which: QuicStat): number {
    return this.client.engine.quic.stats(this.connection)?.[which] ?? NaN;
  }

  /** Writes as much as is taken. */
  fill(nowMs: number): void {
    const { quic } = this.client.engine;
    if (this.stream < 0) this.stream = quic.openStream(this.connection, true);
    while (this.stream >= 0 && !this.#isFull)
      this.#isFull = quic.writeStream(this.connection, this.stream, PIECE, false, nowMs) < PIECE.length;
  }

  drain(nowMs: number): void {
    const { quic } = this.server.engine;
    for (const [stream, connection] of this.#arriving) {
      for (let bytes = quic.peekStream(stream); bytes.length !== 0; bytes = quic.peekStream(stream)) {
        this.bytes += bytes.length;
        quic.consumeStream(connection, stream, bytes.length, nowMs);
      }
    }
    this.#arriving.clear();
  }
}

export class Bottleneck {
  readonly flows: readonly Flow[];
  nowMs = 0;
  /** Datagrams that the queue dropped, and those that chance took. */
  dropped = 0;
  lost = 0;
  /** The time that a datagram waits in the queue: the sum for all of them, their number, and the most. */
  waitedMs = 0;
  passed = 0;
  mostWaitMs = 0;
  readonly #options: BottleneckOptions;
  readonly #random: Random;
  readonly #deliveries = new Deliveries();
  /** When the link has sent all that is in the queue. */
  #freeAtMs = 0;

  constructor(options: BottleneckOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.flows = options.flows.map((flow, index) => new Flow(options, flow, index));
  }

  /** Lets `ms` pass. */
  run(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      let nextMs = Math.min(endMs, this.#deliveries.nextMs);
      for (const flow of this.flows) {
        if (flow.connection < 0 && this.nowMs >= flow.startMs)
          flow.connection = flow.client.connect(this.nowMs, flow.server.address, "sim.test");
        this.#flush(flow);
        const startMs = flow.connection < 0 ? flow.startMs : Infinity;
        nextMs = Math.min(
          nextMs,
          startMs,
          flow.client.deadlineMs,
          flow.server.deadlineMs,
          this.#deliveries.nextMs,
        );
      }
      if (nextMs >= endMs) {
        this.nowMs = endMs;
        return;
      }
      this.nowMs = Math.max(this.nowMs, nextMs);
      while (this.#deliveries.nextMs <= this.nowMs) this.#deliveries.take().deliver();
      for (const { client, server } of this.flows)
        for (const node of [client, server])
          if (node.deadlineMs <= this.nowMs) node.handleTimeout(this.nowMs);
    }
  }

  #flush(flow: Flow): void {
    if (flow.connection < 0) return;
    flow.drain(this.nowMs);
    flow.fill(this.nowMs);
    const { client, server } = flow;
    client.send(this.nowMs, (payload) =>
      this.#enqueue(payload, (bytes) => server.receive(this.nowMs, [bytes], client.address)),
    );
    server.send(this.nowMs, (payload) =>
      this.#post(0, payload, (bytes) => client.receive(this.nowMs, [bytes], server.address)),
    );
  }

  #enqueue(payload: Uint8Array, receive: (bytes: Uint8Array) => void): void {
    const { bytesPerMs = Infinity, queueBytes = Infinity } = this.#options;
    const waitMs = Math.max(this.#freeAtMs - this.nowMs, 0);
    if (waitMs > 0 && waitMs * bytesPerMs + payload.length > queueBytes) {
      this.dropped++;
      return;
    }
    this.#freeAtMs = this.nowMs + waitMs + payload.length / bytesPerMs;
    this.waitedMs += waitMs;
    this.mostWaitMs = Math.max(this.mostWaitMs, waitMs);
    this.passed++;
    this.#post(this.#freeAtMs - this.nowMs, payload, receive);
  }

  #post(afterMs: number, payload: Uint8Array, receive: (bytes: Uint8Array) => void): void {
    const { loss = 0, roundTripMs } = this.#options;
    if (loss > 0 && this.#random.below(1_000_000) < loss * 1_000_000) {
      this.lost++;
      return;
    }
    const bytes = payload.slice();
    this.#deliveries.add(this.nowMs + afterMs + roundTripMs / 2, () => receive(bytes));
  }
}
