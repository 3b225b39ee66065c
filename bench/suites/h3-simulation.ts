/*
 * Times to the first byte over simulated networks, which machines and their load do not touch, for somebody new and for somebody with
 * a ticket. Each is a run of test/sim/http3_run.ts, and comes out the same again.
 */
import { visitorOptions } from "../../test/sim/http3_nodes.ts";
import { Http3Run } from "../../test/sim/http3_run.ts";
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
