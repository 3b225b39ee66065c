// The memory of many connections of which few are active at a time, over ten minutes of simulated time: it is the same at the end as
// at the start. QUIC_CONNECTIONS says how many.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { StreamNews } from "../../assembly/abi/quic.ts";
import { Random } from "../fuzz/random.ts";
import { selfSigned } from "../wire/tls/identities.ts";
import type { QuicNode } from "./quic_node.ts";
import { QuicPair } from "./quic_pair.ts";

const CONNECTIONS = Number(process.env["QUIC_CONNECTIONS"] ?? 200);
const SECONDS = 600;
const ACTIVE = 0.01;
/** A page of the slab that is opened for one block counts as memory in use by its blocks only; what may differ is what is under way. */
const TOLERANCE = 0.001;
const BYTES_PER_CONNECTION = 8192;

const module = new WebAssembly.Module(readFileSync(resolve("build/engine.wasm")));
const identity = selfSigned("ed25519", "sim.test");

function memoryOf(node: QuicNode): number {
  node.engine.doors.setDate(Date.UTC(2027, 0, 1));
  return node.engine.counters().get("memory_bytes_in_use") as number;
}

test("connections of which one in a hundred is active keep their memory over ten minutes", () => {
  const limits = {
    connectionCount: CONNECTIONS + 100,
    quicIdleTimeoutMs: 3_600_000,
    quicRouteCount: 6 * CONNECTIONS + 1000,
  };
  const memoryBytes = 64 * 1024 * 1024 + CONNECTIONS * 2 * BYTES_PER_CONNECTION;
  const pair = new QuicPair(module, identity, {
    server: { limits, memoryBytes },
    client: { limits, memoryBytes },
    latencyMs: 10,
  });
  const ours = pair.client.engine.quic;
  const theirs = pair.server.engine.quic;
  pair.server.events.stream = (connection, stream) => {
    for (let bytes = theirs.peekStream(stream); bytes.length !== 0; bytes = theirs.peekStream(stream)) {
      const copy = bytes.slice();
      theirs.consumeStream(connection, stream, copy.length, pair.nowMs);
      theirs.writeStream(connection, stream, copy, false, pair.nowMs);
    }
    if (theirs.isAtEnd(stream)) theirs.writeStream(connection, stream, new Uint8Array(0), true, pair.nowMs);
  };
  let closed = 0;
  pair.client.events.stream = (connection, stream, news) => {
    for (let bytes = ours.peekStream(stream); bytes.length !== 0; bytes = ours.peekStream(stream))
      ours.consumeStream(connection, stream, bytes.length, pair.nowMs);
    if (news & StreamNews.CLOSED) closed++;
  };
  const connections = Array.from({ length: CONNECTIONS }, () => {
    const connection = pair.client.connect(pair.nowMs, pair.server.address, "sim.test");
    pair.run(1);
    return connection;
  });
  // Sizes of the paths are found out, and handshakes forgotten.
  pair.run(60_000);
  const before = [memoryOf(pair.server), memoryOf(pair.client)];
  const random = new Random(1);
  const perSecond = Math.max(1, Math.round(CONNECTIONS * ACTIVE));
  for (let second = 0; second < SECONDS; second++) {
    for (let each = 0; each < perSecond; each++) {
      const connection = connections[random.below(CONNECTIONS)] as number;
      const stream = ours.openStream(connection, false);
      const length = 1 + random.below(3000);
      ours.writeStream(connection, stream, new Uint8Array(length), true, pair.nowMs);
    }
    pair.run(1000);
  }
  pair.run(30_000);
  expect(closed).toBe(SECONDS * perSecond);
  [pair.server, pair.client].forEach((node, index) => {
    expect(Math.abs(memoryOf(node) / (before[index] as number) - 1)).toBeLessThan(TOLERANCE);
    expect(memoryOf(node) / CONNECTIONS).toBeLessThan(BYTES_PER_CONNECTION);
  });
}, 600_000);
