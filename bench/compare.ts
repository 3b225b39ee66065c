/*
 * Servers under the same request load, in alternating rounds: the shape of most measures.
 *
 * All peers of a measure are started together and stay up; a server without load costs the others nothing, and each
 * round then finds every peer as warm as the last one left it. Before anything is timed each peer must give the
 * expected answer, and each gets a warm-up of its own.
 */
import { request } from "node:http";
import { runWrk } from "./load/wrk.ts";
import type { WrkLoad } from "./load/wrk.ts";
import { cpuSeconds, withServers } from "./process.ts";
import type { Server } from "./process.ts";
import { alternate } from "./rounds.ts";
import { BenchError } from "./suite.ts";
import type { RunOptions, Sample, Series } from "./suite.ts";

export interface Answer {
  status: number;
  contentType: string;
  body: string;
  headers?: Record<string, string>;
}

export interface RequestComparison {
  peers: string[];
  path: string;
  load: Omit<WrkLoad, "peer" | "url" | "seconds">;
  expected: Answer;
  /** How a peer is started; by default as bench/servers/NAME.ts. */
  start?: (name: string) => Promise<Server>;
}

/** Requests per second of each peer under `load`. */
export async function compareRequests(comparison: RequestComparison, options: RunOptions): Promise<Series[]> {
  const { peers, path, load, expected, start } = comparison;
  const measure = async (servers: Map<string, Server>) => {
    const urlOf = ({ port }: Server) => `http://127.0.0.1:${port}${path}`;
    const apply = (server: Server, seconds: number) =>
      runWrk({ ...load, peer: server.name, url: urlOf(server), seconds });
    for (const server of servers.values()) {
      await expectAnswer(server.name, urlOf(server), load, expected);
      await apply(server, options.warmupSeconds);
    }
    return alternate(peers, options.rounds, async (peer, round) => {
      options.progress(`${peer}, round ${round + 1} of ${options.rounds}`);
      const server = servers.get(peer) as Server;
      return timed(server, async () => {
        const result = await apply(server, options.secondsPerRound);
        return { value: result.requestsPerSecond, seconds: result.seconds, ...result.latency };
      });
    });
  };
  return withServers(peers, measure, [], start);
}

/** Takes a sample and adds the share of its core that the server used meanwhile. */
export async function timed(
  server: Server,
  takeSample: () => Promise<Sample & { seconds: number }>,
): Promise<Sample> {
  const before = cpuSeconds(server.process);
  const sample = await takeSample();
  const after = cpuSeconds(server.process);
  if (before === undefined || after === undefined) return sample;
  return { ...sample, serverCpu: (after - before) / sample.seconds };
}

async function expectAnswer(
  peer: string,
  url: string,
  load: RequestComparison["load"],
  expected: Answer,
): Promise<void> {
  const answer = await ask(url, load.method ?? "GET", "x".repeat(load.bodyLen ?? 0));
  const wrong =
    answer.status !== expected.status ||
    contentOf(answer) !== contentOf(expected) ||
    !answer.contentType.startsWith(expected.contentType) ||
    Object.entries(expected.headers ?? {}).some(([name, value]) => answer.headers?.[name] !== value);
  if (wrong)
    throw new BenchError(`${peer} gave the wrong answer to ${url}: ${JSON.stringify(answer).slice(0, 300)}`);
}

/** JSON without the blanks that a peer may put between its tokens. */
function contentOf({ contentType, body }: Answer): string {
  return contentType.startsWith("application/json") ? JSON.stringify(JSON.parse(body)) : body;
}

function ask(url: string, method: string, body: string): Promise<Required<Answer>> {
  return new Promise((resolve, reject) => {
    const headers =
      body === "" ? {} : { "content-length": body.length, "content-type": "application/octet-stream" };
    const req = request(url, { method, headers, agent: false }, (res) => {
      let text = "";
      res.setEncoding("latin1");
      res.on("data", (chunk: string) => (text += chunk));
      res.on("error", reject);
      res.on("end", () =>
        resolve({
          status: res.statusCode ?? 0,
          contentType: res.headers["content-type"] ?? "",
          body: text,
          headers: res.headers as Record<string, string>,
        }),
      );
    });
    req.on("error", reject);
    req.end(body);
  });
}
