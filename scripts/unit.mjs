// Runs the unit tests inside WebAssembly: `node scripts/unit.mjs [part of a path …]`.
//
// Each test/assembly/**/*.spec.ts is compiled with as-pect.asconfig.json into a module of its own, so no test sees another
// file's globals, and run by @as-pect/core. It is a runner of ours and not `asp` because that has no quiet mode and
// hides the stack of a trap. as-pect needs the collecting runtime: only here does the engine live beside a heap.
// Prints what failed, then `unit: N passed, N failed`; exits 1 when anything failed or nothing was found to run.

import { pathToFileURL } from "node:url";
import { EmptyReporter, TestContext } from "@as-pect/core";
import { instantiateSync } from "@assemblyscript/loader";
import * as asc from "assemblyscript/asc";
import { filesBelow, root } from "./paths.mjs";

/**
 * @typedef {object} Counts
 * @property {number} passed
 * @property {number} failed
 */

/**
 * Compiles and runs every spec whose path contains one of `filters` (all of them when there are none).
 * @param {string[]} filters
 * @returns {Promise<Counts>}
 */
export async function runUnitTests(filters) {
  const all = filesBelow("test/assembly", [".spec.ts"]);
  const specs = all.filter((spec) => filters.length === 0 || filters.some((part) => spec.includes(part)));
  const total = { passed: 0, failed: 0 };
  if (filters.length > 0 && specs.length === 0) {
    process.stdout.write(`unit: no spec's path contains ${filters.join(" or ")}\n`);
    total.failed++;
  }
  for (const spec of specs) {
    const { passed, failed } = await runSpec(spec);
    total.passed += passed;
    total.failed += failed;
  }
  process.stdout.write(`unit: ${total.passed} passed, ${total.failed} failed\n`);
  return total;
}

/**
 * @param {string} spec
 * @returns {Promise<Counts>}
 */
async function runSpec(spec) {
  let binary;
  try {
    binary = await compileSpec(spec);
  } catch (error) {
    process.stdout.write(`✗ ${spec} does not compile\n${error instanceof Error ? error.message : error}\n`);
    return { passed: 0, failed: 1 };
  }
  const reporter = new EmptyReporter();
  // as-pect keeps the last failure's message and values: without this a trap would show the ones before it.
  reporter.onExit = (finished) => {
    Object.assign(finished, { message: "", actual: null, expected: null, stack: "" });
  };
  const context = new TestContext({ binary, fileName: spec, reporter });
  context.run(instantiateSync(binary, context.createImports()));
  const failed = context.testCount - context.testPassCount;
  if (context.pass) return { passed: context.testPassCount, failed };
  process.stdout.write(`✗ ${spec}\n`);
  for (const line of failureLines(context)) process.stdout.write(`    ${line}\n`);
  // A failure outside of any test (a top-level trap, a beforeEach) must not leave the count at zero.
  return { passed: context.testPassCount, failed: Math.max(1, failed) };
}

/**
 * @param {TestContext} context
 * @returns {string[]}
 */
function failureLines(context) {
  const lines = context.errors.map(({ type, message, stackTrace }) => `${type}: ${message}\n${stackTrace}`);
  /** @param {import("@as-pect/core").TestNode} node @param {string[]} names */
  const visit = (node, names) => {
    const path = node.name === "" ? names : [...names, node.name];
    for (const child of node.children) visit(child, path);
    const isOwnFailure = node.ran && !node.pass && node.children.every((child) => child.pass);
    if (!isOwnFailure) return;
    lines.push(`✗ ${path.join(" › ")}${node.message ? `: ${node.message}` : ""}`);
    if (node.expected !== null) {
      const not = node.expected.negated ? "not " : "";
      lines.push(`    expected ${not}${node.expected.stringify({ indent: 2 }).trim()}`);
      if (node.actual !== null) lines.push(`    actual   ${node.actual.stringify({ indent: 2 }).trim()}`);
    } else {
      for (const frame of (node.stackTrace ?? "").split("\n")) lines.push(`    ${frame.trim()}`);
    }
    for (const log of node.logs) lines.push(`    log ${log.stringify({ indent: 2 }).trim()}`);
  };
  visit(context.rootNode, []);
  return lines;
}

/**
 * @param {string} spec
 * @returns {Promise<Uint8Array>}
 */
async function compileSpec(spec) {
  /** @type {(string | Uint8Array)[]} */
  const modules = [];
  const args = [spec, "--config", "as-pect.asconfig.json", "--baseDir", root];
  const { error, stderr } = await asc.main(args, {
    writeFile: (name, contents) => {
      if (name.endsWith(".wasm")) modules.push(contents);
    },
  });
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
  const [binary] = modules;
  if (!(binary instanceof Uint8Array)) throw new Error("the compiler wrote no module");
  return binary;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { failed } = await runUnitTests(process.argv.slice(2));
  if (failed > 0) process.exitCode = 1;
}
