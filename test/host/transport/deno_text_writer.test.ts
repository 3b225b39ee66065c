// What goes past the stream of a socket on Deno, and what may not. The real handle is held by the behaviour suite on Deno.

import type { Socket as NetSocket } from "node:net";
import { expect, test, vi } from "vitest";
import { DenoTextWriter } from "../../../host/transport/deno_text_writer.ts";

interface Request {
  oncomplete(status: number): void;
}

function open(status = 0, isAsync = true) {
  const written: string[] = [];
  const requests: Request[] = [];
  const socket = {
    writable: true,
    writableLength: 0,
    destroy: vi.fn(),
    _handle: {
      writeLatin1String(request: Request, text: string) {
        requests.push(request);
        written.push(text);
        return status;
      },
    },
  };
  const onDrain = vi.fn();
  const state = { streamBaseState: [0, isAsync ? 1 : 0], kLastWriteWasAsync: 1 };
  const writer = DenoTextWriter.of(socket as unknown as NetSocket, onDrain, state) as DenoTextWriter;
  return { socket, writer, written, requests, onDrain };
}

test("small text goes to the handle, and is pending until the handle says that it has left", () => {
  const { writer, written, requests, onDrain, socket } = open();
  expect([writer.write("one"), writer.write("four")]).toEqual([true, true]);
  expect([written, writer.pendingBytes]).toEqual([["one", "four"], 7]);
  requests[0]?.oncomplete(0);
  expect([writer.pendingBytes, onDrain.mock.calls.length]).toEqual([4, 0]);
  requests[1]?.oncomplete(0);
  expect([writer.pendingBytes, onDrain.mock.calls.length]).toEqual([0, 1]);
  expect(socket.destroy).not.toHaveBeenCalled();
});

test("what left at once is not pending: nothing will be said of it", () => {
  const { writer, written } = open(0, false);
  expect([writer.write("one"), writer.write("four")]).toEqual([true, true]);
  expect([written, writer.pendingBytes]).toEqual([["one", "four"], 0]);
});

test("nothing goes past what the stream holds, or its end, and long text is the stream's", () => {
  const { writer, written, socket } = open();
  socket.writableLength = 1;
  expect(writer.write("late")).toBe(false);
  socket.writableLength = 0;
  expect(writer.write("x".repeat(8193))).toBe(false);
  socket.writable = false;
  expect(writer.write("after the end")).toBe(false);
  expect([written, writer.pendingBytes]).toEqual([[], 0]);
});

test("a write that fails, at once or later, is the end of the socket", () => {
  const atOnce = open(-32);
  expect(atOnce.writer.write("text")).toBe(true);
  expect(atOnce.socket.destroy).toHaveBeenCalledOnce();
  const later = open();
  later.writer.write("text");
  later.requests[0]?.oncomplete(-104);
  expect(later.socket.destroy).toHaveBeenCalledOnce();
  expect(later.onDrain).not.toHaveBeenCalled();
});

test("there is none for a handle of another form, for a socket that has lost its own, or where writes are not told apart", () => {
  const state = { streamBaseState: [0], kLastWriteWasAsync: 0 };
  const of = (handle: object | null, known: typeof state | null) =>
    DenoTextWriter.of({ _handle: handle } as unknown as NetSocket, () => undefined, known);
  for (const handle of [{}, null]) expect(of(handle, state)).toBeNull();
  expect(of({ writeLatin1String: () => 0 }, null)).toBeNull();
  expect(of({ writeLatin1String: () => 0 }, state)).not.toBeNull();
});
