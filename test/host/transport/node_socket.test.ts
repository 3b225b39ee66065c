// How a plain socket of Node is read: into the engine's memory by what its constructor keeps, by moving its handle where that is not found,
// and by `data` events where neither is to be had. The server answers alike.

import { createServer } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { SocketSink } from "../../../host/transport/transport.ts";
import { RawClient } from "../server/client.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.resetModules();
});

/** What a sink that repeats everything answers a client, and whether the accepted socket's handle stayed where it was. */
async function echoed(
  readsInPlace: boolean,
  hidden: readonly string[],
): Promise<{ text: string; isMoved: boolean }> {
  // The room remembers where a constructor keeps `onread`, so each way takes a room of its own.
  vi.resetModules();
  const { NodeSocket } = await import("../../../host/transport/node_socket.ts");
  const symbolsOf = Object.getOwnPropertySymbols.bind(Object);
  vi.spyOn(Object, "getOwnPropertySymbols").mockImplementation((object: unknown) =>
    symbolsOf(object).filter(({ description }) => !hidden.includes(description ?? "")),
  );
  let isMoved = false;
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (accepted) => {
    const socket = new NodeSocket(accepted, false, readsInPlace);
    const sink: SocketSink = {
      receiveBuffer: new Uint8Array(64),
      onBytes: (length) => void socket.write(sink.receiveBuffer.slice(0, length)),
      onEnd: () => socket.end(),
      onDrain: () => undefined,
      onClose: () => undefined,
    };
    socket.start(sink);
    isMoved = (accepted as unknown as { _handle: unknown })._handle === null;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const client = await RawClient.open(port);
  // More than the buffer holds.
  const sent = "0123456789".repeat(50);
  client.write(sent);
  client.socket.end();
  await client.until("the end", () => client.hasEnded);
  server.close();
  return { text: client.text, isMoved };
}

describe("what was sent comes back", () => {
  const whole = "0123456789".repeat(50);
  test("read in place", async () => {
    expect(await echoed(true, [])).toEqual({ text: whole, isMoved: false });
  });

  test.each([["kBuffer"], ["kBufferCb"]])("read in place by a moved handle, without %s", async (name) => {
    expect(await echoed(true, [name])).toEqual({ text: whole, isMoved: true });
  });

  test("read by events", async () => {
    expect(await echoed(false, [])).toEqual({ text: whole, isMoved: false });
  });
});
