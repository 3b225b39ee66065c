// Vectors that other projects publish, read from beside the project where they are there.

import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";

const folder = resolve("../shared/data");

/** The cases of a vector file, or nothing, with one line that says so, where it is not there. */
export function vectorCases<T>(name: string): T[] {
  const path = resolve(folder, name);
  if (!existsSync(path)) {
    process.stdout.write(`skipped: no ${name} beside the project\n`);
    return [];
  }
  return (JSON.parse(readFileSync(path, "utf8")) as { cases: T[] }).cases;
}
