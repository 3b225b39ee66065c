// Response splitting (CVE-2016-2216) and request splitting: all 256 byte values in every place that a host can fill.
// What is refused changes nothing; what is accepted is read back by the engine's other role as it was meant.

import { describe, expect, test } from "vitest";
import { FIELD_NAMES } from "../../assembly/abi/field_name.ts";
import { Role, SendFlag } from "../../assembly/abi/message.ts";
import { Status } from "../../assembly/abi/status.ts";
import { Driver } from "./driver.ts";
import type { Connection, Message } from "./driver.ts";

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]$/;
const bytes = Array.from({ length: 256 }, (_, value) => String.fromCharCode(value));

function asked(driver: Driver): { connection: Connection; message: Message } {
  const connection = driver.open();
  driver.feed(connection, "GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  return { connection, message: connection.messages[0]! };
}

/** What a client reads of these bytes. */
function readBack(driver: Driver, sent: Buffer): Message | undefined {
  const client = driver.open(Role.CLIENT);
  driver.ask(client, { method: "GET", target: "/" });
  driver.feed(client, sent);
  return client.messages[0];
}

describe.each(["in the middle", "at the start", "at the end"])("a byte %s", (place) => {
  const around = (byte: string): string =>
    place === "in the middle" ? `a${byte}b` : place === "at the start" ? `${byte}b` : `a${byte}`;

  test("of a field name is a lower-case token character or refused", () => {
    const driver = new Driver();
    for (const byte of bytes) {
      const { connection, message } = asked(driver);
      const status = driver.engine.respond(message.exchange, 200, [[around(byte), "v"]], "", 0);
      const isFine = TOKEN.test(byte) && !/[A-Z]/.test(byte);
      expect(status, JSON.stringify(byte)).toBe(isFine ? 0 : Status.FIELD_NAME_INVALID);
      driver.settle(connection);
      if (isFine) expect(readBack(driver, connection.sent)!.fields).toContainEqual([around(byte), "v"]);
      else expect(connection.sentText).toBe("");
    }
  });

  test("of a field value is text, no control byte, no blank at an end, or refused", () => {
    const driver = new Driver();
    for (const byte of bytes) {
      const { connection, message } = asked(driver);
      const status = driver.engine.respond(message.exchange, 200, [["x", around(byte)]], "", 0);
      const isText = byte === "\t" || (byte >= " " && byte !== "\x7f");
      const isFine = isText && (place === "in the middle" || (byte !== "\t" && byte !== " "));
      expect(status, JSON.stringify(byte)).toBe(isFine ? 0 : Status.FIELD_VALUE_INVALID);
      driver.settle(connection);
      if (isFine) expect(readBack(driver, connection.sent)!.fields).toContainEqual(["x", around(byte)]);
      else expect(connection.sentText).toBe("");
    }
  });

  test("of trailers and interim fields is treated the same", () => {
    const driver = new Driver();
    for (const byte of bytes.filter((value) => !TOKEN.test(value) || /[A-Z]/.test(value))) {
      const { connection, message } = asked(driver);
      const pair: [string, string] = [around(byte), "v"];
      expect(driver.engine.sendInformational(message.exchange, 103, [pair])).toBe(Status.FIELD_NAME_INVALID);
      driver.engine.sendHead(message.exchange, 200, [], -1, 0);
      expect(driver.engine.sendTrailers(message.exchange, [pair])).toBe(Status.FIELD_NAME_INVALID);
      driver.settle(connection);
      expect(connection.sentText.endsWith("\r\n\r\n")).toBe(true);
    }
  });

  test("of a method is a token character or refused", () => {
    const driver = new Driver();
    for (const byte of bytes) {
      const client = driver.open(Role.CLIENT);
      const status = driver.ask(client, { method: around(byte), target: "/" });
      driver.settle(client);
      if (!TOKEN.test(byte)) {
        expect(status, JSON.stringify(byte)).toBe(Status.METHOD_INVALID);
        expect(client.sentText).toBe("");
        continue;
      }
      const server = driver.open();
      driver.feed(server, client.sent);
      expect(server.messages[0]!.method).toBe(around(byte));
    }
  });

  test("of a target is visible ASCII but # or refused", () => {
    const driver = new Driver();
    for (const byte of bytes) {
      const target = `/${around(byte)}`;
      const client = driver.open(Role.CLIENT);
      const status = driver.ask(client, { method: "GET", target });
      driver.settle(client);
      if (byte <= " " || byte >= "\x7f" || byte === "#") {
        expect(status, JSON.stringify(byte)).toBe(Status.TARGET_INVALID);
        expect(client.sentText).toBe("");
        continue;
      }
      const server = driver.open();
      driver.feed(server, client.sent);
      expect(server.messages[0]!.target).toBe(target);
    }
  });
});

test("fields of the framing are refused by any spelling", () => {
  const driver = new Driver();
  const { message } = asked(driver);
  const framing = ["connection", "content-length", "transfer-encoding", "keep-alive", "proxy-connection"];
  for (const name of framing) {
    expect(driver.answerWith(message, [[name, "5"]])).toBe(Status.FIELD_FORBIDDEN);
  }
  expect(driver.answerWith(message, [["Content-Length", "5"]])).toBe(Status.FIELD_NAME_INVALID);
});

test("a code unit that is no byte is refused", () => {
  const driver = new Driver();
  const { connection, message } = asked(driver);
  // U+010A and U+010D end in the bytes of LF and CR.
  expect(driver.answerWith(message, [["x", "a\u010d\u010ab: c"]])).toBe(Status.FIELD_VALUE_INVALID);
  expect(driver.answerWith(message, [["\u010d", "a"]])).toBe(Status.FIELD_VALUE_INVALID);
  driver.settle(connection);
  expect(connection.sentText).toBe("");
});

test("every name with a number is read back as itself", () => {
  const driver = new Driver();
  const framing =
    /^(connection|content-length|transfer-encoding|keep-alive|proxy-connection|http2-settings)$/;
  const names = FIELD_NAMES.slice(1).filter((name) => !framing.test(name) && !name.startsWith(":"));
  for (const name of names) {
    const { connection, message } = asked(driver);
    expect(driver.answerWith(message, [[name, "value"]]), name).toBe(0);
    driver.settle(connection);
    expect(readBack(driver, connection.sent)!.fields).toContainEqual([name, "value"]);
  }
});

test("a head larger than the output can hold is refused, and the exchange can still be answered", () => {
  const driver = new Driver();
  const { connection, message } = asked(driver);
  expect(driver.answerWith(message, [["x", "v".repeat(66_000)]])).toBe(Status.FIELDS_TOO_LARGE);
  expect(driver.engine.sendHead(message.exchange, 200, [["x", "v".repeat(300_000)]], 0, SendFlag.END)).toBe(
    Status.FIELDS_TOO_LARGE,
  );
  expect(driver.answerWith(message, [["x", "v".repeat(64_000)]])).toBe(0);
  driver.settle(connection);
  expect(connection.sent.length).toBeGreaterThan(64_000);
});
