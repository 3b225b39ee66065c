// Where the project lies: the folder with package.json, above the source file as above the bundle that `npm run` makes of it.

import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";

function folderOfPackage(from: string): string {
  if (existsSync(resolve(from, "package.json"))) return from;
  const parent = dirname(from);
  if (parent === from) throw new Error("no package.json above the tests");
  return folderOfPackage(parent);
}

export const projectRoot: string = folderOfPackage(import.meta.dirname);
