// Serves the files of a folder by HTTP/0.9 over QUIC, as the interop runner of QUIC implementations asks for them (ALPN hq-interop):
// a client opens a stream, sends `GET /path` and a line end, and reads the file.
//
//   node scripts/run.mjs --build examples/hq_interop.ts FOLDER --cert CERT.pem --key KEY.pem [--port 4433] [--host ADDRESS] [--retry]
//     [--early-data] [--cipher NAME] [--streams N]

import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join, normalize, sep } from "node:path";
import { Readable } from "node:stream";
import { parseArgs } from "node:util";
import { listenQuic, type QuicOptions, type QuicStream } from "httpy";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cert: { type: "string" },
    key: { type: "string" },
    port: { type: "string", default: "4433" },
    host: { type: "string" },
    retry: { type: "boolean", default: false },
    "early-data": { type: "boolean", default: false },
    cipher: { type: "string" },
    streams: { type: "string" },
  },
});
const [folder = "."] = positionals;
const REQUEST_BYTES_MOST = 4096;

/** Up to the line end, or the end of the stream. */
async function readRequest(stream: QuicStream): Promise<string> {
  let request = "";
  for await (const chunk of stream.readable) {
    request += Buffer.from(chunk).toString("latin1");
    const end = request.search(/[\r\n]/);
    if (end >= 0) return request.slice(0, end);
    if (request.length > REQUEST_BYTES_MOST) throw new Error("the request has no end");
  }
  return request;
}

/** The file that a request names: always below the folder. */
async function fileOf(request: string): Promise<string> {
  const [, path] = /^GET \/(\S*)/.exec(request) ?? [];
  if (path === undefined) throw new Error(`not a request: ${request}`);
  const inside = normalize(join(sep, decodeURIComponent(path)));
  const file = join(folder, inside);
  if (!(await stat(file)).isFile()) throw new Error(`not a file: ${inside}`);
  return file;
}

async function answer(stream: QuicStream): Promise<void> {
  try {
    const file = await fileOf(await readRequest(stream));
    await Readable.toWeb(createReadStream(file)).pipeTo(stream.writable as WritableStream);
  } catch (error) {
    stream.abort(1n);
    console.error(error instanceof Error ? error.message : error);
  }
}

if (values.cert === undefined || values.key === undefined) throw new Error("--cert and --key are needed");
const listener = await listenQuic(
  {
    alpn: ["hq-interop"],
    tls: { cert: await readFile(values.cert, "utf8"), key: await readFile(values.key, "utf8") },
    port: Number(values.port),
    retry: values.retry,
    earlyData: values["early-data"],
    ...(values.host === undefined ? {} : { host: values.host }),
    ...(values.cipher === undefined ? {} : { cipher: values.cipher as NonNullable<QuicOptions["cipher"]> }),
    ...(values.streams === undefined ? {} : { bidiStreams: Number(values.streams) }),
  },
  async (connection) => {
    for await (const stream of connection.incomingStreams()) void answer(stream);
  },
);
console.log(`listening on ${listener.port}`);
process.once("SIGTERM", () => void listener.close().then(() => process.exit(0)));
