// The package as others meet it: publint and "are the types wrong" on what npm would publish, a project in TypeScript that
// compiles against its types by both ways of resolving modules, and the import on every runtime. (What serves, and bundles: test/runtime/package.test.ts.)

import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { guidePages, programsOf } from "../runtime/guide_pages.ts";
import { packProject } from "../runtime/packed.ts";
import type { PackedProject } from "../runtime/packed.ts";
import { root, startProgram } from "../runtime/program.ts";
import { runtimes } from "./runtimes.ts";
import type { Runtime } from "./runtimes.ts";
import { problemOf, results, runProgram, skipped } from "./suite.ts";
import type { Suite, SuiteResult } from "./suite.ts";
import { npmTool } from "./tools.ts";

const PUBLINT_VERSION = "0.3.25";
const ATTW_VERSION = "0.18.5";
const TIMEOUT_MS = 120_000;

// No option but what a strict project has, and libraries are checked too: a type that does not compile shows.
const COMMON_OPTIONS = ["--noEmit", "--strict", "--isolatedModules", "--exactOptionalPropertyTypes"];
const TYPE_OPTIONS = [
  "--target",
  "es2022",
  "--types",
  "node",
  "--typeRoots",
  join(root, "node_modules/@types"),
];
const RESOLUTIONS = {
  "NodeNext, without a browser's types": ["--module", "nodenext", "--lib", "es2022"],
  "a bundler, with a browser's types": [
    ...["--module", "esnext", "--moduleResolution", "bundler"],
    ...["--lib", "es2022,dom"],
  ],
};

const CONSUMER = `
import { App, closeOnSignals, HttpError } from "httpy";
import type { LimitOptions } from "httpy";
import { Engine, loadModule, Status } from "httpy/engine";
import { App as BrowserApp, PortTransport } from "httpy/browser";
import { App as InlineApp } from "httpy/inline";

const limits: LimitOptions = {};
const app = new App().get("/users/:id", (req) => ({ id: req.params.id.toUpperCase() }));
// @ts-expect-error the pattern has no such parameter
app.get("/notes/:id", (req) => req.params.name);
app.onError(HttpError, (error) => Response.json({ error: error.message }, { status: error.status }));

export async function main(): Promise<number> {
  closeOnSignals(await app.listen({ port: 0, limits }));
  await new InlineApp().listen({ module: await loadModule() });
  await new BrowserApp().listen({ transport: new PortTransport() });
  const engine = Engine.create(await loadModule(), { now: 0 });
  return engine.receiveBuffer.length + Status.OK;
}
`;

const PROGRAM = `
import { App } from "httpy";
import { loadModule } from "httpy/engine";
import { App as BrowserApp, PortTransport } from "httpy/browser";
import { App as InlineApp } from "httpy/inline";
const text = async (AnyApp) => {
  const app = new AnyApp().get("/:word", (req) => req.params.word);
  return (await app.fetch(new Request("http://localhost/imported"))).text();
};
const names = WebAssembly.Module.exports(await loadModule()).map(({ name }) => name);
const apps = [await text(App), await text(InlineApp), await text(BrowserApp)];
console.log([...apps, typeof PortTransport, names.includes("receive")].join());
`;

const REQUIRE =
  'console.log(typeof require("httpy").App, typeof require("httpy/engine").Engine, typeof require("httpy/browser").App);\n';

async function tool(packageName: string, version: string, script: string, args: readonly string[]) {
  const path = npmTool(packageName, version, script);
  if (path === null) return skipped(`npm cannot install ${packageName}@${version}`);
  const { code, output } = await runProgram(process.execPath, [path, ...args], TIMEOUT_MS);
  return results([[packageName, code === 0 ? null : output]]);
}

let built: Promise<string | null> | undefined;

/** Builds once for all suites. Answers what is wrong, null when nothing is. */
async function build(): Promise<string | null> {
  const program = startProgram(process.execPath, ["scripts/build.mjs", "--quiet"]);
  return (await program.ended()) === 0 ? null : program.stderr();
}

/** Under vitest's eyes the types need not be there; npm builds them before it packs, and so does this. */
async function withProject(use: (project: PackedProject) => Promise<SuiteResult>): Promise<SuiteResult> {
  const problem = await (built ??= build());
  if (problem !== null) return results([["build", problem]]);
  const project = packProject();
  try {
    return await use(project);
  } finally {
    project.remove();
  }
}

async function compile({ folder }: PackedProject): Promise<SuiteResult> {
  // What the guide shows compiles too, as a program for a server: a browser's TextDecoderStream is typed more narrowly than Node's.
  const guide = guidePages.flatMap(programsOf);
  for (const { name, source } of [{ name: "consumer", source: CONSUMER }, ...guide]) {
    writeFileSync(join(folder, `${name}.ts`), source);
  }
  const files = ["consumer", ...guide.map(({ name }) => name)].map((name) => join(folder, `${name}.ts`));
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
  const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  const checks: [string, string | null][] = [];
  for (const [name, options] of Object.entries(RESOLUTIONS)) {
    const shown = options.includes("nodenext") ? files : files.slice(0, 1);
    const args = [tsc, ...COMMON_OPTIONS, ...TYPE_OPTIONS, ...options, ...shown];
    const { code, output } = await runProgram(process.execPath, args, TIMEOUT_MS);
    checks.push([name, code === 0 ? null : output]);
  }
  return results(checks);
}

async function runOn(runtime: Runtime, { folder }: PackedProject): Promise<SuiteResult> {
  const command = runtime.command();
  if (command === null) return skipped(`npm cannot install ${runtime.title}`);
  const [path, ...args] = command as [string, ...string[]];
  const check = (file: string, source: string, expected: string) =>
    problemOf(async () => {
      writeFileSync(join(folder, file), source);
      const program = startProgram(path, [...args, file], {}, folder);
      const code = await program.ended();
      if (code !== 0 || program.stdout().trim() !== expected) {
        throw new Error(`ended with ${code}: ${program.stdout()}${program.stderr()}`);
      }
    });
  return results([
    ["import", await check("program.mjs", PROGRAM, "imported,imported,imported,function,true")],
    ["require", await check("program.cjs", REQUIRE, "function function function")],
  ]);
}

export const packageSuites: Suite[] = [
  {
    name: "package: publint",
    run: () =>
      withProject(({ tarball }) =>
        tool("publint", PUBLINT_VERSION, "src/cli.js", ["run", tarball, "--strict"]),
      ),
  },
  {
    name: "package: are the types wrong",
    run: () =>
      withProject(({ tarball }) => {
        // It is a package of ES modules, which `require` loads too; and a WebAssembly module has no types.
        const args = ["--profile", "esm-only", "--exclude-entrypoints", "engine.wasm", "--no-color"];
        return tool("@arethetypeswrong/cli", ATTW_VERSION, "dist/index.js", [tarball, ...args]);
      }),
  },
  { name: "package: types", run: () => withProject(compile) },
  ...runtimes.map((runtime) => ({
    name: `package: on ${runtime.title}`,
    runtime: runtime.name,
    run: () => withProject((project) => runOn(runtime, project)),
  })),
];
