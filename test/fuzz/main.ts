// `npm run fuzz -- TARGET [--seconds 60] [--seed N]`: seeded garbage against the engine's doors.
// A failure prints the seed of its round; `--seed` with that number runs it again, first.

import { parseArgs } from "node:util";
import { h1Target } from "./h1_target.ts";
import { h2Target } from "./h2_target.ts";
import { h3Target } from "./h3_target.ts";
import { QpackRoom } from "../wire/qpack/room.ts";
import { Room } from "../wire/tls/room.ts";
import { quicConnectionTarget } from "./quic_connection_target.ts";
import { quicTarget } from "./quic_target.ts";
import { qpackTarget } from "./qpack_target.ts";
import { fuzz } from "./target.ts";
import { tlsTarget } from "./tls_target.ts";
import { wsTarget } from "./ws_target.ts";
import type { FuzzTarget } from "./target.ts";

const targets: Record<string, () => FuzzTarget | Promise<FuzzTarget>> = {
  h1: h1Target,
  h2: h2Target,
  h3: h3Target,
  quic: quicTarget,
  "quic-connection": quicConnectionTarget,
  qpack: async () => qpackTarget(await QpackRoom.create()),
  tls: async () => tlsTarget(await Room.create()),
  ws: wsTarget,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: "string", default: "60" }, seed: { type: "string" } },
});
const name = positionals[0] ?? "";
const make = targets[name];
const seconds = Number(values.seconds);
const seed = values.seed === undefined ? Date.now() % 1_000_000_000 : Number(values.seed);
if (make === undefined || !(seconds >= 0) || !Number.isSafeInteger(seed)) {
  process.stderr.write(
    `usage: npm run fuzz -- ${Object.keys(targets).join("|")} [--seconds 60] [--seed N]\n`,
  );
  process.exitCode = 2;
} else {
  try {
    const rounds = fuzz(await make(), { seed, seconds });
    process.stdout.write(`fuzz ${name}: ${rounds} rounds from seed ${seed}, nothing found\n`);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? `\n${error.cause.stack}` : "";
    process.stdout.write(`fuzz ${name}: ${String(error)}${cause}\n`);
    process.exitCode = 1;
  }
}
