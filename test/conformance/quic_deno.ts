// QUIC against Deno's, which is quinn, in both directions: the cases of quic_interop.ts that its API can express.

import { join } from "node:path";
import { root } from "../runtime/program.ts";
import {
  checkClient,
  checkServer,
  clientCases,
  interopSuite,
  type Peer,
  type ServerCase,
  serverCases,
} from "./quic_interop.ts";
import { runtimes } from "./runtimes.ts";
import type { Suite } from "./suite.ts";

/** What Deno has no word for: a server's Retry and 0-RTT, and version 2. */
const NOT_OF_ITS_SERVER = [
  "Retry",
  "0-RTT",
  "version 2",
  "a server that has chosen version 2 for a client of version 1",
];
/** Its TLS (webpki) takes six authorities between a root and a server at the most. */
const NOT_OF_ITS_CLIENT = ["a chain of nine certificates"];

function deno(): Peer | null {
  const command = runtimes.find(({ name }) => name === "deno")?.command() ?? null;
  if (command === null) return null;
  const [program, ...args] = command;
  return [program as string, ...args, "--unstable-net", join(root, "test/conformance/deno_quic_peer.mjs")];
}

/** Its client reports hashes alone, and takes no orders but where to connect to. */
function serverCasesOf(): ServerCase[] {
  return serverCases.flatMap(({ check, ...attempt }) => {
    if (NOT_OF_ITS_CLIENT.includes(attempt.name)) return [];
    const orders = Object.keys(attempt.client ?? {}).filter((key) => key !== "host");
    return orders.length === 0 && (check === undefined || attempt.server !== undefined) ? [attempt] : [];
  });
}

const MISSING = "Deno cannot be had from npm";

export const quicDenoSuites: Suite[] = [
  interopSuite("quic: Deno's client", deno, MISSING, serverCasesOf(), checkServer),
  interopSuite(
    "quic: Deno's server",
    deno,
    MISSING,
    clientCases.filter(({ name }) => !NOT_OF_ITS_SERVER.includes(name)),
    checkClient,
  ),
];
