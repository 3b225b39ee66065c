/*
 * Large bodies over one HTTP/2 stream with TLS: 1 GiB down, 1 GiB up, and what a stalled peer costs the server.
 *
 * The client is h2load with windows that never fill, so that the server and its own windows set the pace. A stalled
 * download grants 2^31 - 1 bytes of credit and reads nothing, so that not flow control but the socket holds the server
 * back: a server that frames all it may send into memory shows it here. A stalled upload keeps to the windows of a
 * server whose handler never reads.
 */
import { once } from "node:events";
import { mkdirSync, openSync, closeSync, ftruncateSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import { timed } from "../compare.ts";
import { runH2load } from "../load/h2load.ts";
import { bundleFolder } from "../paths.ts";
import { residentBytes, withServers } from "../process.ts";
import type { Server } from "../process.ts";
import { alternate } from "../rounds.ts";
import { get, openSession, originOf } from "../session.ts";
import { BenchError } from "../suite.ts";
import type { Measure, RunOptions, Sample, Series } from "../suite.ts";

const MIB = 2 ** 20;
const TRANSFER_LEN = 1024 * MIB;
const QUICK_TRANSFER_LEN = 256 * MIB;
const WARMUP_LEN = 128 * MIB;

const STALL_SECONDS = 4;
const QUICK_STALL_SECONDS = 2;
const STALL_SAMPLE_MS = 50;
/** Room for the JavaScript heap's young generation; a body of 1 GiB taken in would be sixteen times this. */
const STALL_GROWTH_LIMIT_MIB = 64;
/** A connection that was held back has bytes waiting for whoever reads again. */
const RESUME_TIMEOUT_MS = 5_000;
const STALL_WRITE_LEN = 256 * 1024;

type Direction = "download" | "upload";

const PEERS = ["node-http2-tls", "httpy-tls"];

/** A file that takes no room on disk; h2load sends what it reads of it, zeros. */
function uploadFile(byteCount: number): string {
  mkdirSync(bundleFolder, { recursive: true });
  const path = join(bundleFolder, `upload-${byteCount}`);
  const descriptor = openSync(path, "w");
  ftruncateSync(descriptor, byteCount);
  closeSync(descriptor);
  return path;
}

async function transfer(
  direction: Direction,
  server: Server,
  byteCount: number,
): Promise<Sample & { seconds: number }> {
  const isUpload = direction === "upload";
  const { seconds, contentBytes } = await runH2load({
    peer: server.name,
    url: originOf(server) + (isUpload ? "/count" : `/bytes/${byteCount}`),
    connectionCount: 1,
    streamCount: 1,
    extent: { requestCount: 1 },
    ...(isUpload ? { bodyFile: uploadFile(byteCount) } : {}),
  });
  // The answer to an upload is its count in decimal: h2load tells its length alone.
  const wanted = isUpload ? String(byteCount).length : byteCount;
  if (contentBytes !== wanted) {
    throw new BenchError(`${direction}, ${server.name}: ${contentBytes} bytes in the answer, not ${wanted}`);
  }
  return { value: byteCount / MIB / seconds, seconds };
}

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
        bars: [
          {
            kind: "ratio",
            subject: "httpy-tls",
            peer: "node-http2-tls",
            direction: "at least",
            factor: 1.2,
          },
        ],
        notes: options.quick ? [`Quick: ${QUICK_TRANSFER_LEN / MIB} MiB each.`] : [],
      };
    },
  };
}

export const download = transferMeasure("download", "GET /bytes of 1 GiB, one stream, TLS");
export const upload = transferMeasure("upload", "POST /count of 1 GiB, one stream, TLS");

/** A stall that has begun; `end` waits for a sign that the server was still serving it. */
interface Stall {
  end(): Promise<void>;
  abandon(): void;
}

function stallMeasure(name: string, title: string, begin: (server: Server) => Stall): Measure {
  return {
    name,
    title,
    peers: PEERS,
    async run(options) {
      const seconds = options.quick ? QUICK_STALL_SECONDS : STALL_SECONDS;
      const series = await alternate(options.selectPeers(PEERS), 1, async (peer) => {
        options.progress(peer);
        return withServers([peer], (servers) =>
          growthDuringStall(servers.get(peer) as Server, begin, seconds),
        );
      });
      return {
        unit: "MiB",
        better: "lower",
        series,
        bars: [{ kind: "limit", subject: "httpy-tls", direction: "at most", limit: STALL_GROWTH_LIMIT_MIB }],
        notes: [`Largest growth of the server's resident memory during ${seconds} s.`],
      };
    },
  };
}

async function growthDuringStall(
  server: Server,
  begin: (server: Server) => Stall,
  seconds: number,
): Promise<Sample> {
  // Warm, so that lazily compiled code and first-use buffers are not counted as the stall's.
  await transfer("download", server, WARMUP_LEN);
  await transfer("upload", server, WARMUP_LEN);
  const before = residentBytes(server.process);
  let peak = before;
  const stall = begin(server);
  try {
    const end = performance.now() + seconds * 1000;
    for (; performance.now() < end; await sleep(STALL_SAMPLE_MS)) {
      peak = Math.max(peak, residentBytes(server.process));
    }
    const other = openSession(server);
    await get(server, other, "/");
    other.destroy();
    await stall.end();
  } finally {
    stall.abandon();
  }
  return { value: (peak - before) / MIB };
}

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
const HEADERS = 1;
const SETTINGS = 4;
const WINDOW_UPDATE = 8;
const END_STREAM_AND_HEADERS = 5;
const INITIAL_WINDOW_SIZE = 4;
const WINDOW_MAX = 2 ** 31 - 1;
const WINDOW_DEFAULT = 65_535;

function frame(type: number, flags: number, streamId: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, payload]);
}

/** A whole connection start by hand, since a client library reads on whatever its streams do. */
function greedyGet(path: string): Buffer {
  const settings = Buffer.alloc(6);
  settings.writeUInt16BE(INITIAL_WINDOW_SIZE, 0);
  settings.writeUInt32BE(WINDOW_MAX, 2);
  const credit = Buffer.alloc(4);
  credit.writeUInt32BE(WINDOW_MAX - WINDOW_DEFAULT);
  const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
  // RFC 7541 appendix A: 2 is `:method: GET`, 7 `:scheme: https`; literals under the names 4 `:path`, 1 `:authority`.
  const fields = [Buffer.from([0x82, 0x87, 0x04]), text(path), Buffer.from([0x01]), text("bench")];
  return Buffer.concat([
    PREFACE,
    frame(SETTINGS, 0, 0, settings),
    frame(WINDOW_UPDATE, 0, 0, credit),
    frame(HEADERS, END_STREAM_AND_HEADERS, 1, Buffer.concat(fields)),
  ]);
}

export const stalledDownload = stallMeasure(
  "stalled-download",
  "Server memory while a peer with all the credit reads nothing of a 1 GiB GET, TLS",
  ({ name, port }) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ALPNProtocols: ["h2"] });
    socket.on("error", () => {});
    socket.once("secureConnect", () => socket.write(greedyGet(`/fresh/${TRANSFER_LEN}`)));
    return {
      async end() {
        if (socket.destroyed) throw new BenchError(`${name} closed the stalled connection`);
        let receivedBytes = 0;
        socket.on("data", (bytes: Buffer) => (receivedBytes += bytes.length));
        const deadline = performance.now() + RESUME_TIMEOUT_MS;
        // More than any socket buffer holds: the server goes on where it was held back.
        while (receivedBytes < 64 * MIB) {
          if (performance.now() > deadline)
            throw new BenchError(`${name} sent ${receivedBytes} bytes once its peer read on`);
          await sleep(STALL_SAMPLE_MS);
        }
      },
      abandon: () => void socket.destroy(),
    };
  },
);

export const stalledUpload = stallMeasure(
  "stalled-upload",
  "Server memory while a peer sends 1 GiB to a handler that does not read, TLS",
  (server) => {
    const session = openSession(server);
    const stream = session.request({ ":method": "POST", ":path": "/hold" });
    stream.on("error", () => {});
    const block = new Uint8Array(STALL_WRITE_LEN);
    // Once the windows are used up `drain` comes no more, and nothing piles up on this side either.
    const writeMore = () => {
      while (!stream.destroyed && stream.write(block));
    };
    stream.on("drain", writeMore);
    writeMore();
    return {
      async end() {
        if (stream.destroyed) throw new BenchError(`${server.name} ended the stalled upload`);
        const answered = once(session, "ping", { signal: AbortSignal.timeout(RESUME_TIMEOUT_MS) });
        session.ping(() => session.emit("ping"));
        await answered;
      },
      abandon: () => session.destroy(),
    };
  },
);
