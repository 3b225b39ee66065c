/*
 * Full handshakes per second of one process: QUIC of this package, and TLS 1.3 of `node:tls` with the same certificate, each with a
 * client of its own kind.
 */
import { timed } from "../compare.ts";
import { runClient, withServers } from "../process.ts";
import type { Server } from "../process.ts";
import { alternate } from "../rounds.ts";
import { BenchError } from "../suite.ts";
import type { Measure } from "../suite.ts";

const CONCURRENCY = 32;
const TIMEOUT_MS = 30_000;

async function load(server: Server, seconds: number): Promise<{ count: number; seconds: number }> {
  const client = server.name === "node-tls" ? "tls-handshakes" : "quic-handshakes";
  const args = [server.port, seconds, CONCURRENCY].map(String);
  const result = await runClient<{ count: number; seconds: number; error?: string }>(
    client,
    args,
    TIMEOUT_MS,
  );
  if (result.error !== undefined) throw new BenchError(`${server.name}: ${result.error}`);
  return result;
}

export const handshakes: Measure = {
  name: "handshakes",
  title: `Full handshakes, ${CONCURRENCY} at a time`,
  peers: ["node-tls", "httpy-quic"],
  async run(options) {
    const compare = async (servers: Map<string, Server>) => {
      for (const server of servers.values()) await load(server, options.warmupSeconds);
      return alternate([...servers.keys()], options.rounds, (peer, round) => {
        options.progress(`${peer}, round ${round + 1} of ${options.rounds}`);
        const server = servers.get(peer) as Server;
        return timed(server, async () => {
          const { count, seconds } = await load(server, options.secondsPerRound);
          return { value: count / seconds, seconds };
        });
      });
    };
    return {
      unit: "handshakes/s",
      better: "higher",
      series: await withServers(options.selectPeers(this.peers), compare),
      bars: [{ kind: "ratio", subject: "httpy-quic", peer: "node-tls", direction: "at least", factor: 1 }],
      notes: [
        "Both clients verify the server's signature. A client costs about as much as its server: the ratio per server CPU second tells the servers apart.",
      ],
    };
  },
};
