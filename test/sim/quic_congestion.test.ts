// Congestion control on simulated paths: which algorithm an option chooses, what losses by chance cost each of them, and how they share
// a bottleneck.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { QuicOption, QuicStat } from "../../assembly/abi/quic.ts";
import { Random } from "../fuzz/random.ts";
import { selfSigned } from "../wire/tls/identities.ts";
import { http3Nodes } from "./http3_nodes.ts";
import { get, Http3Run } from "./http3_run.ts";
import { CLEAR } from "./network.ts";
import { BBR, Bottleneck, CUBIC, NEW_RENO } from "./quic_bottleneck.ts";
import { QuicPair } from "./quic_pair.ts";

const module = new WebAssembly.Module(readFileSync(resolve("build/engine.wasm")));
const identity = selfSigned("ed25519", "sim.test");

/** What of the window is left when a packet was lost. */
function leftAfterLoss(options: readonly (readonly [QuicOption, number])[]): number {
  const pair = new QuicPair(module, identity, { client: { options } });
  pair.connect(200);
  const { quic } = pair.client.engine;
  const stream = quic.openStream(pair.connection, true);
  quic.writeStream(pair.connection, stream, new Uint8Array(900_000), false, pair.nowMs);
  const window = () => quic.stats(pair.connection)?.[QuicStat.CONGESTION_WINDOW_BYTES] as number;
  pair.run(100);
  let hasDropped = false;
  pair.pass = ({ toServer, payload }) => {
    if (!toServer || payload.length < 1000 || hasDropped) return true;
    hasDropped = true;
    return false;
  };
  let before = window();
  for (let step = 0; step < 1000; step++) {
    pair.run(1);
    const now = window();
    if (now < before) return now / before;
    before = now;
  }
  return 1;
}

describe("the algorithm", () => {
  test("is CUBIC where nothing was said, whose window is cut to 0.7 (RFC 9438 §4.6)", () => {
    expect(leftAfterLoss([])).toBeCloseTo(0.7, 5);
    expect(leftAfterLoss([[QuicOption.CONGESTION, CUBIC]])).toBeCloseTo(0.7, 5);
  });

  test("is NewReno where that is asked for, whose window is halved (RFC 9002 §7.3.2)", () => {
    expect(leftAfterLoss([[QuicOption.CONGESTION, NEW_RENO]])).toBeCloseTo(0.5, 5);
  });

  test("is BBR where that is asked for, which one loss does not stop", () => {
    expect(leftAfterLoss([[QuicOption.CONGESTION, BBR]])).toBe(1);
  });
});

/** How long fifty objects of 20 KiB take, in the middle of some seeds. */
function medianMs(congestion: number, loss: number, seedCount: number): number {
  const times = Array.from({ length: seedCount }, (_, seed) => {
    const { server, ...nodes } = http3Nodes(seed);
    const options = [...(server.options ?? []), [QuicOption.CONGESTION, congestion] as const];
    return new Http3Run({
      ...nodes,
      server: { ...server, options },
      random: new Random(seed),
      weather: { ...CLEAR, latencyMs: 25, loss },
      plans: Array.from({ length: 50 }, () => get(20_480)),
      concurrency: 50,
    }).go().ms;
  });
  return times.sort((a, b) => a - b)[seedCount >> 1] as number;
}

describe("fifty objects of 20 KiB over a round trip of 50 ms", () => {
  test("take BBR no longer than CUBIC where nothing is lost", () => {
    expect(medianMs(BBR, 0, 1)).toBeLessThan(medianMs(CUBIC, 0, 1) * 1.05);
  });

  test.each([
    [0.02, 3],
    [0.05, 5],
    [0.1, 5],
  ])("take BBR a fraction of CUBIC's time where %d is lost by chance", (loss, factor) => {
    expect(medianMs(CUBIC, loss, 3) / medianMs(BBR, loss, 3)).toBeGreaterThan(factor);
  });
});

/** A link of 10 Mbit/s and 40 ms: 50,000 bytes on their way. */
const LINK = { module, identity, roundTripMs: 40, bytesPerMs: 1250 } as const;
const ON_THEIR_WAY = 50_000;

function share(
  flows: readonly number[],
  queueBytes: number,
  seed: number,
): { bottleneck: Bottleneck; shares: number[] } {
  const options = { ...LINK, queueBytes, seed, flows: flows.map((congestion) => ({ congestion })) };
  const bottleneck = new Bottleneck(options);
  bottleneck.run(5000);
  const before = bottleneck.flows.map(({ bytes }) => bytes);
  bottleneck.waitedMs = bottleneck.passed = 0;
  bottleneck.run(10_000);
  const shares = bottleneck.flows.map(
    ({ bytes }, flow) => (bytes - (before[flow] as number)) / (10_000 * LINK.bytesPerMs),
  );
  return { bottleneck, shares };
}

describe("a bottleneck", () => {
  test("is used by BBR without a standing queue, however deep that may be", () => {
    const { bottleneck, shares } = share([BBR], 8 * ON_THEIR_WAY, 1);
    expect(shares[0]).toBeGreaterThan(0.9);
    // Of 320 ms that there would be room for.
    expect(bottleneck.waitedMs / bottleneck.passed).toBeLessThan(15);
  });

  test.each([CUBIC, NEW_RENO])("is used by the others, which fill the queue (%d)", (congestion) => {
    const { shares } = share([congestion], ON_THEIR_WAY, 1);
    expect(shares[0]).toBeGreaterThan(0.9);
  });

  test("is shared by BBR and CUBIC, neither of which gets more than three times what the other gets", () => {
    const { shares } = share([BBR, CUBIC], 2 * ON_THEIR_WAY, 3);
    const [bbr, cubic] = shares as [number, number];
    expect(bbr + cubic).toBeGreaterThan(0.9);
    expect(Math.max(bbr / cubic, cubic / bbr)).toBeLessThan(3);
  });

  test("is shared by two of BBR", () => {
    const { shares } = share([BBR, BBR], ON_THEIR_WAY, 1);
    const [one, other] = shares as [number, number];
    expect(one + other).toBeGreaterThan(0.9);
    expect(Math.max(one / other, other / one)).toBeLessThan(2);
  });
});

test.each([CUBIC, BBR])("one stream fills 200 Mbit/s over a round trip of 100 ms (%d)", (congestion) => {
  const bytesPerMs = 25_000;
  const link = { module, identity, roundTripMs: 100, bytesPerMs, queueBytes: 100 * bytesPerMs, seed: 1 };
  const bottleneck = new Bottleneck({ ...link, flows: [{ congestion }] });
  bottleneck.run(2500);
  const [flow] = bottleneck.flows;
  const before = flow!.bytes;
  bottleneck.run(1000);
  expect((flow!.bytes - before) / (1000 * bytesPerMs)).toBeGreaterThan(0.85);
});
