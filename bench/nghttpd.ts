/*
 * nghttpd, nghttp2's server in C, as a peer: where it is installed it shows what a native server does under the same
 * load. It serves one file, by one thread, and takes its port from the command line, so a free one is sought first.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bundleFolder, certificateFolder } from "./paths.ts";
import { LineProcess, SERVER_CORE, commandExists } from "./process.ts";
import type { Server } from "./process.ts";
import { BenchError } from "./suite.ts";

const START_TRIES = 100;
const TRY_INTERVAL_MS = 50;
const documentFolder = join(bundleFolder, "documents");

export const hasNghttpd = commandExists("nghttpd", ["--version"]);

/** `nghttpd` or `nghttpd-tls`; `text` is what it answers on `/`. */
export async function startNghttpd(name: string, text: string): Promise<Server> {
  mkdirSync(documentFolder, { recursive: true });
  writeFileSync(join(documentFolder, "index.html"), text);
  const port = await freePort();
  const common = ["-a", "127.0.0.1", "-d", documentFolder];
  const secure = [String(port), join(certificateFolder, "key.pem"), join(certificateFolder, "cert.pem")];
  const args = name.endsWith("-tls") ? [...common, ...secure] : [...common, "--no-tls", String(port)];
  const child = new LineProcess(name, SERVER_CORE, "nghttpd", args);
  for (let i = 0; i < START_TRIES; i++, await sleep(TRY_INTERVAL_MS)) {
    if (await accepts(port)) return { process: child, name, port };
  }
  await child.stop();
  throw new BenchError(`${name} did not begin to listen`);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    const finish = (isAccepted: boolean) => {
      socket.destroy();
      resolve(isAccepted);
    };
    socket.on("connect", () => finish(true));
    socket.on("error", () => finish(false));
  });
}
