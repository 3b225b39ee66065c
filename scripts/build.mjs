// Builds the product: `node scripts/build.mjs [--quiet] [--no-types]`.
//
//   assembly/ --asc-->     build/engine.wasm (release), build/engine.debug.wasm (asserts, names, debugTrap)
//   host/     --esbuild--> dist/index.js, dist/engine.js, dist/cli.js, dist/inline.js
//   host/     --tsc-->     dist/types/
//
// Each step is skipped when nothing it reads has changed, and says so when an entry does not exist.
// How the host finds the engine's bytes is decided here by two defines (see host/engine/module.ts):
//   source tree        neither is defined, the module is read from build/engine.wasm
//   dist and build/    __HTTPY_WASM__ = "./engine.wasm", relative to the bundle's own URL
//   dist/inline.js     __HTTPY_WASM_BASE64__ = the module itself
// Nothing here decides compiler options: those are in asconfig.json.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import esbuild from "esbuild";
import {
  buildDir,
  bundleOptions,
  distDir,
  filesBelow,
  hashOf,
  root,
  whenChanged,
  writeAtomically,
} from "./paths.mjs";

const require = createRequire(import.meta.url);
const { version: ascVersion } = require("assemblyscript/package.json");
const engineEntry = "assembly/exports/index.ts";
const debugEntry = "assembly/exports/debug.ts";
const enginePath = join(buildDir, "engine.wasm");

/** The bundles of the package: output name, entry, whether the module is carried inside, and whether it is for browsers. */
const bundles = [
  { name: "index.js", entry: "host/index.ts", isInline: false },
  { name: "engine.js", entry: "host/engine/index.ts", isInline: false },
  { name: "inline.js", entry: "host/index.ts", isInline: true },
  { name: "browser.js", entry: "host/browser.ts", isInline: false, isForBrowsers: true },
  { name: "cli.js", entry: "host/cli/main.ts", isInline: false },
];

/**
 * What only the other runtimes have is imported when it is asked for, and stays outside: a browser asks for none of it.
 * @satisfies {import("esbuild").BuildOptions}
 */
const browserOptions = {
  platform: "browser",
  target: "es2022",
  external: ["node:*", "prom-client", "../transport/runtime_transport.ts", "./quic_listener.ts"],
};

/**
 * @typedef {object} BuildOptions
 * @property {boolean} [withTypes] also emit declarations, the slow step (default true)
 * @property {(line: string) => void} [report] told one line per step that ran or was left out
 */

/**
 * Brings build/ and dist/ up to date. Rejects when a compiler does.
 * @param {BuildOptions} options
 */
export async function build({ withTypes = true, report = () => {} } = {}) {
  await buildEngine(report);
  await buildBundles(report);
  if (withTypes) await buildTypes(report);
}

/** @param {(line: string) => void} report */
async function buildEngine(report) {
  if (!existsSync(join(root, engineEntry))) return report(`engine: left out, no ${engineEntry}`);
  const hash = hashOf(["asconfig.json", ...filesBelow("assembly", [".ts"])], [ascVersion]);
  const debugPath = join(buildDir, "engine.debug.wasm");
  const outputs = [enginePath, debugPath];
  const ran = await whenChanged("engine", hash, outputs, async () => {
    await compile(["--target", "release"]);
    await compile([...(existsSync(join(root, debugEntry)) ? [debugEntry] : []), "--target", "debug"]);
  });
  report(`engine: ${ran ? "compiled" : "unchanged"}, ${sizeOf(enginePath)}`);
}

/**
 * As it lies on a disk, and as it is sent.
 * @param {string} path
 */
function sizeOf(path) {
  const bytes = readFileSync(path);
  return `${bytes.length} bytes (${gzipSync(bytes, { level: 9 }).length} gzipped)`;
}

/**
 * Runs asc with asconfig.json, keeping what it writes in memory until it has succeeded.
 * @param {string[]} args
 */
async function compile(args) {
  /** @type {Map<string, string | Uint8Array>} */
  const outputs = new Map();
  // Loading the compiler costs more than every check that nothing has changed: only when it is needed.
  const asc = await import("assemblyscript/asc");
  const { error, stderr } = await asc.main([...args, "--config", "asconfig.json", "--baseDir", root], {
    writeFile: (name, contents) => void outputs.set(name, contents),
  });
  const messages = stderr.toString();
  if (error) throw new Error(`asc ${args.join(" ")}: ${error.message}\n${messages}`);
  if (messages.trim() !== "") process.stderr.write(messages);
  for (const [name, contents] of outputs) writeAtomically(resolve(root, name), contents);
}

/** @param {(line: string) => void} report */
async function buildBundles(report) {
  const present = bundles.filter(({ entry }) => existsSync(join(root, entry)));
  for (const { name, entry } of bundles) {
    if (!existsSync(join(root, entry))) report(`dist/${name}: left out, no ${entry}`);
  }
  if (!existsSync(enginePath)) return report("dist: left out, no engine");
  const inputs = ["scripts/build.mjs", "package.json", "build/engine.wasm"];
  const sources = [...filesBelow("host", [".ts"]), ...filesBelow("assembly/abi", [".ts"])];
  const hash = hashOf([...inputs, ...sources], [esbuild.version]);
  const outputs = present.map(({ name }) => join(distDir, name));
  const ran = await whenChanged("bundles", hash, [...outputs, join(distDir, "engine.wasm")], async () => {
    const wasm = readFileSync(enginePath);
    for (const { name, entry, isInline, isForBrowsers } of present) {
      const built = await esbuild.build({
        ...bundleOptions,
        ...(isForBrowsers ? browserOptions : {}),
        entryPoints: [entry],
        outfile: join(distDir, name),
        write: false,
        // Comments and blanks are most of what a starting process would parse. Names stay, for stack traces.
        minifyWhitespace: true,
        minifySyntax: true,
        define: isInline
          ? { __HTTPY_WASM_BASE64__: JSON.stringify(wasm.toString("base64")) }
          : { __HTTPY_WASM__: JSON.stringify("./engine.wasm") },
      });
      for (const { path, contents } of built.outputFiles ?? []) writeAtomically(path, contents);
    }
    writeAtomically(join(distDir, "engine.wasm"), wasm);
  });
  const sizes = present.map(({ name }) => `${name} ${sizeOf(join(distDir, name))}`);
  report(`dist: ${ran ? "bundled" : "unchanged"}; ${sizes.join(", ")}`);
}

/** @param {(line: string) => void} report */
async function buildTypes(report) {
  const entries = ["host/index.ts", "host/engine/index.ts"];
  const missing = entries.filter((entry) => !existsSync(join(root, entry)));
  if (missing.length > 0) return report(`dist/types: left out, no ${missing.join(", ")}`);
  const configs = ["scripts/build.mjs", "tsconfig.json", "tsconfig.types.json"];
  const hash = hashOf([...configs, ...filesBelow("host", [".ts"]), ...filesBelow("assembly/abi", [".ts"])]);
  const outputs = entries.map((entry) => join(distDir, "types", entry.replace(/\.ts$/, ".d.ts")));
  const ran = await whenChanged("types", hash, outputs, async () => {
    // What a file that is gone left behind would be published.
    rmSync(join(distDir, "types"), { recursive: true, force: true });
    const tsc = require.resolve("typescript/bin/tsc");
    execFileSync(process.execPath, [tsc, "-p", "tsconfig.types.json"], {
      cwd: root,
      stdio: ["ignore", 2, 2],
    });
    for (const file of filesBelow("dist/types", [".d.ts"])) {
      const path = join(root, file);
      writeAtomically(path, forConsumers(readFileSync(path, "utf8")));
    }
  });
  report(`dist/types: ${ran ? "emitted" : "unchanged"}`);
}

/**
 * A declaration as other projects can read it: the scalars of AssemblyScript, in the files that both compilers read, are numbers
 * there, and enums are ordinary ones, since a project that compiles file by file cannot use ambient `const enum`s. (The bundles
 * hold every enum as an object.)
 * @param {string} declaration
 */
function forConsumers(declaration) {
  return declaration
    .replace(/: (?:i32|u32|f64|usize)\b/g, ": number")
    .replace(/: bool\b/g, ": boolean")
    .replace(/^export declare const enum /gm, "export declare enum ");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const flags = new Set(process.argv.slice(2));
  try {
    await build({
      withTypes: !flags.has("--no-types"),
      report: flags.has("--quiet") ? undefined : (line) => process.stderr.write(`${line}\n`),
    });
  } catch (error) {
    process.stderr.write(`build failed: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
