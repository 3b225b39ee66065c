// Attacks by frames in packets that are genuine: each row of QUIC's table of limits, after the handshake.

import { expect, test } from "vitest";
import { TransportError } from "./transport_error.ts";
import * as f from "./frames.ts";
import { memoryOf } from "./nodes.ts";
import { Rogue } from "./rogue.ts";

test("an honest packet is taken and acknowledged", () => {
  const rogue = new Rogue();
  rogue.send(f.ping());
  rogue.wait(30);
  expect(rogue.closed).toBeNull();
  expect(rogue.framesOf(0x02)[0]?.values[0]).toBe(1000);
});

test("an acknowledgement of a packet that was not sent ends the connection", () => {
  const rogue = new Rogue();
  rogue.send(f.ping(), f.padding(20));
  rogue.wait(30);
  expect(rogue.largest).toBeGreaterThan(0);
  rogue.send(f.ack(rogue.largest + 1));
  expect(rogue.closeCode).toBe(TransportError.PROTOCOL_VIOLATION);
});

test("an acknowledgement of a number that was skipped ends the connection", () => {
  const rogue = new Rogue();
  // The first skip comes within the first 512 packets; each PING is answered by a packet.
  const seen = new Set<number>();
  for (let round = 0; round < 600; round++) {
    rogue.send(f.ping());
    rogue.send(f.ping());
    seen.add(rogue.largest);
  }
  let skipped = -1;
  for (let number = Math.min(...seen); number < rogue.largest; number++)
    if (!seen.has(number)) skipped = number;
  expect(skipped).toBeGreaterThan(0);
  expect(rogue.closed).toBeNull();
  rogue.send(f.ack(skipped));
  expect(rogue.closeCode).toBe(TransportError.PROTOCOL_VIOLATION);
});

test("every other packet number leaves a bounded number of ranges, and no memory", () => {
  const rogue = new Rogue();
  rogue.send(f.stream(0, 0, Buffer.of(1)));
  const before = memoryOf(rogue.victim);
  for (let round = 0; round < 200; round++) {
    rogue.push(
      Array.from({ length: 50 }, (_, index) => {
        rogue.number++;
        return rogue.packet([f.stream(0, 1 + round * 50 + index, Buffer.of(1))]);
      }),
    );
    rogue.flush();
  }
  expect(rogue.closed).toBeNull();
  const counts = rogue.framesOf(0x02).map((frame) => frame.values[1] as number);
  expect(Math.max(...counts)).toBeGreaterThan(10);
  expect(Math.max(...counts)).toBeLessThanOrEqual(64);
  // The stream's bytes, which nobody reads, and the records of what the victim has sent.
  expect(memoryOf(rogue.victim) - before).toBeLessThan(10_000 + 512 * 1024);
});

test("connection IDs that retire each other while nothing is acknowledged end the connection", () => {
  const rogue = new Rogue();
  const before = memoryOf(rogue.victim);
  for (let sequence = 10; sequence < 1000 && rogue.closed === null; sequence++)
    rogue.send(f.newConnectionId(sequence, sequence, Buffer.alloc(8, sequence).fill(sequence >> 8, 0, 1)));
  expect(rogue.closeCode).toBe(TransportError.CONNECTION_ID_LIMIT_ERROR);
  expect(rogue.framesOf(0x19).length).toBeLessThan(100);
  rogue.wait(2000);
  expect(memoryOf(rogue.victim)).toBeLessThan(before);
});

test("more connection IDs than were allowed end the connection", () => {
  const rogue = new Rogue();
  rogue.send(
    ...Array.from({ length: 20 }, (_, index) => f.newConnectionId(10 + index, 0, Buffer.alloc(8, index))),
  );
  expect(rogue.closeCode).toBe(TransportError.CONNECTION_ID_LIMIT_ERROR);
});

test("a peer that retires connection IDs as they come gets a bounded number of them", () => {
  const rogue = new Rogue();
  rogue.send(f.ping());
  // The IDs that the honest client got; the first is in use by the packets themselves.
  let next = 1;
  for (let round = 0; round < 500 && rogue.closed === null; round++) {
    rogue.send(f.retireConnectionId(next), f.ack(rogue.largest, Math.min(50, rogue.largest)));
    const issued = rogue.framesOf(0x18).map((frame) => frame.values[0] as number);
    if (Math.max(0, ...issued) > next) next++;
    else break;
  }
  const issued = rogue.framesOf(0x18).length;
  expect(rogue.closed).toBeNull();
  expect(issued).toBeGreaterThan(10);
  expect(issued).toBeLessThanOrEqual(70);
});

test("a connection ID that was never issued, and the one in use, cannot be retired", () => {
  const unissued = new Rogue();
  unissued.send(f.retireConnectionId(5000));
  expect(unissued.closeCode).toBe(TransportError.PROTOCOL_VIOLATION);
  const used = new Rogue();
  used.send(f.retireConnectionId(0));
  expect(used.closeCode).toBe(TransportError.PROTOCOL_VIOLATION);
});

test("a flood of PATH_CHALLENGE is answered once for each packet, and ends the connection as a flood", () => {
  const challenges = (packet: number) =>
    Array.from({ length: 120 }, (_, index) => f.pathChallenge(packet * 120 + index));
  const patient = new Rogue({ server: { limits: { quicGlitchBurst: 1_000_000 } } });
  patient.send(f.ping());
  const before = memoryOf(patient.victim);
  const packets = Math.ceil(100_000 / 120);
  for (let packet = 0; packet < packets; packet++) patient.send(...challenges(packet));
  expect(patient.closed).toBeNull();
  expect(patient.framesOf(0x1b).length).toBeGreaterThan(0);
  expect(patient.framesOf(0x1b).length).toBeLessThanOrEqual(packets);
  expect(memoryOf(patient.victim) - before).toBeLessThan(256 * 1024);

  const rogue = new Rogue();
  for (let packet = 0; packet < packets && rogue.closed === null; packet++) rogue.send(...challenges(packet));
  expect(rogue.closeCode).toBe(TransportError.PROTOCOL_VIOLATION);
});

test("CRYPTO with holes is kept up to its limit, and beyond it ends the connection", () => {
  const rogue = new Rogue();
  const before = memoryOf(rogue.victim);
  for (let offset = 60_000; offset < 65_000; offset += 1001) rogue.send(f.crypto(offset, Buffer.alloc(1000)));
  expect(rogue.closed).toBeNull();
  expect(memoryOf(rogue.victim) - before).toBeLessThan(96 * 1024);
  rogue.send(f.crypto(65_536, Buffer.alloc(1)));
  expect(rogue.closeCode).toBe(TransportError.CRYPTO_BUFFER_EXCEEDED);
  rogue.wait(2000);
  expect(memoryOf(rogue.victim)).toBeLessThan(before);
});

test.each([
  ["STREAM", (offset: number) => f.stream(0, offset, Buffer.of(1))],
  ["CRYPTO", (offset: number) => f.crypto(offset, Buffer.of(1))],
])("%s frames of one byte at odd offsets end the connection in bounded memory", (_name, fragment) => {
  const rogue = new Rogue();
  const before = memoryOf(rogue.victim);
  let most = 0;
  for (let offset = 1; offset < 60_000 && rogue.closed === null; offset += 200) {
    const fragments = Array.from({ length: 100 }, (_, index) => fragment(offset + 2 * index));
    rogue.send(...fragments);
    most = Math.max(most, memoryOf(rogue.victim));
  }
  expect(rogue.closed?.code).toBeDefined();
  expect(rogue.closeCode).toBe(rogue.closed?.code);
  expect(most - before).toBeLessThan(96 * 1024);
});

test("streams that are opened, reset and stopped in a loop end the connection, and never pile up", () => {
  const rogue = new Rogue();
  const { quic } = rogue.victim.engine;
  const open = new Set<number>();
  let opened = 0;
  rogue.victim.events.stream = (_connection, stream) => {
    if (!open.has(stream)) opened++;
    open.add(stream);
  };
  const before = memoryOf(rogue.victim);
  let most = 0;
  let mostMemory = 0;
  const allowed = () => Math.max(100, ...rogue.framesOf(0x12).map((frame) => frame.values[0] as number));
  for (let index = 0; index < 20_000 && rogue.closed === null; index++) {
    const id = 4 * index;
    if (index % 50 === 0) rogue.send(...rogue.acks());
    // Time for what the victim paces.
    for (let tries = 0; tries < 10 && index >= allowed(); tries++) {
      rogue.wait(50);
      rogue.send(...rogue.acks());
    }
    rogue.send(f.stream(id, 0, Buffer.of(1)), f.resetStream(id, 1, 1), f.stopSending(id, 1));
    most = Math.max(most, open.size);
    // An application that lets go of a stream as soon as it hears of its end.
    for (const stream of open) quic.releaseStream(stream);
    open.clear();
    rogue.flush();
    if (index % 50 === 0) mostMemory = Math.max(mostMemory, memoryOf(rogue.victim));
  }
  expect(opened).toBeGreaterThan(1000);
  expect(rogue.closeCode).toBe(TransportError.PROTOCOL_VIOLATION);
  expect(most).toBeLessThanOrEqual(100);
  expect(mostMemory - before).toBeLessThan(1024 * 1024);
});

test("streams that are reset while nobody lets go of them run into the limit of streams", () => {
  const rogue = new Rogue();
  for (let index = 0; index < 300 && rogue.closed === null; index++)
    rogue.send(f.stream(4 * index, 0, Buffer.of(1)), f.resetStream(4 * index, 1, 1));
  expect(rogue.closeCode).toBe(TransportError.STREAM_LIMIT_ERROR);
});

test("the millionth stream ends the connection, and the last allowed one costs bounded memory", () => {
  const rogue = new Rogue();
  const before = memoryOf(rogue.victim);
  rogue.send(f.stream(4 * 99, 0, Buffer.of(1)), f.stream(2 + 4 * 99, 0, Buffer.of(1)));
  expect(rogue.closed).toBeNull();
  expect(memoryOf(rogue.victim) - before).toBeLessThan(256 * 1024);
  rogue.send(f.stream(4 * 1_000_000, 0, Buffer.of(1)));
  expect(rogue.closeCode).toBe(TransportError.STREAM_LIMIT_ERROR);
});

test.each([
  ["PING", f.ping()],
  ["MAX_DATA that raises nothing", f.frame(0x10, 0)],
  ["DATA_BLOCKED", f.frame(0x14, 5)],
  ["STREAMS_BLOCKED", f.frame(0x16, 5)],
  ["empty STREAM", f.stream(0, 0, Buffer.alloc(0))],
])("a flood of %s ends the connection", (_name, useless) => {
  const rogue = new Rogue();
  const all = Array.from({ length: 200 }, () => useless);
  for (let packet = 0; packet < 100 && rogue.closed === null; packet++) rogue.send(...all);
  expect(rogue.closeCode).toBe(TransportError.PROTOCOL_VIOLATION);
});
