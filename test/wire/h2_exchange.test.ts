// What HTTP/2 carries and in which order: content within the windows, priorities, push, interim responses, trailers, drain, and
// how a connection comes to speak it. The client is made of bytes.

import { describe, expect, test } from "vitest";
import { MessageFlag, OpenFlag, Protocol, Role, SendFlag } from "../../assembly/abi/message.ts";
import { Status } from "../../assembly/abi/status.ts";
import { Driver } from "./driver.ts";
import type { Connection, Handler, Message } from "./driver.ts";
import {
  data,
  describeFrame,
  ErrorCode,
  Flag,
  frame,
  FrameType,
  GET,
  goaway,
  headers,
  POST,
  PREFACE,
  readFrames,
  rstStream,
  settings,
  settingsAck,
  uint32,
  windowUpdate,
} from "./h2_frames.ts";
import type { Fields, Frame } from "./h2_frames.ts";
import { answering, H2Server } from "./h2_server.ts";
import { statusOf } from "./log.ts";

const SECOND_MS = 1000;
const silent: Handler = {};

/** Answers every request with that many bytes, by its path. */
const sized: Handler = {
  request(message, driver) {
    driver.answer(message, 200, Buffer.alloc(Number(message.target.slice(1)), message.target.length));
    driver.release(message);
  },
};

function get(path: string, ...fields: Fields): Fields {
  return [...GET.slice(0, 2), [":path", path], ...GET.slice(3), ...fields];
}

function content(frames: readonly Frame[], streamId: number): Buffer {
  const own = frames.filter((one) => one.type === FrameType.DATA && one.streamId === streamId);
  return Buffer.concat(own.map(({ payload }) => payload));
}

/** The streams of DATA frames in order, runs as one. */
function turns(frames: readonly Frame[]): number[] {
  const ids = frames.filter(({ type }) => type === FrameType.DATA).map(({ streamId }) => streamId);
  return ids.filter((id, index) => id !== ids[index - 1]);
}

describe("content", () => {
  test("stays within the window of its stream, and goes on with each update", () => {
    const at = new H2Server({ handler: sized });
    at.feed(headers(1, get("/100000")));
    expect(content(at.frames(), 1)).toHaveLength(65_535);
    at.feed(windowUpdate(0, 1_000_000));
    expect(at.frames()).toEqual([]);
    at.feed(windowUpdate(1, 1));
    expect(at.lines()).toEqual(["DATA 1 1"]);
    at.feed(windowUpdate(1, 1_000_000));
    expect(at.lines()).toEqual(["DATA 1 16384", "DATA 1 16384", "DATA 1 1696 END"]);
  });

  test("stays within the window of the connection", () => {
    const at = new H2Server({ handler: sized, clientSettings: [[4, 1_000_000]] });
    at.feed(headers(1, get("/40000")), headers(3, get("/40000")));
    const first = at.frames();
    expect(content(first, 1).length + content(first, 3).length).toBe(65_535);
    at.feed(windowUpdate(0, 100_000));
    const rest = at.frames();
    expect(content(first, 1).length + content(rest, 1).length).toBe(40_000);
    expect(content(first, 3).length + content(rest, 3).length).toBe(40_000);
  });

  test("follows an initial window that changes, below zero and back", () => {
    const at = new H2Server({ handler: sized });
    at.feed(headers(1, get("/70000")));
    expect(content(at.frames(), 1)).toHaveLength(65_535);
    at.feed(settings([[4, 10]]), windowUpdate(0, 100_000), windowUpdate(1, 65_000));
    expect(at.lines()).toEqual(["SETTINGS ACK"]);
    at.feed(windowUpdate(1, 526));
    expect(at.lines()).toEqual(["DATA 1 1"]);
    at.feed(settings([[4, 100_000]]));
    expect(at.lines()).toEqual(["DATA 1 4464 END", "SETTINGS ACK"].sort().reverse());
  });

  test("of many streams takes turns, and heads come before large content", () => {
    const at = new H2Server({ handler: sized, clientSettings: [[4, 1_000_000]] });
    at.block(true);
    at.feed(
      windowUpdate(0, 1_000_000),
      headers(1, get("/50000")),
      headers(3, get("/50000")),
      headers(5, get("/9")),
    );
    at.block(false);
    const frames = at.frames();
    expect(frames.slice(0, 3).map(describeFrame)).toEqual(["HEADERS 1", "HEADERS 3", "HEADERS 5"]);
    expect(turns(frames)).toEqual([1, 3, 5, 1, 3, 1, 3, 1, 3]);
  });

  test("that the host offers beyond its limit is told to come again", () => {
    let waiting = 0;
    const at = new H2Server({
      handler: {
        request(message, driver) {
          driver.engine.sendHead(message.exchange, 200, [], -1, 0);
          const taken = driver.engine.sendBody(message.exchange, Buffer.alloc(262_144), 0);
          expect(taken).toBe(16_384);
        },
        writable: () => void waiting++,
      },
      limits: { streamOutputBytes: 16_384 },
      clientSettings: [[4, 0]],
    });
    at.feed(headers(1));
    expect(waiting).toBe(0);
    at.feed(windowUpdate(1, 10_000));
    expect(waiting).toBe(1);
  });

  test("of a request is credited as the host consumes it, and padding at once", () => {
    const limits = { streamWindowBytes: 65_535, connectionWindowBytes: 65_535 };
    const at = new H2Server({ handler: silent, isReading: false, limits });
    at.feed(
      headers(1, POST, 0),
      data(1, Buffer.alloc(16_384)),
      data(1, Buffer.alloc(16_384)),
      data(1, Buffer.alloc(16_384)),
    );
    expect(at.frames()).toEqual([]);
    at.driver.engine.doors.readBody(at.message(0).exchange, 20_000, at.driver.now);
    at.driver.settle(at.connection);
    expect(at.frames()).toEqual([]);
    at.driver.engine.doors.readBody(at.message(0).exchange, 29_152, at.driver.now);
    at.driver.settle(at.connection);
    expect(at.lines()).toEqual(["WINDOW_UPDATE 0 49152", "WINDOW_UPDATE 1 49152"]);
    const padded = Buffer.concat([Buffer.from([255]), Buffer.alloc(255)]);
    at.feed(...Array.from({ length: 99 }, () => data(1, padded, Flag.PADDED)), data(1, Buffer.alloc(16_384)));
    expect(at.driver.engine.doors.readBody(at.message(0).exchange, 16_385, at.driver.now)).toBe(
      Status.INVALID_ARGUMENT,
    );
  });

  test("beyond the window is a flow-control error", () => {
    const at = new H2Server({ handler: silent, isReading: false, limits: { streamWindowBytes: 65_535 } });
    const pieces = Array.from({ length: 4 }, () => data(1, Buffer.alloc(16_384)));
    at.feed(headers(1, POST, 0), ...pieces);
    expect(at.lines()).toEqual(["RST_STREAM 1 FLOW_CONTROL_ERROR"]);
  });

  test("brings larger windows when a round trip brings most of one", () => {
    const at = new H2Server({ handler: silent });
    const pieces = Array.from({ length: 16 }, () => data(1, Buffer.alloc(16_000)));
    at.feed(headers(1, POST, 0), ...pieces);
    const probe = at.frames().find(({ type }) => type === FrameType.PING);
    at.feed(...pieces.slice(0, 12));
    at.frames();
    at.feed(frame(FrameType.PING, Flag.ACK, 0, probe?.payload));
    expect(at.lines()).toEqual(["WINDOW_UPDATE 0 1496576"]);
    at.feed(data(1, "x"));
    expect(at.lines()).toEqual(["WINDOW_UPDATE 1 278144"]);
    // The next stream begins with the window that SETTINGS announced, and its first content brings it up to the new target.
    at.feed(data(1, "", Flag.END_STREAM), headers(3, POST, 0), data(3, "x"));
    expect(at.lines().slice(-1)).toEqual(["WINDOW_UPDATE 3 262144"]);
  });

  test("that nobody reads any more is dropped up to drainBytes, then the request is cut", () => {
    const at = new H2Server({ handler: sized, limits: { drainBytes: 40_000 } });
    at.feed(headers(1, [...POST.slice(0, 2), [":path", "/3"], ...POST.slice(3)], 0));
    expect(at.lines()).toEqual(["HEADERS 1", "DATA 1 3 END"]);
    at.feed(data(1, Buffer.alloc(16_384)), data(1, Buffer.alloc(16_384)));
    expect(at.frames()).toEqual([]);
    at.feed(data(1, Buffer.alloc(16_384)));
    expect(at.lines()).toEqual(["RST_STREAM 1 NO_ERROR"]);
    at.feed(data(1, Buffer.alloc(100)), headers(3, get("/1")));
    expect(at.lines()).toEqual(["HEADERS 3", "DATA 3 1 END"]);
  });
});

describe("priorities (RFC 9218)", () => {
  /** Requests of 40,000 bytes each, by their `priority` fields; the order in which their content leaves. */
  function order(priorities: string[], ...more: Buffer[]): number[] {
    const at = new H2Server({ handler: sized, clientSettings: [[4, 1_000_000]] });
    at.block(true);
    at.feed(windowUpdate(0, 1_000_000));
    priorities.forEach((value, index) => {
      at.feed(
        headers(index * 2 + 1, get("/40000", ...(value === "" ? [] : ([["priority", value]] as Fields)))),
      );
    });
    at.feed(...more);
    at.block(false);
    return turns(at.frames());
  }

  test("send the urgent first", () => {
    expect(order(["u=5, i", "u=1, i", "u=3, i"])).toEqual([3, 5, 1]);
  });

  test("send streams that are not incremental one after the other", () => {
    expect(order(["u=3", "u=3", "u=3"])).toEqual([1, 3, 5]);
  });

  test("let incremental streams take turns", () => {
    expect(order(["i", "i"])).toEqual([1, 3, 1, 3, 1, 3]);
  });

  test("let streams without a word take turns", () => {
    expect(order(["", ""])).toEqual([1, 3, 1, 3, 1, 3]);
  });

  test("change with PRIORITY_UPDATE", () => {
    const update = frame(FrameType.PRIORITY_UPDATE, 0, 0, Buffer.concat([uint32(5), Buffer.from("u=0")]));
    expect(order(["u=1", "u=1", "u=7"], update)).toEqual([5, 1, 3]);
  });
});

describe("push (RFC 9113 §8.4)", () => {
  const pushing: Handler = {
    request(message, driver) {
      if (message.target === "/page") {
        pushed = driver.engine.push(message.exchange, "/style", [["accept", "text/css"]]);
      }
      driver.answer(message, 200, message.target);
      driver.release(message);
    },
  };
  let pushed = 0;

  test("promises a request, which the host answers like any other", () => {
    const at = new H2Server({ handler: pushing });
    at.feed(headers(1, get("/page")));
    expect(pushed).toBeGreaterThan(0);
    expect(at.lines()).toEqual(["PUSH_PROMISE 1", "HEADERS 1", "DATA 1 5 END", "HEADERS 2", "DATA 2 6 END"]);
    const promised = at.message(1);
    expect(promised).toMatchObject({ method: "GET", target: "/style", fields: [["accept", "text/css"]] });
    expect(MessageFlag.PUSHED).toBe(64);
  });

  test("is refused by a client that takes none, and the page comes all the same", () => {
    const at = new H2Server({ handler: pushing, clientSettings: [[2, 0]] });
    at.feed(headers(1, get("/page")));
    expect(pushed).toBe(0);
    expect(at.lines()).toEqual(["HEADERS 1", "DATA 1 5 END"]);
  });

  test("keeps to the client's limit of streams, and to pushCount", () => {
    const at = new H2Server({ handler: silent, clientSettings: [[3, 2]] });
    at.feed(headers(1));
    const push = (): number => at.driver.engine.push(at.message(0).exchange, "/x", []);
    expect([push() > 0, push() > 0, push()]).toEqual([true, true, 0]);
    const bounded = new H2Server({ handler: silent, limits: { pushCount: 1 } });
    bounded.feed(headers(1));
    expect(bounded.driver.engine.push(bounded.message(0).exchange, "/x", [])).toBeGreaterThan(0);
    expect(bounded.driver.engine.push(bounded.message(0).exchange, "/y", [])).toBe(0);
  });

  test("is cancelled by the client", () => {
    const at = new H2Server({ handler: silent });
    at.feed(headers(1));
    at.driver.engine.push(at.message(0).exchange, "/x", []);
    at.driver.settle(at.connection);
    at.feed(rstStream(2));
    expect(at.message(1).abortedBy).toBe(Status.H2_CANCELLED);
    expect(at.connection.closedBy).toBeNull();
  });

  test("says what is wrong with a path, a field or the moment", () => {
    const at = new H2Server({ handler: silent });
    at.feed(headers(1));
    const { exchange } = at.message(0);
    const { engine } = at.driver;
    expect(engine.push(exchange, "no-slash", [])).toBe(Status.TARGET_INVALID);
    expect(engine.push(exchange, "/a b", [])).toBe(Status.TARGET_INVALID);
    expect(engine.push(exchange, "/", [["x", "a\nb"]])).toBe(Status.FIELD_VALUE_INVALID);
    expect(engine.push(exchange, "/", [["upgrade", "x"]])).toBe(Status.FIELD_FORBIDDEN);
    at.driver.answer(at.message(0), 200, "ok");
    expect(engine.push(exchange, "/", [])).toBeLessThan(0);
  });
});

describe("a response", () => {
  test("may have interim ones before it, and trailers after its content", () => {
    const at = new H2Server({
      handler: {
        request({ exchange }, { engine }) {
          engine.sendInformational(exchange, 103, [["link", "</a>"]]);
          engine.sendHead(exchange, 200, [], -1, SendFlag.TRAILERS);
          engine.sendBody(exchange, Buffer.from("abc"), 0);
          engine.sendTrailers(exchange, [["x-sum", "1"]]);
        },
      },
    });
    at.feed(headers(1));
    expect(at.lines()).toEqual(["HEADERS 1", "HEADERS 1", "DATA 1 3", "HEADERS 1 END"]);
  });

  test("sends its trailers after all content, however late the windows open", () => {
    const at = new H2Server({
      handler: {
        request({ exchange }, { engine }) {
          engine.sendHead(exchange, 200, [], -1, SendFlag.TRAILERS);
          engine.sendBody(exchange, Buffer.from("abc"), 0);
          engine.sendTrailers(exchange, [["x-sum", "1"]]);
          engine.doors.releaseExchange(exchange);
        },
      },
      clientSettings: [[4, 0]],
    });
    at.feed(headers(1));
    expect(at.lines()).toEqual(["HEADERS 1"]);
    at.feed(windowUpdate(1, 2));
    expect(at.lines()).toEqual(["DATA 1 2"]);
    at.feed(windowUpdate(1, 2));
    expect(at.lines()).toEqual(["DATA 1 1", "HEADERS 1 END"]);
    expect(at.driver.counter("exchanges_open")).toBe(0);
  });

  test("to HEAD, 204 and 304 has no content", () => {
    const at = new H2Server({ handler: silent });
    at.feed(headers(1, [[":method", "HEAD"], ...GET.slice(1)]), headers(3), headers(5));
    const { engine } = at.driver;
    expect(engine.respond(at.message(0).exchange, 200, [], "abc", 0)).toBe(0);
    expect(engine.respond(at.message(1).exchange, 204, [], "", 0)).toBe(0);
    expect(engine.respond(at.message(2).exchange, 304, [], "", 0)).toBe(0);
    at.driver.settle(at.connection);
    expect(at.lines()).toEqual(["HEADERS 1 END", "HEADERS 3 END", "HEADERS 5 END"]);
  });

  test("may say 100 first, when the host wants the content", () => {
    const at = new H2Server({ handler: silent });
    at.feed(headers(1, [...POST, ["expect", "100-continue"]], 0));
    expect(at.frames()).toEqual([]);
    at.driver.engine.doors.readBody(at.message(0).exchange, 0, at.driver.now);
    at.driver.engine.doors.readBody(at.message(0).exchange, 0, at.driver.now);
    at.driver.settle(at.connection);
    expect(at.lines()).toEqual(["HEADERS 1"]);
  });

  test("cannot hold what HTTP/2 does not have, and nothing is sent of it", () => {
    const at = new H2Server({ handler: silent });
    at.feed(headers(1));
    const { exchange } = at.message(0);
    const { engine } = at.driver;
    expect(engine.respond(exchange, 101, [], "", 0)).toBe(Status.STATUS_CODE_INVALID);
    expect(engine.respond(exchange, 200, [["connection", "close"]], "", 0)).toBe(Status.FIELD_FORBIDDEN);
    expect(engine.respond(exchange, 200, [["upgrade", "x"]], "", 0)).toBe(Status.FIELD_FORBIDDEN);
    expect(engine.respond(exchange, 200, [["x", "a\r\nb"]], "", 0)).toBe(Status.FIELD_VALUE_INVALID);
    expect(engine.respond(exchange, 200, [["X", "a"]], "", 0)).toBe(Status.FIELD_NAME_INVALID);
    expect(engine.respond(exchange, 204, [], "x", 0)).toBe(Status.BODY_NOT_ALLOWED);
    expect(engine.doors.frameBody(exchange, 10)).toBe(Status.INVALID_STATE);
    at.driver.settle(at.connection);
    expect(at.frames()).toEqual([]);
    expect(engine.respond(exchange, 200, [], "ok", 0)).toBe(0);
  });

  test("keeps to the length it declared", () => {
    const at = new H2Server({ handler: silent });
    at.feed(headers(1));
    const { exchange } = at.message(0);
    const { engine } = at.driver;
    engine.sendHead(exchange, 200, [], 3, 0);
    expect(engine.sendBody(exchange, Buffer.from("abcd"), 0)).toBe(Status.BODY_LONGER_THAN_DECLARED);
    expect(engine.sendBody(exchange, Buffer.from("ab"), SendFlag.END)).toBe(
      Status.BODY_SHORTER_THAN_DECLARED,
    );
    expect(engine.sendBody(exchange, Buffer.from("abc"), SendFlag.END)).toBe(3);
    expect(engine.sendBody(exchange, Buffer.from(""), SendFlag.END)).toBeLessThan(0);
  });

  test("that the host leaves incomplete is reset, and the connection goes on", () => {
    const at = new H2Server({ handler: silent });
    at.feed(headers(1), headers(3));
    at.driver.release(at.message(0));
    at.driver.answer(at.message(1), 200, "ok");
    at.driver.settle(at.connection);
    expect(at.lines()).toEqual(["RST_STREAM 1 INTERNAL_ERROR", "HEADERS 3", "DATA 3 2 END"]);
  });

  test("with fields of more than a frame goes on in CONTINUATION", () => {
    const at = new H2Server({ handler: silent });
    at.feed(headers(1));
    const fields = Array.from({ length: 5 }, (_, index): [string, string] => [
      `x-${index}`,
      "~".repeat(9_000),
    ]);
    expect(at.driver.engine.respond(at.message(0).exchange, 200, fields, "ok", 0)).toBe(0);
    at.driver.settle(at.connection);
    const frames = at.frames();
    expect(frames.map(({ type }) => type)).toEqual([1, 9, 9, 0]);
    expect(frames.map(({ flags }) => flags & Flag.END_HEADERS)).toEqual([0, 0, 4, 0]);
    expect(frames.every(({ payload }) => payload.length <= 16_384)).toBe(true);
  });
});

describe("a request", () => {
  test("shows pseudo-fields as method, target and authority, and the other fields as they came", () => {
    const at = new H2Server();
    at.feed(
      headers(1, [
        ...GET.slice(0, 2),
        [":path", "/a?b"],
        [":authority", "x:8"],
        ["accept", "*/*"],
        ["x-y", "z"],
      ]),
    );
    expect(at.message(0)).toMatchObject({
      method: "GET",
      target: "/a?b",
      fields: [
        ["accept", "*/*"],
        ["x-y", "z"],
      ],
    });
    expect(at.connection.events[0]).toContain("h2 authority=x:8");
  });

  test("has one cookie field, whatever crumbs it came in", () => {
    const at = new H2Server();
    at.feed(headers(1, [...GET, ["cookie", "a=1"], ["x", "y"], ["cookie", "b=2"]]));
    expect(at.message(0).fields).toEqual([
      ["cookie", "a=1; b=2"],
      ["x", "y"],
    ]);
  });

  test("of extended CONNECT shows its protocol as upgrade, where that was announced", () => {
    const at = new H2Server({ handler: silent, flags: OpenFlag.EXTENDED_CONNECT });
    const announced = readFrames(at.connection.sent)[0];
    expect(announced?.payload.includes(Buffer.from([0, 8, 0, 0, 0, 1]))).toBe(true);
    at.feed(headers(1, [[":method", "CONNECT"], [":protocol", "websocket"], ...GET.slice(1), ["x", "y"]], 0));
    expect(at.message(0).fields).toEqual([
      ["upgrade", "websocket"],
      ["x", "y"],
    ]);
    const { engine } = at.driver;
    expect(engine.sendHead(at.message(0).exchange, 200, [], -1, SendFlag.TUNNEL)).toBe(0);
    engine.sendBody(at.message(0).exchange, Buffer.from("out"), 0);
    at.driver.settle(at.connection);
    at.feed(data(1, "in"));
    expect(at.lines()).toEqual(["HEADERS 1", "DATA 1 3"]);
    expect(at.message(0).body.toString()).toBe("in");
    at.feed(data(1, "", Flag.END_STREAM));
    engine.sendBody(at.message(0).exchange, Buffer.from(""), SendFlag.END);
    engine.doors.releaseExchange(at.message(0).exchange);
    at.driver.settle(at.connection);
    expect(at.lines()).toEqual(["DATA 1 0 END"]);
    expect(at.driver.counter("exchanges_open")).toBe(0);
  });
});

describe("a drain", () => {
  test("lets requests on their way through, then none, and closes after the last answer", () => {
    const at = new H2Server({ handler: silent });
    at.feed(headers(1));
    at.driver.engine.doors.drainConnection(at.connection.handle, at.driver.now);
    at.driver.settle(at.connection);
    const [first, ping] = at.frames();
    expect(describeFrame(first as Frame)).toBe(`GOAWAY ${0x7fffffff} NO_ERROR`);
    at.feed(headers(3));
    at.feed(frame(FrameType.PING, Flag.ACK, 0, (ping as Frame).payload));
    expect(at.lines()).toEqual(["GOAWAY 3 NO_ERROR"]);
    at.feed(headers(5));
    expect(at.frames()).toEqual([]);
    expect(at.connection.messages).toHaveLength(2);
    for (const message of at.connection.messages) at.driver.answer(message, 200, "ok");
    at.driver.settle(at.connection);
    expect(at.lines()).toEqual(["HEADERS 1", "DATA 1 2 END", "HEADERS 3", "DATA 3 2 END"]);
    expect(at.connection.closedBy).toBe(Status.OK);
  });

  test("does not wait for a peer that answers no ping", () => {
    const at = new H2Server();
    at.driver.engine.doors.drainConnection(at.connection.handle, at.driver.now);
    at.driver.advance(SECOND_MS);
    expect(at.connection.closedBy).toBe(Status.OK);
  });

  test("of a connection that has not begun closes at once", () => {
    const driver = new Driver();
    const connection = driver.open(0, 0, 2);
    driver.engine.doors.drainConnection(connection.handle, driver.now);
    driver.settle(connection);
    expect(connection.closedBy).toBe(Status.OK);
    // A client whose first request is on its way learns that it may be made again.
    const sent = readFrames(connection.sent).map(describeFrame);
    expect([sent[0], sent.at(-1)]).toEqual(["SETTINGS", "GOAWAY 0 NO_ERROR"]);
    driver.feed(connection, Buffer.concat([PREFACE, settings(), headers(1)]));
    expect(connection.messages).toEqual([]);
  });
});

describe("a request of the client's", () => {
  const ask = (): { driver: Driver; client: Connection; exchange: number } => {
    const driver = new Driver();
    const client = driver.open(Role.CLIENT, 0, Protocol.HTTP_2);
    driver.feed(client, Buffer.concat([settings(), settingsAck]));
    const exchange = driver.ask(client, { method: "POST", target: "/", fields: [["host", "a"]] });
    return { driver, client, exchange };
  };

  test.each([
    ["refused", rstStream(1, ErrorCode.REFUSED_STREAM), Status.H2_REFUSED],
    ["cancelled", rstStream(1, ErrorCode.CANCEL), Status.H2_CANCELLED],
    ["above the last one of GOAWAY", goaway(0), Status.H2_GONE],
    [
      "refused after the answer has begun",
      Buffer.concat([headers(1, [[":status", "200"]], 0), rstStream(1, ErrorCode.REFUSED_STREAM)]),
      Status.H2_CANCELLED,
    ],
  ])("that is %s ends with a status that says whether to ask again", (_what, bytes, status) => {
    const { driver, client, exchange } = ask();
    expect(exchange).toBeGreaterThan(0);
    driver.feed(client, bytes);
    const ends = client.log.map(({ text }) => text).filter((text) => text.startsWith("aborted"));
    expect(ends).toEqual([`aborted ${statusOf(status)}`]);
  });
});

describe("HTTP/2 begins", () => {
  const upgrade = [
    "GET /first HTTP/1.1",
    "host: example.org",
    "connection: Upgrade, HTTP2-Settings",
    "upgrade: h2c",
    "http2-settings: AAMAAABkAAQAAP__",
    "accept: */*",
    "\r\n",
  ].join("\r\n");

  test("on a connection of HTTP/1.1 by prior knowledge, at every split", () => {
    const bytes = Buffer.concat([PREFACE, settings(), settingsAck, headers(1)]);
    const seen = new Set<string>();
    for (let at = 0; at <= bytes.length; at++) {
      const driver = new Driver({ handler: answering });
      const connection = driver.open();
      driver.feed(connection, bytes.subarray(0, at));
      driver.feed(connection, bytes.subarray(at));
      const lines = readFrames(connection.sent).map(describeFrame);
      expect(lines[0]).toBe("SETTINGS");
      expect(lines.slice(-2)).toEqual(["HEADERS 1", "DATA 1 1 END"]);
      seen.add(connection.events.join("\n"));
      driver.hangUp(connection);
      expect(driver.memoryInUse()).toBe(0);
      expect(driver.counter("connections_h2")).toBe(1);
    }
    expect(seen.size).toBe(1);
  });

  test("by an upgrade whose request becomes stream 1, at every split", () => {
    const bytes = Buffer.concat([Buffer.from(upgrade), PREFACE, settings(), settingsAck, headers(3)]);
    for (let at = 0; at <= bytes.length; at++) {
      const driver = new Driver({ handler: answering });
      const connection = driver.open();
      driver.feed(connection, bytes.subarray(0, at));
      driver.feed(connection, bytes.subarray(at));
      const end = connection.sent.indexOf("\r\n\r\n") + 4;
      expect(connection.sent.subarray(0, end).toString()).toBe(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n",
      );
      const lines = readFrames(connection.sent.subarray(end)).map(describeFrame);
      expect(lines[0]).toBe("SETTINGS");
      expect(lines.filter((line) => /END$/u.test(line))).toEqual(["DATA 1 1 END", "DATA 3 1 END"]);
      expect(connection.messages[0]).toMatchObject({
        target: "/first",
        fields: [
          ["host", "example.org"],
          ["accept", "*/*"],
        ],
      });
      driver.hangUp(connection);
      expect(driver.memoryInUse()).toBe(0);
    }
  });

  test.each([
    ["over TLS", upgrade, OpenFlag.SECURE],
    ["with content", upgrade.replace("GET", "POST").replace("\r\n\r\n", "\r\ncontent-length: 1\r\n\r\nx"), 0],
    ["without its settings", upgrade.replace("http2-settings", "x-settings"), 0],
    ["with settings that do not decode", upgrade.replace("AAMAAABk", "AAMAAAB="), 0],
    ["that connection does not list", upgrade.replace(", HTTP2-Settings", ""), 0],
  ])("not by an upgrade %s: that is answered in HTTP/1.1", (_, request, flags) => {
    const driver = new Driver({ handler: answering });
    const connection = driver.open(0, flags);
    driver.feed(connection, request);
    expect(connection.sentText).toMatch(/^HTTP\/1\.1 200/u);
  });

  test("by an upgrade with some of the window, and with all of it once the client's preface is there", () => {
    const driver = new Driver({ handler: {} });
    const connection = driver.open();
    driver.feed(connection, Buffer.from(upgrade.replace("AAMAAABkAAQAAP__", "AAQAAgAA")));
    const { exchange } = connection.messages[0] as Message;
    driver.engine.sendHead(exchange, 200, [], -1, 0);
    expect(driver.engine.sendBody(exchange, Buffer.alloc(100_000), SendFlag.END)).toBe(100_000);
    driver.settle(connection);
    const sent = (): number =>
      readFrames(connection.sent.subarray(connection.sent.indexOf("\r\n\r\n") + 4))
        .filter(({ type }) => type === FrameType.DATA)
        .reduce((sum, { payload }) => sum + payload.length, 0);
    expect(sent()).toBe(16_384);
    driver.feed(connection, Buffer.concat([PREFACE, settings(), settingsAck]));
    expect(sent()).toBe(65_535);
    driver.feed(connection, windowUpdate(0, 100_000));
    expect(sent()).toBe(100_000);
    driver.engine.doors.releaseExchange(exchange);
    driver.hangUp(connection);
    expect(driver.memoryInUse()).toBe(0);
  });

  test("not by an upgrade of a later request", () => {
    const driver = new Driver({ handler: answering });
    const connection = driver.open();
    driver.feed(connection, "GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    driver.feed(connection, upgrade);
    expect(connection.sentText.match(/HTTP\/1\.1 200/gu)).toHaveLength(2);
  });
});

describe("memory", () => {
  test("of an idle connection is at most 6 KiB, after requests too", () => {
    const driver = new Driver({ handler: answering, memoryBytes: 64 * 1024 * 1024 });
    const connections = Array.from({ length: 100 }, () => driver.open());
    const browser: Fields = [
      ...GET,
      [
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0",
      ],
      ["accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"],
      ["accept-encoding", "gzip, deflate, br, zstd"],
      ["accept-language", "en-GB,en;q=0.9"],
      ["cookie", "session=0123456789abcdef0123456789abcdef"],
    ];
    for (const connection of connections) {
      driver.feed(connection, Buffer.concat([PREFACE, settings(), settingsAck]));
      for (let id = 1; id < 20; id += 2) driver.feed(connection, headers(id, browser));
    }
    expect(driver.memoryInUse() / 100).toBeLessThanOrEqual(6 * 1024);
  });

  test("of an open stream is at most 1 KiB", () => {
    const at = new H2Server({ handler: silent });
    const before = at.driver.memoryInUse();
    at.feed(...Array.from({ length: 100 }, (_, index) => headers(index * 2 + 1)));
    expect((at.driver.memoryInUse() - before) / 100).toBeLessThanOrEqual(1024);
  });
});
