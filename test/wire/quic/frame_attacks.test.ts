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
