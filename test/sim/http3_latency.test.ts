// How long a visitor waits for the first byte, in round trips of the simulated network: RFC 9001 §4.1 and §4.6, without certificates that
// take longer than their signatures, and without the time that machines take.

import { expect, test } from "vitest";
import { QuicOption, RetryPolicy } from "../../assembly/abi/quic.ts";
import { visitorOptions } from "./http3_nodes.ts";
import { Http3Run } from "./http3_run.ts";

const ROUND_TRIP_MS = 100;

test("a new visitor has the first byte after two round trips", () => {
  const { firstByteMs } = new Http3Run(visitorOptions(ROUND_TRIP_MS)).go();
  expect(firstByteMs / ROUND_TRIP_MS).toBeCloseTo(2, 1);
});

test("one that has been there before has it after one, in early data", () => {
  const run = new Http3Run(visitorOptions(ROUND_TRIP_MS));
  const { ticket } = run.go();
  const again = new Http3Run(visitorOptions(ROUND_TRIP_MS, { resumed: { run, ticket: ticket! } })).go();
  expect(again.isEarlyAccepted).toBe(true);
  expect(again.firstByteMs / ROUND_TRIP_MS).toBeCloseTo(1, 1);
});

test("a server under load that asks for a proof of the address costs one more", () => {
  const { server, ...rest } = visitorOptions(ROUND_TRIP_MS);
  const options = [...(server.options ?? []), [QuicOption.RETRY, RetryPolicy.ALWAYS] as const];
  const { firstByteMs } = new Http3Run({ ...rest, server: { ...server, options } }).go();
  expect(firstByteMs / ROUND_TRIP_MS).toBeCloseTo(3, 1);
});
