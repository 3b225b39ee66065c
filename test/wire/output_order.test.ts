// Output leaves in the order in which it was made, whichever way it takes: written to where it is polled from, queued because that was
// full or the socket took nothing, or moved to a queue because another connection was polled first.

import { expect, test } from "vitest";
import { Role } from "../../assembly/abi/message.ts";
import { Driver } from "./driver.ts";

const GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

function pollAll(driver: Driver, handle: number): Buffer {
  const parts: Buffer[] = [];
  for (
    let length = driver.engine.pollTransmit(handle);
    length > 0;
    length = driver.engine.pollTransmit(handle)
  )
    parts.push(Buffer.from(driver.engine.transmitted(length)));
  return Buffer.concat(parts);
}

test.each([
  ["what did not fit", false],
  ["what was made while the socket took nothing", true],
])("%s stays behind what was made before it, when another connection is polled first", (_what, isBlocked) => {
  const driver = new Driver({ handler: {} });
  const [one, other] = [driver.open(Role.SERVER), driver.open(Role.SERVER)];
  driver.feed(one, GET);
  const { engine } = driver;
  const { exchange } = one.messages[0]!;
  const content = Buffer.from(Uint8Array.from({ length: 400_000 }, (_, index) => index % 251));
  engine.sendHead(exchange, 200, [], content.length, 0);
  engine.sendBody(exchange, content.subarray(0, 100_000), 0);
  if (isBlocked) engine.doors.transmitBlocked(one.handle, driver.now);
  let at = 100_000;
  while (at < content.length) {
    const taken = engine.sendBody(exchange, content.subarray(at, at + 100_000), 0);
    if (taken <= 0) break;
    at += taken;
  }
  expect(at).toBeGreaterThan(250_000);
  expect(engine.pollTransmit(other.handle)).toBe(0);
  engine.doors.transmitDrained(one.handle, driver.now);
  const sent = pollAll(driver, one.handle);
  const body = sent.subarray(sent.indexOf("\r\n\r\n") + 4);
  expect(sent.toString("latin1", 0, 12)).toBe("HTTP/1.1 200");
  expect(body.equals(content.subarray(0, at))).toBe(true);
  driver.hangUp(one);
  driver.hangUp(other);
});
