// Runs a TypeScript program of this repository: `node scripts/run.mjs [--build | --bundle-only] FILE [args]`.
//
// Node 20 cannot run TypeScript, so FILE is bundled into build/ first (packages stay external, `httpy` is the
// built package in dist/). The bundle is then imported into this very process: signals, standard streams,
// arguments and the exit code are the program's own, and nothing is left behind when it is killed.
// `--bundle-only` makes the bundle, prints its path and runs nothing: for those who start it on another runtime.
// `--build` brings the engine and dist/ up to date first, silently and in a process of its own, because the
// compilers' memory would otherwise be counted as the program's.

import { execFileSync } from "node:child_process";
import { join, relative, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import esbuild from "esbuild";
import { buildDir, bundleOptions, root, writeAtomically } from "./paths.mjs";

/**
 * Bundles one TypeScript entry to build/ and returns the path of the result.
 * Its name is the entry's path with dashes, except that examples/ lie at the top: build/contract.mjs.
 * @param {string} entry
 */
async function bundle(entry) {
  const inRoot = relative(root, resolve(entry)).split(sep).join("/");
  const name = inRoot
    .replace(/^examples\//, "")
    .replace(/\.ts$/, "")
    .replaceAll("/", "-");
  const outfile = join(buildDir, `${name}.mjs`);
  const { outputFiles } = await esbuild.build({
    ...bundleOptions,
    entryPoints: [inRoot],
    outfile,
    write: false,
    define: { __HTTPY_WASM__: JSON.stringify("./engine.wasm") },
    // Without the paths of tsconfig.json `httpy` is the package itself, as a user imports it.
    tsconfigRaw: { compilerOptions: { target: "ES2022", useDefineForClassFields: true } },
  });
  for (const { path, contents } of outputFiles) writeAtomically(path, contents);
  return outfile;
}

/**
 * npm starts a script through a shell which, told to end, ends without passing that on. So under npm a program
 * whose parent has gone is told to end itself. (On Windows the parent's id never changes, and this does nothing.)
 */
function endWithParent() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, "SIGTERM");
  }, 100).unref();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const args = process.argv.slice(2);
  if (args[0] === "--build") {
    args.shift();
    const build = [join(root, "scripts/build.mjs"), "--quiet", "--no-types"];
    try {
      execFileSync(process.execPath, build, { stdio: ["ignore", "ignore", "inherit"] });
    } catch {
      process.exit(1);
    }
  }
  const isBundleOnly = args[0] === "--bundle-only";
  if (isBundleOnly) args.shift();
  const [entry, ...rest] = args;
  if (entry === undefined) {
    process.stderr.write("usage: node scripts/run.mjs [--build | --bundle-only] FILE [args]\n");
    process.exit(2);
  }
  const outfile = await bundle(entry);
  // Its service process would stay for as long as the program runs.
  await esbuild.stop();
  if (isBundleOnly) {
    process.stdout.write(`${outfile}\n`);
    process.exit(0);
  }
  process.argv = [process.execPath, outfile, ...rest];
  process.setSourceMapsEnabled(true);
  endWithParent();
  await import(pathToFileURL(outfile).href);
}
