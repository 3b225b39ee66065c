// Content that the host lays out in frames itself (frameBody): what is framed, and when it has to go through the engine instead.

import { afterEach, describe, expect, test } from "vitest";
import { FRAMED_CONTENT_BYTES } from "../../assembly/abi/message.ts";
import { Status } from "../../assembly/abi/status.ts";
import { GET, headers, readFrames, rstStream, windowUpdate } from "./h2_frames.ts";
import { H2Server } from "./h2_server.ts";

const INITIAL_WINDOW_SIZE = 4;
const MIB = 1024 * 1024;

let server: H2Server;

/** A server whose peer gives credit of a MiB for everything, and the handle of its first request. */
function start(...requests: Buffer[]): number {
  server = new H2Server({ handler: {}, clientSettings: [[INITIAL_WINDOW_SIZE, MIB]] });
  server.feed(windowUpdate(0, MIB));
  server.feed(...(requests.length === 0 ? [headers(1)] : requests));
  server.frames();
  return server.message(0).exchange;
}

/** What `frameBody` makes of content, laid out as a session does it. */
function lay(exchange: number, content: Uint8Array): { framed: number; bytes: Buffer } {
  const { engine } = server.driver;
  while (engine.pollTransmit(server.connection.handle) > 0);
  const framed = engine.doors.frameBody(exchange, content.length);
  if (framed < 0) return { framed, bytes: Buffer.alloc(0) };
  const into = Buffer.alloc(content.length + 1024);
  const polled = engine.pollTransmit(server.connection.handle);
  const length = engine.layFrames(polled, content.subarray(0, framed), into, 0);
  return { framed, bytes: into.subarray(0, length) };
}

const bytes = (length: number): Buffer => Buffer.from(Uint8Array.from({ length }, (_, index) => index % 251));

afterEach(() => {
  const { driver, connection } = server;
  for (const { exchange } of connection.messages) driver.engine.doors.releaseExchange(exchange);
  driver.hangUp(connection);
  expect(driver.counter("exchanges_open")).toBe(0);
  expect(driver.memoryInUse()).toBe(0);
});

describe("framed content", () => {
  test.each([1, 16_383, 16_384, 16_385, 64_256, 200_000])(
    "of %i bytes comes in frames of all of it",
    (length) => {
      const exchange = start();
      server.driver.engine.sendHead(exchange, 200, [], length, 0);
      const { framed, bytes: laid } = lay(exchange, bytes(length));
      expect(framed).toBe(length);
      const frames = readFrames(laid);
      expect(frames.every(({ type, flags, streamId }) => type === 0 && flags === 0 && streamId === 1)).toBe(
        true,
      );
      expect(frames.slice(0, -1).every(({ payload }) => payload.length === FRAMED_CONTENT_BYTES)).toBe(true);
      expect(Buffer.concat(frames.map(({ payload }) => payload)).equals(bytes(length))).toBe(true);
      server.driver.engine.sendBody(exchange, new Uint8Array(0), 1);
      server.driver.settle(server.connection);
      expect(server.lines()).toEqual(["DATA 1 0 END"]);
    },
  );

  test("is as much as the peer's windows allow, and then goes through the engine, which waits for more", () => {
    const exchange = start();
    server.driver.engine.sendHead(exchange, 200, [], -1, 0);
    let framed = 0;
    for (let at = lay(exchange, bytes(300_000)); at.framed > 0; at = lay(exchange, bytes(300_000)))
      framed += at.framed;
    expect(framed).toBe(MIB);
    expect(lay(exchange, bytes(10)).framed).toBe(Status.INVALID_ARGUMENT);
    expect(server.driver.engine.sendBody(exchange, bytes(10), 0)).toBe(10);
    expect(lay(exchange, bytes(10)).framed).toBe(Status.INVALID_ARGUMENT);
    server.driver.settle(server.connection);
    server.frames();
    server.feed(windowUpdate(1, MIB));
    expect(server.lines()).toEqual(["DATA 1 10"]);
    expect(lay(exchange, bytes(10)).framed).toBe(10);
  });

  test("waits for nobody's turn: while another stream has something queued it goes through the engine", () => {
    const exchange = start(headers(1), headers(3));
    const other = server.message(1).exchange;
    const { engine } = server.driver;
    engine.sendHead(exchange, 200, [], -1, 0);
    engine.sendHead(other, 200, [], -1, 0);
    server.driver.settle(server.connection);
    server.block(true);
    expect(engine.sendBody(other, bytes(40_000), 0)).toBe(40_000);
    expect(engine.doors.frameBody(exchange, 10)).toBe(Status.INVALID_ARGUMENT);
    server.block(false);
    expect(lay(exchange, bytes(10)).framed).toBe(10);
  });

  test("keeps to the declared length, and to what has content at all", () => {
    const head: [string, string][] = [[":method", "HEAD"], ...(GET.slice(1) as [string, string][])];
    const exchange = start(headers(1), headers(3, head), headers(5));
    const { engine } = server.driver;
    const [, asked, gone] = server.connection.messages.map((message) => message.exchange);
    expect(engine.doors.frameBody(exchange, 10)).toBe(Status.INVALID_STATE);
    engine.sendHead(exchange, 200, [], 10, 0);
    expect(lay(exchange, bytes(11)).framed).toBe(Status.BODY_LONGER_THAN_DECLARED);
    expect(lay(exchange, bytes(4)).framed).toBe(4);
    expect(lay(exchange, bytes(7)).framed).toBe(Status.BODY_LONGER_THAN_DECLARED);
    expect(engine.sendBody(exchange, new Uint8Array(0), 1)).toBe(Status.BODY_SHORTER_THAN_DECLARED);
    expect(lay(exchange, bytes(6)).framed).toBe(6);
    engine.sendBody(exchange, new Uint8Array(0), 1);
    expect(engine.doors.frameBody(exchange, 1)).toBeLessThan(0);
    engine.sendHead(asked!, 200, [], 10, 0);
    expect(lay(asked!, bytes(10)).framed).toBe(Status.INVALID_ARGUMENT);
    engine.sendHead(gone!, 200, [], -1, 0);
    server.feed(rstStream(5));
    expect(engine.doors.frameBody(gone!, 1)).toBeLessThan(0);
  });

  test("counts as what the connection sent", () => {
    const exchange = start();
    server.driver.engine.sendHead(exchange, 200, [], -1, 0);
    server.driver.settle(server.connection);
    const before = server.driver.counter("bytes_sent");
    const { bytes: laid } = lay(exchange, bytes(50_000));
    expect(server.driver.counter("bytes_sent") - before).toBe(laid.length);
  });
});
