// A server and a client for simulations of HTTP/3.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { QuicConfigFlag, QuicOption } from "../../assembly/abi/quic.ts";
import { SignatureScheme } from "../../host/crypto/signature.ts";
import { selfSigned } from "../wire/tls/identities.ts";
import { Random } from "../fuzz/random.ts";
import { get, type Http3Options } from "./http3_run.ts";
import { CLEAR } from "./network.ts";
import type { NodeOptions } from "./quic_node.ts";

const module = new WebAssembly.Module(readFileSync(resolve("build/engine.wasm")));
const identity = selfSigned("ed25519", "sim.test");

/** `flags` further flags of both. */
export function http3Nodes(
  seed: number,
  flags = 0,
): { module: WebAssembly.Module; server: NodeOptions; client: NodeOptions } {
  const { key, chain, names } = identity;
  const common = {
    alpn: ["h3"],
    unixMs: Date.UTC(2027, 0, 1),
    memoryBytes: 24 * 1024 * 1024,
    limits: { connectionCount: 64, exchangeCount: 256, quicHandshakeTimeoutMs: 120_000 },
    options: [[QuicOption.FLAGS, QuicConfigFlag.HTTP3 | flags]] as const,
  };
  return {
    module,
    server: {
      ...common,
      seed: seed * 2 + 1,
      address: "198.51.100.1",
      certificate: { key, chain, names, scheme: SignatureScheme.ED25519 },
    },
    client: { ...common, seed: seed * 2 + 2, address: "192.0.2.1", root: chain[0]! },
  };
}

/** One request of a kilobyte over a path of that round trip, by sides that may use early data. */
export function visitorOptions(roundTripMs: number, changes: Partial<Http3Options> = {}): Http3Options {
  return {
    ...http3Nodes(1, QuicConfigFlag.EARLY_DATA),
    random: new Random(1),
    weather: { ...CLEAR, latencyMs: roundTripMs / 2 },
    plans: [get(1000)],
    concurrency: 1,
    ...changes,
  };
}
