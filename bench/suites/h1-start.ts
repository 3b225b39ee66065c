/*
 * The size of the release module, and the time from starting a process to its first answer.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { connect } from "node:net";
import { distFolder } from "../paths.ts";
import { startServer } from "../process.ts";
import type { Server } from "../process.ts";
import { alternate } from "../rounds.ts";
import { BenchError } from "../suite.ts";
import type { Measure } from "../suite.ts";

const MODULE_NAME = "engine.wasm";
const KIB = 1024;
const MODULE_LIMIT_KIB = 64;
/** Starts are short and noisy: more rounds than the loads have. */
const ROUNDS_FACTOR = 3;

export const moduleSize: Measure = {
  name: "module-size",
  title: "Release module",
  peers: [MODULE_NAME],
  async run() {
    const file = join(distFolder, MODULE_NAME);
    if (!existsSync(file)) throw new BenchError("dist/engine.wasm is missing: run `npm run build` first");
    const module = readFileSync(file);
    return {
      unit: "KiB",
      better: "lower",
      series: [{ peer: MODULE_NAME, samples: [{ value: module.length / KIB }] }],
      bars: [{ kind: "limit", subject: MODULE_NAME, direction: "at most", limit: MODULE_LIMIT_KIB }],
      notes: [`${(gzipSync(module, { level: 9 }).length / KIB).toFixed(1)} KiB compressed with gzip.`],
    };
  },
};

export const startToFirstAnswer: Measure = {
  name: "start",
  title: "Start of the process to its first answer",
  peers: ["node-http", "httpy"],
  async run(options) {
    const peers = options.selectPeers(this.peers);
    const rounds = options.rounds * ROUNDS_FACTOR;
    // The first start of each reads its files from disk; it is not counted.
    for (const peer of peers) await millisecondsToFirstAnswer(peer);
    const series = await alternate(peers, rounds, async (peer) => ({
      value: await millisecondsToFirstAnswer(peer),
    }));
    return {
      unit: "ms",
      better: "lower",
      series,
      bars: [{ kind: "ratio", subject: "httpy", peer: "node-http", direction: "at most", factor: 1.3 }],
      notes: [],
    };
  },
};

export async function millisecondsToFirstAnswer(
  peer: string,
  start: (name: string) => Promise<Server> = startServer,
): Promise<number> {
  const startedAt = performance.now();
  const server = await start(peer);
  try {
    await firstAnswer(peer, server.port);
    return performance.now() - startedAt;
  } finally {
    await server.process.stop();
  }
}

function firstAnswer(peer: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.on("error", reject);
    socket.once("connect", () => socket.write("GET / HTTP/1.1\r\nHost: bench\r\n\r\n"));
    socket.once("data", (bytes) => {
      socket.resetAndDestroy();
      if (bytes.toString("latin1").startsWith("HTTP/1.1 200 ")) resolve();
      else reject(new BenchError(`${peer} gave the wrong first answer`));
    });
  });
}
