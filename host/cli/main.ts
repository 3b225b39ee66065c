#!/usr/bin/env node
// The command `httpy`: words in, a server or a text out.
//
// What is served is told on standard output; everything else goes to standard error. Exit codes: 0 after a graceful end, 1
// when something failed, 2 for a wrong command line, 130 or 143 when a second signal cut a graceful end short.

import { createRequire } from "node:module";
import { inspect } from "node:util";
import { closeOnSignals } from "../index.ts";
import type { CloseReport, Server } from "../index.ts";
import { readArguments, USAGE } from "./arguments.ts";
import { serveDemo } from "./demo.ts";
import { replayFile } from "./replay.ts";
import { serveModule } from "./serve.ts";
import { UsageError } from "./usage_error.ts";

const FAILED = 1;
const WRONG_USAGE = 2;

try {
  await run(process.argv.slice(2));
} catch (error) {
  if (error instanceof UsageError) {
    process.stderr.write(`httpy: ${error.message}\nTry httpy --help.\n`);
    process.exit(WRONG_USAGE);
  }
  process.stderr.write(`httpy: ${describe(error)}\n`);
  process.exit(FAILED);
}

async function run(words: readonly string[]): Promise<void> {
  const command = readArguments(words, process.env);
  switch (command.name) {
    case "help":
      process.stdout.write(USAGE);
      return;
    case "version":
      process.stdout.write(`${packageVersion()}\n`);
      return;
    case "replay": {
      const isSame = await replayFile(command.file, command.connection, (line) => {
        process.stdout.write(`${line}\n`);
      });
      if (!isSame) process.exitCode = FAILED;
      return;
    }
    case "serve": {
      const server = await serveModule(command.module, command.options);
      tellOf(server);
      endOnSignals(server, command.options.deadlineMs);
      return;
    }
    case "demo": {
      const { server, stop } = await serveDemo(command.options);
      tellOf(server);
      endOnSignals(server, command.options.deadlineMs, stop);
    }
  }
}

function tellOf(server: Server): void {
  const urls = new Set(server.urls);
  for (const { path } of server.addresses) if (path !== null) urls.add(path);
  for (const url of urls) process.stdout.write(`serving ${url} (${server.protocols.join(", ")})\n`);
}

function endOnSignals(server: Server, deadlineMs: number, stop?: () => void): void {
  closeOnSignals(server, {
    deadlineMs,
    onClosing: (signal) => {
      process.stderr.write(`${signal}: closing within ${deadlineMs} ms; a second signal ends at once\n`);
      stop?.();
    },
    onClosed: (report) => process.stderr.write(`closed${cutIn(report)}\n`),
  });
}

function cutIn({ connections, exchanges }: CloseReport): string {
  if (connections === 0 && exchanges === 0) return "; everything was finished";
  return `; the deadline cut ${connections} connections with ${exchanges} exchanges`;
}

/** Failures of the system and wrong options by their message; faults of a program with their stack. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause !== undefined) return `${error.message}: ${inspect(error.cause)}`;
  const isPlain = "code" in error || error instanceof RangeError || error instanceof TypeError;
  return isPlain ? error.message : inspect(error);
}

/** From the package's own manifest, which its bundles and sources both find by the package's name. */
function packageVersion(): string {
  const manifest = createRequire(import.meta.url)("httpy/package.json") as { version: string };
  return manifest.version;
}
