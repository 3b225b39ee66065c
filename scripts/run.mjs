// Runs a TypeScript program of this repository: `node scripts/run.mjs [--build] FILE [args]`.
//
// Node 20 cannot run TypeScript, so FILE is bundled into build/ first (packages stay external, `httpy` is the
// built package in dist/). The bundle is then imported into this very process: signals, standard streams,
// arguments and the exit code are the program's own, and nothing is left behind when it is killed.
// `--build` brings the engine and dist/ up to date first, silently.

import { join, relative, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import esbuild from "esbuild";
import { build, bundleOptions } from "./build.mjs";
import { buildDir, root } from "./paths.mjs";

/**
 * Bundles one TypeScript entry to build/ and returns the path of the result.
 * Its name is the entry's path with dashes, except that examples/ lie at the top: build/contract.mjs.
 * @param {string} entry
 */
export function bundle(entry) {
  const inRoot = relative(root, resolve(entry)).split(sep).join("/");
  const name = inRoot
    .replace(/^examples\//, "")
    .replace(/\.ts$/, "")
    .replaceAll("/", "-");
  const outfile = join(buildDir, `${name}.mjs`);
  esbuild.buildSync({
    ...bundleOptions,
    entryPoints: [inRoot],
    outfile,
    define: { __HTTPY_WASM__: JSON.stringify("./engine.wasm") },
    // Without the paths of tsconfig.json `httpy` is the package itself, as a user imports it.
    tsconfigRaw: { compilerOptions: { target: "ES2022", useDefineForClassFields: true } },
  });
  return outfile;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const args = process.argv.slice(2);
  if (args[0] === "--build") {
    args.shift();
    await build({ withTypes: false });
  }
  const [entry, ...rest] = args;
  if (entry === undefined) {
    process.stderr.write("usage: node scripts/run.mjs [--build] FILE [args]\n");
    process.exit(2);
  }
  const outfile = bundle(entry);
  process.argv = [process.execPath, outfile, ...rest];
  process.setSourceMapsEnabled(true);
  await import(pathToFileURL(outfile).href);
}
