/*
 * `node:http` without a framework, each route written the way that is fastest there.
 */
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { freshBlocks, patternBlocks } from "./pattern.ts";
import { announceReady } from "./ready.ts";

/** Idle connections must survive the idle measure; the default is five seconds. */
const KEEP_ALIVE_TIMEOUT_MS = 120_000;

const server = createServer({ keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS }, (req, res) => {
  const url = req.url as string;
  if (req.method === "GET") {
    if (url === "/") answerText(res, "Hello, World!");
    else if (url.startsWith("/bytes/")) sendBytes(res, url, patternBlocks);
    else if (url.startsWith("/fresh/")) sendBytes(res, url, freshBlocks);
    else res.writeHead(404).end();
  } else if (url === "/") echo(req, res);
  else if (url === "/count") count(req, res);
  else if (url !== "/hold") res.writeHead(404).end();
});

function answerText(res: ServerResponse, text: string): void {
  res.setHeader("content-type", "text/plain");
  res.end(text);
}

function echo(req: IncomingMessage, res: ServerResponse): void {
  const chunks: Buffer[] = [];
  req.on("data", (chunk: Buffer) => chunks.push(chunk));
  req.on("end", () => {
    res.setHeader("content-type", "application/octet-stream");
    res.end(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
  });
}

function count(req: IncomingMessage, res: ServerResponse): void {
  let total = 0;
  req.on("data", (chunk: Buffer) => (total += chunk.length));
  req.on("end", () => answerText(res, String(total)));
}

function sendBytes(res: ServerResponse, url: string, makeBlocks: typeof patternBlocks): void {
  const byteCount = Number(url.slice(url.lastIndexOf("/") + 1));
  res.writeHead(200, { "content-type": "application/octet-stream", "content-length": byteCount });
  const blocks = makeBlocks(byteCount);
  const writeMore = () => {
    for (let next = blocks.next(); ; next = blocks.next()) {
      if (next.done) {
        res.end();
        return;
      }
      if (!res.write(next.value)) return;
    }
  };
  res.on("drain", writeMore);
  writeMore();
}

server.listen(0, "127.0.0.1", () => announceReady((server.address() as AddressInfo).port));
