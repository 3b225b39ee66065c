// A WebSocket as bytes, over HTTP/1.1 and over HTTP/2: the handshake is made, frames are the caller's business.

import http2 from "node:http2";
import net from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import type { ContractServer } from "./contract_process.ts";

/** What carries the WebSocket. */
export type Carrier = "h1" | "h1s" | "h2" | "h2s";

export interface RawWebSocket {
  readonly stream: Duplex;
  /** Fields of the answer to the handshake, by lowercase name. */
  readonly fields: ReadonlyMap<string, string>;
  /** What arrived so far behind the handshake. */
  received(): Buffer;
  send(bytes: Uint8Array): void;
  /** Resolves once `isDone` says so of what arrived, or the server has ended; rejects after 5 s. */
  until(isDone: (received: Buffer) => boolean): Promise<Buffer>;
  /** The same of a number of bytes, for what is long. */
  untilLength(byteCount: number): Promise<Buffer>;
  /** Resolves with everything that arrived, once the server has ended its side. */
  untilEnd(): Promise<Buffer>;
  destroy(): void;
}

const TIMEOUT_MS = 5000;
const HEAD_END = "\r\n\r\n";

/** Opens a WebSocket. Rejects with the status when the handshake is refused. */
export async function openRawWebSocket(
  server: ContractServer,
  carrier: Carrier,
  path: string,
  fields: Readonly<Record<string, string>> = {},
): Promise<RawWebSocket> {
  return carrier === "h1" || carrier === "h1s"
    ? overH1(server, carrier === "h1s", path, fields)
    : overH2(server, carrier === "h2s", path, fields);
}

async function overH1(
  server: ContractServer,
  isSecure: boolean,
  path: string,
  fields: Readonly<Record<string, string>>,
): Promise<RawWebSocket> {
  const { hostname, port } = new URL(isSecure ? server.secure : server.plain);
  const to = { host: hostname, port: Number(port), allowHalfOpen: true };
  const socket = isSecure ? tls.connect({ ...to, ca: server.cert }) : net.connect(to);
  socket.setNoDelay(true);
  const raw = collect(socket, () => socket.destroy());
  const all = {
    host: "localhost",
    upgrade: "websocket",
    connection: "Upgrade",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-version": "13",
    ...fields,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  raw.send(Buffer.from(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`));
  const head = (await raw.until((bytes) => bytes.includes(HEAD_END))).toString("latin1").split(HEAD_END)[0]!;
  raw.skip(head.length + HEAD_END.length);
  const [start = "", ...rest] = head.split("\r\n");
  if (!start.startsWith("HTTP/1.1 101 ")) {
    socket.destroy();
    throw new Error(`refused: ${start}`);
  }
  const pairs = rest.map((line) => line.split(/:\s*/, 2) as [string, string]);
  return { ...raw, fields: new Map(pairs.map(([name, value]) => [name.toLowerCase(), value])) };
}

async function overH2(
  server: ContractServer,
  isSecure: boolean,
  path: string,
  fields: Readonly<Record<string, string>>,
): Promise<RawWebSocket> {
  const session = http2.connect(isSecure ? server.secure : server.plain, { ca: server.cert });
  session.on("error", () => undefined);
  await new Promise<void>((resolve) => {
    session.once("remoteSettings", () => resolve());
  });
  if (session.remoteSettings.enableConnectProtocol !== true) throw new Error("no extended CONNECT");
  const stream = session.request(
    {
      ":method": "CONNECT",
      ":protocol": "websocket",
      ":path": path,
      ":scheme": isSecure ? "https" : "http",
      ":authority": "localhost",
      "sec-websocket-version": "13",
      ...fields,
    },
    { endStream: false },
  );
  const raw = collect(stream, () => session.destroy());
  const headers = await new Promise<http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader>(
    (resolve, reject) => {
      stream.once("response", resolve).once("error", reject);
    },
  );
  if (headers[":status"] !== 200) {
    session.destroy();
    throw new Error(`refused: ${headers[":status"]}`);
  }
  const pairs = Object.entries(headers).filter(
    (pair): pair is [string, string] => typeof pair[1] === "string",
  );
  return { ...raw, fields: new Map(pairs) };
}

function collect(
  stream: Duplex,
  destroy: () => void,
): Omit<RawWebSocket, "fields"> & { skip(n: number): void } {
  const chunks: Buffer[] = [];
  let length = 0;
  let skipped = 0;
  let isEnded = false;
  let wake: (() => void) | null = null;
  stream.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    wake?.();
  });
  for (const event of ["end", "close", "error"] as const) {
    stream.on(event, () => {
      isEnded = true;
      wake?.();
    });
  }
  const received = (): Buffer => {
    if (chunks.length > 1) chunks.splice(0, chunks.length, Buffer.concat(chunks));
    return (chunks[0] ?? Buffer.alloc(0)).subarray(skipped);
  };
  const wait = async (isDone: () => boolean): Promise<Buffer> => {
    const deadline = performance.now() + TIMEOUT_MS;
    while (!isDone() && !isEnded) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new Error(`time passed; received ${received().toString("hex", 0, 200)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      wake = null;
    }
    return received();
  };
  return {
    stream,
    received,
    until: (isDone) => wait(() => isDone(received())),
    untilLength: (byteCount) => wait(() => length - skipped >= byteCount),
    untilEnd: () => wait(() => false),
    send: (bytes) => void stream.write(bytes),
    skip: (count) => void (skipped += count),
    destroy,
  };
}
