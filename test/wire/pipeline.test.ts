// Exchanges side by side and at the end of a connection: the order of a pipeline, early answers, the peer's end, tunnels,
// draining, released exchanges.

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

describe("a pipeline", () => {
  test("is answered in order, piece by piece, whoever is first", () => {
    const [first, second, third] = [ask(), ask(), ask()] as [Message, Message, Message];
    send(third, 200, -1);
    body(third, "c1");
    driver.answer(second, 201, "b");
    body(third, "c2", SendFlag.END);
    expect(lines()).toEqual([]);
    send(first, 200, -1);
    body(first, "a1");
    driver.settle(connection);
    body(first, "a2", SendFlag.END);
    expect(lines()).toEqual([
      'answer 200 chunked "a1a2"',
      'answer 201 length "b"',
      'answer 200 chunked "c1c2"',
    ]);
  });

  test("holds back what an exchange sends before its turn, and tells it when its turn comes", () => {
    const [first, second] = [ask(), ask()] as [Message, Message];
    const large = Buffer.alloc(100_000, 0x62);
    let sent = 0;
    driver.handler = {
      writable(message) {
        expect(message).toBe(second);
        sent += driver.engine.sendBody(second.exchange, large.subarray(sent), SendFlag.END);
      },
    };
    send(second, 200, large.length);
    sent = driver.engine.sendBody(second.exchange, large, SendFlag.END);
    expect(sent).toBeLessThan(20_000);
    expect(driver.engine.doors.frameBody(second.exchange, 10)).toBe(Status.WOULD_BLOCK);
    driver.answer(first, 200, "1");
    driver.settle(connection);
    expect(readResponses(connection.sentText).map((response) => response.body.length)).toEqual([
      1,
      large.length,
    ]);
  });

  test("ends with the answer that says close, though more was asked", () => {
    const [first, second] = [ask(), ask()] as [Message, Message];
    driver.answer(first, 200, "1", SendFlag.CLOSE);
    expect(lines()).toEqual(['answer 200 close length "1"']);
    expect(second.abortedBy).toBe(Status.OK);
    expect(connection.closedBy).toBe(Status.OK);
  });

  test("an error is answered after the answers before it, none of which says close", () => {
    const [first, second] = [ask(), ask()] as [Message, Message];
    driver.feed(connection, "bad\r\n\r\n");
    expect(lines()).toEqual([]);
    driver.answer(second, 200, "2");
    driver.answer(first, 200, "1");
    expect(lines()).toEqual([
      'answer 200 length "1"',
      'answer 200 length "2"',
      'answer 400 close length "400 Bad Request: invalid method\\n"',
    ]);
    expect(connection.closedBy).toBe(Status.H1_METHOD);
  });

  test("an error in content is answered in place of its request's answer", () => {
    const first = ask();
    const second = ask("POST / HTTP/1.1", ["transfer-encoding: chunked"], "5\r\n");
    send(second, 200, -1);
    body(second, "half");
    driver.feed(connection, "hello?");
    expect(second.abortedBy).toBe(Status.H1_CHUNK_TERMINATOR);
    expect(send(second, 200, 0)).toBe(Status.INVALID_HANDLE);
    driver.answer(first, 200, "1");
    expect(lines()).toEqual([
      'answer 200 length "1"',
      'answer 400 close length "400 Bad Request: chunk data does not end in CRLF\\n"',
    ]);
  });

  test("an error in content whose answer is under way cuts it short and adds nothing", () => {
    const message = ask("POST / HTTP/1.1", ["transfer-encoding: chunked"], "5\r\n");
    send(message, 200, -1);
    body(message, "half");
    driver.feed(connection, "hello?");
    expect(lines()).toEqual(['answer 200 chunked "half" incomplete']);
    expect(connection.closedBy).toBe(Status.H1_CHUNK_TERMINATOR);
  });
});

describe("an early answer", () => {
  test("is complete before the content is, which is then discarded", () => {
    const message = ask("POST / HTTP/1.1", ["content-length: 10"], "01234");
    driver.answer(message, 200, "ok", SendFlag.RELEASE);
    driver.feed(connection, "56789");
    driver.feed(connection, request("GET /next HTTP/1.1"));
    expect(connection.messages.map(({ target }) => target)).toEqual(["/", "/next"]);
    expect(lines()).toEqual(['answer 200 length "ok"']);
  });

  test("says close where more is to come than will be drained", () => {
    const message = ask("POST / HTTP/1.1", ["content-length: 262145"]);
    driver.answer(message, 200, "ok");
    expect(lines()).toEqual(['answer 200 close length "ok"']);
    expect(connection.closedBy).toBe(Status.OK);
    expect(connection.isAborted).toBe(false);
  });

  test("content consumed after the answer is no mistake", () => {
    driver.isReading = false;
    const message = ask("POST / HTTP/1.1", ["content-length: 10"], "01234");
    send(message, 200, 0, SendFlag.END);
    expect(driver.engine.doors.readBody(message.exchange, 5, driver.now)).toBe(0);
  });
});

describe("the peer's end", () => {
  test("with a handler pending: it is told, and still answered", () => {
    const message = ask();
    driver.endPeer(connection);
    expect(connection.events.at(-1)).toBe("peer ended");
    expect(connection.closedBy).toBeNull();
    driver.answer(message, 200, "ok");
    expect(lines()).toEqual(['answer 200 close length "ok"']);
    expect(connection.closedBy).toBe(Status.OK);
  });

  test("behind requests that are held: they are answered too", () => {
    const limited = new Driver({ limits: { pipelinedCount: 1 } });
    const own = limited.open();
    limited.feed(own, request("GET /1 HTTP/1.1") + request("GET /2 HTTP/1.1") + request("GET /3 HTTP/1.1"));
    limited.endPeer(own);
    for (let index = 0; index < 3; index++) {
      limited.answer(own.messages[index]!, 200, own.messages[index]!.target, SendFlag.RELEASE);
      limited.settle(own);
    }
    expect(readResponses(own.sentText).map(responseLine)).toEqual([
      'answer 200 length "/1"',
      'answer 200 length "/2"',
      'answer 200 close length "/3"',
    ]);
    expect(own.closedBy).toBe(Status.OK);
  });

  test("within a request that is held: it is refused", () => {
    const limited = new Driver({ limits: { pipelinedCount: 1 } });
    const own = limited.open();
    limited.feed(own, `${request("GET /1 HTTP/1.1")}GET /2 HT`);
    limited.endPeer(own);
    limited.answer(own.messages[0]!, 200, "1", SendFlag.RELEASE);
    limited.settle(own);
    expect(readResponses(own.sentText).map(({ statusCode }) => statusCode)).toEqual([200, 400]);
    expect(own.closedBy).toBe(Status.H1_UNEXPECTED_END);
  });

  test("twice is once", () => {
    ask();
    driver.endPeer(connection);
    driver.endPeer(connection);
    expect(connection.events.filter((event) => event === "peer ended")).toHaveLength(1);
  });
});

describe("a tunnel", () => {
  test("is decided by the answer; what came before it is its first bytes", () => {
    const message = ask("CONNECT a:1 HTTP/1.1");
    driver.feed(connection, "GET / HTTP/1.1\r\n\r\n");
    expect(connection.isPaused).toBe(true);
    send(message, 200, -1, SendFlag.TUNNEL);
    driver.settle(connection);
    expect(connection.isPaused).toBe(false);
    expect(message.body.toString()).toBe("GET / HTTP/1.1\r\n\r\n");
    expect(body(message, "pong")).toBe(4);
    driver.settle(connection);
    expect(connection.sentText).toMatch(/^HTTP\/1\.1 200 OK\r\ndate: [^\r]+\r\n\r\npong$/);
    body(message, "", SendFlag.END);
    driver.settle(connection);
    expect(connection.closedBy).toBe(Status.OK);
  });

  test("waits for the answers before it, and nothing behind it is read as a request meanwhile", () => {
    const first = ask();
    const message = ask("GET /chat HTTP/1.1", ["connection: upgrade", "upgrade: x"]);
    driver.feed(connection, request("GET /smuggled HTTP/1.1"));
    driver.answer(first, 200, "1");
    driver.settle(connection);
    expect(connection.messages).toHaveLength(2);
    send(message, 101, -1, SendFlag.TUNNEL, [["upgrade", "x"]]);
    driver.settle(connection);
    expect(connection.messages).toHaveLength(2);
    expect(message.body.toString()).toContain("/smuggled");
    expect(lines()).toEqual(['answer 200 length "1"', 'answer 101 upgrade none ""']);
  });

  test("is only where it was asked for, with the status that opens it", () => {
    const plain = ask();
    expect(send(plain, 101, -1, SendFlag.TUNNEL)).toBe(Status.INVALID_STATE);
    driver.answer(plain, 200, "");
    const connect = ask("CONNECT a:1 HTTP/1.1");
    expect(send(connect, 101, -1, SendFlag.TUNNEL)).toBe(Status.STATUS_CODE_INVALID);
    expect(send(connect, 404, -1, SendFlag.TUNNEL)).toBe(Status.STATUS_CODE_INVALID);
    expect(send(connect, 200, -1, SendFlag.TUNNEL)).toBe(0);
  });

  test("cannot be opened before the request's content is complete", () => {
    const message = ask("POST / HTTP/1.1", ["connection: upgrade", "upgrade: x", "content-length: 2"], "a");
    expect(send(message, 101, -1, SendFlag.TUNNEL)).toBe(Status.INVALID_STATE);
    driver.feed(connection, "b!");
    expect(send(message, 101, -1, SendFlag.TUNNEL)).toBe(0);
    driver.settle(connection);
    expect(message.body.toString()).toBe("ab!");
  });

  test("keeps the pipeline limit when it is refused", () => {
    const limited = new Driver({ limits: { pipelinedCount: 1 } });
    const own = limited.open();
    limited.feed(own, request("CONNECT a:1 HTTP/1.1").repeat(1) + request("GET /2 HTTP/1.1"));
    const { exchange } = own.messages[0]!;
    limited.engine.sendHead(exchange, 403, [], 2, 0);
    limited.settle(own);
    expect(own.messages).toHaveLength(1);
    limited.engine.sendBody(exchange, Buffer.from("no"), SendFlag.END);
    limited.settle(own);
    expect(own.messages).toHaveLength(2);
  });
});

describe("draining", () => {
  test("closes an idle connection at once", () => {
    driver.engine.doors.drainConnection(connection.handle, driver.now);
    driver.settle(connection);
    expect(connection.closedBy).toBe(Status.OK);
    expect(connection.sentText).toBe("");
  });

  test("lets open exchanges finish, the last of which says so, and reads no more", () => {
    const [first, second] = [ask(), ask()] as [Message, Message];
    driver.feed(connection, "GET /half");
    driver.engine.doors.drainConnection(connection.handle, driver.now);
    driver.feed(connection, request("GET /late HTTP/1.1"));
    driver.answer(first, 200, "1");
    driver.answer(second, 200, "2");
    expect(lines()).toEqual(['answer 200 length "1"', 'answer 200 close length "2"']);
    expect(connection.messages).toHaveLength(2);
    expect(connection.closedBy).toBe(Status.OK);
  });

  test("lets content that is on its way arrive", () => {
    const message = ask("POST / HTTP/1.1", ["content-length: 5"], "he");
    driver.engine.doors.drainConnection(connection.handle, driver.now);
    driver.feed(connection, "llo");
    expect(message.isComplete).toBe(true);
    driver.answer(message, 200, "ok");
    expect(lines()).toEqual(['answer 200 close length "ok"']);
  });

  test("lets a tunnel that is still undecided open", () => {
    const message = ask("CONNECT a:1 HTTP/1.1");
    driver.feed(connection, "early");
    driver.engine.doors.drainConnection(connection.handle, driver.now);
    send(message, 200, -1, SendFlag.TUNNEL);
    driver.settle(connection);
    expect(message.body.toString()).toBe("early");
  });
});

describe("an exchange that is released", () => {
  test("unanswered resets its connection", () => {
    const message = ask();
    driver.engine.doors.releaseExchange(message.exchange);
    driver.settle(connection);
    expect(connection.isAborted).toBe(true);
    driver.hangUp(connection);
    expect(driver.memoryInUse()).toBe(0);
  });

  test("is told nothing more, and its handle is stale", () => {
    const message = ask("POST / HTTP/1.1", ["content-length: 5"], "he");
    driver.answer(message, 200, "ok", SendFlag.RELEASE);
    const told = connection.log.length;
    driver.feed(connection, "llo");
    expect(connection.log.length).toBe(told);
    expect(send(message, 200, 0)).toBe(Status.INVALID_HANDLE);
    expect(driver.engine.doors.releaseExchange(message.exchange)).toBe(Status.INVALID_HANDLE);
  });
});

test("an error's answer is not lost to a paused read: the peer is read on", () => {
  const slow = new Driver({ limits: { pipelinedCount: 1 } });
  const own = slow.open();
  slow.feed(own, `${request("GET /1 HTTP/1.1")}bad\r\n\r\n`);
  expect(own.isPaused).toBe(true);
  slow.answer(own.messages[0]!, 200, "1", SendFlag.RELEASE);
  slow.settle(own);
  expect(own.isPaused).toBe(false);
  expect(own.closedBy).toBe(Status.H1_METHOD);
  slow.feed(own, "x".repeat(200_000));
  expect(own.isPaused).toBe(false);
});
