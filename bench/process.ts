/*
 * Child processes of the bench: servers and load clients, each pinned to its own core.
 *
 * A server runs on core 0 and the load on core 1, where `taskset` exists and the machine has two; elsewhere both run
 * unpinned and the report says so. Children speak in lines on stdout; a server's first line is `ready PORT`. Memory
 * and CPU are read from outside, so a peer needs no code for them.
 *
 * Invariant: no child outlives the bench. Each is killed when the bench exits for whatever reason; one that loses its
 * IPC channel (the bench was killed outright) ends itself, see servers/ready.ts.
 */
import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, platform } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { bundleFolder } from "./paths.ts";
import { BenchError } from "./suite.ts";

export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

/** A server that has not spoken after this long never will; the slowest peer starts in under a second. */
const READY_TIMEOUT_MS = 15_000;
const GC_TIMEOUT_MS = 30_000;

const running = new Set<ChildProcess>();

process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(1));

/** Puts a child under the invariant: it is killed when the bench exits. */
export function endWithBench(child: ChildProcess): void {
  running.add(child);
  child.once("close", () => running.delete(child));
}

export const pinning: "taskset" | "none" = findPinning();

function findPinning(): "taskset" | "none" {
  if (platform() !== "linux" || availableParallelism() < 2) return "none";
  return commandExists("taskset", ["--version"]) ? "taskset" : "none";
}

export function commandExists(command: string, args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch (error) {
    // Some tools (wrk among them) print their version and exit with 1: only a missing file means a missing tool.
    return (error as NodeJS.ErrnoException).code !== "ENOENT";
  }
}

/** The command line that runs `command` on one core. */
export function pin(core: number, command: string, args: string[]): [command: string, args: string[]] {
  return pinning === "taskset" ? ["taskset", ["-c", String(core), command, ...args]] : [command, args];
}

/** A child said nothing within the time it was given. */
export class SilenceError extends BenchError {}

/** A child that speaks in lines. */
export class LineProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #exited: Promise<void>;

  constructor(name: string, core: number, command: string, args: string[]) {
    this.name = name;
    const [pinnedCommand, pinnedArgs] = pin(core, command, args);
    this.#child = spawn(pinnedCommand, pinnedArgs, {
      stdio: ["ignore", "pipe", "inherit", "ipc"],
      env: { ...process.env, NODE_ENV: "production" },
    });
    endWithBench(this.#child);
    this.#exited = new Promise((resolve) => this.#child.once("close", () => resolve()));
    this.#child.once("error", () => {});
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  /** The process id, while there is a process behind it. */
  get pid(): number {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) {
      throw new BenchError(
        `${this.name} ended during the measure (${signalCode ?? `exit code ${exitCode}`})`,
      );
    }
    return pid;
  }

  async nextLine(timeoutMs: number): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new SilenceError(`${this.name} said nothing for ${timeoutMs} ms`)),
        timeoutMs,
      );
    });
    try {
      const next = await Promise.race([this.#lines.next(), late]);
      if (next.done) throw new BenchError(`${this.name} ended early; its last words, if any, are on stderr`);
      return next.value;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Runs a full garbage collection in the child; it must have been started with --expose-gc. */
  async collectGarbage(): Promise<void> {
    const answered = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new BenchError(`${this.name} did not collect its garbage`)),
        GC_TIMEOUT_MS,
      );
      this.#child.once("message", () => {
        clearTimeout(timer);
        resolve();
      });
    });
    this.#child.send("collect garbage");
    await answered;
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }
}

export interface Server {
  process: LineProcess;
  name: string;
  port: number;
}

/** Starts bench/servers/NAME.ts and resolves when it accepts connections. */
export function startServer(name: string, nodeFlags: string[] = []): Promise<Server> {
  const file = join(bundleFolder, "servers", `${name}.mjs`);
  return startCommand(name, process.execPath, [...nodeFlags, file]);
}

/** Starts a server of any kind, which says `ready PORT` once it accepts connections. */
export async function startCommand(name: string, command: string, args: string[]): Promise<Server> {
  const child = new LineProcess(name, SERVER_CORE, command, args);
  try {
    const line = await child.nextLine(READY_TIMEOUT_MS);
    const port = Number(/^ready (\d+)$/.exec(line)?.[1]);
    if (!port) throw new BenchError(`${name} said "${line}" where "ready PORT" was awaited`);
    return { process: child, name, port };
  } catch (error) {
    await child.stop();
    throw error;
  }
}

/** Starts the named servers, hands them over, and stops them whatever happens. */
export async function withServers<T>(
  names: string[],
  use: (servers: Map<string, Server>) => Promise<T>,
  nodeFlags: string[] = [],
  start: (name: string, nodeFlags: string[]) => Promise<Server> = startServer,
): Promise<T> {
  const servers = new Map<string, Server>();
  try {
    for (const name of names) servers.set(name, await start(name, nodeFlags));
    return await use(servers);
  } finally {
    for (const server of servers.values()) await server.process.stop();
  }
}

/** Starts bench/load/NAME.ts on the load's core. */
export function startClient(file: string, args: string[]): LineProcess {
  return new LineProcess(basename(file), LOAD_CORE, process.execPath, [
    join(bundleFolder, "load", `${file}.mjs`),
    ...args,
  ]);
}

/** Runs bench/load/NAME.ts to its one line of JSON. */
export async function runClient<T>(file: string, args: string[], timeoutMs: number): Promise<T> {
  const client = startClient(file, args);
  try {
    return JSON.parse(await client.nextLine(timeoutMs)) as T;
  } finally {
    await client.stop();
  }
}

/** Of the process and those it started. */
export function residentBytes({ pid }: LineProcess): number {
  if (platform() === "linux") {
    return familyOf(pid)
      .map((one) => /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${one}/status`, "utf8"))?.[1])
      .reduce((sum, kib) => sum + Number(kib) * 1024, 0);
  }
  return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" })) * 1024;
}

/** A process and its children, such as the worker of a server that has a master. */
function familyOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return [pid, ...(children === "" ? [] : children.split(" ").map(Number))];
}

/** CPU time used so far by a process, its threads and its children, or undefined where the system does not tell. */
export function cpuSeconds({ pid }: LineProcess): number | undefined {
  if (platform() !== "linux") return undefined;
  return familyOf(pid).reduce((sum, one) => sum + cpuSecondsOf(one), 0);
}

function cpuSecondsOf(pid: number): number {
  // The command's name, in parentheses, may hold spaces; utime and stime are the 12th and 13th fields after it.
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // USER_HZ is 100 on every Linux that Node supports.
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
