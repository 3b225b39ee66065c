// One instance over a long life: a million requests with flat memory, and a seeded mix of everything a peer may do, cut off
// anywhere, after which nothing is open and every byte is back.

import { expect, test } from "vitest";
import { SendFlag } from "../../assembly/abi/message.ts";
import type { EventSink } from "../../host/engine/event_reader.ts";
import { Random } from "../fuzz/random.ts";
import { wireCases } from "./case_file.ts";
import { Driver } from "./driver.ts";
import type { Connection } from "./driver.ts";

const REQUESTS = 1_000_000;
const BATCH = 64;
const SOAK_CONNECTIONS = 3000;

test("a million requests leave memory as it was", { timeout: 60_000 }, () => {
  const driver = new Driver({
    memoryBytes: 4 * 1024 * 1024,
    limits: { connectionCount: 64, exchangeCount: 1024 },
  });
  const { engine } = driver;
  const { doors } = engine;
  const fields = engine.pin([["content-type", "text/plain"]]);
  let answered = 0;
  const ignore = (): void => undefined;
  const sink: EventSink = {
    request(_connection, exchange) {
      if (engine.respondText(exchange, 200, fields, "Hello, World!", SendFlag.RELEASE) === 0) answered++;
    },
    response: ignore,
    informational: ignore,
    body: ignore,
    end: ignore,
    aborted: ignore,
    peerEnded: ignore,
    writable: ignore,
    tunnel: ignore,
    transmit: ignore,
    readPause: ignore,
    readResume: ignore,
    close: ignore,
  };
  const connections = Array.from({ length: 16 }, () => driver.open().handle);
  const batch = Buffer.from("GET / HTTP/1.1\r\nhost: localhost\r\naccept: */*\r\n\r\n".repeat(BATCH));
  engine.receiveBuffer.set(batch);
  const round = (connection: number): void => {
    expect(doors.receive(connection, 0, batch.length, driver.now)).toBe(batch.length);
    engine.readEvents(sink);
    while (doors.pollTransmit(connection) > 0) engine.readEvents(sink);
  };
  for (const connection of connections) round(connection);
  const before = driver.memoryInUse();
  for (let turn = 0; answered < REQUESTS; turn++) round(connections[turn % connections.length]!);
  expect(driver.memoryInUse()).toBe(before);
  expect(driver.counter("exchanges_open")).toBe(0);
  expect(driver.counter("exchanges_h1")).toBe(answered);
  expect(driver.counter("host_errors")).toBe(0);
  for (const connection of connections) doors.closeConnection(connection);
  expect(driver.memoryInUse()).toBe(0);
});

test("a seeded mix of peers, cut off anywhere, leaves nothing open", { timeout: 60_000 }, () => {
  const random = new Random(11);
  const driver = new Driver();
  driver.handler = {
    request(message) {
      if (random.oneIn(4)) driver.answer(message, 200, "early", SendFlag.RELEASE);
    },
    complete(message) {
      if (random.oneIn(8)) return;
      driver.answer(message, random.pick([200, 204, 404]), "", random.oneIn(2) ? SendFlag.RELEASE : 0);
    },
  };
  const inputs = wireCases().filter(({ options }) => options.role !== "client");
  const open: Connection[] = [];
  const hangUp = (index: number): void => driver.hangUp(open.splice(index, 1)[0]!);
  for (let opened = 0; opened < SOAK_CONNECTIONS; opened++) {
    open.push(driver.open());
    for (let turn = random.below(4); turn > 0; turn--) {
      const connection = random.pick(open);
      const { bytes } = random.pick(inputs);
      const cut = random.oneIn(3) ? random.below(bytes.length + 1) : bytes.length;
      driver.feed(connection, bytes.subarray(0, cut));
      driver.feed(connection, bytes.subarray(cut));
      if (random.oneIn(10)) driver.endPeer(connection);
    }
    if (random.oneIn(50)) driver.advance(random.below(40_000));
    if (open.length > 40 || random.oneIn(3)) hangUp(random.below(open.length));
  }
  while (open.length !== 0) hangUp(0);
  expect(driver.memoryInUse()).toBe(0);
  expect(driver.counter("exchanges_open")).toBe(0);
  expect(driver.counter("connections_open")).toBe(0);
});
