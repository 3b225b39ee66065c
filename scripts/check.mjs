// Everything that is checked without running the product: `node scripts/check.mjs`.
// Runs all checks even after one failed, prints only what failed, and exits 1 when any did.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import * as asc from "assemblyscript/asc";
import { build } from "./build.mjs";
import { filesBelow, root } from "./paths.mjs";

const require = createRequire(import.meta.url);

/** @type {[name: string, check: () => string | Promise<string>][]} each check answers with its complaints */
const checks = [
  ["format", () => runTool("prettier", ["--check", "--log-level", "warn", "."])],
  ["lint", () => runTool("eslint", ["--max-warnings", "0", "."])],
  ["types", () => runTool("typescript", ["-p", "tsconfig.json"], "tsc")],
  ["types of scripts", () => runTool("typescript", ["-p", "tsconfig.scripts.json"], "tsc")],
  ["types of assembly", checkAssembly],
  ["architecture", checkArchitecture],
];

let failed = 0;
for (const [name, check] of checks) {
  const complaints = (await check()).trim();
  if (complaints === "") continue;
  failed++;
  process.stdout.write(`✗ ${name}\n${complaints}\n\n`);
}
process.stdout.write(`check: ${checks.length - failed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 ? 1 : 0;

/**
 * Runs a tool's own script with this Node (no shell, so the same on every platform).
 * @param {string} name the package
 * @param {string[]} args
 * @param {string} [command] the key of its `bin`
 */
function runTool(name, args, command = name) {
  const manifestPath = require.resolve(`${name}/package.json`);
  /** @type {{ bin: string | Record<string, string> }} */
  const { bin } = JSON.parse(readFileSync(manifestPath, "utf8"));
  const script = join(dirname(manifestPath), typeof bin === "string" ? bin : (bin[command] ?? ""));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    cwd: root,
    encoding: "utf8",
  });
  return status === 0 ? "" : `${stdout}${stderr}` || `${name} ended with ${status}`;
}

/**
 * Every file of the engine as an entry, so that asc checks what no door reaches too. Warning 235, that a class is no
 * export of the module, is about real entries only.
 */
async function checkAssembly() {
  const entries = [...filesBelow("assembly", [".ts"]), ...filesBelow("examples/wasi", [".ts"])];
  if (entries.length === 0) return "";
  const options = [
    "--noEmit",
    "--config",
    "asconfig.json",
    "--target",
    "debug",
    "--baseDir",
    root,
    "--disableWarning",
    "235",
  ];
  const { error, stderr } = await asc.main([...entries, ...options], {});
  const messages = stderr.toString();
  return error ? messages || error.message : messages;
}

async function checkArchitecture() {
  try {
    await build({ withTypes: false });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return runTool("vitest", ["run", "test/architecture"]);
}
