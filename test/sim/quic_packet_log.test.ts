// The log of packets against what went over the network: every packet that was sent is told, and those that were lost.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { PacketLogFlag, QuicConfigFlag, QuicOption } from "../../assembly/abi/quic.ts";
import { qlogFrames } from "../../host/quic/qlog_frames.ts";
import { selfSigned } from "../wire/tls/identities.ts";
import { QuicPair } from "./quic_pair.ts";

const module = new WebAssembly.Module(readFileSync(resolve("build/engine.wasm")));
const identity = selfSigned("ed25519", "sim.test");
const APPLICATION = 2;

interface Told {
  readonly what: number;
  readonly space: number;
  readonly number: number;
  readonly size: number;
  readonly frames: readonly unknown[];
}

function pairWith(flags: number): { pair: QuicPair; told: { client: Told[]; server: Told[] } } {
  const options = [
    [QuicOption.FLAGS, flags],
    [QuicOption.MTU_MOST, 1200],
  ] as const;
  const pair = new QuicPair(module, identity, { client: { options }, server: { options } });
  const told: { client: Told[]; server: Told[] } = { client: [], server: [] };
  for (const side of ["client", "server"] as const)
    pair[side].events.packet = (_connection, bits, number, size, frames) => {
      const space = (bits >> PacketLogFlag.SPACE_SHIFT) & 3;
      told[side].push({ what: bits & 3, space, number, size, frames: qlogFrames(frames) });
    };
  return { pair, told };
}

const of = (all: readonly Told[], what: PacketLogFlag) => all.filter((one) => one.what === (what as number));

test("tells of every packet on both sides, and of those that are lost", () => {
  const { pair, told } = pairWith(QuicConfigFlag.PACKET_LOG);
  pair.connect(2000);
  let sent = 0;
  let dropped = 0;
  pair.pass = ({ toServer }) => {
    if (!toServer) return true;
    sent++;
    const isLost = sent % 5 === 0;
    if (isLost) dropped++;
    return !isLost;
  };
  told.client.length = 0;
  told.server.length = 0;
  const { quic } = pair.client.engine;
  const stream = quic.openStream(pair.connection, true);
  quic.writeStream(pair.connection, stream, new Uint8Array(40_000), true, pair.nowMs);
  pair.run(5000);
  const mine = of(told.client, PacketLogFlag.SENT);
  const theirs = of(told.server, PacketLogFlag.RECEIVED);
  expect(mine.length).toBe(sent);
  expect(theirs.length).toBe(sent - dropped);
  expect(mine.every(({ space }) => space === APPLICATION)).toBe(true);
  // The same frames on both sides.
  const byNumber = new Map(mine.map((one) => [one.number, one.frames]));
  for (const { number, frames } of theirs) expect(frames).toEqual(byNumber.get(number));
  const lost = of(told.client, PacketLogFlag.LOST);
  expect(lost.length).toBeGreaterThan(3);
  expect(lost.every(({ number, size }) => byNumber.has(number) && size > 0)).toBe(true);
});

test("is silent where nobody asked for it", () => {
  const { pair, told } = pairWith(0);
  pair.connect(2000);
  expect(told).toEqual({ client: [], server: [] });
});
