// Programs of this repository as processes of their own: started, listened to, signalled.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

/** Tests and programs are started in the root; a bundled program does not lie where its source does. */
export const root = process.cwd();

/** A program of this repository that runs. */
export interface Program {
  readonly child: ChildProcess;
  /** What it wrote so far. */
  stdout(): string;
  stderr(): string;
  /** Resolves with the first match in standard output; rejects when the program ends or `timeoutMs` passes before. */
  prints(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>;
  /** Signals it and resolves with its exit code, or the name of the signal that ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals>;
  /** Resolves with the exit code, or the name of the signal, without sending anything. */
  ended(): Promise<number | NodeJS.Signals>;
}

/** Starts Node with these arguments from the project's root. */
export function startNode(args: readonly string[], env: Record<string, string> = {}): Program {
  return startProgram(process.execPath, args, env);
}

export function startProgram(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
  cwd: string = root,
  /** The program starts others, which are to end with it: signals go to all of them. */
  isGroup = false,
): Program {
  const child = spawn(command, args, {
    cwd,
    detached: isGroup,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const end = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  const ended = async () => {
    const [code, signal] = await end;
    return code ?? signal!;
  };
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    stop(signal = "SIGTERM") {
      if (isGroup && child.pid !== undefined) process.kill(-child.pid, signal);
      else child.kill(signal);
      return ended();
    },
    async prints(pattern, timeoutMs = 10_000) {
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        const match = pattern.exec(stdout);
        if (match !== null) return match;
        const isOver = child.exitCode !== null || child.signalCode !== null;
        if (isOver || performance.now() > deadline) {
          child.kill("SIGKILL");
          throw new Error(`${args.join(" ")}: no ${String(pattern)} in:\n${stdout}\n${stderr}`);
        }
        await new Promise((wake) => setTimeout(wake, 10));
      }
    },
  };
}
