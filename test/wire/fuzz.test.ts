// A short run of the fuzzer with every test run; `npm run fuzz -- h1` runs it for longer and from other seeds.

import { expect, test } from "vitest";
import { h1Target } from "../fuzz/h1_target.ts";
import { h2Target } from "../fuzz/h2_target.ts";
import { h3Target } from "../fuzz/h3_target.ts";
import { mutate } from "../fuzz/mutation.ts";
import { quicConnectionTarget } from "../fuzz/quic_connection_target.ts";
import { quicTarget } from "../fuzz/quic_target.ts";
import { Random } from "../fuzz/random.ts";
import { fuzz } from "../fuzz/target.ts";
import { tlsTarget } from "../fuzz/tls_target.ts";
import { wsTarget } from "../fuzz/ws_target.ts";
import { Room } from "./tls/room.ts";

const SECONDS = 2;

test("garbage at the doors of HTTP/1.1 neither traps nor leaves anything behind", () => {
  expect(fuzz(h1Target(), { seed: 1, seconds: SECONDS })).toBeGreaterThan(10);
});

test("garbage at the doors of HTTP/2 neither traps nor leaves anything behind, and is answered in frames", () => {
  expect(fuzz(h2Target(), { seed: 1, seconds: SECONDS })).toBeGreaterThan(3);
});

test("garbage in TLS neither traps nor leaves anything behind", async () => {
  expect(fuzz(tlsTarget(await Room.create()), { seed: 1, seconds: SECONDS })).toBeGreaterThan(10);
});

test("garbage in QUIC's frames, headers, parameters and packets is read within its bounds", async () => {
  expect(fuzz(await quicTarget(), { seed: 1, seconds: SECONDS })).toBeGreaterThan(10);
}, 30_000);

test("garbage in WebSockets neither traps, nor is told or answered wrongly, nor leaves anything behind", () => {
  expect(fuzz(wsTarget(), { seed: 1, seconds: SECONDS })).toBeGreaterThan(3);
});

test("a peer of QUIC gone mad neither traps an endpoint nor leaves anything behind", () => {
  expect(fuzz(quicConnectionTarget(), { seed: 1, seconds: SECONDS })).toBeGreaterThan(3);
}, 30_000);

test("a peer of HTTP/3 gone mad neither traps nor leaves anything behind", async () => {
  expect(fuzz(await h3Target(), { seed: 1, seconds: SECONDS })).toBeGreaterThan(3);
}, 30_000);

test("a failing round names its seed", () => {
  const target = {
    round(seed: number): void {
      if (seed === 7) throw new Error("found");
    },
  };
  expect(() => fuzz(target, { seed: 5, seconds: 1 })).toThrow("seed 7: found");
});

test("a seed makes the same bytes again", () => {
  const corpus = [Buffer.from("GET / HTTP/1.1\r\n\r\n"), Buffer.from("abc")];
  const once = new Random(3);
  const again = new Random(3);
  for (let i = 0; i < 100; i++) expect(mutate(once, corpus)).toEqual(mutate(again, corpus));
});
