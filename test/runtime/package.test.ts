// The package as it is published: what lies in it, and that it works from a folder that has nothing but it and its
// production dependencies.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root, startProgram } from "./program.ts";

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** `npm pack` without its build, which `npm test` has done. */
function pack(...args: string[]): Packed {
  const isWindows = process.platform === "win32";
  const output = execFileSync("npm", ["pack", "--json", "--ignore-scripts", ...args], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    // On Windows npm is a script of the shell.
    shell: isWindows,
  });
  return (JSON.parse(output) as [Packed])[0];
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "httpy-package-"));
  const { filename } = pack("--pack-destination", folder);
  execFileSync("tar", ["-xzf", filename], { cwd: folder });
  const modules = join(folder, "node_modules");
  mkdirSync(modules);
  symlinkSync(join(folder, "package"), join(modules, "httpy"), "junction");
  // Node looks for a link's dependencies where it leads to, so the package's own lie beside it.
  mkdirSync(join(folder, "package/node_modules"));
  const manifest = readFileSync(join(root, "package.json"), "utf8");
  const { dependencies } = JSON.parse(manifest) as { dependencies: Record<string, string> };
  for (const name of Object.keys(dependencies)) {
    symlinkSync(join(root, "node_modules", name), join(folder, "package/node_modules", name), "junction");
  }
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(source: string): Promise<unknown> {
  const file = join(folder, "program.mjs");
  writeFileSync(file, source);
  const program = startProgram(process.execPath, [file], {}, folder);
  const code = await program.ended();
  if (code !== 0) throw new Error(program.stderr());
  return JSON.parse(program.stdout());
}

test("holds dist, three papers and the manifest, and nothing else", () => {
  const paths = pack("--dry-run").files.map(({ path }) => path);
  const papers = paths.filter((path) => !path.startsWith("dist/"));
  expect(papers.sort()).toEqual(["CHANGELOG.md", "LICENSE", "README.md", "package.json"]);
  const needed = ["index.js", "engine.js", "inline.js", "cli.js", "engine.wasm"].map(
    (name) => `dist/${name}`,
  );
  expect(paths).toEqual(expect.arrayContaining(needed));
  const kinds = new Set(
    paths.filter((path) => path.startsWith("dist/")).map((path) => /\.[a-z.]+$/.exec(path)?.[0]),
  );
  expect([...kinds].filter((kind) => ![".js", ".js.map", ".wasm", ".d.ts"].includes(kind!))).toEqual([]);
});

test("serves, counts and makes certificates by its name alone", async () => {
  const seen = await run(`
    import { App, developmentCertificate } from "httpy";
    const app = new App().get("/hello/:name", (req) => ({ hello: req.params.name }));
    const server = await app.listen({ host: "127.0.0.1", port: 0 });
    const answer = await fetch(server.urls[0] + "hello/package");
    const body = await answer.json();
    const metrics = await server.metrics();
    const { cert } = await developmentCertificate();
    const cut = await server.close();
    console.log(JSON.stringify({ body, counted: metrics.includes("httpy_exchanges_total"), cert: cert.slice(0, 27), cut }));
  `);
  expect(seen).toEqual({
    body: { hello: "package" },
    counted: true,
    cert: "-----BEGIN CERTIFICATE-----",
    cut: { connections: 0, exchanges: 0 },
  });
});

test("has an engine by itself, a variant with the module inlined, and the module as a file", async () => {
  const seen = await run(`
    import { readFileSync } from "node:fs";
    import { fileURLToPath } from "node:url";
    import { loadModule } from "httpy/engine";
    import { App } from "httpy/inline";
    const file = fileURLToPath(import.meta.resolve("httpy/engine.wasm"));
    const fromFile = new WebAssembly.Module(readFileSync(file));
    const names = (module) => WebAssembly.Module.exports(module).map(({ name }) => name).join();
    const server = await new App().get("/", () => "inline").listen({ host: "127.0.0.1" });
    const text = await (await fetch(server.urls[0])).text();
    await server.close();
    console.log(JSON.stringify({ text, same: names(fromFile) === names(await loadModule()) }));
  `);
  expect(seen).toEqual({ text: "inline", same: true });
});

test("loads neither metrics nor certificates before they are asked for", async () => {
  const seen = await run(`
    import { createRequire } from "node:module";
    const { App } = await import("httpy");
    const server = await new App().listen({ host: "127.0.0.1" });
    await server.close();
    const { cache } = createRequire(import.meta.url);
    console.log(JSON.stringify(Object.keys(cache).filter((file) => /prom-client|selfsigned/.test(file))));
  `);
  expect(seen).toEqual([]);
});

test("brings the command", async () => {
  const program = startProgram(process.execPath, ["node_modules/httpy/dist/cli.js", "--version"], {}, folder);
  expect(await program.ended()).toBe(0);
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  expect(program.stdout()).toBe(`${version}\n`);
});
