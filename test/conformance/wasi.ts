// The servers of examples/wasi on the hosts there are: node:wasi, wasmtime and wazero run the command of preview 1, wazero the one
// on preopened sockets (wasmtime's preview 1 has no `sock_accept`), wasmtime and jco the component of 0.2. All are asked the same
// (test/runtime/wasi_checks.ts), over TCP by inetd's way where the host has no sockets.

import { once } from "node:events";
import http2 from "node:http2";
import net from "node:net";
import type { Program } from "../runtime/program.ts";
import { root, startNode, startProgram } from "../runtime/program.ts";
import { wasiChecks } from "../runtime/wasi_checks.ts";
import { findProgram, problemOf, results, skipped } from "./suite.ts";
import type { Suite, SuiteResult } from "./suite.ts";
import { goTool, npmTool, pythonWith, WASMTIME_OF_PYPI } from "./tools.ts";

const JCO_VERSION = "1.35.0";
const WAZERO = "github.com/tetratelabs/wazero/cmd/wazero@v1.12.0";
const START_TIMEOUT_MS = 60_000;
/** More than one batch of connections, and more than what a host polls in one go. */
const CONNECTION_COUNT = 300;

interface Host {
  /** What shows in the suite's name. */
  readonly name: string;
  /** Which of build/wasi it runs. */
  readonly build: "stdio" | "preopened" | "server";
  /** Starts it; a word why not where it is missing. */
  start(): Promise<Program | string>;
}

const wazero = (): string | null => goTool("wazero", WAZERO);
const inetd = (...command: string[]): Program => startNode(["examples/wasi/inetd.mjs", "0", ...command]);
const stdio = "build/wasi/stdio.wasm";
const component = "build/wasi/server.component.wasm";

const hosts: readonly Host[] = [
  {
    name: "stdio under node:wasi",
    build: "stdio",
    start: async () => inetd(process.execPath, "--no-warnings", "examples/wasi/run.mjs", stdio),
  },
  {
    name: "stdio under wasmtime",
    build: "stdio",
    async start() {
      const cli = findProgram("wasmtime");
      if (cli !== null) return inetd(cli, "run", stdio);
      const python = pythonWith("wasmtime", [WASMTIME_OF_PYPI]);
      if (python === null) return "neither wasmtime nor Python with PyPI's wasmtime can be had";
      return inetd(python, "examples/wasi/wasmtime_command.py", stdio);
    },
  },
  {
    name: "stdio under wazero",
    build: "stdio",
    async start() {
      const path = wazero();
      return path === null ? `no wazero: go install ${WAZERO}` : inetd(path, "run", stdio);
    },
  },
  {
    name: "preopened under wazero",
    build: "preopened",
    async start() {
      const path = wazero();
      if (path === null) return `no wazero: go install ${WAZERO}`;
      // It does not say which port it took: one that was free a moment ago has to do.
      const port = await freePort();
      const program = startProgram(path, ["run", `-listen=127.0.0.1:${port}`, "build/wasi/preopened.wasm"]);
      await untilAccepted(port);
      return Object.assign(program, { prints: async () => urlMatch(port) });
    },
  },
  {
    name: "component under wasmtime",
    build: "server",
    async start() {
      const cli = findProgram("wasmtime");
      if (cli !== null) {
        return startProgram(cli, ["run", "-S", "inherit-network", "--env", "PORT=0", component]);
      }
      const python = pythonWith("wasmtime", [WASMTIME_OF_PYPI]);
      if (python === null) return "neither wasmtime nor Python with PyPI's wasmtime can be had";
      return startProgram(python, ["examples/wasi/wasmtime_component.py", component], { PORT: "0" });
    },
  },
  {
    name: "component under jco",
    build: "server",
    async start() {
      const script = npmTool("@bytecodealliance/jco", JCO_VERSION, "dist/jco.js");
      return script === null
        ? `npm cannot install @bytecodealliance/jco@${JCO_VERSION}`
        : startProgram(process.execPath, [script, "run", component], { PORT: "0" }, root, true);
    },
  },
];

export const wasiSuites: Suite[] = hosts.map((host) => ({
  name: `wasi: ${host.name}`,
  run: () => runHost(host),
}));

async function runHost(host: Host): Promise<SuiteResult> {
  const build = startNode(["scripts/wasi.mjs", host.build]);
  if ((await build.ended()) !== 0) return results([["build", build.stderr()]]);
  const program = await host.start();
  if (typeof program === "string") return skipped(program);
  try {
    const url = (await program.prints(/^listening on (http:\S+)\/$/m, START_TIMEOUT_MS))[1]!;
    const checks: [string, string | null][] = [];
    for (const [name, check] of Object.entries(wasiChecks))
      checks.push([name, await problemOf(() => check(url))]);
    if (host.build !== "stdio") {
      checks.push([`${CONNECTION_COUNT} connections at once`, await problemOf(() => manyConnections(url))]);
    }
    return results(checks);
  } finally {
    await program.stop("SIGKILL");
  }
}

/** Connections that are all open before the first of them asks. */
async function manyConnections(url: string): Promise<void> {
  const sessions = await Promise.all(
    Array.from({ length: CONNECTION_COUNT }, async () => {
      const session = http2.connect(url);
      await once(session, "connect");
      return session;
    }),
  );
  try {
    await Promise.all(
      sessions.map(async (session) => {
        const stream = session.request({ ":path": "/json" });
        const [headers] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
        if (Number(headers[":status"]) !== 200) throw new Error(`answered ${Number(headers[":status"])}`);
        stream.resume();
        await once(stream, "close");
      }),
    );
  } finally {
    for (const session of sessions) session.destroy();
  }
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function untilAccepted(port: number): Promise<void> {
  for (const deadline = Date.now() + START_TIMEOUT_MS; Date.now() < deadline;) {
    const socket = net.connect(port, "127.0.0.1");
    const isAccepted = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    socket.destroy();
    if (isAccepted) return;
    await new Promise((wake) => setTimeout(wake, 50));
  }
}

function urlMatch(port: number): RegExpExecArray {
  return /^listening on (http:\S+)\/$/m.exec(`listening on http://127.0.0.1:${port}/`)!;
}
