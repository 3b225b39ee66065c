// What a server holds for a client that takes nothing, and for one that reads: the first has not earned the second's share.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { selfSigned } from "../wire/tls/identities.ts";
import { QuicPair } from "./quic_pair.ts";

const module = new WebAssembly.Module(readFileSync(resolve("build/engine.wasm")));
const identity = selfSigned("ed25519", "sim.test");
const OUTPUT_BYTES = 4 * 1024 * 1024;
const STREAMS = 10;
const piece = Buffer.alloc(100_000, 1);

/** A pair whose client has opened streams, and a function that writes on each as much as the server takes; it answers how much that was. */
function writing(): { pair: QuicPair; fill: () => number } {
  const windows = {
    quicStreamWindowBytes: 16 << 20,
    quicStreamWindowMostBytes: 16 << 20,
    quicConnectionWindowBytes: 64 << 20,
    quicConnectionWindowMostBytes: 64 << 20,
  };
  const pair = new QuicPair(module, identity, { client: { limits: windows }, latencyMs: 25 });
  const streams = new Set<number>();
  const theirs = pair.server.engine.quic;
  pair.server.events.stream = (_connection, stream) => streams.add(stream);
  const ours = pair.client.engine.quic;
  pair.client.events.stream = (connection, stream) => {
    for (let bytes = ours.peekStream(stream); bytes.length !== 0; bytes = ours.peekStream(stream))
      ours.consumeStream(connection, stream, bytes.length, pair.nowMs);
  };
  pair.connect();
  for (let opened = 0; opened < STREAMS; opened++) {
    const stream = ours.openStream(pair.connection, false);
    ours.writeStream(pair.connection, stream, Buffer.from("x"), false, pair.nowMs);
  }
  pair.run(200);
  expect(streams.size).toBe(STREAMS);
  const fill = (): number => {
    let total = 0;
    for (const stream of streams) {
      for (;;) {
        const taken = theirs.writeStream(pair.serverConnection, stream, piece, false, pair.nowMs);
        total += taken;
        if (taken < piece.length) break;
      }
    }
    return total;
  };
  return { pair, fill };
}

test("a client that acknowledges nothing has an eighth of the limit", () => {
  const { pair, fill } = writing();
  pair.pass = ({ toServer }) => !toServer;
  let held = 0;
  for (let second = 0; second < 20; second++) {
    held += fill();
    pair.run(1000);
  }
  expect(held).toBeGreaterThan(OUTPUT_BYTES / 16);
  expect(held).toBeLessThanOrEqual(OUTPUT_BYTES / 8);
});

test("one that reads on a fast path has all of it, a quarter on one stream", () => {
  const { pair, fill } = writing();
  const most: number[] = [];
  for (let turn = 0; turn < 16; turn++) {
    most.push(fill());
    pair.run(200);
  }
  expect(Math.max(...most)).toBeGreaterThan(OUTPUT_BYTES * 0.9);
  expect(Math.max(...most)).toBeLessThanOrEqual(OUTPUT_BYTES);
});
