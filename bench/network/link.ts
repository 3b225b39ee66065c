/*
 * A link between two namespaces of the network (link.py), and what runs at its ends.
 */
import { commandExists, LineProcess, SERVER_CORE } from "../process.ts";
import { join } from "node:path";
import { platform } from "node:os";
import { benchFolder } from "../paths.ts";
import { BenchError } from "../suite.ts";

const READY_TIMEOUT_MS = 10_000;

export interface LinkOptions {
  /** Each way. */
  readonly delayMs: number;
  /** 0 … 1, of packets in each direction alike. */
  readonly loss: number;
  readonly seed: number;
  /** The kernel's congestion control for TCP, such as "cubic" and "bbr". */
  readonly tcp: string;
}

export interface Link {
  readonly process: LineProcess;
  /** The address of the second end, as the first one sees it. */
  readonly address: string;
  /** The command line that runs a program at an end. */
  at(end: "client" | "server", command: string, args: readonly string[]): [command: string, args: string[]];
}

/** Whether this process may make a link: on Linux, as root. */
export const canLink =
  platform() === "linux" &&
  process.getuid?.() === 0 &&
  [
    ["python3", "--version"],
    ["ip", "-V"],
    ["nsenter", "--version"],
  ].every(([command, flag]) => commandExists(command as string, [flag as string]));

/** Resolves when packets pass. Rejects with a BenchError where the system allows no namespaces. */
export async function startLink({ delayMs, loss, seed, tcp }: LinkOptions): Promise<Link> {
  const args = [delayMs, loss, seed, tcp].map(String);
  const link = new LineProcess("link", SERVER_CORE, "python3", [
    join(benchFolder, "network", "link.py"),
    ...args,
  ]);
  const line = await link.nextLine(READY_TIMEOUT_MS).catch(async (error: unknown) => {
    await link.stop();
    throw error;
  });
  const [, client, server, address] = /^ready (\d+) (\d+) (\S+)$/.exec(line) ?? [];
  if (client === undefined || server === undefined || address === undefined) {
    await link.stop();
    throw new BenchError(`the link said "${line}" where its two ends were awaited`);
  }
  return {
    process: link,
    address,
    at: (end, command, rest) => [
      "nsenter",
      [`--net=/proc/${end === "client" ? client : server}/ns/net`, command, ...rest],
    ],
  };
}
