// The wall clock of an engine that was idle for long: tickets of one engine hold on another at once.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { ConnectedFlag } from "../../../assembly/abi/quic.ts";
import { QuicPair } from "../../sim/quic_pair.ts";
import { QuicNode } from "../../sim/quic_node.ts";
import { selfSigned } from "./identities.ts";

const module = new WebAssembly.Module(readFileSync(resolve("build/engine.wasm")));
const identity = selfSigned("ed25519", "sim.test");
const START = Date.UTC(2027, 0, 1);

test("a ticket that an engine got after it was idle is good for another engine at the same moment", () => {
  const pair = new QuicPair(module, identity);
  let ticket: Uint8Array | null = null;
  pair.client.events.ticket = (_connection, bytes) => (ticket = bytes.slice());
  // Nobody calls the engine for a minute, but for the date.
  pair.nowMs = 60_001;
  pair.client.engine.doors.setDate(START + 60_000);
  pair.connect(100);
  expect(ticket).not.toBeNull();
  const other = new QuicNode(
    module,
    { seed: 3, address: "192.0.2.1", root: identity.chain[0]!, unixMs: START + pair.nowMs },
    pair.nowMs,
  );
  let flags = -1;
  other.events.connected = (_connection, bits) => (flags = bits);
  other.connect(pair.nowMs, pair.server.address, "sim.test", { ticket: ticket as unknown as Uint8Array });
  for (let trip = 0; trip < 4; trip++) {
    const there: Uint8Array[] = [];
    other.send(pair.nowMs, (payload) => there.push(payload.slice()));
    pair.server.receive(pair.nowMs, there, other.address);
    const back: Uint8Array[] = [];
    pair.server.send(pair.nowMs, (payload) => back.push(payload.slice()));
    other.receive(pair.nowMs, back, pair.server.address);
  }
  expect(flags & ConnectedFlag.RESUMED).toBe(ConnectedFlag.RESUMED);
});
