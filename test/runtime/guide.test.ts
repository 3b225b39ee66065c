// What the guide shows happens: its programs are bundled and run, its commands asked, and what they print compared. Its links lead
// somewhere.

import { execFile } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { guideDir, guidePages, isShownBy, programsOf, textOf } from "./guide_pages.ts";
import type { GuideProgram } from "./guide_pages.ts";
import { root, startProgram } from "./program.ts";

const folder = join(root, "build/guide");
const programs = guidePages.flatMap(programsOf);

/** Long, since many test files run at once. */
const START_TIMEOUT_MS = 30_000;

/** The ports that a program names, in the order of its listeners; it is run on free ones. */
const portPattern = /\bport: (\d{4})\b/g;

beforeAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const { name, source, output } of programs) {
    const where = output === null ? `\nconsole.log("guide", JSON.stringify(server.urls));\n` : "";
    writeFileSync(join(folder, `${name}.ts`), source.replaceAll(portPattern, "port: 0") + where);
  }
  await build({
    entryPoints: programs.map(({ name }) => join(folder, `${name}.ts`)),
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    // Without the paths of tsconfig.json `httpy` is the package itself, as a reader would import it.
    tsconfigRaw: { compilerOptions: { target: "ES2022" } },
  });
});

/** Runs a command of a page as a reader would, but for the port. */
function ask(command: string, portOf: ReadonlyMap<string, string>): Promise<string> {
  const text = command.replaceAll(/(?<=\/\/localhost:)\d{4}(?=\/)/g, (port) => portOf.get(port) ?? "none");
  return new Promise((answer) => {
    // Its exit code is not compared: what it printed is.
    execFile("sh", ["-c", text], { cwd: root, timeout: 10_000 }, (_error, stdout) => answer(stdout));
  });
}

async function run({ name, source, commands, output }: GuideProgram): Promise<void> {
  const program = startProgram(process.execPath, [join(folder, `${name}.mjs`)]);
  if (output !== null) {
    expect([await program.ended(), program.stderr()]).toEqual([0, ""]);
    expect(isShownBy(output, program.stdout()), program.stdout()).toBe(true);
    return;
  }
  onTestFinished(() => void program.child.kill("SIGKILL"));
  const [, json] = await program.prints(/^guide (.*)$/m, START_TIMEOUT_MS);
  const urls = JSON.parse(json!) as string[];
  const ports = [...source.matchAll(portPattern)].map(([, port]) => port!);
  const portOf = new Map(ports.map((port, index) => [port, new URL(urls[index]!).port]));
  for (const { text, output: shown } of commands) {
    const printed = await ask(text, portOf);
    expect(isShownBy(shown, printed), `${text}\n${printed}`).toBe(true);
  }
}

describe("the guide", () => {
  // Commands are those of a shell that Windows has not.
  test.skipIf(process.platform === "win32").each(programs)(
    "$name does what its page shows",
    run,
    2 * START_TIMEOUT_MS,
  );

  test("has a program and something asked of it on every page that has code", () => {
    const idle = programs.filter(({ commands, output }) => commands.length === 0 && output === null);
    expect(idle.map(({ name }) => name)).toEqual([]);
    expect(programs.length).toBeGreaterThan(15);
  });

  test("links to what exists, and names every page in its table of contents", () => {
    const dead = guidePages.flatMap((page) =>
      [...textOf(page).matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)]
        .filter(([, path]) => !existsSync(resolve(guideDir, path!)))
        .map(([, path]) => `${page}: ${path}`),
    );
    expect(dead).toEqual([]);
    const contents = textOf("README.md");
    expect(guidePages.filter((page) => page !== "README.md" && !contents.includes(`(${page})`))).toEqual([]);
  });
});

test("what a page shows is compared, not only run", () => {
  expect(isShownBy("a … c\n", "a b c")).toBe(true);
  expect(isShownBy("a … c\n", "a b d")).toBe(false);
  expect(isShownBy("a.c", "abc")).toBe(false);
  expect(isShownBy("one", "one\ntwo")).toBe(false);
});
