// What the server's side writes for one exchange: framing by version, method and status, interim responses, trailers, and
// 100 (Continue).

import { beforeEach, describe, expect, test } from "vitest";
import { SendFlag } from "../../assembly/abi/message.ts";
import { Status } from "../../assembly/abi/status.ts";
import { Driver } from "./driver.ts";
import type { Connection, Message } from "./driver.ts";
import { readResponses, responseLine } from "./responses.ts";

let driver: Driver;
let connection: Connection;

beforeEach(() => {
  driver = new Driver();
  connection = driver.open();
});

function request(line = "GET / HTTP/1.1", fields: string[] = [], body = ""): string {
  return `${[line, "host: a", ...fields].join("\r\n")}\r\n\r\n${body}`;
}

/** Feeds a request and gives it. */
function ask(line?: string, fields?: string[], body?: string): Message {
  driver.feed(connection, request(line, fields, body));
  return connection.messages.at(-1);
}

function lines(methods: string[] = []): string[] {
  driver.settle(connection);
  return readResponses(connection.sentText, methods).map(responseLine);
}

function send(
  message: Message,
  code: number,
  length: number,
  flags = 0,
  fields: [string, string][] = [],
): number {
  return driver.engine.sendHead(message.exchange, code, fields, length, flags);
}

function body(message: Message, text: string, flags = 0): number {
  return driver.engine.sendBody(message.exchange, Buffer.from(text), flags);
}

describe("framing", () => {
  test("a known length", () => {
    const message = ask();
    expect(send(message, 200, 5)).toBe(0);
    expect(body(message, "he")).toBe(2);
    expect(body(message, "llo", SendFlag.END)).toBe(3);
    expect(lines()).toEqual(['answer 200 length "hello"']);
  });

  test("an unknown length is chunked", () => {
    const message = ask();
    send(message, 200, -1);
    body(message, "he");
    body(message, "");
    body(message, "llo", SendFlag.END);
    expect(lines()).toEqual(['answer 200 chunked "hello"']);
    expect(connection.sentText).toContain("\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n");
  });

  test("an unknown length ends with the connection for HTTP/1.0", () => {
    const message = ask("GET / HTTP/1.0", ["connection: keep-alive"]);
    send(message, 200, -1);
    body(message, "hello", SendFlag.END);
    expect(lines()).toEqual(['answer 200 close close "hello"']);
    expect(connection.closedBy).toBe(Status.OK);
  });

  test("a head that is the whole answer has a length of zero", () => {
    send(ask(), 200, -1, SendFlag.END);
    expect(lines()).toEqual(['answer 200 length ""']);
  });

  test("HEAD sends the fields of GET and no content", () => {
    const message = ask("HEAD / HTTP/1.1");
    send(message, 200, 5);
    expect(body(message, "hello", SendFlag.END)).toBe(5);
    expect(lines(["HEAD"])).toEqual(['answer 200 none ""']);
    expect(connection.sentText).toContain("content-length: 5\r\n");
    const second = ask("HEAD / HTTP/1.1");
    send(second, 200, -1);
    body(second, "x");
    driver.engine.sendTrailers(second.exchange, [["x", "y"]]);
    expect(lines(["HEAD", "HEAD"])).toHaveLength(2);
  });

  test.each([204, 304])("%i has neither content nor length", (code) => {
    send(ask(), code, -1, SendFlag.END);
    expect(lines()).toEqual([`answer ${code} none ""`]);
    expect(connection.sentText).not.toContain("content-length");
    expect(connection.sentText).not.toContain("transfer-encoding");
  });

  test("205 has a length of zero", () => {
    const message = ask();
    send(message, 205, -1);
    expect(body(message, "x")).toBe(Status.BODY_LONGER_THAN_DECLARED);
    body(message, "", SendFlag.END);
    expect(lines()).toEqual(['answer 205 length ""']);
  });

  test.each([
    [204, "x", Status.BODY_NOT_ALLOWED],
    [205, "x", Status.BODY_NOT_ALLOWED],
    [304, "x", Status.BODY_NOT_ALLOWED],
    [199, "", Status.STATUS_CODE_INVALID],
    [101, "", Status.STATUS_CODE_INVALID],
    [600, "", Status.STATUS_CODE_INVALID],
    [0, "", Status.STATUS_CODE_INVALID],
  ])("a whole answer of %i with content %j is refused and changes nothing", (code, text, status) => {
    const message = ask();
    expect(driver.answer(message, code, text)).toBe(status);
    expect(connection.sentText).toBe("");
    expect(driver.answer(message, 200, "ok")).toBe(0);
    expect(lines()).toEqual(['answer 200 length "ok"']);
  });

  test("a length is kept to", () => {
    const message = ask();
    expect(send(message, 200, 5, SendFlag.END)).toBe(Status.BODY_SHORTER_THAN_DECLARED);
    expect(send(message, 200, 5)).toBe(0);
    expect(body(message, "toolong")).toBe(Status.BODY_LONGER_THAN_DECLARED);
    expect(body(message, "four", SendFlag.END)).toBe(Status.BODY_SHORTER_THAN_DECLARED);
    expect(driver.engine.sendTrailers(message.exchange, [])).toBe(Status.BODY_SHORTER_THAN_DECLARED);
    expect(body(message, "hello", SendFlag.END)).toBe(5);
    expect(lines()).toEqual(['answer 200 length "hello"']);
  });

  test("an answer is given once", () => {
    const message = ask();
    expect(body(message, "x")).toBe(Status.INVALID_STATE);
    driver.answer(message, 200, "ok");
    expect(driver.answer(message, 200, "again")).toBe(Status.INVALID_HANDLE);
    expect(lines()).toEqual(['answer 200 length "ok"']);
  });

  test("every answer has a date of its own or the engine's", () => {
    driver.engine.doors.setDate(784111777000);
    send(ask(), 200, 0, SendFlag.END);
    send(ask(), 200, 0, SendFlag.END, [["date", "yesterday"]]);
    driver.settle(connection);
    const [first, second] = readResponses(connection.sentText);
    expect(first!.fields).toContainEqual(["date", "Sun, 06 Nov 1994 08:49:37 GMT"]);
    expect(second!.fields.filter(([name]) => name === "date")).toEqual([["date", "yesterday"]]);
  });

  test("content that the host writes itself is framed around it", () => {
    const message = ask();
    const { doors } = driver.engine;
    send(message, 200, -1);
    expect(doors.frameBody(message.exchange, 5)).toBe(0);
    driver.settle(connection);
    connection.sent = Buffer.concat([connection.sent, Buffer.from("hello")]);
    expect(doors.frameBody(message.exchange, 6)).toBe(0);
    driver.settle(connection);
    connection.sent = Buffer.concat([connection.sent, Buffer.from(" world")]);
    body(message, "", SendFlag.END);
    expect(lines()).toEqual(['answer 200 chunked "hello world"']);
  });
});

describe("trailers and interim responses", () => {
  test("trailers follow chunked content", () => {
    const message = ask();
    send(message, 200, -1, SendFlag.TRAILERS);
    body(message, "hello");
    expect(driver.engine.sendTrailers(message.exchange, [["x-checksum", "1"]])).toBe(0);
    expect(lines()).toEqual(['answer 200 chunked "hello" [["x-checksum","1"]]']);
  });

  test("trailers are left out where the framing has no room for them", () => {
    const message = ask();
    send(message, 200, 5);
    body(message, "hello");
    expect(driver.engine.sendTrailers(message.exchange, [["x-checksum", "1"]])).toBe(0);
    expect(lines()).toEqual(['answer 200 length "hello"']);
  });

  test("103 comes before the answer, as often as wanted, and never after it", () => {
    const message = ask();
    const hint = (): number => driver.engine.sendInformational(message.exchange, 103, [["link", "</a>"]]);
    expect([hint(), hint()]).toEqual([0, 0]);
    send(message, 200, 1);
    expect(hint()).toBe(Status.INVALID_STATE);
    body(message, "x", SendFlag.END);
    expect(lines()).toEqual(['answer 103 none ""', 'answer 103 none ""', 'answer 200 length "x"']);
  });

  test("HTTP/1.0 gets no interim responses", () => {
    const message = ask("GET / HTTP/1.0");
    expect(driver.engine.sendInformational(message.exchange, 103, [])).toBe(0);
    driver.answer(message, 200, "ok");
    expect(lines()).toEqual(['answer 200 close length "ok"']);
  });

  test.each([101, 99, 200])("an interim response of %i is refused", (code) => {
    expect(driver.engine.sendInformational(ask().exchange, code, [])).toBe(Status.STATUS_CODE_INVALID);
    expect(connection.sentText).toBe("");
  });
});

describe("100 (Continue)", () => {
  const waiting = ["expect: 100-continue", "content-length: 5"];
  const read = (message: Message, consumed = 0): number =>
    driver.engine.doors.readBody(message.exchange, consumed, driver.now);

  test("is sent once, when the content is first asked for", () => {
    const message = ask("POST / HTTP/1.1", waiting);
    expect(lines()).toEqual([]);
    read(message);
    read(message);
    expect(lines()).toEqual(['answer 100 none ""']);
    driver.feed(connection, "hello");
    driver.answer(message, 200, "ok");
    expect(lines()).toEqual(['answer 100 none ""', 'answer 200 length "ok"']);
    expect(connection.closedBy).toBeNull();
  });

  test("is not sent when the content came without it", () => {
    const message = ask("POST / HTTP/1.1", waiting);
    driver.feed(connection, "he");
    read(message);
    expect(lines()).toEqual([]);
  });

  test("is not sent after an answer, which ends the connection", () => {
    const message = ask("POST / HTTP/1.1", waiting);
    driver.answer(message, 413, "no", 0);
    expect(read(message)).toBe(Status.INVALID_HANDLE);
    expect(lines()).toEqual(['answer 413 close length "no"']);
    expect(connection.closedBy).toBe(Status.OK);
  });

  test("is not sent after the head of an answer that goes on", () => {
    const message = ask("POST / HTTP/1.1", waiting);
    send(message, 200, -1);
    read(message);
    driver.feed(connection, "hello");
    body(message, "ok", SendFlag.END);
    expect(lines()).toEqual(['answer 200 close chunked "ok"']);
  });

  test("is not repeated after the host sent its own", () => {
    const message = ask("POST / HTTP/1.1", waiting);
    driver.engine.sendInformational(message.exchange, 100, []);
    read(message);
    expect(lines()).toEqual(['answer 100 none ""']);
  });

  test("waits for the answers before it", () => {
    const first = ask();
    const second = ask("POST / HTTP/1.1", waiting);
    read(second);
    expect(lines()).toEqual([]);
    driver.answer(first, 200, "1");
    expect(lines()).toEqual(['answer 200 length "1"', 'answer 100 none ""']);
  });

  test("is unknown to HTTP/1.0", () => {
    read(ask("POST / HTTP/1.0", waiting));
    expect(lines()).toEqual([]);
  });
});
