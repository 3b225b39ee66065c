// What a seed of the simulation of QUIC stands for: the weather, and what client and server say and want.

import { QuicOption } from "../../assembly/abi/quic.ts";
import { SignatureScheme } from "../../host/crypto/signature.ts";
import { Random } from "../fuzz/random.ts";
import { selfSigned } from "../wire/tls/identities.ts";
import type { Weather } from "./network.ts";
import { QuicNode } from "./quic_node.ts";
import type { RunOptions } from "./quic_run.ts";

const identity = selfSigned("ed25519", "sim.test");

/** The weather of a seed: every fourth is clear of each trouble. */
function weatherOf(random: Random): Weather {
  const some = (most: number) => (random.below(4) === 0 ? 0 : (random.below(1000) / 1000) * most);
  const loss = random.below(3) === 0 ? some(0.3) : some(0.05);
  const fromMs = random.below(2000);
  return {
    latencyMs: 1 + random.below(150),
    jitterMs: some(30),
    loss,
    burst: some(0.3),
    duplication: some(0.05),
    corruption: some(0.02),
    mtu: 1200 + random.below(301),
    ...(random.below(8) === 0 ? { blackout: [fromMs, fromMs + random.below(4000)] as const } : {}),
  };
}

/** A run of that seed, in weather of its own or in the one that was chosen. */
export function seededRun(module: WebAssembly.Module, seed: number, chosen?: Weather): RunOptions {
  const random = new Random(seed);
  const weather = chosen ?? weatherOf(random);
  // A third of all datagrams lost makes probes rare: what the deadlines are for is tested elsewhere.
  const limits = { quicHandshakeTimeoutMs: 300_000, quicIdleTimeoutMs: 300_000, quicRetryTokenMs: 60_000 };
  const common = { unixMs: Date.UTC(2027, 0, 1), limits };
  const suites = [0x1301, 0x1302, 0x1303];
  const suite = suites[random.below(3)] as number;
  // CUBIC, NewReno and BBR in turn, the two sides by two that differ.
  const congestionOf = (side: number) => [QuicOption.CONGESTION, (seed + side) % 3] as const;
  const { key, chain, names } = identity;
  return {
    random,
    makeNode: (node, nowMs) => new QuicNode(module, node, nowMs),
    weather,
    streamCount: 1 + random.below(12),
    bytesMost: random.below(4) === 0 && weather.loss < 0.1 ? 400_000 : 20_000,
    updatesKeys: random.below(3) === 0,
    ...(random.below(4) === 0 ? { rebindAtMs: 200 + random.below(2000) } : {}),
    server: {
      ...common,
      seed: seed * 2 + 1,
      address: "198.51.100.1",
      certificate: { key, chain, names, scheme: SignatureScheme.ED25519 },
      options: [
        [QuicOption.SUITE, suite],
        [QuicOption.RETRY, random.below(4) === 0 ? 1 : 0],
        congestionOf(0),
      ],
    },
    client: {
      ...common,
      seed: seed * 2 + 2,
      address: "192.0.2.1",
      root: chain[0]!,
      options: [[QuicOption.VERSION, random.below(4) === 0 ? 2 : 1], congestionOf(1)],
    },
  };
}
