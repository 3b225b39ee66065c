/*
 * This server and what one would use in its place: frameworks on Node, the servers of Bun and Deno on their own runtimes, Starlette
 * and Flask on Python. One process each, on one core.
 *
 * Whatever is not on the machine is installed below build/tools/ on the first run: Python's packages into an environment of their
 * own, Bun and Deno from npm.
 */
import { compareRequests } from "../compare.ts";
import type { Answer } from "../compare.ts";
import { items } from "../frameworks/items.ts";
import { requireWrk, runWrk } from "../load/wrk.ts";
import { installPeers } from "../peers.ts";
import { residentBytes, withServers } from "../process.ts";
import type { Server } from "../process.ts";
import { requireRuntime, startPeer } from "../programs.ts";
import type { Program } from "../programs.ts";
import { alternate } from "../rounds.ts";
import { atLeast } from "../suite.ts";
import type { Bar, Measure, Suite } from "../suite.ts";
import { millisecondsToFirstAnswer } from "./h1-start.ts";
import { compareLoad, runLoad } from "./ws.ts";

const CONNECTION_COUNT = 64;
const ECHO_BODY_LEN = 1024;
const LARGE_CONNECTION_COUNT = 16;
const MIB = 2 ** 20;

const PROGRAMS: Readonly<Record<string, Program>> = {
  httpy: { file: "httpy.mjs", runtime: "node" },
  "httpy-bun": { file: "httpy.mjs", runtime: "bun" },
  "httpy-deno": { file: "httpy.mjs", runtime: "deno" },
  fastify: { file: "fastify.mjs", runtime: "node" },
  hono: { file: "hono.mjs", runtime: "node" },
  express: { file: "express.mjs", runtime: "node" },
  ws: { file: "ws.mjs", runtime: "node" },
  "bun-serve": { file: "bun.mjs", runtime: "bun" },
  "deno-serve": { file: "deno.mjs", runtime: "deno" },
  starlette: { file: "starlette_server.py", runtime: "python" },
  "starlette-plain": { file: "starlette_server.py", runtime: "python", args: ["plain"] },
  flask: { file: "flask_server.py", runtime: "python" },
  "raw-net": { file: "raw-net.mjs", folder: "servers", runtime: "node" },
};
const PEERS = Object.keys(PROGRAMS).filter((name) => name !== "ws" && name !== "raw-net");
const SOCKET_PEERS = ["httpy", "httpy-bun", "httpy-deno", "ws", "bun-serve", "deno-serve", "starlette"];

const start = (name: string): Promise<Server> => startPeer(name, PROGRAMS[name] as Program);

const SMALL_BARS = [
  atLeast("httpy", "starlette", 8),
  atLeast("httpy", "starlette-plain", 8),
  atLeast("httpy", "flask", 20),
  atLeast("httpy-bun", "bun-serve", 1),
  atLeast("httpy-deno", "deno-serve", 0.75),
];

interface Requests {
  name: string;
  title: string;
  path: string;
  expected: Answer;
  bars: Bar[];
  morePeers?: string[];
  notes?: string[];
  load?: { connectionCount?: number; method?: string; bodyLen?: number };
}

function requests({ name, title, path, expected, bars, load, ...more }: Requests): Measure {
  const connectionCount = load?.connectionCount ?? CONNECTION_COUNT;
  return {
    name,
    title: `${title}, ${connectionCount} connections`,
    peers: [...PEERS, ...(more.morePeers ?? [])],
    async run(options) {
      const peers = options.selectPeers(this.peers);
      const comparison = { peers, path, load: { ...load, connectionCount }, expected, start };
      const series = await compareRequests(comparison, options);
      return { unit: "requests/s", better: "higher", series, bars, notes: more.notes ?? [] };
    },
  };
}

const json = (value: unknown): Answer => ({
  status: 200,
  contentType: "application/json",
  body: JSON.stringify(value),
});

const webSocket: Measure = {
  name: "websocket",
  title: `WebSocket, 16 bytes echoed, ${CONNECTION_COUNT} connections × 4 in flight`,
  peers: SOCKET_PEERS,
  async run(options) {
    const load = (server: Server, seconds: number) =>
      runLoad(server, "ws-echo", [CONNECTION_COUNT, 4, 16, seconds]);
    const series = await compareLoad(options.selectPeers(this.peers), options, load, start);
    return {
      unit: "messages/s",
      better: "higher",
      series,
      bars: [atLeast("httpy", "ws", 2.5)],
      notes: [
        "The client is a Node process on the other core: where the server's CPU is not full, it set the pace.",
        "`ws` is the package by which Fastify and Express have WebSockets. Flask has none.",
      ],
    };
  },
};

const memory: Measure = {
  name: "memory",
  title: "Resident memory after a second of small GETs",
  peers: PEERS,
  async run(options) {
    const peers = options.selectPeers(this.peers);
    const rounds = Math.min(options.rounds, 3);
    const series = await alternate(peers, rounds, (peer) =>
      withServers(
        [peer],
        async (servers) => {
          const server = servers.get(peer) as Server;
          const url = `http://127.0.0.1:${server.port}/`;
          await runWrk({ peer, url, connectionCount: CONNECTION_COUNT, seconds: 1 });
          return { value: residentBytes(server.process) / MIB };
        },
        [],
        start,
      ),
    );
    return { unit: "MiB", better: "lower", series, bars: [], notes: ["Of the process and its workers."] };
  },
};

const startTime: Measure = {
  name: "start",
  title: "Start of the process to its first answer",
  peers: PEERS,
  async run(options) {
    const peers = options.selectPeers(this.peers);
    // The first start of each reads its files from disk; it is not counted.
    for (const peer of peers) await millisecondsToFirstAnswer(peer, start);
    const series = await alternate(peers, options.rounds, async (peer) => ({
      value: await millisecondsToFirstAnswer(peer, start),
    }));
    return { unit: "ms", better: "lower", series, bars: [], notes: [] };
  },
};

export const frameworks: Suite = {
  name: "frameworks",
  async prepare(options) {
    requireWrk();
    installPeers(options.progress);
    for (const peer of options.selectPeers(Object.keys(PROGRAMS))) {
      requireRuntime((PROGRAMS[peer] as Program).runtime, options.progress);
    }
  },
  measures: [
    requests({
      name: "text",
      title: "GET of a short text",
      path: "/",
      expected: { status: 200, contentType: "text/plain", body: "Hello, World!" },
      bars: SMALL_BARS,
      morePeers: ["raw-net"],
      notes: [
        "`raw-net` is no server: `node:net` that writes one constant answer for whatever it reads. " +
          "What Node's sockets cost is the ceiling of every server on Node, and a ratio to a server elsewhere can be no larger than the ceiling's.",
      ],
    }),
    requests({
      name: "json",
      title: "GET of small JSON",
      path: "/json",
      expected: json({ message: "Hello, World!" }),
      bars: SMALL_BARS.slice(0, 3),
    }),
    requests({
      name: "params",
      title: "GET with a path parameter",
      path: "/items/42",
      expected: json({ id: "42" }),
      bars: [],
    }),
    requests({
      name: "echo",
      title: `POST of ${ECHO_BODY_LEN} bytes, echoed`,
      path: "/echo",
      expected: {
        status: 200,
        contentType: "application/octet-stream",
        body: "x".repeat(ECHO_BODY_LEN),
      },
      load: { method: "POST", bodyLen: ECHO_BODY_LEN },
      bars: [],
    }),
    requests({
      name: "large",
      title: `GET of ${Math.round(JSON.stringify(items).length / 1000)} KB of JSON, made for each answer`,
      path: "/large",
      expected: json(items),
      load: { connectionCount: LARGE_CONNECTION_COUNT },
      bars: [],
    }),
    webSocket,
    memory,
    startTime,
  ],
  preface: [
    "This server and what one would use in its place, each as one process on one core: Fastify, Hono and Express on Node, `Bun.serve`",
    "and `Deno.serve` on their own runtimes, Starlette under uvicorn and Flask under gunicorn (threads) on Python. `starlette` has what",
    "`pip install uvicorn[standard]` brings (uvloop, httptools), `starlette-plain` what `pip install uvicorn` does (asyncio, h11).",
    "`httpy` runs on Node, `httpy-bun` and `httpy-deno` are the same package on those runtimes. Each program is in `bench/frameworks/`.",
    "",
    "To run it again, in full or in parts (a part keeps what the report has of the others):",
    "",
    "```sh",
    "npm run bench -- frameworks --publish",
    "npm run bench -- frameworks --only text,json --rounds 3 --seconds 1 --publish",
    "```",
    "",
    "wrk must be installed; Python, if it is there, is given what it needs in an environment below `build/`, and Bun and Deno come from",
    "npm. Only ratios within one run mean something: how to read them is in `bench/README.md`. On Linux, where other work shares the",
    "machine, `chrt -r 1 npm run bench -- …` as root leaves server and load the cores that they are pinned to.",
    "",
  ].join("\n"),
};
