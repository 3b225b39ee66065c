/*
 * WebSocket: echoes, publishing and idle sockets against the `ws` package. Messages are binary and not compressed.
 */
import { runClient, withServers } from "../process.ts";
import type { Server } from "../process.ts";
import { timed } from "../compare.ts";
import { installPeers } from "../peers.ts";
import { alternate } from "../rounds.ts";
import { BenchError } from "../suite.ts";
import type { Measure, RunOptions, Sample, Series, Suite } from "../suite.ts";
import { compareIdle } from "./h1-idle.ts";

const PEERS = ["ws", "httpy-ws"];
const SUBSCRIBER_COUNT = 5000;
const PUBLISHED_BYTES = 1024;
const CONNECTIONS_PER_ADDRESS = 20_000;
/** Beside its load: opening thousands of connections takes a while. */
const CLIENT_TIMEOUT_MS = 60_000;

interface LoadResult {
  error?: string;
  messagesPerSecond: number;
  seconds: number;
}

function echo(name: string, bytes: number, connections: number, inFlight: number, factor: number): Measure {
  return {
    name,
    title: `Echo of ${bytes < 1024 ? `${bytes} bytes` : `${bytes / 1024} KiB`}, ${connections} connections × ${inFlight} in flight`,
    peers: PEERS,
    async run(options) {
      const load = (server: Server, seconds: number) =>
        runLoad(server, "ws-echo", [connections, inFlight, bytes, seconds]);
      return {
        unit: "messages/s",
        better: "higher",
        series: await compareLoad(options.selectPeers(this.peers), options, load),
        bars: [{ kind: "ratio", subject: "httpy-ws", peer: "ws", direction: "at least", factor }],
        notes: [
          "The client is a Node process on the other core: where the server's CPU is not full, it set the pace.",
        ],
      };
    },
  };
}

function publish(name: string, underWay: number, factor: number | null): Measure {
  return {
    name,
    title: `Publish ${PUBLISHED_BYTES / 1024} KiB to ${SUBSCRIBER_COUNT} subscribers, ${underWay} at a time`,
    peers: PEERS,
    async run(options) {
      const load = (server: Server, seconds: number) =>
        runLoad(server, "ws-publish", [
          SUBSCRIBER_COUNT,
          PUBLISHED_BYTES,
          underWay,
          seconds,
          CONNECTIONS_PER_ADDRESS,
        ]);
      return {
        unit: "messages/s",
        better: "higher",
        series: await compareLoad(options.selectPeers(this.peers), options, load),
        bars:
          factor === null
            ? []
            : [{ kind: "ratio", subject: "httpy-ws", peer: "ws", direction: "at least", factor }],
        notes: ["`ws` sends in a loop over its subscribers; what arrived at all of them counts."],
      };
    },
  };
}

const idle: Measure = {
  name: "idle",
  title: "Memory added by 10,000 idle WebSockets",
  peers: PEERS,
  async run(options) {
    const { series, note } = await compareIdle(options.selectPeers(this.peers), options, "ws-idle");
    return {
      unit: "MiB",
      better: "lower",
      series,
      bars: [{ kind: "ratio", subject: "httpy-ws", peer: "ws", direction: "at most", factor: 0.5 }],
      notes: [`${note} Each has echoed one message.`],
    };
  },
};

/** Messages per second of each peer, in alternating rounds, all of them up all the time. */
export async function compareLoad(
  peers: string[],
  options: RunOptions,
  load: (server: Server, seconds: number) => Promise<Sample & { seconds: number }>,
  start?: (name: string) => Promise<Server>,
): Promise<Series[]> {
  const measure = async (servers: Map<string, Server>) => {
    for (const server of servers.values()) await load(server, options.warmupSeconds);
    return alternate(peers, options.rounds, async (peer, round) => {
      options.progress(`${peer}, round ${round + 1} of ${options.rounds}`);
      const server = servers.get(peer) as Server;
      return timed(server, () => load(server, options.secondsPerRound));
    });
  };
  return withServers(peers, measure, [], start);
}

export async function runLoad(
  server: Server,
  client: string,
  args: number[],
): Promise<Sample & { seconds: number }> {
  const result = await runClient<LoadResult>(client, [server.port, ...args].map(String), CLIENT_TIMEOUT_MS);
  if (result.error !== undefined) throw new BenchError(`${server.name}: ${result.error}`);
  return { value: result.messagesPerSecond, seconds: result.seconds };
}

export const ws: Suite = {
  name: "ws",
  async prepare(options) {
    installPeers(options.progress);
  },
  measures: [
    echo("echo-small", 16, 64, 4, 2.5),
    echo("echo-large", 65536, 16, 2, 1.2),
    publish("publish", 8, 3),
    publish("publish-one", 1, null),
    idle,
  ],
};
