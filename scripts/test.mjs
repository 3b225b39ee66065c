// The whole test suite: `node scripts/test.mjs`. Builds the engine and dist/, runs the unit tests inside
// WebAssembly, then everything vitest finds, whether or not the first part failed. The last line is
// `tests: N passed, N failed`; a runner that died without naming a failed test counts as one failure.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build } from "./build.mjs";
import { buildDir, root } from "./paths.mjs";
import { runUnitTests } from "./unit.mjs";

try {
  await build({ withTypes: false, report: (line) => process.stdout.write(`${line}\n`) });
} catch (error) {
  process.stdout.write(`build failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.stdout.write("tests: 0 passed, 1 failed\n");
  process.exit(1);
}
const unit = await runUnitTests([]);
const rest = runVitest();

const failed = unit.failed + rest.failed;
process.stdout.write(`tests: ${unit.passed + rest.passed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 ? 1 : 0;

/** @returns {import("./unit.mjs").Counts} */
function runVitest() {
  const report = join(buildDir, "vitest.json");
  rmSync(report, { force: true });
  const manifest = createRequire(import.meta.url).resolve("vitest/package.json");
  const { status } = spawnSync(process.execPath, [join(dirname(manifest), "vitest.mjs"), "run"], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (!existsSync(report)) return { passed: 0, failed: 1 };
  /** @type {{ numPassedTests: number, numFailedTests: number }} */
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, "utf8"));
  return { passed: numPassedTests, failed: status === 0 ? 0 : Math.max(1, numFailedTests) };
}
