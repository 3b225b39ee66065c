// Runs a command of WASI preview 1 under node:wasi, with this process's standard streams: `node examples/wasi/run.mjs FILE`.

import { readFile } from "node:fs/promises";
import { argv, env, exit } from "node:process";
import { WASI } from "node:wasi";

const [, , file = "build/wasi/stdio.wasm"] = argv;
const wasi = new WASI({ version: "preview1", args: [file], env, returnOnExit: true });
const { instance } = await WebAssembly.instantiate(await readFile(file), wasi.getImportObject());
exit(wasi.start(instance));
