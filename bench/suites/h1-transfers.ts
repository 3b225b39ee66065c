/*
 * Large bodies over one HTTP/1.1 connection: 1 GiB down, 1 GiB up, and what a stalled peer costs the server.
 *
 * A stalled download asks for 1 GiB and reads nothing; a stalled upload sends to a handler that never reads. In both
 * the server must stop taking part: its resident memory may grow by a bounded amount however long the stall lasts,
 * and it must still answer others.
 */
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { timed } from "../compare.ts";
import { residentBytes, runClient, withServers } from "../process.ts";
import type { Server } from "../process.ts";
import { alternate } from "../rounds.ts";
import { BenchError } from "../suite.ts";
import type { Measure, RunOptions, Sample, Series } from "../suite.ts";

const MIB = 2 ** 20;
const TRANSFER_LEN = 1024 * MIB;
const QUICK_TRANSFER_LEN = 256 * MIB;
const WARMUP_LEN = 128 * MIB;
/** Ten times slower than the slowest machine this ran on. */
const TRANSFER_TIMEOUT_MS = 60_000;

const STALL_SECONDS = 4;
const QUICK_STALL_SECONDS = 2;
const STALL_SAMPLE_MS = 50;
/** Room for the JavaScript heap's young generation; a body of 1 GiB taken in would be sixteen times this. */
const STALL_GROWTH_LIMIT_MIB = 64;
/** A connection that was held back has bytes waiting for whoever reads again. */
const RESUME_TIMEOUT_MS = 5_000;
const STALL_WRITE_LEN = 256 * 1024;

type Direction = "download" | "upload";

const PEERS = ["node-http", "httpy"];

async function compareTransfers(direction: Direction, options: RunOptions): Promise<Series[]> {
  const transferLen = options.quick ? QUICK_TRANSFER_LEN : TRANSFER_LEN;
  const peers = options.selectPeers(PEERS);
  return withServers(peers, async (servers) => {
    for (const server of servers.values()) await transfer(direction, server, WARMUP_LEN);
    return alternate(peers, options.rounds, async (peer, round) => {
      options.progress(`${peer}, round ${round + 1} of ${options.rounds}`);
      const server = servers.get(peer) as Server;
      return timed(server, () => transfer(direction, server, transferLen));
    });
  });
}

async function transfer(
  direction: Direction,
  server: Server,
  byteCount: number,
): Promise<Sample & { seconds: number }> {
  const args = [direction, String(server.port), String(byteCount)];
  const result = await runClient<{ seconds: number } | { error: string }>(
    "transfer",
    args,
    TRANSFER_TIMEOUT_MS,
  );
  if ("error" in result) throw new BenchError(`${direction} from ${server.name}: ${result.error}`);
  return { value: byteCount / MIB / result.seconds, seconds: result.seconds };
}

function transferMeasure(direction: Direction, title: string): Measure {
  return {
    name: direction,
    title,
    peers: PEERS,
    async run(options) {
      return {
        unit: "MiB/s",
        better: "higher",
        series: await compareTransfers(direction, options),
        bars: [{ kind: "ratio", subject: "httpy", peer: "node-http", direction: "at least", factor: 1.2 }],
        notes: options.quick ? [`Quick: ${QUICK_TRANSFER_LEN / MIB} MiB each.`] : [],
      };
    },
  };
}

export const download = transferMeasure("download", "GET /bytes of 1 GiB, streamed, one connection");
export const upload = transferMeasure("upload", "POST /count of 1 GiB, streamed, one connection");

interface Stall {
  begin(socket: Socket): void;
  /** Waits for a sign that the server was still serving the connection when the stall ended. */
  end(socket: Socket): Promise<void>;
}

function stallMeasure(name: string, title: string, stall: Stall): Measure {
  return {
    name,
    title,
    peers: PEERS,
    async run(options) {
      const seconds = options.quick ? QUICK_STALL_SECONDS : STALL_SECONDS;
      const series = await alternate(options.selectPeers(PEERS), 1, async (peer) => {
        options.progress(peer);
        return withServers([peer], async (servers) =>
          growthDuringStall(servers.get(peer) as Server, stall, seconds),
        );
      });
      return {
        unit: "MiB",
        better: "lower",
        series,
        bars: [{ kind: "limit", subject: "httpy", direction: "at most", limit: STALL_GROWTH_LIMIT_MIB }],
        notes: [`Largest growth of the server's resident memory during ${seconds} s.`],
      };
    },
  };
}

async function growthDuringStall(server: Server, stall: Stall, seconds: number): Promise<Sample> {
  // Warm, so that lazily compiled code and first-use buffers are not counted as the stall's.
  await transfer("download", server, WARMUP_LEN);
  await transfer("upload", server, WARMUP_LEN);
  const before = residentBytes(server.process);
  let peak = before;
  const socket = connect({ host: "127.0.0.1", port: server.port });
  socket.on("error", () => {});
  socket.once("connect", () => stall.begin(socket));
  try {
    for (
      const end = performance.now() + seconds * 1000;
      performance.now() < end;
      await sleep(STALL_SAMPLE_MS)
    ) {
      peak = Math.max(peak, residentBytes(server.process));
    }
    if (socket.destroyed)
      throw new BenchError(`${server.name} closed the stalled connection within ${seconds} s`);
    const answer = await fetch(`http://127.0.0.1:${server.port}/`);
    if (answer.status !== 200)
      throw new BenchError(`${server.name} answered ${answer.status} during a stall`);
    await answer.text();
    await stall.end(socket);
  } finally {
    socket.resetAndDestroy();
  }
  return { value: (peak - before) / MIB };
}

export const stalledDownload = stallMeasure(
  "stalled-download",
  "Server memory while a peer reads nothing of a 1 GiB GET",
  {
    begin(socket) {
      socket.pause();
      socket.write(`GET /fresh/${TRANSFER_LEN} HTTP/1.1\r\nHost: bench\r\n\r\n`);
    },
    async end(socket) {
      const [bytes] = (await once(socket.resume(), "data", {
        signal: AbortSignal.timeout(RESUME_TIMEOUT_MS),
      })) as [Buffer];
      if (!bytes.toString("latin1").startsWith("HTTP/1.1 200 "))
        throw new BenchError("the download was refused");
    },
  },
);

export const stalledUpload = stallMeasure(
  "stalled-upload",
  "Server memory while a peer sends 1 GiB to a handler that does not read",
  {
    begin(socket) {
      socket.write(`POST /hold HTTP/1.1\r\nHost: bench\r\nContent-Length: ${TRANSFER_LEN}\r\n\r\n`);
      const block = new Uint8Array(STALL_WRITE_LEN);
      // Once the server stops reading, `drain` comes no more, and nothing piles up on this side either.
      const writeMore = () => {
        while (!socket.destroyed && socket.write(block));
      };
      socket.on("drain", writeMore);
      writeMore();
    },
    async end(socket) {
      // Handed to the socket and not taken by it: the server has stopped reading, or has taken the whole GiB in.
      if (socket.bytesWritten < STALL_WRITE_LEN) throw new BenchError("the upload never began");
    },
  },
);
