// Sessions of WebTransport over HTTP/3: draft-ietf-webtrans-http3, with the capsules and datagrams of RFC 9297. The peer is a bare end.

import { beforeAll, expect, test } from "vitest";
import { OpenFlag, Role } from "../../../assembly/abi/message.ts";
import { Status } from "../../../assembly/abi/status.ts";
import type { LimitOptions } from "../../../host/engine/limits.ts";
import {
  Code,
  data,
  Frame,
  frame,
  GET,
  headers,
  readFrames,
  readSettings,
  settings,
  Stream,
  varint,
} from "./frames.ts";
import { Pair, type RawStream } from "./pair.ts";
import {
  bidi,
  CLOSE,
  closing,
  datagram,
  DRAIN,
  logSessions,
  SESSION_GONE,
  STREAM_REJECTED,
  uni,
} from "./session_log.ts";

// Where its sources have changed it is compiled, and no test is to wait for that.
beforeAll(() => Pair.module(), 120_000);

const CONNECT = [[":method", "CONNECT"], [":protocol", "webtransport"], ...GET.slice(1)] as const;
const FLAGS = OpenFlag.EXTENDED_CONNECT | OpenFlag.WEBTRANSPORT;
const PEER_SETTINGS = settings([0x33, 1], [0x08, 1], [0x2b603742, 1]);

interface Options {
  readonly limits?: LimitOptions;
  readonly flags?: number;
  /** Sessions are accepted as they are asked for (default), or when the test does it. */
  readonly accepts?: boolean;
  readonly packetBytes?: readonly number[];
}

/** A server of sessions, and what it was told. */
class Sessions {
  readonly pair: Pair;
  readonly log: string[] = [];
  /** Exchanges that asked for a session. */
  readonly asked: number[] = [];

  static async create(options: Options = {}): Promise<Sessions> {
    const accepts = options.accepts ?? true;
    const pair = await Pair.create({
      client: false,
      flags: options.flags ?? FLAGS,
      limits: options.limits,
      packetBytes: options.packetBytes,
      handler: {
        request: (message) => {
          sessions.asked.push(message.exchange);
          if (accepts && message.method === "CONNECT") sessions.accept(message.exchange);
        },
      },
    });
    const sessions = new Sessions(pair);
    pair.open(true, Buffer.concat([varint(Stream.control), PEER_SETTINGS]));
    pair.run();
    return sessions;
  }

  constructor(pair: Pair) {
    this.pair = pair;
    logSessions(pair, this.log, (session) => String(this.asked.indexOf(session)));
  }

  accept(exchange: number): number {
    const { driver } = this.pair;
    return driver.engine.webTransport.accept(exchange, [], driver.now);
  }

  /** Asks for a session. Answers its stream. */
  open(): RawStream {
    const stream = this.pair.open(false, headers(CONNECT));
    this.pair.run();
    return stream;
  }

  get error(): number | null {
    return this.pair.errorOf(Role.SERVER);
  }

  capsules(stream: RawStream): { type: number; payload: Buffer }[] {
    const frames = readFrames(stream.bytes);
    expect(frames[0]!.type).toBe(Frame.headers);
    return readFrames(Buffer.concat(frames.slice(1).map(({ payload }) => payload)));
  }
}

test("it is announced where sessions may be opened, and only there", async () => {
  const announced = async (flags: number) => {
    const pair = await Pair.create({ client: false, flags });
    const stream = [...pair.raw.values()].find(({ bytes }) => bytes[0] === Stream.control)!;
    return readSettings(readFrames(stream.bytes.subarray(1))[0]!.payload);
  };
  const found = await announced(FLAGS);
  expect([0x08, 0x33, 0x2b603742, 0xc671706a].map((id) => found.get(id))).toEqual([1, 1, 1, 16]);
  const without = await announced(OpenFlag.EXTENDED_CONNECT);
  expect([0x08, 0x33, 0x2b603742, 0xc671706a].map((id) => without.get(id))).toEqual([
    1,
    undefined,
    undefined,
    undefined,
  ]);
});

test("streams of the peer, both kinds, in pieces of any size", async () => {
  for (const packetBytes of [[1200], [64], [50, 1200]]) {
    const sessions = await Sessions.create({ packetBytes });
    const session = sessions.open();
    const { pair, log } = sessions;
    const both = pair.open(false, bidi(session.id), false);
    const one = pair.open(true, uni(session.id), false);
    pair.run();
    expect(log.splice(0).sort()).toEqual([`0 stream ${one.id}`, `0 stream ${both.id}`].sort());
    for (const byte of "ab") pair.send(both, Buffer.from(byte)).run();
    pair.send(one, Buffer.from("c"), true).run();
    expect(log).toEqual([`${both.id} reads a`, `${both.id} reads b`, `${one.id} reads c`]);
  }
});

test("headers of streams, byte by byte", async () => {
  const sessions = await Sessions.create();
  const session = sessions.open();
  const { pair, log } = sessions;
  for (const [isUni, bytes] of [
    [false, bidi(session.id, "x")],
    [true, uni(session.id, "y")],
  ] as const) {
    const stream = pair.open(isUni);
    for (const byte of bytes) pair.send(stream, [byte]).run();
    expect(log.splice(0)).toEqual([`0 stream ${stream.id}`, `${stream.id} reads ${isUni ? "y" : "x"}`]);
  }
});

test("streams of this side begin with type and session", async () => {
  const sessions = await Sessions.create();
  const session = sessions.open();
  const { pair } = sessions;
  const { engine, now } = pair.driver;
  const handle = sessions.asked[0]!;
  const both = engine.webTransport.openStream(handle, false, now);
  const one = engine.webTransport.openStream(handle, true, now);
  expect(both).toBeGreaterThan(0);
  pair.run();
  expect(pair.raw.get(engine.quic.streamId(both))!.bytes).toEqual(bidi(session.id));
  expect(pair.raw.get(engine.quic.streamId(one))!.bytes).toEqual(uni(session.id));
});

test("datagrams go both ways with the quarter of the number in front", async () => {
  const sessions = await Sessions.create();
  sessions.open();
  const second = sessions.open();
  const { pair, log } = sessions;
  pair.sendDatagram(datagram(second.id, "hello")).run();
  pair.sendDatagram(datagram(0, "")).run();
  expect(log).toEqual(["1 datagram hello", "0 datagram "]);
  const { engine, now } = pair.driver;
  expect(engine.webTransport.sendDatagram(sessions.asked[1]!, Buffer.from("back"), now)).toBe(Status.OK);
  expect(engine.webTransport.sendDatagram(sessions.asked[0]!, Buffer.alloc(1500), now)).toBe(
    Status.INVALID_ARGUMENT,
  );
  pair.run();
  expect(pair.readDatagram()).toEqual(datagram(second.id, "back"));
  expect(pair.readDatagram()).toBe(null);
});

test("more datagrams than the host can be told at once wait for it", async () => {
  const sessions = await Sessions.create({ limits: { quicDatagramCount: 4096, quicDatagramBytes: 1 << 20 } });
  sessions.open();
  for (let index = 0; index < 3000; index++) sessions.pair.sendDatagram(datagram(0, String(index)));
  sessions.pair.run();
  expect(sessions.log).toEqual(Array.from({ length: 3000 }, (_, index) => `0 datagram ${index}`));
});

test("capsules: datagrams are told, unknown ones passed over, in any pieces", async () => {
  const sessions = await Sessions.create();
  const stream = sessions.open();
  const { pair, log } = sessions;
  const capsules = Buffer.concat([
    frame(0x00, Buffer.from("first")),
    frame(0x1234, Buffer.alloc(5000)),
    frame(DRAIN),
    frame(0x00, Buffer.alloc(0)),
    frame(0x00, Buffer.from("last")),
  ]);
  pair.send(stream, data(capsules)).run();
  const told = ["0 datagram first", "0 drain", "0 datagram ", "0 datagram last"];
  expect(log.splice(0)).toEqual(told);
  for (let at = 0; at < capsules.length; at += 7) pair.send(stream, data(capsules.subarray(at, at + 7)));
  pair.run();
  expect(log.splice(0)).toEqual(told);
  // One that is too large for this side is passed over.
  pair
    .send(stream, data(Buffer.concat([frame(0x00, Buffer.alloc(4097)), frame(0x00, Buffer.from("x"))])))
    .run();
  expect(log).toEqual(["0 datagram x"]);
  expect(sessions.error).toBe(null);
});

test("the peer closes with a capsule: streams are cut, and this side ends its own", async () => {
  const sessions = await Sessions.create();
  const stream = sessions.open();
  const { pair, log } = sessions;
  const both = pair.open(false, bidi(stream.id, "x"));
  pair.run();
  log.length = 0;
  pair.send(stream, data(closing(4294967295, "gone")), false).run();
  expect(log).toEqual(["0 close 4294967295 gone"]);
  expect([both.resetCode, both.stopCode]).toEqual([SESSION_GONE, SESSION_GONE]);
  expect(stream.isEnded).toBe(true);
  // Late streams and datagrams find nothing.
  pair.sendDatagram(datagram(stream.id, "late"));
  const late = pair.open(true, uni(stream.id, "late"));
  pair.run();
  expect(late.stopCode).toBe(SESSION_GONE);
  expect(log).toHaveLength(1);
  pair.send(stream, [], true).run();
  expect(pair.driver.engine.counters().get("exchanges_open")).toBe(0);
  expect(pair.driver.engine.counters().get("sessions_wt_open")).toBe(0);
  expect(sessions.error).toBe(null);
});

test("the end of the stream without a capsule closes with 0", async () => {
  const sessions = await Sessions.create();
  const stream = sessions.open();
  sessions.pair.send(stream, [], true).run();
  expect(sessions.log).toEqual(["0 close 0 "]);
  expect(stream.isEnded).toBe(true);
  expect(sessions.pair.driver.engine.counters().get("exchanges_open")).toBe(0);
});

test("this side closes with code and reason, and asks for an end before that", async () => {
  const sessions = await Sessions.create();
  const stream = sessions.open();
  const { pair } = sessions;
  const { engine, now } = pair.driver;
  const handle = sessions.asked[0]!;
  const one = engine.webTransport.openStream(handle, true, now);
  const id = engine.quic.streamId(one);
  expect(engine.webTransport.drain(handle, now)).toBe(Status.OK);
  pair.run();
  expect(engine.webTransport.close(handle, 7, "x".repeat(1025), now)).toBe(Status.INVALID_ARGUMENT);
  expect(engine.webTransport.close(handle, 7, "bye", now)).toBe(Status.OK);
  expect(engine.webTransport.close(handle, 7, "bye", now)).toBe(Status.INVALID_STATE);
  engine.doors.releaseExchange(handle);
  pair.run();
  expect(sessions.capsules(stream)).toEqual([
    { type: DRAIN, payload: Buffer.alloc(0) },
    { type: CLOSE, payload: Buffer.from("\0\0\0\x07bye") },
  ]);
  expect(stream.isEnded).toBe(true);
  expect(pair.raw.get(id)!.resetCode).toBe(SESSION_GONE);
  expect(engine.quic.streamId(one)).toBe(-1);
  // What the peer had sent meanwhile is passed over.
  pair.send(stream, data(closing(1)), true).run();
  expect(sessions.error).toBe(null);
  expect(engine.counters().get("exchanges_open")).toBe(0);
});

test("a peer that never ends its side of a closed session is cut (CVE-2026-21435)", async () => {
  const sessions = await Sessions.create();
  const stream = sessions.open();
  const { engine, now } = sessions.pair.driver;
  engine.webTransport.close(sessions.asked[0]!, 0, "", now);
  engine.doors.releaseExchange(sessions.asked[0]!);
  sessions.pair.run().advance(61_000);
  expect(engine.counters().get("exchanges_open")).toBe(0);
  expect(stream.stopCode).toBe(Code.requestCancelled);
});

test("streams that come before their session wait for it", async () => {
  const sessions = await Sessions.create({ accepts: false });
  const { pair, log } = sessions;
  const one = pair.open(true, uni(0, "early"));
  pair.run();
  const session = pair.open(false, headers(CONNECT));
  const both = pair.open(false, bidi(0, "too"), true);
  pair.run();
  expect(session.id).toBe(0);
  expect(log).toEqual([]);
  expect(sessions.accept(sessions.asked[0]!)).toBe(Status.OK);
  pair.run();
  expect(log.slice().sort()).toEqual(
    [`0 stream ${one.id}`, `0 stream ${both.id}`, `${one.id} reads early`, `${both.id} reads too`].sort(),
  );
});

test("no more than so many of them, and not for ever", async () => {
  const sessions = await Sessions.create({ accepts: false, limits: { webTransportWaitingStreamCount: 2 } });
  const { pair } = sessions;
  const streams = [0, 1, 2].map(() => pair.open(true, uni(0, "early")));
  pair.run();
  expect(streams.map(({ stopCode }) => stopCode)).toEqual([null, null, STREAM_REJECTED]);
  expect(pair.driver.engine.limitHits().get("webTransportWaitingStreamCount")).toBe(1);
  pair.advance(11_000);
  expect(streams.map(({ stopCode }) => stopCode)).toEqual([
    STREAM_REJECTED,
    STREAM_REJECTED,
    STREAM_REJECTED,
  ]);
  expect(sessions.error).toBe(null);
});

test("streams that wait for a request that is refused are refused", async () => {
  const sessions = await Sessions.create({ accepts: false });
  const { pair } = sessions;
  pair.open(false, headers(CONNECT));
  const one = pair.open(true, uni(0, "early"));
  pair.run();
  pair.driver.engine.doors.releaseExchange(sessions.asked[0]!);
  pair.run().advance(11_000);
  expect(one.stopCode).not.toBe(null);
});

test("more sessions than a connection may have are refused before anything is done", async () => {
  const sessions = await Sessions.create({ limits: { webTransportSessionCount: 2 } });
  const streams = [0, 1, 2].map(() => sessions.open());
  expect(streams.map(({ resetCode }) => resetCode)).toEqual([null, null, Code.requestRejected]);
  expect(sessions.pair.driver.engine.limitHits().get("webTransportSessionCount")).toBe(1);
});

test("a session that is cut cuts its streams and leaves the others alone", async () => {
  const sessions = await Sessions.create();
  const first = sessions.open();
  const second = sessions.open();
  const { pair, log } = sessions;
  const ofFirst = pair.open(true, uni(first.id));
  const ofSecond = pair.open(true, uni(second.id));
  pair.run();
  log.length = 0;
  pair.reset(first, 0x10c).run();
  expect([ofFirst.stopCode, ofSecond.stopCode]).toEqual([SESSION_GONE, null]);
  pair.send(ofSecond, Buffer.from("x")).run();
  expect(log).toEqual([`${ofSecond.id} reads x`]);
});

test("a session that is open gets its streams while the server drains, and no request does", async () => {
  const sessions = await Sessions.create();
  const session = sessions.open();
  const { pair, log } = sessions;
  pair.door("endDrain")(Role.SERVER);
  pair.run().advance(100);
  const both = pair.open(false, bidi(session.id, "x"));
  const late = pair.open(false, headers(GET));
  pair.run();
  expect(log).toEqual([`0 stream ${both.id}`, `${both.id} reads x`]);
  expect(late.resetCode).toBe(Code.requestRejected);
  expect(sessions.error).toBe(null);
});

const attacks: [string, (sessions: Sessions, session: RawStream) => void, number][] = [
  ["a datagram without a number", ({ pair }) => void pair.sendDatagram([]), Code.datagramError],
  ["a datagram whose number is cut", ({ pair }) => void pair.sendDatagram([0xc0, 0]), Code.datagramError],
  [
    "a datagram whose number is above 2^60 - 1",
    ({ pair }) => void pair.sendDatagram(varint(1n << 60n)),
    Code.datagramError,
  ],
  [
    "a datagram for a stream beyond the limit",
    ({ pair }) => void pair.sendDatagram(varint(5000)),
    Code.idError,
  ],
  ["a stream of a session that cannot be", ({ pair }) => void pair.open(true, uni(2)), Code.idError],
  ["a bidirectional one", ({ pair }) => void pair.open(false, bidi(1)), Code.idError],
  ["a stream of a session beyond the limit", ({ pair }) => void pair.open(true, uni(40000)), Code.idError],
  [
    "a stream that names a stream of a session",
    ({ pair }, session) => {
      const both = pair.open(false, bidi(session.id));
      pair.open(true, uni(both.id));
    },
    Code.idError,
  ],
];

test.each(attacks)("%s ends the connection", async (_name, attack, code) => {
  const sessions = await Sessions.create();
  attack(sessions, sessions.open());
  sessions.pair.run();
  expect(sessions.error).toBe(code);
});

const malformed: [string, Buffer, number][] = [
  ["a capsule that closes without a code", frame(CLOSE, [0, 0, 0]), Code.messageError],
  ["a reason that is too long", frame(CLOSE, Buffer.alloc(1029)), Code.messageError],
  ["a drain with a payload", frame(DRAIN, [1]), Code.messageError],
  ["what follows the capsule that closes", Buffer.concat([closing(0), frame(DRAIN)]), Code.messageError],
];

test.each(malformed)("%s ends the session", async (_name, bytes, code) => {
  const sessions = await Sessions.create();
  const session = sessions.open();
  sessions.pair.send(session, data(bytes)).run();
  expect(session.stopCode).toBe(code);
  expect(sessions.error).toBe(null);
});

test("a stream that ends within a capsule is malformed", async () => {
  for (const bytes of [Buffer.from([0x80]), frame(0x00, Buffer.from("whole")).subarray(0, 4)]) {
    const sessions = await Sessions.create();
    const session = sessions.open();
    sessions.pair.send(session, data(bytes), true).run();
    expect(session.resetCode).toBe(Code.messageError);
  }
});

test("a flood of capsules that mean nothing ends the connection", async () => {
  const sessions = await Sessions.create();
  const session = sessions.open();
  const flood = Buffer.concat(Array.from({ length: 1100 }, () => frame(0x21)));
  sessions.pair.send(session, data(flood)).run();
  expect(sessions.error).toBe(Code.excessiveLoad);
  expect(sessions.pair.driver.limitHits("controlFramesPerS")).toBe(1);
});

test("a datagram for a request that has no use for it ends the request", async () => {
  const sessions = await Sessions.create({ accepts: false });
  const { pair } = sessions;
  const get = pair.open(false, headers(GET));
  pair.run();
  pair.sendDatagram(datagram(get.id, "x")).run();
  expect(get.resetCode).toBe(Code.datagramError);
  expect(sessions.error).toBe(null);
});

test("without the announcement nothing of it is known", async () => {
  const sessions = await Sessions.create({ flags: OpenFlag.EXTENDED_CONNECT, accepts: false });
  const { pair } = sessions;
  const one = pair.open(true, uni(0));
  pair.sendDatagram(datagram(0, "x")).run();
  expect(one.stopCode).toBe(Code.streamCreationError);
  expect(sessions.error).toBe(null);
});

test("what is no such request is not accepted", async () => {
  const sessions = await Sessions.create({ accepts: false });
  const { pair } = sessions;
  pair.open(false, headers(GET));
  sessions.open();
  const [get, connect] = sessions.asked as [number, number];
  expect(sessions.accept(get)).toBe(Status.INVALID_STATE);
  expect(sessions.accept(connect)).toBe(Status.OK);
  expect(sessions.accept(connect)).toBe(Status.INVALID_STATE);
  expect(sessions.accept(12345)).toBe(Status.INVALID_HANDLE);
  expect(pair.driver.engine.webTransport.sendDatagram(get, Buffer.from("x"), pair.driver.now)).toBe(
    Status.INVALID_STATE,
  );
});
