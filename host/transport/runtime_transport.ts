// The transport of this runtime: its own where that measures faster, `node:*` else.
//
// A server of small answers took 4.1 µs of processor time for each on Bun.listen and 7.3 on Bun's node:net. Deno.listen with
// one constant answer took no less than Deno's node:net did (4.9 to 7.9 µs against 5.5 to 6.2), so Deno has no path of its own.

import { bunTransport } from "./bun_transport.ts";
import { nodeTransport } from "./node_transport.ts";
import { runtime } from "./runtime.ts";
import type { Transport } from "./transport.ts";

export const runtimeTransport: Transport = runtime === "bun" ? bunTransport : nodeTransport;
