/*
 * ngtcp2's gtlsserver and gtlsclient: HTTP/3 in C, as a peer and as load.
 *
 * The server sends one datagram per system call (`--max-gso-dgrams=1`), since no JavaScript runtime can do more, and serves a
 * folder. The client says nothing of what it was answered, so each peer's answer is fetched and looked at once before anything is
 * timed. Its time is that of the process, from its start to its end: a handshake and the start of a program are in it, on both
 * sides of a ratio.
 */
import { execFile } from "node:child_process";
import { createSocket } from "node:dgram";
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { bundleFolder, certificateFolder } from "./paths.ts";
import { LineProcess, LOAD_CORE, SERVER_CORE, commandExists, endWithBench, pin } from "./process.ts";
import type { Server } from "./process.ts";
import { BenchError } from "./suite.ts";

const execFileAsync = promisify(execFile);
const TIMEOUT_MS = 60_000;
const START_TIMEOUT_MS = 2_000;
const START_TRIES = 20;
const TRY_INTERVAL_MS = 50;
const documentFolder = join(bundleFolder, "quic-documents");

export const hasGtlsServer = commandExists("gtlsserver", ["--help"]);
export const hasGtlsClient = commandExists("gtlsclient", ["--help"]);

/** A file of zeros that takes no room on disk, and which gtlsserver serves under its name. */
export function zerosFile(byteCount: number): string {
  mkdirSync(documentFolder, { recursive: true });
  const path = join(documentFolder, `zeros-${byteCount}`);
  const descriptor = openSync(path, "w");
  ftruncateSync(descriptor, byteCount);
  closeSync(descriptor);
  return path;
}

export async function startGtlsServer(name: string): Promise<Server> {
  const port = await freePort();
  const path = pathOf(zerosFile(1));
  const child = new LineProcess(name, SERVER_CORE, "gtlsserver", [
    ...["-q", "-d", documentFolder, "--max-gso-dgrams=1", "127.0.0.1", String(port)],
    ...[join(certificateFolder, "key.pem"), join(certificateFolder, "cert.pem")],
  ]);
  const server = { process: child, name, port };
  let reason = "";
  for (let i = 0; i < START_TRIES; i++, await sleep(TRY_INTERVAL_MS)) {
    try {
      await runGtlsClient({ server, path, timeoutMs: START_TIMEOUT_MS });
      return server;
    } catch (error) {
      reason = (error as Error).message;
    }
  }
  await child.stop();
  throw new BenchError(`${name} did not begin to serve: ${reason}`);
}

/** The path by which gtlsserver serves a file of `zerosFile`. */
export function pathOf(file: string): string {
  return `/${basename(file)}`;
}

export interface GtlsRequest {
  server: Server;
  path: string;
  /** The content of a POST; without one it is a GET. */
  bodyFile?: string;
  timeoutMs?: number;
}

/** Makes one request on one connection and answers how long the client's process ran. */
export async function runGtlsClient(
  request: GtlsRequest,
  flags: string[] = [],
): Promise<{ seconds: number }> {
  const { server, path, bodyFile, timeoutMs = TIMEOUT_MS } = request;
  const [command, args] = pin(LOAD_CORE, "gtlsclient", [
    ...["-q", "--exit-on-all-streams-close", ...flags],
    ...(bodyFile === undefined ? [] : ["-m", "POST", "-d", bodyFile]),
    ...["127.0.0.1", String(server.port), `https://localhost${path}`],
  ]);
  const startedAt = performance.now();
  const running = execFileAsync(command, args, { timeout: timeoutMs });
  endWithBench(running.child);
  try {
    await running;
  } catch (error) {
    throw new BenchError(`gtlsclient failed against ${server.name} at ${path}: ${(error as Error).message}`);
  }
  return { seconds: (performance.now() - startedAt) / 1000 };
}

/** The content that a request is answered with: for checking an answer, and not for timing it. */
export async function fetchByGtlsClient(request: GtlsRequest): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), "httpy-bench-"));
  try {
    await runGtlsClient(request, [`--download=${folder}`]);
    const [file] = readdirSync(folder);
    return file === undefined ? Buffer.alloc(0) : readFileSync(join(folder, file));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createSocket("udp4").on("error", reject);
    probe.bind(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
