/*
 * Raw QUIC of this package: streams that say in their first line what they are. `GET n` is answered with n bytes of the pattern,
 * `PUT` with the count of the bytes that follow, in decimal.
 */
import { listenQuic } from "httpy";
import type { QuicStream } from "httpy";
import { readCertificate } from "./certificate.ts";
import { patternBlocks } from "./pattern.ts";
import { announceReady } from "./ready.ts";

const LINE_END = 0x0a;

async function serve(stream: QuicStream): Promise<void> {
  let line = "";
  let contentBytes = 0;
  let isLineOver = false;
  for await (const chunk of stream.readable) {
    const end = isLineOver ? -1 : chunk.indexOf(LINE_END);
    if (isLineOver) contentBytes += chunk.length;
    else line += Buffer.from(end < 0 ? chunk : chunk.subarray(0, end)).toString("latin1");
    if (end < 0) continue;
    isLineOver = true;
    contentBytes += chunk.length - end - 1;
  }
  const writer = stream.writable.getWriter();
  const byteCount = Number(/^GET (\d+)$/.exec(line)?.[1]);
  if (line === "PUT") await writer.write(Buffer.from(String(contentBytes)));
  else for (const block of patternBlocks(byteCount)) await writer.write(block);
  await writer.close();
}

const listener = await listenQuic(
  { alpn: ["bench"], tls: readCertificate(), host: "127.0.0.1" },
  async (connection) => {
    // A connection cut at the end of a load is no fault.
    for await (const stream of connection.incomingStreams()) serve(stream).catch(() => undefined);
  },
);
announceReady(listener.port);
