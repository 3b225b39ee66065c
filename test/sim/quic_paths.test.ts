// Where packets go: the server's preferred address (RFC 9000 §9.6), and connection IDs that are retired on request (§5.1.2).

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { decodeAddress, encodeAddress } from "../../host/engine/datagram_batch.ts";
import { selfSigned } from "../wire/tls/identities.ts";
import { NO_PROBES, QuicPair } from "./quic_pair.ts";

const module = new WebAssembly.Module(readFileSync(resolve("build/engine.wasm")));
const identity = selfSigned("ed25519", "sim.test");
const ID_BYTES = 8;

/** The destination of a packet with a short header; empty for a long one. */
const destinationOf = (payload: Uint8Array): string =>
  (payload[0] as number) & 0x80 ? "" : Buffer.from(payload.subarray(1, 1 + ID_BYTES)).toString("hex");

/** Sends a byte from each side on a stream of its own, and answers what arrived. */
function talk(pair: QuicPair): { client: number; server: number } {
  const got = { client: 0, server: 0 };
  pair.client.events.stream = (_connection, stream) => {
    got.client += pair.client.engine.quic.peekStream(stream).length;
  };
  pair.server.events.stream = (_connection, stream) => {
    got.server += pair.server.engine.quic.peekStream(stream).length;
  };
  for (const [node, connection] of [
    [pair.client, pair.connection],
    [pair.server, pair.serverConnection],
  ] as const) {
    const stream = node.engine.quic.openStream(connection, true);
    node.engine.quic.writeStream(connection, stream, Uint8Array.of(1), true, pair.nowMs);
  }
  pair.run(500);
  return got;
}

describe("a preferred address", () => {
  const PREFERRED = encodeAddress("198.51.100.77", 8443);

  function pairWith(unreachable = false): { pair: QuicPair; reached: Set<string>; moved: string[] } {
    const pair = new QuicPair(module, identity, {
      client: { options: NO_PROBES },
      server: { options: NO_PROBES },
    });
    const bytes = new Uint8Array(24);
    bytes.set([198, 51, 100, 77]);
    new DataView(bytes.buffer).setUint16(4, 8443);
    expect(pair.server.engine.quic.setPreferredAddress(pair.server.config, bytes)).toBe(0);
    const reached = new Set<string>();
    const moved: string[] = [];
    pair.client.events.path = (_connection, address) => moved.push(decodeAddress(address).host);
    // The server has a second socket there, which is number 1 to its engine.
    pair.pass = (datagram) => {
      if (datagram.toServer) {
        const isPreferred = Buffer.compare(datagram.to, PREFERRED) === 0;
        reached.add(`${decodeAddress(datagram.to).host} ${destinationOf(datagram.payload)}`);
        datagram.arrivesBy = isPreferred ? 1 : 0;
        return !(isPreferred && unreachable);
      }
      datagram.from = datagram.local === 1 ? PREFERRED : pair.server.address;
      return true;
    };
    return { pair, reached, moved };
  }

  test("is where the client goes once its handshake is confirmed, with the ID that goes with it", () => {
    const { pair, reached, moved } = pairWith();
    pair.connect(2000);
    expect(moved).toEqual(["198.51.100.77"]);
    const before = [...reached]
      .filter((line) => line.startsWith("198.51.100.1 "))
      .map((line) => line.split(" ")[1]);
    reached.clear();
    expect(talk(pair)).toEqual({ client: 1, server: 1 });
    // All goes there now, in both directions, and under an ID that was not seen at the first address.
    expect([...reached].every((line) => line.startsWith("198.51.100.77 "))).toBe(true);
    const now = [...reached].map((line) => line.split(" ")[1]);
    expect(now.some((id) => before.includes(id))).toBe(false);
    const sent: number[] = [];
    const { pass } = pair;
    pair.pass = (datagram) => {
      if (!datagram.toServer) sent.push(datagram.local);
      return pass(datagram);
    };
    talk(pair);
    expect(new Set(sent)).toEqual(new Set([1]));
  });

  test("that cannot be reached leaves the connection where it is", () => {
    const { pair, reached, moved } = pairWith(true);
    pair.connect(10_000);
    expect(moved).toEqual([]);
    expect([...reached].some((line) => line.startsWith("198.51.100.77 "))).toBe(true);
    reached.clear();
    expect(talk(pair)).toEqual({ client: 1, server: 1 });
    expect([...reached].every((line) => line.startsWith("198.51.100.1 "))).toBe(true);
  });
});

test("a client that moves to another socket is followed there, under another ID", () => {
  const pair = new QuicPair(module, identity, {
    client: { options: NO_PROBES },
    server: { options: NO_PROBES },
  });
  const elsewhere = encodeAddress("192.0.2.50", 7777);
  const ids = [new Set<string>(), new Set<string>()] as const;
  const sentTo = new Set<string>();
  pair.pass = (datagram) => {
    if (datagram.toServer) {
      ids[datagram.local as 0 | 1].add(destinationOf(datagram.payload));
      if (datagram.local === 1) datagram.from = elsewhere;
    } else {
      const isElsewhere = Buffer.compare(datagram.to, elsewhere) === 0;
      sentTo.add(decodeAddress(datagram.to).host);
      datagram.arrivesBy = isElsewhere ? 1 : 0;
    }
    return true;
  };
  const moved = { client: 0, server: 0 };
  pair.client.events.path = () => moved.client++;
  pair.server.events.path = () => moved.server++;
  pair.connect(2000);
  expect(ids[1].size).toBe(0);
  expect(pair.client.engine.quic.migrate(pair.connection, 1, pair.nowMs)).toBe(0);
  pair.run(2000);
  expect(moved).toEqual({ client: 1, server: 1 });
  sentTo.clear();
  expect(talk(pair)).toEqual({ client: 1, server: 1 });
  expect([...sentTo]).toEqual(["192.0.2.50"]);
  expect([...ids[1]].some((id) => ids[0].has(id))).toBe(false);
});

describe("connection IDs retired on request", () => {
  test.each(["server", "client"] as const)("by the %s are not sent to any more, and replaced", (who) => {
    const pair = new QuicPair(module, identity, {
      client: { options: NO_PROBES },
      server: { options: NO_PROBES },
    });
    pair.connect(2000);
    const node = who === "server" ? pair.server : pair.client;
    const connection = who === "server" ? pair.serverConnection : pair.connection;
    const seen: string[] = [];
    pair.pass = ({ toServer, payload }) => {
      if (toServer === (who === "server")) seen.push(destinationOf(payload));
      return true;
    };
    const all = new Set<string>();
    // Once more than the IDs that there are at a time, so that each was given out after another was retired.
    for (let round = 0; round < 12; round++) {
      expect(node.engine.quic.retireIds(connection)).toBe(0);
      pair.run(500);
      seen.length = 0;
      expect(talk(pair)).toEqual({ client: 1, server: 1 });
      expect(new Set(seen).size).toBe(1);
      expect(all.has(seen[0] as string)).toBe(false);
      all.add(seen[0] as string);
    }
    expect(all.size).toBe(12);
  });

  test("is asked for again when the frame was lost", () => {
    const pair = new QuicPair(module, identity, {
      client: { options: NO_PROBES },
      server: { options: NO_PROBES },
    });
    pair.connect(2000);
    let dropped = 0;
    const seen: string[] = [];
    pair.pass = ({ toServer, payload }) => {
      if (toServer) seen.push(destinationOf(payload));
      return toServer || dropped++ > 0;
    };
    talk(pair);
    const before = seen.at(-1);
    dropped = 0;
    pair.server.engine.quic.retireIds(pair.serverConnection);
    pair.run(2000);
    expect(dropped).toBeGreaterThan(1);
    seen.length = 0;
    talk(pair);
    expect(seen).not.toContain(before);
  });
});
