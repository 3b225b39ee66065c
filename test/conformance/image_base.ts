// Images to build the Dockerfile on where none can be fetched: Debian's packages, unpacked and never run, Node from npm, and a user
// called `node`.

import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { root } from "../runtime/program.ts";

export type Architecture = "amd64" | "arm64";

const DEBIAN = "bookworm";
const NODE_VERSION = "22.23.3";
const NPM_VERSION = "10.9.9";
const NPM_PLATFORMS: Readonly<Record<Architecture, string>> = { amd64: "x64", arm64: "arm64" };
const TIMEOUT_MS = 300_000;
const folder = join(root, "build/tools/image");

/** The name of one; it is made where it is not there. Throws an Error that says which step failed. */
export function baseImage(architecture: Architecture): string {
  const name = `localhost/httpy-conformance-node:22-${architecture}`;
  const known = spawnSync("buildah", ["inspect", "--type", "image", name], { stdio: "ignore" });
  if (known.status !== 0) make(architecture, name);
  return name;
}

/** Runs buildah; answers what it printed. Throws an Error with its words when it fails. */
export function buildah(...args: string[]): string {
  return run("buildah", args);
}

function make(architecture: Architecture, name: string): void {
  const tree = join(folder, architecture);
  if (!existsSync(join(tree, "etc/passwd"))) unpack(architecture, tree);
  const container = buildah("from", "--arch", architecture, "scratch");
  try {
    buildah("copy", "--quiet", container, tree, "/");
    buildah("config", "--arch", architecture, "--os", "linux", "--cmd", "node", container);
    const authorities = process.env["NODE_EXTRA_CA_CERTS"];
    if (authorities !== undefined) {
      buildah("copy", "--quiet", container, authorities, "/etc/extra-authorities.pem");
      buildah("config", "--env", "NODE_EXTRA_CA_CERTS=/etc/extra-authorities.pem", container);
    }
    buildah("commit", "--quiet", container, name);
  } finally {
    buildah("rm", container);
  }
}

function unpack(architecture: Architecture, tree: string): void {
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // `--foreign` stops before anything in it would run.
  run("debootstrap", [`--arch=${architecture}`, "--foreign", "--variant=minbase", DEBIAN, tree]);
  rmSync(join(tree, "debootstrap"), { recursive: true });
  rmSync(join(tree, "var/cache/apt"), { recursive: true, force: true });
  // In a container debootstrap leaves a link here.
  rmSync(join(tree, "proc"), { recursive: true });
  mkdirSync(join(tree, "proc"));
  const local = join(tree, "usr/local");
  const node = fromNpm(`node-linux-${NPM_PLATFORMS[architecture]}`, NODE_VERSION);
  mkdirSync(join(local, "bin"), { recursive: true });
  copyFileSync(join(node, "bin/node"), join(local, "bin/node"));
  cpSync(fromNpm("npm", NPM_VERSION), join(local, "lib/node_modules/npm"), { recursive: true });
  for (const name of ["npm", "npx"])
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(local, "bin", name));
  mkdirSync(join(tree, "home/node"), { recursive: true });
  appendFileSync(join(tree, "etc/group"), "root:x:0:\nnode:x:1000:\n");
  writeFileSync(
    join(tree, "etc/passwd"),
    "root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n",
  );
}

/** The folder of a package, unpacked. */
function fromNpm(name: string, version: string): string {
  const unpacked = join(folder, `${name}-${version}`);
  if (existsSync(join(unpacked, "package"))) return join(unpacked, "package");
  mkdirSync(unpacked, { recursive: true });
  run("npm", ["pack", "--silent", "--pack-destination", unpacked, `${name}@${version}`]);
  const archive = readdirSync(unpacked).find((file) => file.endsWith(".tgz")) as string;
  run("tar", ["-xzf", join(unpacked, archive), "-C", unpacked]);
  return join(unpacked, "package");
}

function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", timeout: TIMEOUT_MS });
  if (status === 0) return stdout.trim();
  const last = `${stderr ?? ""}`.trim().split("\n").slice(-3).join(" | ");
  throw new Error(`${command} ${args[0] ?? ""} failed: ${last}`);
}
