/*
 * Bundles the servers and the load clients, so that each runs as one plain file with nothing to compile at start.
 *
 * Packages stay external: the bundles lie where Node finds the peers in bench/node_modules. The project's own server
 * is external too: what is measured is dist/, the build that is published, not a second bundle of its source.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build as bundle } from "esbuild";
import type { Plugin } from "esbuild";
import { benchFolder, bundleFolder, distFolder } from "./paths.ts";
import { BenchError } from "./suite.ts";
import type { RunOptions } from "./suite.ts";

const PUBLISHED = { httpy: "index.js", "httpy/engine": "engine.js" };

const publishedBuild: Plugin = {
  name: "published-build",
  setup(build) {
    for (const [specifier, file] of Object.entries(PUBLISHED)) {
      build.onResolve({ filter: new RegExp(`^${specifier}$`) }, () => ({
        path: pathToFileURL(join(distFolder, file)).href,
        external: true,
      }));
    }
  },
};

export async function bundlePrograms(options: RunOptions): Promise<void> {
  const needsBuild = options.selectPeers(["httpy"]).length > 0;
  if (needsBuild && !existsSync(join(distFolder, "index.js"))) {
    throw new BenchError("dist/index.js is missing: run `npm run build` first");
  }
  await bundle({
    entryPoints: [...programsIn("servers"), ...programsIn("frameworks"), ...programsIn("load")],
    outdir: bundleFolder,
    outbase: benchFolder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "warning",
    plugins: [publishedBuild],
  });
}

/** Every file but declarations; bundling those that are no program of their own is cheaper than a list to keep. */
function programsIn(folder: string): string[] {
  return readdirSync(join(benchFolder, folder))
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))
    .map((file) => join(benchFolder, folder, file));
}
