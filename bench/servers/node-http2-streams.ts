/*
 * `node:http2` by its stream API, which spares the request and response objects of the compatible one. Each route is
 * written the way that is fastest there.
 */
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { freshBlocks, patternBlocks } from "./pattern.ts";

export function answerStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  const path = headers[":path"] as string;
  // A client that ends while it is being sent to is no fault of the server.
  stream.on("error", () => {});
  if (headers[":method"] === "GET") {
    if (path === "/") answerText(stream, "Hello, World!");
    else if (path.startsWith("/bytes/")) sendBytes(stream, path, patternBlocks);
    else if (path.startsWith("/fresh/")) sendBytes(stream, path, freshBlocks);
    else refuse(stream);
  } else if (path === "/count") count(stream);
  else if (path !== "/hold") refuse(stream);
}

function answerText(stream: ServerHttp2Stream, text: string): void {
  stream.respond({ ":status": 200, "content-type": "text/plain" });
  stream.end(text);
}

function refuse(stream: ServerHttp2Stream): void {
  stream.respond({ ":status": 404 }, { endStream: true });
}

function count(stream: ServerHttp2Stream): void {
  let total = 0;
  stream.on("data", (chunk: Buffer) => (total += chunk.length));
  stream.on("end", () => answerText(stream, String(total)));
}

function sendBytes(stream: ServerHttp2Stream, path: string, makeBlocks: typeof patternBlocks): void {
  const byteCount = Number(path.slice(path.lastIndexOf("/") + 1));
  stream.respond({
    ":status": 200,
    "content-type": "application/octet-stream",
    "content-length": byteCount,
  });
  const blocks = makeBlocks(byteCount);
  const writeMore = () => {
    for (let next = blocks.next(); ; next = blocks.next()) {
      if (next.done) {
        stream.end();
        return;
      }
      if (!stream.write(next.value)) return;
    }
  };
  stream.on("drain", writeMore);
  writeMore();
}
