// Builds servers for WASI: `node scripts/wasi.mjs [stdio] [preopened] [server]`, all of them when none is named.
//
//   examples/wasi/stdio.ts     --asc--> build/wasi/stdio.wasm             preview 1, one connection on standard input and output
//   examples/wasi/preopened.ts --asc--> build/wasi/preopened.wasm         preview 1, sockets that the host listens on
//   examples/wasi/server.ts    --asc--> build/wasi/server.wasm            the core module of:
//                              ------->  build/wasi/server.component.wasm  0.2, binds its own sockets
//
// The component's encoder is not among the development dependencies, as it weighs more than all of them: it is installed
// below scripts/component/ when the component is first built.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { buildDir, filesBelow, hashOf, root, whenChanged, writeAtomically } from "./paths.mjs";
import { withRenamedExport } from "./wasm_exports.mjs";

const require = createRequire(import.meta.url);
const wasiDir = join(buildDir, "wasi");
const toolsDir = join(root, "scripts/component");
/** What the canonical ABI calls the function behind `wasi:cli/run`; no name of AssemblyScript can have these characters. */
const RUN_EXPORT = "wasi:cli/run@0.2.0#run";

/** Output, and the arguments that are its own. A command of preview 1 begins with `_start`. */
const modules = {
  stdio: ["examples/wasi/stdio.ts", "--exportStart", "_start"],
  preopened: ["examples/wasi/preopened.ts", "--exportStart", "_start"],
  server: ["examples/wasi/server.ts"],
};

/**
 * Brings what is named of build/wasi/ up to date.
 * @param {string[]} names
 * @param {(line: string) => void} report
 */
export async function buildWasi(names, report) {
  const wanted = names.length === 0 ? Object.keys(modules) : names;
  for (const name of wanted) {
    if (!Object.hasOwn(modules, name))
      throw new Error(`there is no ${name}, only ${Object.keys(modules).join(", ")}`);
    const path = await buildModule(/** @type {keyof typeof modules} */ (name));
    report(`${name}.wasm: ${readFileSync(path).length} bytes`);
  }
  if (!wanted.includes("server")) return;
  report(`server.component.wasm: ${readFileSync(await buildComponent()).length} bytes`);
}

/** @param {keyof typeof modules} name */
async function buildModule(name) {
  const output = join(wasiDir, `${name}.wasm`);
  const { version } = require("assemblyscript/package.json");
  const sources = [...filesBelow("assembly", [".ts"]), ...filesBelow("examples/wasi", [".ts"])];
  await whenChanged(
    `wasi-${name}`,
    hashOf(["wasi.asconfig.json", ...sources], [version]),
    [output],
    async () => {
      const asc = await import("assemblyscript/asc");
      const args = [
        ...modules[name],
        "--config",
        "wasi.asconfig.json",
        "--baseDir",
        root,
        "--outFile",
        output,
      ];
      const { error, stderr } = await asc.main(args, {
        writeFile: (file, contents) => writeAtomically(resolve(root, file), contents),
      });
      if (error) throw new Error(`asc ${args.join(" ")}: ${error.message}\n${stderr.toString()}`);
    },
  );
  return output;
}

/** Makes the component of server.wasm: its types, and the functions of the canonical ABI around it. */
async function buildComponent() {
  const output = join(wasiDir, "server.component.wasm");
  const inputs = ["build/wasi/server.wasm", "assembly/wasi/world.wit", "scripts/component/package-lock.json"];
  await whenChanged("wasi-component", hashOf(inputs), [output], async () => {
    const { componentEmbed, componentNew } = await encoder();
    const core = withRenamedExport(readFileSync(join(wasiDir, "server.wasm")), "run", RUN_EXPORT);
    const witSource = readFileSync(join(root, "assembly/wasi/world.wit"), "utf8");
    const embedded = await componentEmbed({ binary: core, witSource, world: "server" });
    writeAtomically(output, await componentNew(embedded, []));
  });
  return output;
}

/**
 * The encoder, installed when it is not there.
 * @returns {Promise<{
 *   componentEmbed(options: { binary: Uint8Array, witSource: string, world: string }): Promise<Uint8Array>,
 *   componentNew(core: Uint8Array, adapters: []): Promise<Uint8Array>,
 * }>}
 */
async function encoder() {
  const installed = join(toolsDir, "node_modules/@bytecodealliance/jco-transpile/dist/wasm-tools.js");
  if (!existsSync(installed)) {
    execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
      cwd: toolsDir,
      stdio: ["ignore", 2, 2],
      shell: process.platform === "win32",
    });
  }
  return import(pathToFileURL(installed).href);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  try {
    await buildWasi(process.argv.slice(2), (line) => process.stderr.write(`${line}\n`));
  } catch (error) {
    process.stderr.write(`build failed: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
