/*
 * Times over simulated networks, which machines and their load do not touch: to the first byte, for somebody new and for somebody with
 * a ticket, and until fifty objects are there where packets are lost, beside HTTP/2 on a model of TCP (test/sim/tcp_pipe.ts says what the
 * model has). Each is a run of test/sim/http3_run.ts, and comes out the same again.
 */
import { Random } from "../../test/fuzz/random.ts";
import { http3Nodes, visitorOptions } from "../../test/sim/http3_nodes.ts";
import { get, Http3Run } from "../../test/sim/http3_run.ts";
import { runHttp2 } from "../../test/sim/http2_run.ts";
import { CLEAR } from "../../test/sim/network.ts";
import type { Measure } from "../suite.ts";

const ROUND_TRIP_MS = 100;
/** What a round trip may be longer for the time that datagrams wait for each other. */
const TOLERANCE = 1.05;

function firstByteMeasure(name: string, title: string, trips: number, measure: () => number): Measure {
  return {
    name,
    title,
    peers: ["engine"],
    run() {
      return Promise.resolve({
        unit: "round trips",
        better: "lower",
        series: [{ peer: "engine", samples: [{ value: measure() / ROUND_TRIP_MS }] }],
        bars: [{ kind: "limit", subject: "engine", direction: "at most", limit: trips * TOLERANCE }],
        notes: [`Simulated, ${ROUND_TRIP_MS} ms each, without loss.`],
      });
    },
  };
}

export const firstByte = firstByteMeasure(
  "first-byte",
  "Time to the first byte of a new visitor",
  2,
  () => new Http3Run(visitorOptions(ROUND_TRIP_MS)).go().firstByteMs,
);

export const resumedFirstByte = firstByteMeasure(
  "first-byte-resumed",
  "Time to the first byte with a ticket, in early data",
  1,
  () => {
    const run = new Http3Run(visitorOptions(ROUND_TRIP_MS));
    const { ticket } = run.go();
    if (ticket === undefined) throw new Error("there was no ticket");
    return new Http3Run(visitorOptions(ROUND_TRIP_MS, { resumed: { run, ticket } })).go().firstByteMs;
  },
);

const LOSS = 0.05;
const LOSSY_ROUND_TRIP_MS = 50;
const OBJECT_COUNT = 50;
const OBJECT_BYTES = 20 * 1024;
const SEED_COUNT = 20;

/** Each seed is a sample; both protocols meet the same rate of loss, not the same losses. */
export const lossyObjects: Measure = {
  name: "lossy-objects",
  title: "50 objects of 20 KiB at 5 % loss and a round trip of 50 ms, handshake included",
  peers: ["http2", "http3"],
  run() {
    const seeds = Array.from({ length: SEED_COUNT }, (_, seed) => seed);
    const http2 = seeds.map((seed) => ({
      value: runHttp2({
        random: new Random(seed),
        roundTripMs: LOSSY_ROUND_TRIP_MS,
        loss: LOSS,
        objectCount: OBJECT_COUNT,
        objectBytes: OBJECT_BYTES,
      }),
    }));
    const http3 = seeds.map((seed) => ({
      value: new Http3Run({
        ...http3Nodes(seed),
        random: new Random(seed),
        weather: { ...CLEAR, latencyMs: LOSSY_ROUND_TRIP_MS / 2, loss: LOSS },
        plans: Array.from({ length: OBJECT_COUNT }, () => get(OBJECT_BYTES)),
        concurrency: OBJECT_COUNT,
      }).go().ms,
    }));
    return Promise.resolve({
      unit: "ms",
      better: "lower",
      series: [
        { peer: "http2", samples: http2 },
        { peer: "http3", samples: http3 },
      ],
      bars: [{ kind: "ratio", subject: "http3", peer: "http2", direction: "at most", factor: 1 / 1.5 }],
      notes: [`${SEED_COUNT} seeds. HTTP/2 goes over a model of TCP with SACK, loss probes and CUBIC's cut.`],
    });
  },
};
