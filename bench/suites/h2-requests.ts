/*
 * Request rates over HTTP/2: a small GET on many streams of few connections, without TLS and with it.
 *
 * `raw-h2c` is a ceiling and no server. `nghttpd` takes part where it is installed; it is a mark to aim at, and no bar
 * is held against it.
 */
import { timed } from "../compare.ts";
import { runH2load } from "../load/h2load.ts";
import { hasNghttpd, startNghttpd } from "../nghttpd.ts";
import { startServer, withServers } from "../process.ts";
import type { Server } from "../process.ts";
import { alternate } from "../rounds.ts";
import { get, openSession, originOf } from "../session.ts";
import { BenchError } from "../suite.ts";
import type { Bar, Measure, RunOptions, Series } from "../suite.ts";

const CONNECTION_COUNT = 16;
const STREAM_COUNT = 32;
const HELLO = "Hello, World!";

type Start = (name: string, nodeFlags: string[]) => Promise<Server>;

const startPeer: Start = (name, nodeFlags) =>
  name.startsWith("nghttpd") ? startNghttpd(name, HELLO) : startServer(name, nodeFlags);

/** Small GETs per second on many streams; each peer answers HELLO on `/`. */
export async function compareStreams(
  peers: string[],
  options: RunOptions,
  start: Start = startPeer,
): Promise<Series[]> {
  const load = (server: Server, seconds: number) =>
    runH2load({
      peer: server.name,
      url: `${originOf(server)}/`,
      connectionCount: CONNECTION_COUNT,
      streamCount: STREAM_COUNT,
      extent: { seconds },
    });
  const compare = async (servers: Map<string, Server>) => {
    for (const server of servers.values()) {
      await expectHello(server);
      await load(server, options.warmupSeconds);
    }
    return alternate(peers, options.rounds, async (peer, round) => {
      options.progress(`${peer}, round ${round + 1} of ${options.rounds}`);
      const server = servers.get(peer) as Server;
      return timed(server, async () => {
        const { requestCount, contentBytes, seconds } = await load(server, options.secondsPerRound);
        if (contentBytes < requestCount * HELLO.length) {
          throw new BenchError(`${peer} sent ${contentBytes} bytes of content for ${requestCount} answers`);
        }
        return { value: requestCount / seconds, seconds };
      });
    });
  };
  return withServers(peers, compare, [], start);
}

async function expectHello(server: Server): Promise<void> {
  const session = openSession(server);
  const content = await get(server, session, "/");
  session.destroy();
  if (content !== HELLO)
    throw new BenchError(`${server.name} gave the wrong answer: ${content.slice(0, 300)}`);
}

function streamsMeasure(
  name: string,
  title: string,
  peers: string[],
  bar: Bar,
  facts: string[] = [],
): Measure {
  return {
    name,
    title,
    peers: peers.filter((peer) => hasNghttpd || !peer.startsWith("nghttpd")),
    async run(options) {
      const isMissing = "nghttpd is not installed and was left out (Debian and Ubuntu: nghttp2-server).";
      return {
        unit: "requests/s",
        better: "higher",
        series: await compareStreams(options.selectPeers(this.peers), options),
        bars: [bar],
        notes: hasNghttpd ? facts : [...facts, isMissing],
      };
    },
  };
}

/** The load, for titles. */
export const SHAPE = `${CONNECTION_COUNT} connections × ${STREAM_COUNT} streams`;

export const streams = streamsMeasure(
  "streams",
  `Small GET, ${SHAPE}, h2c`,
  ["raw-h2c", "nghttpd", "node-http2", "httpy"],
  { kind: "ratio", subject: "httpy", peer: "node-http2", direction: "at least", factor: 6 },
  ["raw-h2c decodes nothing and writes one constant answer per HEADERS frame."],
);

export const streamsTls = streamsMeasure(
  "streams-tls",
  `Small GET, ${SHAPE}, TLS`,
  ["nghttpd-tls", "node-http2-tls", "httpy-tls"],
  { kind: "ratio", subject: "httpy-tls", peer: "node-http2-tls", direction: "at least", factor: 4 },
);
