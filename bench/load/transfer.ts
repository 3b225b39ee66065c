/*
 * One large transfer over one connection, timed. Arguments: `download` or `upload`, port, byte count.
 *
 * A download checks the length and, at the first byte of every read, that byte i is i mod 251. An upload writes as
 * fast as the socket takes it and checks the count in the answer. The clock runs from the request's first byte to
 * the answer's last. Prints {"seconds": …}, or {"error": …} when a check fails.
 */
import { openClient } from "./raw-client.ts";

const PATTERN_PERIOD = 251;
const UPLOAD_BLOCK_LEN = 256 * 1024;

const [direction, portText, bytesText] = process.argv.slice(2);
const port = Number(portText);
const byteCount = Number(bytesText);
let startedAt = 0;

function finish(): never {
  const seconds = (performance.now() - startedAt) / 1000;
  process.stdout.write(`${JSON.stringify({ seconds })}\n`, () => process.exit(0));
  return undefined as never;
}

function fail(error: string): void {
  process.stdout.write(`${JSON.stringify({ error })}\n`, () => process.exit(1));
}

function download(): void {
  let received = 0;
  const socket = openClient({
    port,
    onHead({ status, contentLength }) {
      if (status !== 200) fail(`status ${status}`);
      else if (contentLength !== byteCount) fail(`content-length ${contentLength}, wanted ${byteCount}`);
    },
    onBody(bytes) {
      if (bytes[0] !== received % PATTERN_PERIOD) fail(`byte ${received} is ${bytes[0]}`);
      received += bytes.length;
      if (received >= byteCount) finish();
    },
    onClose: (error) => fail(error?.message ?? `closed after ${received} bytes`),
  });
  socket.on("connect", () => {
    startedAt = performance.now();
    socket.write(`GET /bytes/${byteCount} HTTP/1.1\r\nHost: bench\r\n\r\n`);
  });
}

function upload(): void {
  let answer = "";
  let answerLen = Infinity;
  const socket = openClient({
    port,
    onHead({ status, contentLength }) {
      if (status !== 200) fail(`status ${status}`);
      answerLen = contentLength;
    },
    onBody(bytes) {
      answer += Buffer.from(bytes).toString("latin1");
      if (answer.length < answerLen) return;
      if (answer === String(byteCount)) finish();
      else fail(`answer "${answer}", wanted ${byteCount}`);
    },
    onClose: (error) => fail(error?.message ?? "closed before the answer"),
  });
  socket.on("connect", () => {
    startedAt = performance.now();
    socket.write(`POST /count HTTP/1.1\r\nHost: bench\r\nContent-Length: ${byteCount}\r\n\r\n`);
    const block = new Uint8Array(UPLOAD_BLOCK_LEN).fill(0x78);
    let left = byteCount;
    const writeMore = () => {
      while (left > 0) {
        const piece = left < block.length ? block.subarray(0, left) : block;
        left -= piece.length;
        if (!socket.write(piece)) return;
      }
    };
    socket.on("drain", writeMore);
    writeMore();
  });
}

if (direction === "download") download();
else upload();
