// The datagram sockets of this runtime: its own where they measure faster and can do what is asked, node:dgram else.

import { bindBunDatagrams } from "./bun_datagrams.ts";
import type { DatagramSink, DatagramSocket, DatagramTarget } from "./datagrams.ts";
import { bindDenoDatagrams, hasDenoDatagrams } from "./deno_datagrams.ts";
import { bindNodeDatagrams } from "./node_datagrams.ts";
import { runtime } from "./runtime.ts";

/** Binds a socket: of both families where no host is given and the machine has IPv6. Rejects when it cannot be bound. */
export async function bindDatagrams(target: DatagramTarget, sink: DatagramSink): Promise<DatagramSocket> {
  const isPlain = target.reusePort !== true && target.ipv6Only !== true;
  if (isPlain && runtime === "bun") return bindBunDatagrams(target, sink);
  if (isPlain && runtime === "deno" && hasDenoDatagrams()) return bindDenoDatagrams(target, sink);
  return bindNodeDatagrams(target, sink);
}
