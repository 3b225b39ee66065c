/*
 * The smallest HTTP/1.1 client the clients of this folder need: one request on one connection, its head read whole,
 * and body bytes handed over as they lie in one reused buffer. It is no parser: it believes `content-length`, and
 * the peers here are known to send it.
 *
 * Invariant: bytes handed to `onBody` are valid only during the call.
 */
import { connect } from "node:net";
import type { Socket } from "node:net";

const READ_BUFFER_LEN = 256 * 1024;
const HEAD_END = "\r\n\r\n";

export interface Head {
  status: number;
  contentLength: number;
}

export interface ClientOptions {
  port: number;
  localAddress?: string;
  onHead?(head: Head): void;
  onBody?(bytes: Uint8Array): void;
  onClose?(error: Error | undefined): void;
}

/** Connects; the caller writes what it likes and hears of one head, then only of body bytes. */
export function openClient(options: ClientOptions): Socket {
  let headText: string | undefined = "";
  let failure: Error | undefined;
  const receive = (bytes: Uint8Array) => {
    if (headText === undefined) {
      options.onBody?.(bytes);
      return;
    }
    const before = headText.length;
    headText += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
    const end = headText.indexOf(HEAD_END);
    if (end < 0) return;
    const head = readHead(headText.slice(0, end));
    headText = undefined;
    options.onHead?.(head);
    const rest = bytes.subarray(end + HEAD_END.length - before);
    if (rest.length > 0) options.onBody?.(rest);
  };
  const socket = connect({
    host: "127.0.0.1",
    port: options.port,
    ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
    noDelay: true,
    onread: {
      buffer: sharedBuffer,
      callback(byteCount, buffer) {
        receive(buffer.subarray(0, byteCount));
        return true;
      },
    },
  });
  socket.on("error", (error) => (failure = error));
  socket.on("close", () => options.onClose?.(failure));
  return socket;
}

/** One buffer serves all connections of a process: each read is consumed before the next begins. */
const sharedBuffer = new Uint8Array(READ_BUFFER_LEN);

function readHead(text: string): Head {
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
  const contentLength = Number(/^content-length: (\d+)\r?$/im.exec(text)?.[1]);
  return { status, contentLength };
}
