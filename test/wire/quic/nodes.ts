// Nodes of QUIC for attack tests: a server and clients of the engine's, and how they hand each other what they send.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { QuicConfigFlag, QuicOption } from "../../../assembly/abi/quic.ts";
import { SignatureScheme } from "../../../host/crypto/signature.ts";
import { type NodeOptions, QuicNode } from "../../sim/quic_node.ts";
import { selfSigned } from "../tls/identities.ts";

export const module = new WebAssembly.Module(readFileSync(resolve("build/engine.wasm")));
export const identity = selfSigned("ed25519", "attack.test");
const AES_128_GCM = 0x1301;
/** What time it is for every node. */
const UNIX_MS = Date.UTC(2027, 0, 1);

export type Changes = Partial<NodeOptions> & { readonly flags?: number };

/** A server at 198.51.100.1. No path is probed for its size: what is sent is what a test asks for. */
export function serverNode(changes: Changes = {}, nowMs = 1): QuicNode {
  const { key, chain, names } = identity;
  const defaults: NodeOptions = {
    seed: 1,
    address: "198.51.100.1",
    unixMs: UNIX_MS,
    certificate: { key, chain, names, scheme: SignatureScheme.ED25519 },
  };
  return new QuicNode(module, { ...defaults, ...changes, options: optionsOf(changes) }, nowMs);
}

/** A client at 192.0.2.1, whose keys the test sees. */
export function clientNode(changes: Changes = {}, nowMs = 1): QuicNode {
  const defaults: NodeOptions = { seed: 2, address: "192.0.2.1", unixMs: UNIX_MS, root: identity.chain[0]! };
  return new QuicNode(module, { ...defaults, ...changes, options: optionsOf(changes) }, nowMs);
}

function optionsOf({ options = [], flags = 0 }: Changes): NodeOptions["options"] {
  return [
    [QuicOption.SUITE, AES_128_GCM],
    [QuicOption.FLAGS, flags | QuicConfigFlag.KEY_LOG],
    [QuicOption.MTU_MOST, 1200],
    ...options,
  ];
}

/** What a node has to send now, each with where it goes. */
export function sent(node: QuicNode, nowMs: number): { payload: Buffer; to: Buffer }[] {
  const all: { payload: Buffer; to: Buffer }[] = [];
  node.send(nowMs, (payload, to) => all.push({ payload: Buffer.from(payload), to: Buffer.from(to) }));
  return all;
}

/** Bytes of the engine's memory that are in use. */
export function memoryOf(node: QuicNode): number {
  // Which brings the gauge up to date.
  node.engine.doors.setDate(UNIX_MS);
  return node.engine.counters().get("memory_bytes_in_use") as number;
}
