/*
 * The ceiling for HTTP/2 in JavaScript: frames are only counted off, and each HEADERS frame gets one constant answer.
 *
 * No HPACK, no settings, no flow control: it serves small requests without content, from a client that begins with
 * HTTP/2, and nothing else.
 */
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { announceReady } from "./ready.ts";

const PREFACE_LEN = 24;
const FRAME_HEADER_LEN = 9;
const STREAM_ID_OFFSET = 5;
const DATA = 0;
const HEADERS = 1;
const SETTINGS = 4;
const ACK = 1;
const END_STREAM = 1;
const END_HEADERS = 4;

/** `:status: 200` from the static table, and `content-type` as a literal under the static name 31. */
const FIELDS = Buffer.concat([
  Buffer.from([0x88, 0x0f, 0x10, "text/plain".length]),
  Buffer.from("text/plain"),
]);
const BODY = Buffer.from("Hello, World!");
const ANSWER = Buffer.concat([frame(HEADERS, END_HEADERS, FIELDS), frame(DATA, END_STREAM, BODY)]);
const DATA_OFFSET = FRAME_HEADER_LEN + FIELDS.length;
const GREETING = Buffer.concat([frame(SETTINGS, 0, Buffer.alloc(0)), frame(SETTINGS, ACK, Buffer.alloc(0))]);

function frame(type: number, flags: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_LEN);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  return Buffer.concat([header, payload]);
}

function serve(socket: Socket): void {
  let rest = Buffer.alloc(0);
  let isGreeted = false;
  socket.on("error", () => {});
  socket.on("data", (received) => {
    const bytes = rest.length === 0 ? received : Buffer.concat([rest, received]);
    let at = 0;
    if (!isGreeted) {
      if (bytes.length < PREFACE_LEN) {
        rest = Buffer.from(bytes);
        return;
      }
      isGreeted = true;
      at = PREFACE_LEN;
      socket.write(GREETING);
    }
    const streamIds: number[] = [];
    while (at + FRAME_HEADER_LEN <= bytes.length) {
      const frameEnd = at + FRAME_HEADER_LEN + bytes.readUIntBE(at, 3);
      if (frameEnd > bytes.length) break;
      if (bytes[at + 3] === HEADERS) streamIds.push(bytes.readUInt32BE(at + STREAM_ID_OFFSET));
      at = frameEnd;
    }
    rest = Buffer.from(bytes.subarray(at));
    if (streamIds.length > 0) socket.write(answers(streamIds));
  });
}

function answers(streamIds: number[]): Buffer {
  const bytes = Buffer.allocUnsafe(streamIds.length * ANSWER.length);
  let at = 0;
  for (const streamId of streamIds) {
    ANSWER.copy(bytes, at);
    bytes.writeUInt32BE(streamId, at + STREAM_ID_OFFSET);
    bytes.writeUInt32BE(streamId, at + DATA_OFFSET + STREAM_ID_OFFSET);
    at += ANSWER.length;
  }
  return bytes;
}

const server = createServer({ noDelay: true }, serve);
server.listen(0, "127.0.0.1", () => announceReady((server.address() as AddressInfo).port));
