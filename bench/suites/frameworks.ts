/*
 * This server and what one would use in its place: frameworks on Node, the servers of Bun and Deno on their own runtimes, Starlette
 * and Flask on Python. One process each, on one core.
 *
 * Whatever is not on the machine is installed below build/tools/ on the first run: Python's packages into an environment of their
 * own, Bun and Deno from npm.
 */
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { runtimes } from "../../test/conformance/runtimes.ts";
import { pythonWith } from "../../test/conformance/tools.ts";
import { compareRequests } from "../compare.ts";
import type { Answer } from "../compare.ts";
import { items } from "../frameworks/items.ts";
import { requireWrk, runWrk } from "../load/wrk.ts";
import { benchFolder, bundleFolder, reportFolder } from "../paths.ts";
import { installPeers } from "../peers.ts";
import { residentBytes, startCommand, withServers } from "../process.ts";
import type { Server } from "../process.ts";
import { alternate } from "../rounds.ts";
import { BenchError } from "../suite.ts";
import type { Bar, Measure, Suite } from "../suite.ts";
import { millisecondsToFirstAnswer } from "./h1-start.ts";
import { compareLoad, runLoad } from "./ws.ts";

const PYTHON_PACKAGES = [
  "starlette==1.10.0",
  "uvicorn==0.54.0",
  "uvloop==0.23.0",
  "httptools==0.9.0",
  "websockets==17.4",
  "flask==3.1.3",
  "gunicorn==27.0.1",
];
const CONNECTION_COUNT = 64;
const ECHO_BODY_LEN = 1024;
const LARGE_CONNECTION_COUNT = 16;
const MIB = 2 ** 20;

/** The program of a peer and what runs it. */
interface Program {
  readonly file: string;
  readonly runtime: "node" | "deno" | "bun" | "python";
}

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
  flask: { file: "flask_server.py", runtime: "python" },
};
const PEERS = Object.keys(PROGRAMS).filter((name) => name !== "ws");
const SOCKET_PEERS = ["httpy", "httpy-bun", "httpy-deno", "ws", "bun-serve", "deno-serve", "starlette"];

const commands = new Map<Program["runtime"], readonly string[]>();

function commandOf(runtime: Program["runtime"]): readonly string[] {
  if (runtime === "node") return [process.execPath];
  let command = commands.get(runtime);
  if (command !== undefined) return command;
  if (runtime === "python") {
    const python = pythonWith("python-frameworks", PYTHON_PACKAGES);
    if (python !== null) command = [python];
  } else {
    command = runtimes.find(({ name }) => name === runtime)?.command() ?? undefined;
  }
  if (command === undefined) throw new BenchError(`${runtime} can not be had; leave it out with --peers`);
  commands.set(runtime, command);
  return command;
}

function pathOf(file: string, runtime: Program["runtime"]): string {
  if (runtime === "python") return join(benchFolder, "frameworks", file);
  const bundle = join(bundleFolder, "frameworks", file);
  if (runtime !== "deno") return bundle;
  // Deno loads what lies below node_modules by other rules, and no file from outside there.
  const folder = join(reportFolder, "programs");
  mkdirSync(folder, { recursive: true });
  copyFileSync(bundle, join(folder, file));
  return join(folder, file);
}

async function start(name: string): Promise<Server> {
  const { file, runtime } = PROGRAMS[name] as Program;
  const [command, ...args] = commandOf(runtime) as [string, ...string[]];
  return startCommand(name, command, [...args, pathOf(file, runtime)]);
}

const bar = (subject: string, peer: string, factor: number): Bar => ({
  kind: "ratio",
  subject,
  peer,
  direction: "at least",
  factor,
});
const SMALL_BARS = [
  bar("httpy", "starlette", 8),
  bar("httpy", "flask", 20),
  bar("httpy-bun", "bun-serve", 1),
  bar("httpy-deno", "deno-serve", 0.75),
];

interface Requests {
  name: string;
  title: string;
  path: string;
  expected: Answer;
  bars: Bar[];
  load?: { connectionCount?: number; method?: string; bodyLen?: number };
}

function requests({ name, title, path, expected, bars, load }: Requests): Measure {
  const connectionCount = load?.connectionCount ?? CONNECTION_COUNT;
  return {
    name,
    title: `${title}, ${connectionCount} connections`,
    peers: PEERS,
    async run(options) {
      const peers = options.selectPeers(this.peers);
      const comparison = { peers, path, load: { ...load, connectionCount }, expected, start };
      const series = await compareRequests(comparison, options);
      return { unit: "requests/s", better: "higher", series, bars, notes: [] };
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
      bars: [bar("httpy", "ws", 2.5)],
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
      const { runtime } = PROGRAMS[peer] as Program;
      if (runtime !== "node" && !commands.has(runtime)) options.progress(`looking for ${runtime}`);
      commandOf(runtime);
    }
  },
  measures: [
    requests({
      name: "text",
      title: "GET of a short text",
      path: "/",
      expected: { status: 200, contentType: "text/plain", body: "Hello, World!" },
      bars: SMALL_BARS,
    }),
    requests({
      name: "json",
      title: "GET of small JSON",
      path: "/json",
      expected: json({ message: "Hello, World!" }),
      bars: SMALL_BARS.slice(0, 2),
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
    "and `Deno.serve` on their own runtimes, Starlette under uvicorn (uvloop, httptools) and Flask under gunicorn (threads) on Python.",
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
    "npm. Only ratios within one run mean something: how to read them is in `bench/README.md`.",
    "",
  ].join("\n"),
};
