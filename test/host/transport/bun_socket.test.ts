// What a socket of Bun's does with what the kernel does not take: order, ends, and whose bytes they are. The real sockets are
// held by the behaviour suite on Bun (`npm run conformance -- --runtime bun`).

import { expect, test } from "vitest";
import { BunSocket } from "../../../host/transport/bun_socket.ts";
import type { NativeSocket } from "../../../host/transport/bun_socket.ts";
import type { SocketSink } from "../../../host/transport/transport.ts";

/** A kernel that takes `room` bytes, and what was asked of it. */
class Kernel implements NativeSocket {
  data: BunSocket | undefined;
  readonly remoteAddress = "127.0.0.1";
  readonly remotePort = 1;
  room = Infinity;
  sent = "";
  readonly calls: string[] = [];

  write(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, this.room);
    this.room -= taken;
    this.sent += Buffer.from(bytes.subarray(0, taken)).toString("latin1");
    return taken;
  }

  shutdown = () => void this.calls.push("shutdown");
  end = () => void this.calls.push("end");
  terminate = () => void this.calls.push("terminate");
  pause = () => void this.calls.push("pause");
  resume = () => void this.calls.push("resume");
  setNoDelay = () => undefined;
}

function open(): { kernel: Kernel; socket: BunSocket; told: string[] } {
  const kernel = new Kernel();
  const socket = new BunSocket(kernel);
  const told: string[] = [];
  const receiveBuffer = new Uint8Array(4);
  const sink: SocketSink = {
    receiveBuffer,
    onBytes: (length) => void told.push(Buffer.from(receiveBuffer.subarray(0, length)).toString("latin1")),
    onEnd: () => void told.push("end"),
    onDrain: () => void told.push("drain"),
    onClose: (error) => void told.push(error === null ? "close" : error.message),
  };
  socket.start(sink);
  return { kernel, socket, told };
}

const bytes = (text: string) => Buffer.from(text, "latin1");

test("what the kernel does not take leaves later, in order, and borrowed bytes as they were", () => {
  const { kernel, socket } = open();
  kernel.room = 3;
  const borrowed = bytes("abcdef");
  socket.writeBorrowed(borrowed);
  borrowed.fill(0);
  const written: string[] = [];
  socket.write(bytes("ghi"), () => void written.push("ghi"));
  socket.writeBoth("é", bytes("!"));
  expect([kernel.sent, socket.pendingBytes, written]).toEqual(["abc", 8, []]);
  kernel.room = 4;
  socket.drained();
  expect([kernel.sent, socket.pendingBytes, written]).toEqual(["abcdefg", 4, []]);
  kernel.room = Infinity;
  socket.drained();
  expect([kernel.sent, socket.pendingBytes, written]).toEqual(["abcdefghié!", 0, ["ghi"]]);
});

test("onDrain follows a write that answered false, and no other", () => {
  const { kernel, socket, told } = open();
  kernel.room = 1;
  expect(socket.write(bytes("ab"))).toBe(true);
  kernel.room = 1;
  socket.drained();
  expect(told).toEqual([]);
  kernel.room = 0;
  expect(socket.write(new Uint8Array(1_000_000))).toBe(false);
  kernel.room = 999_999;
  socket.drained();
  expect(told).toEqual([]);
  kernel.room = 1;
  socket.drained();
  expect(told).toEqual(["drain"]);
});

test("an end waits for what was written, and tells when that has left", () => {
  const { kernel, socket, told } = open();
  kernel.room = 0;
  socket.write(bytes("ab"));
  socket.end();
  expect(kernel.calls).toEqual([]);
  kernel.room = 2;
  socket.drained();
  expect([kernel.calls, told]).toEqual([["shutdown"], ["drain"]]);
});

test("an end after the peer's closes", () => {
  const { kernel, socket, told } = open();
  socket.ended();
  socket.end();
  expect([kernel.calls, told]).toEqual([["end"], ["end"]]);
});

test("chunks larger than the sink's buffer arrive in pieces", () => {
  const { socket, told } = open();
  socket.received(bytes("abcdefghij"));
  expect(told).toEqual(["abcd", "efgh", "ij"]);
});

test("a close is told once, not within a call, and nothing is done afterwards", async () => {
  const { kernel, socket, told } = open();
  socket.closed(new Error("lost"));
  socket.closed(undefined);
  expect(told).toEqual([]);
  await Promise.resolve();
  expect(told).toEqual(["lost"]);
  expect(socket.write(bytes("a"))).toBe(true);
  socket.end();
  socket.reset();
  socket.pause();
  expect([kernel.sent, kernel.calls]).toEqual(["", []]);
});
