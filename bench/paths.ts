/*
 * Where things lie. The bench runs as a bundle outside its own folder, so nothing may be found relative to the
 * running file: the project's root is the nearest folder above it whose package.json carries the project's name.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const PROJECT_NAME = "httpy";

function findProjectRoot(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const manifest = join(folder, "package.json");
    if (existsSync(manifest)) {
      const { name } = JSON.parse(readFileSync(manifest, "utf8")) as { name?: string };
      if (name === PROJECT_NAME) return folder;
    }
    if (dirname(folder) === folder)
      throw new Error(`no package.json named "${PROJECT_NAME}" above the bench`);
  }
}

export const projectRoot = findProjectRoot();
export const benchFolder = join(projectRoot, "bench");
export const docsFolder = join(projectRoot, "docs");
export const distFolder = join(projectRoot, "dist");
/** Bundled servers and clients: generated, and where Node finds the peers of bench/package.json from. */
export const bundleFolder = join(benchFolder, "node_modules", ".bench");
export const reportFolder = join(projectRoot, "build", "bench");
/** The certificate that every server with TLS presents: generated, by the bench before the first measure. */
export const certificateFolder = join(bundleFolder, "tls");
