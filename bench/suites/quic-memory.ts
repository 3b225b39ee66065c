/*
 * What the engine keeps of QUIC connections, by its own count of memory in use: one that is idle after its handshake, and ten thousand
 * of which one in a hundred is active, over ten minutes of simulated time.
 *
 * The published module runs both roles without sockets, with the test nodes of the simulation; only the server is measured. An idle
 * connection has been confirmed and has acknowledged everything. An active one sends a stream of REQUEST_BYTES every ten seconds,
 * which the server reads to its end and lets go of.
 *
 * Invariant: connections are counted on the server beside the bytes; a figure of fewer is a fault of the measure, never a result.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { StreamNews } from "../../assembly/abi/quic.ts";
import { SignatureScheme } from "../../host/crypto/signature.ts";
import { QuicNode } from "../../test/sim/quic_node.ts";
import { selfSigned } from "../../test/wire/tls/identities.ts";
import { distFolder } from "../paths.ts";
import { BenchError } from "../suite.ts";
import type { Measure } from "../suite.ts";

const KIB = 1024;
const MIB = 2 ** 20;
const IDLE_COUNT = 200;
const MANY_COUNT = 10_000;
const QUICK_COUNT = 500;
const ACTIVE_SHARE = 0.01;
const ROUND_MS = 10_000;
const ROUNDS = 60;
/** After these every connection has been used once, and what grows is a leak. */
const WARMUP_ROUNDS = 1 / ACTIVE_SHARE;
const REQUEST_BYTES = 1000;
const UNIX_MS = Date.UTC(2027, 0, 1);
/** Round trips of a handshake, its confirmation and the last acknowledgements. */
const TRIPS = 5;
const BATCH = 32;

/** A server and a client with many connections between them. */
class Pair {
  readonly server: QuicNode;
  readonly #client: QuicNode;
  readonly #connections: number[] = [];
  #nowMs = 1;
  #confirmed = 0;

  constructor(count: number) {
    const module = new WebAssembly.Module(readFileSync(join(distFolder, "engine.wasm")));
    const { key, chain, names } = selfSigned("ed25519", "bench.test");
    const common = {
      unixMs: UNIX_MS,
      memoryBytes: 16 * MIB + count * 8 * KIB,
      limits: {
        connectionCount: count + 100,
        quicRouteCount: 8 * count + 1000,
        quicIdleTimeoutMs: 3_600_000,
      },
    };
    const certificate = { key, chain, names, scheme: SignatureScheme.ED25519 };
    this.server = new QuicNode(module, { ...common, seed: 1, address: "198.51.100.1", certificate }, 1);
    this.#client = new QuicNode(module, { ...common, seed: 2, address: "192.0.2.1", root: chain[0]! }, 1);
    this.server.events = {
      stream: (connection, stream, news) => {
        const { quic } = this.server.engine;
        for (let bytes = quic.peekStream(stream); bytes.length !== 0; bytes = quic.peekStream(stream))
          quic.consumeStream(connection, stream, bytes.length, this.#nowMs);
        if ((news & StreamNews.CLOSED) === 0 && quic.isAtEnd(stream)) quic.releaseStream(stream);
      },
    };
    this.#client.events = { confirmed: () => this.#confirmed++ };
  }

  open(count: number): void {
    for (let left = count; left > 0; left--) {
      this.#connections.push(this.#client.connect(this.#nowMs, this.server.address, "bench.test"));
      for (let trip = 0; trip < TRIPS; trip++) this.#carry();
    }
    this.pass(2000);
    const there = this.server.engine.quic.connectionCount(this.server.endpoint);
    if (this.#confirmed !== count || there !== count)
      throw new BenchError(
        `${this.#confirmed} of ${count} connections are confirmed, the server has ${there}`,
      );
  }

  /** One in a hundred sends something, in turn. */
  work(round: number): void {
    const active = Math.max(1, Math.floor(this.#connections.length * ACTIVE_SHARE));
    const { quic } = this.#client.engine;
    const bytes = new Uint8Array(REQUEST_BYTES);
    for (let index = 0; index < active; index++) {
      const connection = this.#connections[(round * active + index) % this.#connections.length] as number;
      const stream = quic.openStream(connection, true);
      if (stream <= 0) throw new BenchError(`a stream cannot be opened: ${stream}`);
      quic.writeStream(connection, stream, bytes, true, this.#nowMs);
      quic.releaseStream(stream);
    }
    for (let trip = 0; trip < TRIPS; trip++) this.#carry();
    this.pass(ROUND_MS);
  }

  pass(ms: number): void {
    const end = this.#nowMs + ms;
    for (;;) {
      const next = Math.min(this.server.deadlineMs, this.#client.deadlineMs);
      if (next > end) break;
      this.#nowMs = Math.max(this.#nowMs, next);
      this.server.handleTimeout(this.#nowMs);
      this.#client.handleTimeout(this.#nowMs);
      this.#carry();
    }
    this.#nowMs = end;
    this.#carry();
  }

  bytesInUse(): number {
    this.server.engine.doors.setDate(UNIX_MS + this.#nowMs);
    return this.server.engine.counters().get("memory_bytes_in_use") as number;
  }

  #carry(): void {
    carry(this.#client, this.server, this.#nowMs);
    carry(this.server, this.#client, this.#nowMs);
  }
}

function carry(from: QuicNode, to: QuicNode, nowMs: number): void {
  const all: Uint8Array[] = [];
  from.send(nowMs, (payload) => all.push(payload.slice()));
  for (let at = 0; at < all.length; at += BATCH) to.receive(nowMs, all.slice(at, at + BATCH), from.address);
}

export const idleConnection: Measure = {
  name: "idle",
  title: "Engine memory of one idle connection",
  peers: ["engine"],
  run() {
    const pair = new Pair(IDLE_COUNT);
    const before = pair.bytesInUse();
    pair.open(IDLE_COUNT);
    const bytes = (pair.bytesInUse() - before) / IDLE_COUNT;
    if (bytes <= 0) throw new BenchError(`the engine counts ${bytes} bytes: its counter does not move`);
    return Promise.resolve({
      unit: "KiB",
      better: "lower",
      series: [{ peer: "engine", samples: [{ value: bytes / KIB }] }],
      bars: [{ kind: "limit", subject: "engine", direction: "at most", limit: 8 }],
      notes: ["Blocks of the engine's slab as it counts them; sockets and JavaScript objects are not in it."],
    });
  },
};

export const manyConnections: Measure = {
  name: "many",
  title: "Growth of the engine's memory over ten minutes, 10,000 connections, 1 % active",
  peers: ["engine"],
  run({ quick }) {
    const count = quick ? QUICK_COUNT : MANY_COUNT;
    const pair = new Pair(count);
    pair.open(count);
    let before = 0;
    let most = 0;
    for (let round = 0; round < WARMUP_ROUNDS + ROUNDS; round++) {
      pair.work(round);
      if (round < WARMUP_ROUNDS) before = Math.max(before, pair.bytesInUse());
      else most = Math.max(most, pair.bytesInUse());
    }
    const left = pair.server.engine.quic.connectionCount(pair.server.endpoint);
    if (left !== count) throw new BenchError(`${left} of ${count} connections are left`);
    return Promise.resolve({
      unit: "KiB",
      better: "lower",
      series: [{ peer: "engine", samples: [{ value: Math.max(0, most - before) / KIB }] }],
      bars: [{ kind: "limit", subject: "engine", direction: "at most", limit: 256 }],
      notes: [
        `${count} connections hold ${(before / MIB).toFixed(1)} MiB once each was used, ${(most / MIB).toFixed(1)} MiB at most in ten minutes more.`,
      ],
    });
  },
};
