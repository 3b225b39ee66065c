// One run of the simulation: a client and a server of QUIC over a seeded network, a handshake, streams in both directions with every
// byte checked, and the end heard on both sides. All of it follows from the seed.

import { StreamNews } from "../../assembly/abi/quic.ts";
import { encodeAddress } from "../../host/engine/datagram_batch.ts";
import type { Random } from "../fuzz/random.ts";
import { Digest, digest } from "./digest.ts";
import { Network, type Weather } from "./network.ts";
import type { EngineNode, NodeOptions } from "./engine_node.ts";

export interface RunOptions {
  readonly random: Random;
  readonly weather: Weather;
  readonly server: NodeOptions;
  readonly client: NodeOptions;
  /** Makes the two sides, the server first. */
  readonly makeNode: (options: NodeOptions, nowMs: number) => EngineNode;
  readonly streamCount: number;
  readonly bytesMost: number;
  /** When the client's address changes, as behind a NAT that forgot. */
  readonly rebindAtMs?: number;
  /** Keys are updated on both sides now and then. */
  readonly updatesKeys?: boolean;
  /** Told of every datagram that is sent. */
  readonly tell?: (line: string) => void;
}

/** A stream of the client, which the server echoes. */
class Transfer {
  readonly size: number;
  readonly seed: number;
  sent = 0;
  received = 0;
  isEnded = false;

  constructor(size: number, seed: number) {
    this.size = size;
    this.seed = seed;
  }

  byteAt(offset: number): number {
    return (offset * 31 + this.seed * 17 + (offset >>> 8)) & 0xff;
  }

  piece(length: number): Uint8Array {
    return Uint8Array.from({ length }, (_, index) => this.byteAt(this.sent + index));
  }
}

interface Echo {
  buffer: Uint8Array[];
  isEnded: boolean;
  isFinished: boolean;
}

/** Virtual time in which a run has to be over. */
const DEADLINE_MS = 900_000;
/** Steps at one moment, beyond which nobody is going anywhere. */
const STEPS_AT_ONCE = 1000;
const PIECE_BYTES = 8192;

export interface Outcome {
  readonly ms: number;
  readonly hash: string;
  readonly datagrams: number;
}

/** Runs to the end. Throws an Error that says what went wrong. */
export function run(options: RunOptions): Outcome {
  return new Run(options).go();
}

class Run {
  readonly #options: RunOptions;
  readonly #network: Network;
  readonly #server: EngineNode;
  readonly #client: EngineNode;
  readonly #transfers = new Map<number, Transfer>();
  readonly #echoes = new Map<number, Echo>();
  readonly #transcript = new Digest();
  #nowMs = 1;
  #toOpen: Transfer[];
  #connection = 0;
  #serverConnection = 0;
  #done = 0;
  #lastMs = 0;
  #stepsAtOnce = 0;
  #isConnected = false;
  #isConfirmed = false;
  #clientClosed: string | null = null;
  #serverClosed: string | null = null;
  #isRebound = false;

  constructor(options: RunOptions) {
    this.#options = options;
    this.#network = new Network(options.random, options.weather);
    this.#server = options.makeNode(options.server, this.#nowMs);
    this.#client = options.makeNode(options.client, this.#nowMs);
    this.#toOpen = Array.from(
      { length: options.streamCount },
      (_, index) => new Transfer(options.random.below(options.bytesMost + 1), index),
    );
    this.#server.events = {
      accepted: (connection) => (this.#serverConnection = connection),
      stream: (connection, stream, news) => this.#onServerStream(connection, stream, news),
      closed: (_connection, flags, code, reason, status) =>
        (this.#serverClosed = `flags ${flags}, code ${code}, ${reason}, status ${status}`),
    };
    this.#client.events = {
      connected: () => {
        this.#isConnected = true;
        this.#openMore();
      },
      confirmed: () => (this.#isConfirmed = true),
      openable: () => this.#openMore(),
      stream: (_connection, stream, news) => this.#onClientStream(stream, news),
      closed: (_connection, flags, code, reason, status) =>
        (this.#clientClosed = `flags ${flags}, code ${code}, ${reason}, status ${status}`),
    };
  }

  go(): Outcome {
    this.#connection = this.#client.connect(this.#nowMs, this.#server.address, "sim.test");
    let isClosing = false;
    for (;;) {
      this.#flush();
      if (this.#done === this.#options.streamCount && this.#isConnected && !isClosing) {
        isClosing = true;
        this.#client.engine.quic.close(this.#connection, 77n, "done", this.#nowMs);
        continue;
      }
      if (this.#clientClosed !== null && !isClosing) this.#fail(`the client closed: ${this.#clientClosed}`);
      if (this.#serverClosed !== null && !isClosing) this.#fail(`the server closed: ${this.#serverClosed}`);
      if (isClosing && this.#clientClosed !== null && this.#serverClosed !== null) break;
      this.#step();
    }
    return { ms: this.#nowMs, hash: this.#transcript.hex, datagrams: this.#network.sent };
  }

  #step(): void {
    this.#stepsAtOnce = this.#lastMs === this.#nowMs ? this.#stepsAtOnce + 1 : 0;
    this.#lastMs = this.#nowMs;
    if (this.#stepsAtOnce > STEPS_AT_ONCE) this.#fail("time stands still");
    const nextMs = Math.min(this.#network.nextMs, this.#client.deadlineMs, this.#server.deadlineMs);
    if (nextMs === Infinity) this.#fail("nothing is under way and nobody waits");
    this.#nowMs = Math.max(this.#nowMs, nextMs);
    if (this.#nowMs > DEADLINE_MS) this.#fail("it takes for ever");
    this.#network.deliver(this.#nowMs);
    if (this.#client.deadlineMs <= this.#nowMs) this.#client.handleTimeout(this.#nowMs);
    if (this.#server.deadlineMs <= this.#nowMs) this.#server.handleTimeout(this.#nowMs);
    const { rebindAtMs, updatesKeys } = this.#options;
    // RFC 9000 §9: addresses stay as they are until the handshake is confirmed.
    const mayRebind = rebindAtMs !== undefined && !this.#isRebound && this.#isConfirmed;
    if (mayRebind && this.#nowMs >= rebindAtMs) {
      this.#isRebound = true;
      this.#client.address = encodeAddress("192.0.2.99", 5555);
    }
    if (updatesKeys === true && this.#options.random.below(50) === 0) {
      this.#client.engine.quic.updateKeys(this.#connection);
      if (this.#serverConnection !== 0) this.#server.engine.quic.updateKeys(this.#serverConnection);
    }
  }

  #flush(): void {
    const { address } = this.#client;
    this.#client.send(this.#nowMs, (payload) => {
      this.#note(payload, 1);
      this.#network.send(this.#nowMs, payload, (bytes) =>
        this.#server.receive(this.#nowMs, [bytes], address),
      );
    });
    this.#server.send(this.#nowMs, (payload, to) => {
      this.#note(payload, 2);
      const target = to.slice();
      this.#network.send(this.#nowMs, payload, (bytes) => {
        // What goes to an address that the NAT has forgotten is lost.
        if (target.join() === this.#client.address.join())
          this.#client.receive(this.#nowMs, [bytes], this.#server.address);
      });
    });
  }

  #note(payload: Uint8Array, direction: number): void {
    this.#options.tell?.(`${this.#nowMs} ${direction} sends ${payload.length} ${digest(payload)}`);
    this.#transcript.update(Uint8Array.of(direction)).update(payload);
  }

  #openMore(): void {
    const { quic } = this.#client.engine;
    while (this.#toOpen.length !== 0) {
      const stream = quic.openStream(this.#connection, false);
      if (stream < 0) return;
      const transfer = this.#toOpen.shift() as Transfer;
      this.#transfers.set(stream, transfer);
      this.#write(stream, transfer);
    }
  }

  #write(stream: number, transfer: Transfer): void {
    const { quic } = this.#client.engine;
    for (;;) {
      const piece = transfer.piece(Math.min(PIECE_BYTES, transfer.size - transfer.sent));
      const isLast = transfer.sent + piece.length === transfer.size;
      const taken = quic.writeStream(this.#connection, stream, piece, isLast, this.#nowMs);
      if (taken < 0) this.#fail(`writing answers ${taken}`);
      transfer.sent += taken;
      if (taken < piece.length || isLast) return;
    }
  }

  #onClientStream(stream: number, news: number): void {
    const transfer = this.#transfers.get(stream);
    if (transfer === undefined) return this.#fail("news of a stream that was not opened");
    if (news & (StreamNews.RESET | StreamNews.STOPPED)) this.#fail("a stream was reset");
    if (news & StreamNews.WRITABLE) this.#write(stream, transfer);
    if ((news & (StreamNews.READABLE | StreamNews.CLOSED)) === 0) return;
    const { quic } = this.#client.engine;
    for (let bytes = quic.peekStream(stream); bytes.length !== 0; bytes = quic.peekStream(stream)) {
      for (const byte of bytes) {
        if (byte !== transfer.byteAt(transfer.received)) this.#fail(`byte ${transfer.received} is another`);
        transfer.received++;
      }
      quic.consumeStream(this.#connection, stream, bytes.length, this.#nowMs);
    }
    // A stream without bytes may be closed, and its handle stale, by the time its end is told.
    const isClosed = (news & StreamNews.CLOSED) !== 0;
    if (!transfer.isEnded && (isClosed || quic.isAtEnd(stream))) {
      transfer.isEnded = true;
      if (transfer.received !== transfer.size) this.#fail("a stream is of another length");
      this.#done++;
    }
  }

  #onServerStream(connection: number, stream: number, news: number): void {
    let echo = this.#echoes.get(stream);
    if (echo === undefined || news & StreamNews.OPENED) {
      echo = { buffer: [], isEnded: false, isFinished: false };
      this.#echoes.set(stream, echo);
    }
    if (news & (StreamNews.RESET | StreamNews.STOPPED)) this.#fail("a stream was reset");
    this.#pump(connection, stream, echo);
  }

  /** Reads as much as it may write: what the peer does not take is not read. */
  #pump(connection: number, stream: number, echo: Echo): void {
    const { quic } = this.#server.engine;
    for (;;) {
      const [first] = echo.buffer;
      if (first !== undefined) {
        const taken = quic.writeStream(connection, stream, first, false, this.#nowMs);
        if (taken < 0) this.#fail(`echoing answers ${taken}`);
        if (taken < first.length) {
          echo.buffer[0] = first.subarray(taken);
          return;
        }
        echo.buffer.shift();
        continue;
      }
      if (echo.isFinished) return;
      const bytes = quic.peekStream(stream);
      if (bytes.length !== 0) {
        echo.buffer.push(bytes.slice());
        quic.consumeStream(connection, stream, bytes.length, this.#nowMs);
      } else if (quic.isAtEnd(stream)) {
        echo.isFinished = true;
        quic.writeStream(connection, stream, bytes, true, this.#nowMs);
      } else return;
    }
  }

  #fail(why: string): never {
    const counts = `${this.#done}/${this.#options.streamCount} streams, ${this.#network.sent} datagrams`;
    throw new Error(`${why} after ${this.#nowMs.toFixed(1)} ms (${counts})`);
  }
}
