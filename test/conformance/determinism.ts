// The same engine, the same seeds, the same transcript, of HTTP/1.1, HTTP/2 and QUIC: on this Node, on every other runtime, and in
// Chromium.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import esbuild from "esbuild";
import { root } from "../runtime/program.ts";
import { recordQuic } from "../sim/quic_recording.ts";
import { Chromium, findChromium } from "./chromium.ts";
import { type Runtime, runtimes } from "./runtimes.ts";
import { results, runProgram, skipped, type Suite, type SuiteResult } from "./suite.ts";

const ENTRY = "test/sim/transcript_main.ts";
/** Answers to TLS' questions, the same for all runtimes. */
const RECORDING = join(root, "build/quic-recording.json");
const WASM = join(root, "build/engine.wasm");
const TIMEOUT_MS = 120_000;

export const determinismSuites: Suite[] = [
  ...runtimes.map((runtime) => ({
    name: `determinism on ${runtime.title}`,
    runtime: runtime.name,
    run: () => onRuntime(runtime),
  })),
  { name: "determinism in Chromium", runtime: "chromium", run: inChromium },
];

let bundled: Promise<string> | undefined;
let reference: Promise<string> | undefined;

/** The program as one file that every runtime of a command line runs. */
function bundle(): Promise<string> {
  if (bundled === undefined) {
    const recording = recordQuic(new WebAssembly.Module(readFileSync(WASM)));
    writeFileSync(RECORDING, JSON.stringify(recording));
  }
  bundled ??= runProgram(process.execPath, ["scripts/run.mjs", "--bundle-only", ENTRY], TIMEOUT_MS).then(
    ({ output }) => output.trim(),
  );
  return bundled;
}

/** What this Node says. */
function expected(): Promise<string> {
  reference ??= bundle().then((file) => printed([process.execPath], file));
  return reference;
}

async function printed(command: readonly string[], file: string): Promise<string> {
  const [program, ...args] = command as [string, ...string[]];
  const { code, output } = await runProgram(program, [...args, file], TIMEOUT_MS);
  if (code !== 0) throw new Error(`the program ended with ${code}: ${output.slice(-300)}`);
  return output.trim();
}

async function onRuntime(runtime: Runtime): Promise<SuiteResult> {
  const command = runtime.command();
  if (command === null) return skipped(`npm cannot install ${runtime.title}`);
  return compared(await printed(command, await bundle()));
}

async function inChromium(): Promise<SuiteResult> {
  const path = findChromium();
  if (path === null) return skipped("there is no Chromium; Debian's package is chromium");
  const { outputFiles } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: ["test/sim/transcripts.ts"],
    bundle: true,
    write: false,
    format: "iife",
    globalName: "simulation",
    platform: "browser",
    target: "es2022",
    external: ["node:*"],
  });
  await esbuild.stop();
  await bundle();
  const recording = readFileSync(RECORDING, "utf8");
  const wasm = readFileSync(WASM).toString("base64");
  const chromium = await Chromium.start(path);
  try {
    const page = await chromium.open("about:blank");
    await page.evaluate(outputFiles[0]!.text);
    return await compared(
      String(
        await page.evaluate(`(async () => {
          const bytes = Uint8Array.from(atob("${wasm}"), (character) => character.charCodeAt(0));
          return simulation.allTranscripts(await WebAssembly.compile(bytes), ${recording});
        })()`),
      ),
    );
  } finally {
    await chromium.close();
  }
}

async function compared(actual: string): Promise<SuiteResult> {
  const wanted = await expected();
  const [lines, wantedLines] = [actual.split("\n"), wanted.split("\n")];
  console.log(`  ${lines.length} lines, sha256 ${createHash("sha256").update(actual).digest("hex")}`);
  const index = wantedLines.findIndex((line, at) => line !== lines[at]);
  const isSame = index < 0 && lines.length === wantedLines.length;
  const difference = `line ${index + 1} is "${lines[index]}" instead of "${wantedLines[index]}"`;
  return results([["the transcript is that of this Node", isSame ? null : difference]]);
}
