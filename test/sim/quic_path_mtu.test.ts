// The size of datagrams grows while there is more to send than the window takes, and not only once there is nothing left to send.

import { expect, test } from "vitest";
import { Random } from "../fuzz/random.ts";
import { http3Nodes } from "./http3_nodes.ts";
import { get, Http3Run } from "./http3_run.ts";
import { CLEAR } from "./network.ts";

const CONTENT_BYTES = 1_000_000;
/** Of the 1472 that the path takes, for packets also carry headers. */
const FULL_BYTES = 1380;

test("a download that fills the window soon goes in datagrams as large as the path takes", () => {
  const { datagrams } = new Http3Run({
    ...http3Nodes(1),
    random: new Random(1),
    weather: { ...CLEAR, latencyMs: 25, mtu: 1472 },
    plans: [get(CONTENT_BYTES)],
    concurrency: 1,
  }).go();
  // A quarter on top for the handshake and acknowledgements; in datagrams of 1200 bytes it would be a third more.
  expect(datagrams).toBeLessThan((1.25 * CONTENT_BYTES) / FULL_BYTES);
});
