// One run of the whole stack: a client and a server of HTTP/3 over a seeded network. Requests go in parallel, with content, interim
// answers and trailers in both directions; every byte and every field is checked, and both ends are done with everything at the end.

import { SendFlag } from "../../assembly/abi/message.ts";
import { Status } from "../../assembly/abi/status.ts";
import { CloseFlag, ConnectedFlag } from "../../assembly/abi/quic.ts";
import type { ReceivedHead } from "../../host/engine/received_head.ts";
import type { Random } from "../fuzz/random.ts";
import { Network, type Weather } from "./network.ts";
import { type NodeOptions, QuicNode } from "./quic_node.ts";

/** What one exchange carries. */
export interface Plan {
  readonly method: string;
  readonly requestBytes: number;
  readonly hasRequestTrailers: boolean;
  readonly answerBytes: number;
  readonly hasAnswerTrailers: boolean;
  readonly hasHint: boolean;
}

export interface Http3Options {
  readonly random: Random;
  readonly weather: Weather;
  readonly module: WebAssembly.Module;
  readonly server: NodeOptions;
  readonly client: NodeOptions;
  readonly plans: readonly Plan[];
  readonly concurrency: number;
  /** Nodes that met before, and the ticket of that time: requests go in early data. */
  readonly resumed?: { readonly run: Http3Run; readonly ticket: Uint8Array };
}

export interface Http3Outcome {
  /** From the first datagram to the end of the last answer. */
  readonly ms: number;
  /** From the first datagram to the head of the first answer. */
  readonly firstByteMs: number;
  readonly datagrams: number;
  readonly ticket: Uint8Array | undefined;
  readonly isEarlyAccepted: boolean;
}

/** A GET of so many bytes. */
export function get(answerBytes: number): Plan {
  return {
    method: "GET",
    requestBytes: 0,
    hasRequestTrailers: false,
    answerBytes,
    hasAnswerTrailers: false,
    hasHint: false,
  };
}

/** Content on its way out of one end, or into it. */
class Content {
  readonly bytes: number;
  readonly #seed: number;
  at = 0;

  constructor(bytes: number, seed: number) {
    this.bytes = bytes;
    this.#seed = seed;
  }

  byteAt(offset: number): number {
    return (offset * 31 + this.#seed * 17 + (offset >>> 8)) & 0xff;
  }

  piece(most: number): Uint8Array {
    const length = Math.min(most, this.bytes - this.at);
    return Uint8Array.from({ length }, (_, index) => this.byteAt(this.at + index));
  }

  /** Takes what has come; whether it is what it should be. */
  take(bytes: Uint8Array): boolean {
    for (const byte of bytes) if (byte !== this.byteAt(this.at++)) return false;
    return this.at <= this.bytes;
  }
}

interface Side {
  readonly index: number;
  readonly plan: Plan;
  readonly incoming: Content;
  readonly outgoing: Content;
  head: ReceivedHead | null;
  isSent: boolean;
}

const DEADLINE_MS = 300_000;
const STEPS_AT_ONCE = 2000;
const PIECE_BYTES = 8192;
const STATUS = 200;
const HINT: readonly [string, string][] = [["link", "</hint>"]];
const trailersOf = (index: number): [string, string][] => [["x-index", String(index)]];

export class Http3Run {
  readonly #options: Http3Options;
  readonly #network: Network;
  readonly #server: QuicNode;
  readonly #client: QuicNode;
  /** Exchanges under way, by handle. */
  readonly #asked = new Map<number, Side>();
  readonly #served = new Map<number, Side>();
  readonly #hinted = new Set<number>();
  readonly #beganMs: number;
  #nowMs: number;
  #connection = 0;
  #next = 0;
  #done = 0;
  #canAsk = false;
  #isEarlyAccepted = false;
  #firstByteMs = 0;
  #endedMs = 0;
  #ticket: Uint8Array | undefined;
  #closed: string | null = null;
  #isServerClosed = false;
  #stepsAtOnce = 0;

  constructor(options: Http3Options) {
    this.#options = options;
    const before = options.resumed?.run;
    this.#nowMs = before === undefined ? 1 : before.#nowMs + 1000;
    this.#beganMs = this.#nowMs;
    this.#network = new Network(options.random, options.weather);
    this.#server = before ? before.#server : new QuicNode(options.module, options.server, this.#nowMs);
    this.#client = before ? before.#client : new QuicNode(options.module, options.client, this.#nowMs);
    this.#listen();
  }

  /** Runs to the end. Throws an Error that says what went wrong. */
  go(): Http3Outcome {
    const { resumed, plans } = this.#options;
    const rest = resumed === undefined ? {} : { ticket: resumed.ticket };
    this.#connection = this.#client.connect(this.#nowMs, this.#server.address, "sim.test", rest);
    if (resumed !== undefined) this.#askMore();
    let isClosing = false;
    while (!isClosing || this.#closed === null || !this.#isServerClosed) {
      this.#flush();
      if (this.#done === plans.length && !isClosing) {
        isClosing = true;
        this.#endedMs = this.#nowMs;
        this.#client.engine.doors.drainConnection(this.#connection, this.#nowMs);
        this.#client.read(this.#nowMs);
        continue;
      }
      if (this.#closed !== null && !isClosing) this.#fail(`the client's connection ended: ${this.#closed}`);
      if (this.#isServerClosed && !isClosing) this.#fail("the server's connection ended");
      this.#step();
    }
    for (const [name, { engine }] of Object.entries({ server: this.#server, client: this.#client })) {
      const counters = engine.counters();
      if (counters.get("exchanges_open") !== 0) this.#fail(`the ${name} kept exchanges`);
      if (counters.get("peer_errors") !== 0) this.#fail(`the ${name} found an error in what the other sent`);
    }
    return {
      ms: this.#endedMs - this.#beganMs,
      firstByteMs: this.#firstByteMs - this.#beganMs,
      datagrams: this.#network.sent,
      ticket: this.#ticket,
      isEarlyAccepted: this.#isEarlyAccepted,
    };
  }

  #listen(): void {
    this.#server.events = { closed: () => (this.#isServerClosed = true) };
    this.#client.events = {
      connected: (_connection, flags) => {
        if ((flags & ConnectedFlag.HTTP3) === 0) this.#fail("HTTP/3 was not agreed on");
        this.#isEarlyAccepted = (flags & ConnectedFlag.EARLY_ACCEPTED) !== 0;
        this.#canAsk = true;
      },
      ticket: (_connection, bytes) => (this.#ticket = bytes.slice()),
      closed: (_connection, flags, code, reason, status) => {
        const isFine = (flags & CloseFlag.APPLICATION) !== 0 && code === 0x100n;
        if (!isFine) this.#fail(`closed with flags ${flags}, code ${code}, ${reason}, status ${status}`);
        this.#closed = `code ${code}`;
      },
    };
    this.#server.http = {
      request: (_connection, exchange, head) => this.#onRequest(exchange, head),
      body: (_connection, exchange, bytes, isEnd) =>
        this.#onBody(this.#server, this.#served.get(exchange), exchange, bytes, isEnd),
      end: (_connection, exchange) => this.#onEnd(this.#server, this.#served.get(exchange), exchange),
      writable: (_connection, exchange) => this.#send(this.#server, this.#served.get(exchange), exchange),
      aborted: (_connection, _exchange, status) => this.#fail(`the server's exchange was cut: ${status}`),
    };
    this.#client.http = {
      informational: (_connection, exchange, code, head) => {
        expectSame("an interim answer", [code, head.fields()], [103, HINT]);
        this.#hinted.add(exchange);
      },
      response: (_connection, exchange, head) => this.#onResponse(exchange, head),
      body: (_connection, exchange, bytes, isEnd) =>
        this.#onBody(this.#client, this.#asked.get(exchange), exchange, bytes, isEnd),
      end: (_connection, exchange) => this.#onEnd(this.#client, this.#asked.get(exchange), exchange),
      writable: (_connection, exchange) => this.#send(this.#client, this.#asked.get(exchange), exchange),
      aborted: (_connection, _exchange, status) => this.#fail(`the client's exchange was cut: ${status}`),
    };
  }

  #askMore(): void {
    const { plans, concurrency } = this.#options;
    while (this.#next < plans.length && this.#asked.size < concurrency) {
      const index = this.#next;
      const plan = plans[index] as Plan;
      const hasContent = plan.requestBytes !== 0 || plan.hasRequestTrailers;
      const fields: [string, string][] = [
        ["host", "sim.test"],
        ["x-index", String(index)],
      ];
      const length = plan.hasRequestTrailers || !hasContent ? -1 : plan.requestBytes;
      const request = { method: plan.method, target: `/${index}`, fields, contentLength: length };
      const flags = hasContent ? 0 : SendFlag.END;
      const exchange = this.#client.engine.openExchange(this.#connection, request, flags, this.#nowMs);
      // As many as the server allows.
      if (exchange === Number(Status.WOULD_BLOCK)) return;
      if (exchange < 0) this.#fail(`asking answers ${exchange}`);
      this.#next++;
      const side = sideOf(index, plan, plan.answerBytes, plan.requestBytes, !hasContent);
      this.#asked.set(exchange, side);
      this.#send(this.#client, side, exchange);
    }
  }

  #onRequest(exchange: number, head: ReceivedHead): void {
    const index = Number(head.target.slice(1));
    const plan = this.#options.plans[index];
    if (plan === undefined) return this.#fail(`${head.target} was not asked`);
    const fields = head.fields().filter(([name]) => name !== "content-length");
    expectSame("a request", [head.method, fields], [plan.method, [["x-index", String(index)]]]);
    const side = sideOf(index, plan, plan.requestBytes, plan.answerBytes, false);
    side.head = head;
    this.#served.set(exchange, side);
    if (!head.hasBody) this.#onEnd(this.#server, side, exchange);
  }

  #onResponse(exchange: number, head: ReceivedHead): void {
    const side = this.#asked.get(exchange);
    if (side === undefined) return this.#fail("an answer to nothing");
    if (this.#firstByteMs === 0) this.#firstByteMs = this.#nowMs;
    expectSame("a status", head.statusCode, STATUS);
    expectSame(
      "an index",
      head.fields().filter(([name]) => name === "x-index"),
      trailersOf(side.index),
    );
    side.head = head;
    if (!head.hasBody) this.#onEnd(this.#client, side, exchange);
  }

  #onBody(node: QuicNode, side: Side | undefined, exchange: number, bytes: Uint8Array, isEnd: boolean): void {
    if (side === undefined) return this.#fail("content of nothing");
    if (!side.incoming.take(bytes))
      this.#fail(`byte ${side.incoming.at} of exchange ${side.index} is another`);
    node.engine.doors.readBody(exchange, bytes.length, this.#nowMs);
    if (isEnd) this.#onEnd(node, side, exchange);
  }

  #onEnd(node: QuicNode, side: Side | undefined, exchange: number): void {
    if (side === undefined || side.head === null) return this.#fail("the end of nothing");
    const { incoming, plan, index } = side;
    if (incoming.at !== incoming.bytes) this.#fail(`exchange ${index} ends after ${incoming.at} bytes`);
    const isServer = node === this.#server;
    const hasTrailers = isServer ? plan.hasRequestTrailers : plan.hasAnswerTrailers;
    expectSame("trailers", side.head.trailers(), hasTrailers ? trailersOf(index) : []);
    if (isServer) return this.#answer(side, exchange);
    expectSame("a hint", this.#hinted.has(exchange), plan.hasHint);
    if (!side.isSent) this.#fail(`exchange ${index} was answered before it was asked`);
    this.#done++;
    this.#asked.delete(exchange);
    side.head.release();
    this.#client.engine.doors.releaseExchange(exchange);
  }

  #answer(side: Side, exchange: number): void {
    const { engine } = this.#server;
    if (side.plan.hasHint) engine.sendInformational(exchange, 103, HINT as [string, string][]);
    const length = side.plan.hasAnswerTrailers ? -1 : side.plan.answerBytes;
    const sent = engine.sendHead(exchange, STATUS, trailersOf(side.index), length, 0);
    if (sent < 0) this.#fail(`a head answers ${sent}`);
    this.#send(this.#server, side, exchange);
  }

  /** Sends as much as is taken. */
  #send(node: QuicNode, side: Side | undefined, exchange: number): void {
    if (side === undefined || side.isSent) return;
    const isServer = node === this.#server;
    const hasTrailers = isServer ? side.plan.hasAnswerTrailers : side.plan.hasRequestTrailers;
    for (;;) {
      const piece = side.outgoing.piece(PIECE_BYTES);
      const isLast = side.outgoing.at + piece.length === side.outgoing.bytes;
      const taken = node.engine.sendBody(exchange, piece, isLast && !hasTrailers ? SendFlag.END : 0);
      if (taken === Number(Status.WOULD_BLOCK)) return;
      if (taken < 0) this.#fail(`sending answers ${taken}`);
      side.outgoing.at += taken;
      if (taken < piece.length) return;
      if (!isLast) continue;
      if (hasTrailers) {
        const status = node.engine.sendTrailers(exchange, trailersOf(side.index));
        if (status === Number(Status.WOULD_BLOCK)) return;
        if (status < 0) this.#fail(`trailers answer ${status}`);
      }
      side.isSent = true;
      if (!isServer) return;
      this.#served.delete(exchange);
      side.head?.release();
      node.engine.doors.releaseExchange(exchange);
      return;
    }
  }

  #step(): void {
    const nextMs = Math.min(this.#network.nextMs, this.#client.deadlineMs, this.#server.deadlineMs);
    if (nextMs === Infinity) this.#fail("nothing is under way and nobody waits");
    this.#stepsAtOnce = nextMs <= this.#nowMs ? this.#stepsAtOnce + 1 : 0;
    if (this.#stepsAtOnce > STEPS_AT_ONCE) this.#fail("time stands still");
    this.#nowMs = Math.max(this.#nowMs, nextMs);
    if (this.#nowMs - this.#beganMs > DEADLINE_MS) this.#fail("it takes for ever");
    this.#network.deliver(this.#nowMs);
    for (const node of [this.#client, this.#server])
      if (node.deadlineMs <= this.#nowMs) node.handleTimeout(this.#nowMs);
  }

  #flush(): void {
    if (this.#canAsk) this.#askMore();
    const { address } = this.#client;
    this.#client.send(this.#nowMs, (payload) =>
      this.#network.send(this.#nowMs, payload, (bytes) =>
        this.#server.receive(this.#nowMs, [bytes], address),
      ),
    );
    this.#server.send(this.#nowMs, (payload) =>
      this.#network.send(this.#nowMs, payload, (bytes) =>
        this.#client.receive(this.#nowMs, [bytes], this.#server.address),
      ),
    );
  }

  #fail(why: string): never {
    const counts = `${this.#done}/${this.#options.plans.length} exchanges, ${this.#network.sent} datagrams`;
    throw new Error(`${why} after ${this.#nowMs.toFixed(1)} ms (${counts})`);
  }
}

function sideOf(index: number, plan: Plan, incoming: number, outgoing: number, isSent: boolean): Side {
  return {
    index,
    plan,
    incoming: new Content(incoming, index),
    outgoing: new Content(outgoing, index),
    head: null,
    isSent,
  };
}

function expectSame(what: string, actual: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: ${a.slice(0, 200)} instead of ${b.slice(0, 200)}`);
}
