/*
 * What 10,000 idle keep-alive connections add to a server's resident memory.
 *
 * Each connection has made one request. Baseline and loaded figure are both read after a full garbage collection and
 * a pause, so that what is counted is what the connections hold, not what V8 has not swept yet. The baseline is taken
 * after a small first wave of connections has come and gone: code and pools made on first use are not per connection.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { platform } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { SilenceError, residentBytes, startClient, withServers } from "../process.ts";
import type { LineProcess, Server } from "../process.ts";
import { alternate } from "../rounds.ts";
import { BenchError } from "../suite.ts";
import type { Measure, RunOptions, Sample, Series } from "../suite.ts";

const MIB = 2 ** 20;
const CONNECTION_COUNT = 10_000;
const FIRST_WAVE_COUNT = 500;
/** Descriptors a process needs beside its connections: standard streams, channel, epoll, module files. */
const SPARE_DESCRIPTORS = 100;
const OPEN_TIMEOUT_MS = 60_000;
const SETTLE_MS = 500;
/** A server is started anew for every round, since a heap that has grown seldom shrinks. */
const ROUNDS = 3;
const QUICK_ROUNDS = 1;

export const idleConnections: Measure = {
  name: "idle",
  title: `Memory added by ${CONNECTION_COUNT.toLocaleString("en")} idle keep-alive connections`,
  peers: ["node-http", "httpy"],
  async run(options) {
    const { series, note } = await compareIdle(options.selectPeers(this.peers), options, "idle");
    return {
      unit: "MiB",
      better: "lower",
      series,
      bars: [{ kind: "ratio", subject: "httpy", peer: "node-http", direction: "at most", factor: 0.7 }],
      notes: [note],
    };
  },
};

/** Memory that CONNECTION_COUNT connections add to each peer, held by the client `load`. */
export async function compareIdle(
  peers: string[],
  options: RunOptions,
  load: string,
): Promise<{ series: Series[]; note: string }> {
  requireDescriptors();
  const perAddress = Math.min(CONNECTION_COUNT, Math.floor(ephemeralPortCount() * 0.8));
  const rounds = Math.min(options.rounds, options.quick ? QUICK_ROUNDS : ROUNDS);
  const series = await alternate(peers, rounds, async (peer, round) => {
    options.progress(`${peer}, round ${round + 1} of ${rounds}`);
    return withServers([peer], (servers) => memoryAdded(servers.get(peer) as Server, perAddress, load), [
      "--expose-gc",
    ]);
  });
  const addressCount = Math.ceil(CONNECTION_COUNT / perAddress);
  const note =
    `${CONNECTION_COUNT + SPARE_DESCRIPTORS} file descriptors per process; client on ` +
    `${addressCount} source address${addressCount > 1 ? "es" : ""}; memory read after a garbage collection.`;
  return { series, note };
}

async function memoryAdded(server: Server, perAddress: number, load: string): Promise<Sample> {
  await (await holdConnections(server, FIRST_WAVE_COUNT, perAddress, load)).stop();
  const before = await settledBytes(server);
  const client = await holdConnections(server, CONNECTION_COUNT, perAddress, load);
  try {
    const after = await settledBytes(server);
    await expectSilence(client, server);
    return { value: (after - before) / MIB };
  } finally {
    await client.stop();
  }
}

async function holdConnections(
  server: Server,
  count: number,
  perAddress: number,
  load: string,
): Promise<LineProcess> {
  const client = startClient(load, [server.port, count, perAddress].map(String));
  try {
    const line = await client.nextLine(OPEN_TIMEOUT_MS);
    if (!line.startsWith('{"open"'))
      throw new BenchError(`opening ${count} connections to ${server.name}: ${line}`);
    return client;
  } catch (error) {
    await client.stop();
    throw error;
  }
}

/** The client speaks once more only when it has lost a connection. */
async function expectSilence(client: LineProcess, server: Server): Promise<void> {
  try {
    const lost = await client.nextLine(1);
    throw new BenchError(`${server.name} while idle: ${lost}`);
  } catch (error) {
    if (!(error instanceof SilenceError)) throw error;
  }
}

async function settledBytes(server: Server): Promise<number> {
  await sleep(SETTLE_MS);
  await server.process.collectGarbage();
  await sleep(SETTLE_MS);
  return residentBytes(server.process);
}

/** Node raises its soft limit to the hard one when it starts, so the hard one is what counts. */
function requireDescriptors(): void {
  if (platform() === "win32") return;
  const limit = execFileSync("sh", ["-c", "ulimit -H -n"], { encoding: "utf8" }).trim();
  const wanted = CONNECTION_COUNT + SPARE_DESCRIPTORS;
  if (limit !== "unlimited" && Number(limit) < wanted) {
    throw new BenchError(
      `${CONNECTION_COUNT} connections need ${wanted} file descriptors and the hard limit is ${limit}: ` +
        `as root, run \`ulimit -n ${wanted}\` in the shell that starts the bench`,
    );
  }
}

/** Connections one source address can make to one port. Where it can not be read, the IANA range. */
function ephemeralPortCount(): number {
  if (platform() !== "linux") return 65_535 - 49_152;
  const range = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").trim();
  const [first, last] = range.split(/\s+/).map(Number);
  return (last as number) - (first as number);
}
