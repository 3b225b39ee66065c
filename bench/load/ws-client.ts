/*
 * The smallest WebSocket client the clients of this folder need: a handshake on a raw socket, and bytes from then on. It masks with
 * zeros, so that a frame is made once and sent as often as is wanted, and knows how long the frames are that it is sent.
 *
 * Invariant: bytes handed to `onBytes` are valid only during the call.
 */
import { connect } from "node:net";
import type { Socket } from "node:net";

const READ_BUFFER_LEN = 256 * 1024;
const HEAD_END = "\r\n\r\n";
/** One buffer serves all connections of a process: each read is consumed before the next begins. */
const sharedBuffer = new Uint8Array(READ_BUFFER_LEN);

export interface ClientOptions {
  port: number;
  path: string;
  localAddress?: string;
  onOpen(socket: Socket): void;
  onBytes(bytes: Uint8Array): void;
  onClose(error: Error | undefined): void;
}

export function openWebSocket(options: ClientOptions): void {
  let head: string | undefined = "";
  let failure: Error | undefined;
  const socket = connect({
    host: "127.0.0.1",
    port: options.port,
    noDelay: true,
    ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
    onread: {
      buffer: sharedBuffer,
      callback(byteCount, buffer) {
        const bytes = buffer.subarray(0, byteCount);
        if (head === undefined) {
          options.onBytes(bytes);
          return true;
        }
        head += Buffer.from(bytes).toString("latin1");
        if (!head.includes(HEAD_END)) return true;
        if (!head.startsWith("HTTP/1.1 101 ")) socket.destroy(new Error(`answered ${head.slice(0, 40)}`));
        head = undefined;
        options.onOpen(socket);
        return true;
      },
    },
  });
  socket.on("error", (error) => (failure = error));
  socket.on("close", () => options.onClose(failure));
  socket.on("connect", () => {
    socket.write(
      `GET ${options.path} HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    );
  });
}

/** A binary frame of a client, masked with zeros. */
export function clientFrame(payloadLen: number): Buffer {
  const headerLen = frameLen(payloadLen) - payloadLen + 4;
  const frame = Buffer.alloc(headerLen + payloadLen, 0x78);
  frame[0] = 0x82;
  if (payloadLen <= 125) frame[1] = 0x80 | payloadLen;
  else if (payloadLen <= 0xffff) {
    frame[1] = 0xfe;
    frame.writeUInt16BE(payloadLen, 2);
  } else {
    frame[1] = 0xff;
    frame.writeBigUInt64BE(BigInt(payloadLen), 2);
  }
  frame.fill(0, headerLen - 4, headerLen);
  return frame;
}

/** Length of a server's frame. */
export function frameLen(payloadLen: number): number {
  return (payloadLen <= 125 ? 2 : payloadLen <= 0xffff ? 4 : 10) + payloadLen;
}
