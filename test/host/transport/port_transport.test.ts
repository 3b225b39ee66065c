// Connections over message ports, with Node's MessageChannel: a whole server at one end, and the pipe's own rules.

import { MessageChannel } from "node:worker_threads";
import { expect, onTestFinished, test } from "vitest";
import { App } from "../../../host/server/app.ts";
import { type PipePort, PortSocket, PortTransport } from "../../../host/transport/port_transport.ts";
import type { SocketSink } from "../../../host/transport/transport.ts";

/** What one side was told. */
class Peer implements SocketSink {
  readonly receiveBuffer = new Uint8Array(1000);
  text = "";
  readonly told: string[] = [];
  readonly socket: PortSocket;
  #wake: (() => void)[] = [];

  constructor(port: PipePort) {
    this.socket = new PortSocket(port);
    this.socket.start(this);
  }

  onBytes(length: number): void {
    this.text += Buffer.from(this.receiveBuffer.subarray(0, length)).toString("latin1");
    this.#changed();
  }

  onEnd(): void {
    this.told.push("end");
    this.#changed();
  }

  onDrain(): void {
    this.told.push("drain");
    this.#changed();
  }

  onClose(error: Error | null): void {
    this.told.push(error === null ? "close" : error.message);
    this.#changed();
  }

  async until(isDone: () => boolean): Promise<void> {
    while (!isDone()) await new Promise<void>((wake) => this.#wake.push(wake));
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

function pair(): [near: Peer, far: Peer] {
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => {
    port1.close();
    port2.close();
  });
  return [new Peer(port1 as unknown as PipePort), new Peer(port2 as unknown as PipePort)];
}

test("a server answers over a port, and large content is not lost", async () => {
  const app = new App();
  app.get("/bytes/:n", (req) => new Uint8Array(Number(req.params.n)).fill(97));
  app.post("/", (req) => req.bytes());
  const transport = new PortTransport();
  const server = await app.listen({ transport, memoryMiB: 64 });
  onTestFinished(async () => void (await server.close({ deadlineMs: 0 })));
  const { port1, port2 } = new MessageChannel();
  transport.accept(port2 as unknown as PipePort);
  const client = new Peer(port1 as unknown as PipePort);
  client.socket.writeText("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc");
  await client.until(() => client.text.endsWith("\r\n\r\nabc"));
  client.text = "";
  client.socket.writeText("GET /bytes/1000000 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  await client.until(() => client.told.includes("end"));
  expect(client.text.slice(client.text.indexOf("\r\n\r\n") + 4)).toBe("a".repeat(1_000_000));
  client.socket.end();
  await client.until(() => client.told.includes("close"));
  await expect.poll(() => server.connectionCount).toBe(0);
});

test("a paused reader stops the writer, which is told when there is room again", async () => {
  const [near, far] = pair();
  far.socket.pause();
  let writes = 0;
  while (near.socket.write(new Uint8Array(10_000).fill(98))) writes++;
  expect(writes).toBeGreaterThan(10);
  await new Promise((later) => setTimeout(later, 20));
  expect([far.text, near.told]).toEqual(["", []]);
  far.socket.resume();
  await near.until(() => near.told.includes("drain"));
  expect(near.socket.pendingBytes).toBeLessThan(245_760);
  await far.until(() => far.text.length === (writes + 1) * 10_000);
});

test("each side ends by itself, and when both have, both are closed", async () => {
  const [near, far] = pair();
  near.socket.writeText("question");
  near.socket.end();
  await far.until(() => far.told.includes("end"));
  expect(far.text).toBe("question");
  far.socket.writeText("answer");
  far.socket.end();
  await near.until(() => near.told.includes("close"));
  await far.until(() => far.told.includes("close"));
  expect(near.text).toBe("answer");
});

test("a reset is an error for the other side, and so is what is no message of a pipe", async () => {
  const [near, far] = pair();
  near.socket.reset();
  await far.until(() => far.told.length > 0);
  expect(far.told).toEqual(["the port's other side reset it"]);
  const { port1, port2 } = new MessageChannel();
  const peer = new Peer(port1 as unknown as PipePort);
  port2.postMessage({ something: "else" });
  await peer.until(() => peer.told.length > 0);
  expect(peer.told).toEqual(["not a message of a pipe"]);
  port2.close();
});

test("without a listener a port is reset", async () => {
  const { port1, port2 } = new MessageChannel();
  const client = new Peer(port1 as unknown as PipePort);
  new PortTransport().accept(port2 as unknown as PipePort);
  await client.until(() => client.told.length > 0);
  expect(client.told).toEqual(["the port's other side reset it"]);
});
