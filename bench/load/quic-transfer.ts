/*
 * One large transfer over one stream of raw QUIC, timed, with this package as the client. Arguments: `download` or `upload`, port,
 * byte count.
 *
 * A download checks the length and, at the first byte of every chunk, that byte i is i mod 251; an upload checks the count in the
 * answer. The clock runs from the request's first byte to the answer's end; the handshake is over before. Prints {"seconds": …}, or
 * {"error": …} when a check fails.
 */
import { connectQuic } from "httpy";
import type { QuicStream } from "httpy";
import { patternBlocks } from "../servers/pattern.ts";

const PATTERN_PERIOD = 251;

const [direction, portText, bytesText] = process.argv.slice(2);
const byteCount = Number(bytesText);

async function download(stream: QuicStream): Promise<void> {
  const writer = stream.writable.getWriter();
  await writer.write(Buffer.from(`GET ${byteCount}\n`));
  await writer.close();
  let received = 0;
  for await (const chunk of stream.readable) {
    if (chunk[0] !== received % PATTERN_PERIOD) throw new Error(`byte ${received} is ${chunk[0]}`);
    received += chunk.length;
  }
  if (received !== byteCount) throw new Error(`${received} bytes came, not ${byteCount}`);
}

async function upload(stream: QuicStream): Promise<void> {
  const writer = stream.writable.getWriter();
  await writer.write(Buffer.from("PUT\n"));
  for (const block of patternBlocks(byteCount)) await writer.write(block);
  await writer.close();
  let answer = "";
  for await (const chunk of stream.readable) answer += Buffer.from(chunk).toString("latin1");
  if (answer !== String(byteCount)) throw new Error(`answer "${answer}", wanted ${byteCount}`);
}

async function transfer(): Promise<object> {
  const { connection } = await connectQuic({
    host: "127.0.0.1",
    port: Number(portText),
    alpn: ["bench"],
    rejectUnauthorized: false,
  });
  await connection.confirmed;
  const startedAt = performance.now();
  const stream = await connection.openStream();
  await (direction === "upload" ? upload(stream) : download(stream));
  return { seconds: (performance.now() - startedAt) / 1000 };
}

const result = await transfer().catch((error: unknown) => ({ error: String(error) }));
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
