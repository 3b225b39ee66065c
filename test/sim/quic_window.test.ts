// How a receive window grows: while the application keeps up with it, be the path as short as it may, and not for one that is slow.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { selfSigned } from "../wire/tls/identities.ts";
import { QuicPair } from "./quic_pair.ts";

const module = new WebAssembly.Module(readFileSync(resolve("build/engine.wasm")));
const identity = selfSigned("ed25519", "sim.test");
const WINDOW_BYTES = 16_384;
const WINDOW_MOST_BYTES = 131_072;
const CONTENT_BYTES = 1_000_000;
const LATENCY_MS = 0.5;

/** The most that waits for the application, which takes all there is every `turnMs`. */
function mostWaiting(turnMs: number): number {
  const pair = new QuicPair(module, identity, {
    latencyMs: LATENCY_MS,
    server: {
      limits: { quicStreamWindowBytes: WINDOW_BYTES, quicStreamWindowMostBytes: WINDOW_MOST_BYTES },
    },
  });
  let arriving = -1;
  pair.server.events.stream = (_connection, stream) => (arriving = stream);
  pair.connect();
  const sent = pair.client.engine.quic;
  const stream = sent.openStream(pair.connection, true);
  let left = CONTENT_BYTES;
  let most = 0;
  let taken = 0;
  const { quic } = pair.server.engine;
  while (taken < CONTENT_BYTES) {
    const piece = new Uint8Array(Math.min(left, WINDOW_MOST_BYTES));
    left -= sent.writeStream(pair.connection, stream, piece, left === piece.length, pair.nowMs);
    pair.run(turnMs);
    let waiting = 0;
    for (let bytes = quic.peekStream(arriving); bytes.length !== 0; bytes = quic.peekStream(arriving)) {
      waiting += bytes.length;
      quic.consumeStream(pair.serverConnection, arriving, bytes.length, pair.nowMs);
    }
    taken += waiting;
    most = Math.max(most, waiting);
  }
  return most;
}

test("a window grows for an application that takes turns longer than round trips", () => {
  expect(mostWaiting(8)).toBe(WINDOW_MOST_BYTES);
});

test("a window does not grow for an application that is slow", () => {
  expect(mostWaiting(60)).toBe(WINDOW_BYTES);
});
