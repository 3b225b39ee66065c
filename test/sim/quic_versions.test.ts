// A client whose version is not spoken: RFC 9000 §6.2, and what RFC 9368 §4 makes sure of.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { QuicOption, QuicStat } from "../../assembly/abi/quic.ts";
import { QuicStatus } from "../../assembly/abi/quic_status.ts";
import { selfSigned } from "../wire/tls/identities.ts";
import { QuicPair } from "./quic_pair.ts";
import type { NodeOptions } from "./quic_node.ts";

const module = new WebAssembly.Module(readFileSync(resolve("build/engine.wasm")));
const identity = selfSigned("ed25519", "sim.test");
const V1 = 0x00000001;
const V2 = 0x6b3343cf;
const UNKNOWN = 0x1a2a3a4a;
const NEGOTIATED = 4;
const VERSION_NEGOTIATION_ERROR = 0x11n;

/** A Version Negotiation packet in answer to an Initial, RFC 9000 §17.2.1. */
function negotiation(initial: Uint8Array, versions: readonly number[]): Uint8Array {
  const destinationLen = initial[5] as number;
  const destination = initial.subarray(5, 6 + destinationLen);
  const sourceLen = initial[6 + destinationLen] as number;
  const source = initial.subarray(6 + destinationLen, 7 + destinationLen + sourceLen);
  const list = versions.map((version) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(version);
    return bytes;
  });
  return Buffer.concat([Uint8Array.of(0xc0, 0, 0, 0, 0), source, destination, ...list]);
}

interface Attempt {
  readonly pair: QuicPair;
  readonly ends: { code: bigint; status: number }[];
}

/** A client that begins with `option`, and somebody who answers its first Initial with `versions` instead of the server. */
function attempt(option: number, versions: readonly number[]): Attempt {
  const pair = new QuicPair(module, identity, { client: { options: [[QuicOption.VERSION, option]] } });
  const ends: Attempt["ends"] = [];
  pair.client.events.closed = (_connection, _flags, code, _reason, status) => ends.push({ code, status });
  let first: Uint8Array | null = null;
  pair.pass = ({ toServer, payload }) => {
    if (toServer) first ??= payload.slice();
    return !toServer;
  };
  pair.connect(10);
  pair.client.receive(
    pair.nowMs,
    [negotiation(first as unknown as Uint8Array, versions)],
    pair.server.address,
  );
  pair.run(10);
  pair.pass = () => true;
  return { pair, ends };
}

describe("a Version Negotiation packet", () => {
  test.each([
    ["of version 2, with version 1 in it", 2, [UNKNOWN, V1], QuicStatus.VERSION_OFFERED],
    ["of version 1, with version 2 in it", 1, [V2], QuicStatus.VERSION_OFFERED],
    ["with nothing that is known", 1, [UNKNOWN], QuicStatus.VERSION_NEGOTIATION],
    ["for a connection that followed one before", 1 | NEGOTIATED, [V2], QuicStatus.VERSION_NEGOTIATION],
  ])("to a client %s", (_name, option, versions, status) => {
    expect(attempt(option, versions).ends).toEqual([{ code: VERSION_NEGOTIATION_ERROR, status }]);
  });

  test("that lists the client's own version says nothing", () => {
    const { pair, ends } = attempt(2, [V1, V2]);
    pair.run(2000);
    expect(ends).toEqual([]);
    expect(pair.client.engine.quic.stats(pair.connection)?.[QuicStat.VERSION]).toBe(2);
  });

  test.each([
    [2, 1, V1],
    [1, 2, V2],
  ])("that somebody made up to have version %i replaced by %i is found out", (asked, other, version) => {
    const { pair, ends } = attempt(asked, [version]);
    expect(ends).toEqual([{ code: VERSION_NEGOTIATION_ERROR, status: QuicStatus.VERSION_OFFERED }]);
    ends.length = 0;
    let isConnected = false;
    pair.client.events.connected = () => (isConnected = true);
    pair.client.engine.quic.setOption(pair.client.config, QuicOption.VERSION, other | NEGOTIATED);
    pair.connect(2000);
    // The server says that it speaks both.
    expect(ends).toEqual([{ code: VERSION_NEGOTIATION_ERROR, status: QuicStatus.VERSION_NEGOTIATION }]);
    expect(isConnected).toBe(false);
  });
});

test.each([0, 3, 4, 7, 8, 9])("%i is no version to begin with", (option) => {
  const pair = new QuicPair(module, identity);
  expect(pair.client.engine.quic.setOption(pair.client.config, QuicOption.VERSION, option)).toBeLessThan(0);
});

describe("a server that prefers another version (RFC 9368, RFC 9369 §4)", () => {
  /** A server with `options`, a client that begins with `version`, and a network that loses what `isLost` says. */
  function connected(
    options: NonNullable<NodeOptions["options"]>,
    version: number,
    isLost: (index: number, toServer: boolean) => boolean = () => false,
  ): readonly (number | undefined)[] {
    const pair = new QuicPair(module, identity, {
      server: { options },
      client: { options: [[QuicOption.VERSION, version]] },
    });
    let index = 0;
    let isConfirmed = false;
    pair.client.events.confirmed = () => (isConfirmed = true);
    pair.pass = ({ toServer }) => !isLost(index++, toServer);
    pair.connect(8000);
    expect(isConfirmed).toBe(true);
    return [
      pair.client.engine.quic.stats(pair.connection)?.[QuicStat.VERSION],
      pair.server.engine.quic.stats(pair.serverConnection)?.[QuicStat.VERSION],
    ];
  }

  test.each([
    [1, 2],
    [2, 1],
    [2, 2],
    [1, 1],
  ])("goes over from what a client begins with, %i, to %i", (begun, preferred) => {
    expect(connected([[QuicOption.VERSION, preferred]], begun)).toEqual([preferred, preferred]);
  });

  test.each([1, 2])("stays where it prefers none: %i", (begun) => {
    expect(connected([], begun)).toEqual([begun, begun]);
  });

  test("goes over after a Retry", () => {
    const options = [
      [QuicOption.VERSION, 2],
      [QuicOption.RETRY, 1],
    ] as const;
    expect(connected(options, 1)).toEqual([2, 2]);
  });

  test("goes over whatever is lost, one datagram of the first twelve, and all the next of either side", () => {
    const options = [[QuicOption.VERSION, 2]] as const;
    for (let lost = 0; lost < 12; lost++) {
      expect(connected(options, 1, (index) => index === lost)).toEqual([2, 2]);
      expect(
        connected(options, 1, (index, toServer) => index >= lost && index < lost + 3 && toServer),
      ).toEqual([2, 2]);
      expect(
        connected(options, 1, (index, toServer) => index >= lost && index < lost + 3 && !toServer),
      ).toEqual([2, 2]);
    }
  });

  test("is not moved by an Initial of the client's first version that somebody forged, and takes a late one", () => {
    const pair = new QuicPair(module, identity, {
      server: { options: [[QuicOption.VERSION, 2]] },
    });
    const sent: Uint8Array[] = [];
    pair.pass = ({ toServer, payload }) => {
      if (toServer) sent.push(payload.slice());
      return true;
    };
    pair.connect(25);
    const [first] = sent as [Uint8Array];
    const forged = Uint8Array.from(first, (byte, index) => (index === 1000 ? byte ^ 1 : byte));
    pair.server.receive(pair.nowMs, [forged, first, forged], pair.client.address);
    pair.run(3000);
    expect(pair.client.engine.quic.stats(pair.connection)?.[QuicStat.VERSION]).toBe(2);
    expect(pair.server.engine.quic.stats(pair.serverConnection)?.[QuicStat.VERSION]).toBe(2);
  });
});
