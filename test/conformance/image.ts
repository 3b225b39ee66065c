// The image: built for amd64 and arm64 from the one Dockerfile, and its process run as a platform would run it, as an ordinary user on a
// file system that cannot be written.
//
// No container engine is needed: buildah builds with chroot isolation, and what is built is started by chroot in a mount namespace of
// its own. Another architecture than this machine's runs under qemu, if that is installed.

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, copyFileSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { root } from "../runtime/program.ts";
import { type Architecture, baseImage, buildah } from "./image_base.ts";
import { findProgram, problemOf, results, skipped } from "./suite.ts";
import type { Suite, SuiteResult } from "./suite.ts";

const ARCHITECTURES: readonly Architecture[] = ["amd64", "arm64"];
const NATIVE: Readonly<Record<string, Architecture | undefined>> = { x64: "amd64", arm64: "arm64" };
const QEMU: Readonly<Record<Architecture, string>> = {
  amd64: "qemu-x86_64-static",
  arm64: "qemu-aarch64-static",
};
const NEEDED = ["buildah", "debootstrap", "unshare", "chroot"];
const ELF = "\x7fELF";
const USER_ID = 1000;

interface ImageConfig {
  readonly architecture: string;
  readonly config: {
    readonly User: string;
    readonly WorkingDir: string;
    readonly Cmd: readonly string[];
    readonly Env: readonly string[];
  };
}

export const imageSuites: readonly Suite[] = ARCHITECTURES.map((architecture) => ({
  name: `image for ${architecture}`,
  runtime: "image",
  run: () => checkImage(architecture),
}));

async function checkImage(architecture: Architecture): Promise<SuiteResult> {
  const missing = NEEDED.filter((name) => findProgram(name) === null);
  if (missing.length > 0) return skipped(`needs ${missing.join(", ")} (Debian has them)`);
  if (process.getuid?.() !== 0) return skipped("needs root, to unpack a base image and to make a namespace");
  const native = NATIVE[process.arch];
  if (native === undefined) return skipped(`has no base image for ${process.arch}`);
  const qemu = native === architecture ? null : findProgram(QEMU[architecture]);
  if (qemu === null && native !== architecture)
    return skipped(`needs ${QEMU[architecture]} (Debian's qemu-user-static) to run what it builds`);
  const name = `localhost/httpy-conformance:${architecture}`;
  try {
    const options = ["--isolation", "chroot", "--layers", "--pull-never", "--quiet", "--tag", name];
    const [on, to] = [`linux/${native}`, `linux/${architecture}`];
    const images = [`BUILD_IMAGE=${baseImage(native)}`, `NODE_IMAGE=${baseImage(architecture)}`];
    // Docker knows the platforms; older releases of buildah have to be told.
    const args = [...images, `BUILDPLATFORM=${on}`, `TARGETPLATFORM=${to}`];
    const named = args.flatMap((arg) => ["--build-arg", arg]);
    buildah("build", ...options, "--platform", to, ...named, root);
  } catch (error) {
    return results([["the image builds", error instanceof Error ? error.message : String(error)]]);
  }
  const container = buildah("from", "--pull-never", name);
  try {
    const tree = buildah("mount", container);
    const { OCIv1 } = JSON.parse(buildah("inspect", "--type", "image", name)) as { OCIv1: ImageConfig };
    return await checkTree(architecture, tree, OCIv1, qemu);
  } finally {
    buildah("rm", container);
  }
}

async function checkTree(
  architecture: Architecture,
  tree: string,
  image: ImageConfig,
  qemu: string | null,
): Promise<SuiteResult> {
  const check = (name: string, body: () => Promise<void>) =>
    problemOf(body).then((problem) => [name, problem] as const);
  return results([
    await check("says what it is, and runs as another user than root", () =>
      Promise.resolve().then(() => {
        expectSame("architecture", image.architecture, architecture);
        expectSame("user", image.config.User, "node");
      }),
    ),
    await check("holds nothing native beside Node", () =>
      Promise.resolve().then(() => expectSame("native files", nativeFiles(join(tree, "app")).join(), "")),
    ),
    await check("serves on a file system that cannot be written, and drains on SIGTERM", () =>
      serveAndDrain(tree, image, qemu),
    ),
  ]);
}

async function serveAndDrain(tree: string, { config }: ImageConfig, qemu: string | null): Promise<void> {
  const port = await freePort();
  const server = start(tree, config, qemu, port);
  const ended = once(server, "exit");
  try {
    const url = `http://127.0.0.1:${port}`;
    await answering(`${url}/readyz`, server);
    expectSame("liveness", await (await fetch(`${url}/livez`)).text(), "ok\n");
    const status = readFileSync(`/proc/${server.pid}/status`, "latin1");
    expectSame("user ID", /^Uid:\s+(\d+)/m.exec(status)?.[1], `${USER_ID}`);
    expectSame("gained rights", /^CapEff:\s+(\w+)/m.exec(status)?.[1], "0000000000000000");
    const mounts = readFileSync(`/proc/${server.pid}/mountinfo`, "latin1");
    expectSame("root of the file system", /^\S+ \S+ \S+ \S+ \/ (r[ow])/m.exec(mounts)?.[1], "ro");
    // Half a stream is there when the signal comes; the rest follows, and then the process ends.
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(`${url}/stream`, { agent: false }, resolve).on("error", reject);
    });
    await once(response, "readable");
    server.kill("SIGTERM");
    const lines = (await text(response)).trim().split("\n");
    expectSame("lines of a stream that was open", lines.length, 10);
    const [code] = (await ended) as [number | null];
    expectSame("exit code", code, 0);
  } finally {
    server.kill("SIGKILL");
  }
}

/** Starts the image's command as its user, with its files for a root that cannot be written. */
function start(tree: string, config: ImageConfig["config"], qemu: string | null, port: number): ChildProcess {
  const [program = "", script = "", ...rest] = config.Cmd;
  expectSame("the program", program, "node");
  const emulator = qemu === null ? [] : ["/qemu"];
  if (qemu !== null) copyFileSync(qemu, join(tree, "qemu"));
  const args = rest.map((arg, index) => (rest[index - 1] === "--port" ? `${port}` : arg));
  const command = [...emulator, "/usr/local/bin/node", join(config.WorkingDir, script), ...args];
  const steps = [
    'mount --rbind "$0" "$0"',
    'mount --bind -o ro "$0" "$0"',
    'mount -t proc proc "$0/proc"',
    'mount --bind /dev "$0/dev"',
    `exec chroot --userspec=${USER_ID}:${USER_ID} --groups= "$0" "$@"`,
  ];
  return spawn("unshare", ["--mount", "sh", "-ec", steps.join("\n"), tree, ...command], {
    stdio: ["ignore", "ignore", "inherit"],
    env: Object.fromEntries(config.Env.map((line) => line.split(/=(.*)/s) as [string, string])),
  });
}

const START_MS = 15_000;

async function answering(url: string, server: ChildProcess): Promise<void> {
  for (const startedMs = performance.now(); ; await new Promise((resolve) => setTimeout(resolve, 50))) {
    if (server.exitCode !== null) throw new Error(`it ended at once with code ${server.exitCode}`);
    const isReady = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (isReady) return;
    if (performance.now() - startedMs > START_MS) throw new Error(`not ready within ${START_MS} ms`);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function nativeFiles(folder: string): string[] {
  const start = Buffer.alloc(ELF.length);
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => {
      const open = openSync(file, "r");
      try {
        readSync(open, start, 0, start.length, 0);
      } finally {
        closeSync(open);
      }
      return start.toString("latin1") === ELF || file.endsWith(".node");
    });
}

function expectSame(what: string, found: unknown, expected: unknown): void {
  if (found !== expected)
    throw new Error(`${what}: ${JSON.stringify(found)} where ${JSON.stringify(expected)} was awaited`);
}
