// What one key may protect, RFC 9001 §6.6, with limits low enough to reach them.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { QuicStat } from "../../assembly/abi/quic.ts";
import { selfSigned } from "../wire/tls/identities.ts";
import { QuicPair } from "./quic_pair.ts";

const module = new WebAssembly.Module(readFileSync(resolve("build/engine.wasm")));
const identity = selfSigned("ed25519", "sim.test");
const AEAD_LIMIT_REACHED = 0xfn;

interface Ends {
  server: bigint | null;
  client: bigint | null;
}

function pairWith(limits: Record<string, number>): { pair: QuicPair; ends: Ends } {
  const pair = new QuicPair(module, identity, { server: { limits } });
  const ends: Ends = { server: null, client: null };
  pair.server.events.closed = (_connection, _flags, code) => (ends.server = code);
  pair.client.events.closed = (_connection, _flags, code) => (ends.client = code);
  pair.connect(2000);
  return { pair, ends };
}

function sealedMany(pair: QuicPair, count: number): void {
  for (let index = 0; index < count; index++) {
    pair.server.engine.quic.ping(pair.serverConnection, pair.nowMs);
    pair.run(1);
  }
}

describe("the confidentiality limit", () => {
  test("is never near where keys can be updated", () => {
    const { pair, ends } = pairWith({ quicKeyUpdatePackets: 16, quicSealedPackets: 200 });
    sealedMany(pair, 1000);
    pair.run(1000);
    expect(ends).toEqual({ server: null, client: null });
    const updates = pair.server.engine.quic.stats(pair.serverConnection)?.[QuicStat.KEY_UPDATES] ?? 0;
    expect(updates).toBeGreaterThan(5);
  });

  test("ends a connection whose peer acknowledges nothing, so that no update may happen", () => {
    const { pair, ends } = pairWith({ quicKeyUpdatePackets: 16, quicSealedPackets: 40 });
    pair.pass = ({ toServer }) => !toServer;
    sealedMany(pair, 60);
    expect(ends.server).toBe(AEAD_LIMIT_REACHED);
    pair.run(100);
    expect(ends.client).toBe(AEAD_LIMIT_REACHED);
    expect(pair.server.engine.counters().get("peer_errors")).toBe(1);
  });
});

describe("the integrity limit", () => {
  const FORGED = 16;

  test.each([
    [FORGED - 1, null],
    [FORGED, AEAD_LIMIT_REACHED],
  ])("of 16: after %i forged packets the connection ends with %s", (count, code) => {
    const { pair, ends } = pairWith({ quicForgedPackets: FORGED });
    let genuine: Uint8Array | null = null;
    pair.pass = ({ toServer, payload }) => {
      if (toServer && ((payload[0] as number) & 0x80) === 0) genuine = payload.slice();
      return true;
    };
    pair.client.engine.quic.ping(pair.connection, pair.nowMs);
    pair.run(100);
    for (let index = 0; index < count; index++) {
      const forged = (genuine as unknown as Uint8Array).slice();
      forged[forged.length - 1] = (forged[forged.length - 1] as number) ^ (index + 1);
      pair.server.receive(pair.nowMs, [forged], pair.client.address);
    }
    pair.run(100);
    expect(ends).toEqual({ server: code, client: code });
  });
});
