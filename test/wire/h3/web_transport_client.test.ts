// Sessions of WebTransport in the client's role: draft-ietf-webtrans-http3 §3 to §6, RFC 9297. The peer is a bare server, or one of ours.

import { beforeAll, expect, test } from "vitest";
import { OpenFlag, Role, SendFlag } from "../../../assembly/abi/message.ts";
import { H3Status } from "../../../assembly/abi/h3_status.ts";
import { Status } from "../../../assembly/abi/status.ts";
import type { LimitOptions } from "../../../host/engine/limits.ts";
import {
  Code,
  data,
  Frame,
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

const FLAGS = OpenFlag.EXTENDED_CONNECT | OpenFlag.WEBTRANSPORT;
const FIELDS: [string, string][] = [
  ["host", "example.org"],
  ["upgrade", "webtransport"],
];
const ALL_SETTINGS = [
  [0x08, 1],
  [0x33, 1],
  [0x2b603742, 1],
] as const;
const OK = headers([[":status", "200"]]);

interface Options {
  readonly limits?: LimitOptions;
  readonly packetBytes?: readonly number[];
  readonly settings?: readonly (readonly [number, number])[];
}

/** A client, its bare server, and what the client was told. */
class Client {
  readonly pair: Pair;
  readonly log: string[] = [];

  static async create({
    limits,
    packetBytes,
    settings: pairs = ALL_SETTINGS,
  }: Options = {}): Promise<Client> {
    const client = new Client(await Pair.create({ server: false, flags: FLAGS, limits, packetBytes }));
    client.pair.open(true, Buffer.concat([varint(Stream.control), settings(...pairs)]));
    client.pair.run();
    return client;
  }

  constructor(pair: Pair) {
    this.pair = pair;
    logSessions(pair, this.log, () => "session");
    const { driver } = pair;
    Object.assign(driver, {
      response: (_connection: number, _exchange: number, head: { statusCode: number }) =>
        this.log.push(`answer ${head.statusCode}`),
      body: (_connection: number, _exchange: number, bytes: Uint8Array) =>
        this.log.push(`content ${Buffer.from(bytes).toString("latin1")}`),
      tunnel: () => this.log.push("tunnel"),
      aborted: (_connection: number, exchange: number, status: number) => {
        this.log.push(`aborted ${status}`);
        driver.engine.doors.releaseExchange(exchange);
      },
    });
  }

  ask(fields: [string, string][] = FIELDS): number {
    const { driver, client } = this.pair;
    const handle = driver.ask(client!, { method: "CONNECT", target: "/wt", fields }, SendFlag.TUNNEL);
    this.pair.run();
    return handle;
  }

  /** Asks, and is answered 200. Answers the session's handle and its stream. */
  open(): { session: number; stream: RawStream } {
    const session = this.ask();
    expect(session).toBeGreaterThan(0);
    const stream = [...this.pair.raw.values()].findLast(({ id }) => (id & 3) === 0)!;
    this.pair.send(stream, OK).run();
    expect(this.log.splice(0)).toEqual(["answer 200"]);
    return { session, stream };
  }

  get error(): number | null {
    return this.pair.errorOf(Role.CLIENT);
  }

  counter(name: string): number {
    return this.pair.driver.engine.counters().get(name)!;
  }
}

test("a client announces it, and asks with :protocol once the server has announced it", async () => {
  const pair = await Pair.create({ server: false, flags: FLAGS });
  const client = new Client(pair);
  const control = [...pair.raw.values()].find(({ bytes }) => bytes[0] === Stream.control)!;
  const own = readSettings(readFrames(control.bytes.subarray(1))[0]!.payload);
  expect([0x33, 0x2b603742].map((id) => own.get(id))).toEqual([1, 1]);
  expect(client.ask()).toBe(Status.WOULD_BLOCK);
  pair.open(true, Buffer.concat([varint(Stream.control), settings(...ALL_SETTINGS)]));
  pair.run();
  expect(client.ask()).toBeGreaterThan(0);
  const [request] = readFrames(pair.raw.get(0)!.bytes);
  expect(request!.type).toBe(Frame.headers);
  expect(pair.raw.get(0)!.isEnded).toBe(false);
});

test("a server that has not announced all of it is not asked", async () => {
  for (let missing = 0; missing < ALL_SETTINGS.length; missing++) {
    const client = await Client.create({ settings: ALL_SETTINGS.filter((_, at) => at !== missing) });
    expect(client.ask()).toBe(Status.INVALID_STATE);
    expect(client.counter("exchanges_open")).toBe(0);
  }
  // Any later draft's announcement will do.
  const later = await Client.create({ settings: [...ALL_SETTINGS.slice(0, 2), [0x14e9cd29, 1]] });
  expect(later.ask()).toBeGreaterThan(0);
});

test("streams of the server, both kinds, in pieces of any size", async () => {
  for (const packetBytes of [[1200], [64]]) {
    const client = await Client.create({ packetBytes });
    const { stream } = client.open();
    const { pair, log } = client;
    const both = pair.open(false, bidi(stream.id, "a"));
    const one = pair.open(true, uni(stream.id, "b"), true);
    pair.run();
    expect(log.splice(0).sort()).toEqual(
      [
        `session stream ${one.id}`,
        `session stream ${both.id}`,
        `${both.id} reads a`,
        `${one.id} reads b`,
      ].sort(),
    );
    for (const byte of bidi(stream.id, "c")) pair.send(both, [byte]).run();
    expect(log.every((line) => line.startsWith(`${both.id} reads`))).toBe(true);
  }
});

test("streams of this side, whose other half the server writes", async () => {
  const client = await Client.create();
  const { session, stream } = client.open();
  const { pair, log } = client;
  const { engine, now } = pair.driver;
  const both = engine.webTransport.openStream(session, false, now);
  const one = engine.webTransport.openStream(session, true, now);
  pair.run();
  const seen = pair.raw.get(engine.quic.streamId(both))!;
  expect(seen.bytes).toEqual(bidi(stream.id));
  expect(pair.raw.get(engine.quic.streamId(one))!.bytes).toEqual(uni(stream.id));
  pair.send(seen, Buffer.from("back")).run();
  expect(log).toEqual([`${seen.id} reads back`]);
});

test("datagrams go both ways, and as capsules towards this side", async () => {
  const client = await Client.create();
  const { session, stream } = client.open();
  const { pair, log } = client;
  const { engine, now } = pair.driver;
  pair.sendDatagram(datagram(stream.id, "hello")).run();
  pair.send(stream, data(Buffer.concat([Buffer.from([0, 2]), Buffer.from("as")]))).run();
  expect(log).toEqual(["session datagram hello", "session datagram as"]);
  expect(engine.webTransport.sendDatagram(session, Buffer.from("back"), now)).toBe(Status.OK);
  pair.run();
  expect(pair.readDatagram()).toEqual(datagram(stream.id, "back"));
});

test("nothing of a session works before it is answered, and streams that come before wait for it", async () => {
  const client = await Client.create();
  const session = client.ask();
  const { pair, log } = client;
  const { engine, now } = pair.driver;
  expect(engine.webTransport.openStream(session, true, now)).toBe(Status.INVALID_STATE);
  expect(engine.webTransport.sendDatagram(session, Buffer.from("x"), now)).toBe(Status.INVALID_STATE);
  expect(engine.webTransport.close(session, 0, "", now)).toBe(Status.INVALID_STATE);
  const one = pair.open(true, uni(0, "early"), true);
  const both = pair.open(false, bidi(0, "too"));
  pair.sendDatagram(datagram(0, "dropped")).run();
  expect(log).toEqual([]);
  pair.send(pair.raw.get(0)!, OK).run();
  expect(log[0]).toBe("answer 200");
  expect(log.slice(1).sort()).toEqual(
    [
      `session stream ${one.id}`,
      `session stream ${both.id}`,
      `${one.id} reads early`,
      `${both.id} reads too`,
    ].sort(),
  );
  expect(client.counter("http_datagrams_dropped")).toBe(1);
});

test("no more than so many streams wait, and not for ever", async () => {
  const client = await Client.create({ limits: { webTransportWaitingStreamCount: 2 } });
  client.ask();
  const { pair } = client;
  const streams = [0, 1, 2].map(() => pair.open(true, uni(0, "early")));
  pair.run();
  expect(streams.map(({ stopCode }) => stopCode)).toEqual([null, null, STREAM_REJECTED]);
  pair.advance(61_000);
  expect(streams.map(({ stopCode }) => stopCode)).toEqual(Array(3).fill(STREAM_REJECTED));
  expect(client.error).toBe(null);
});

test("a refusal is an ordinary answer with its content, and streams that waited are refused", async () => {
  const client = await Client.create();
  const session = client.ask();
  const { pair, log } = client;
  const early = pair.open(true, uni(0, "early"));
  pair.run();
  pair.send(pair.raw.get(0)!, Buffer.concat([headers([[":status", "403"]]), data("no")]), true).run();
  expect(log).toEqual(["answer 403", "content no"]);
  expect(early.stopCode).toBe(STREAM_REJECTED);
  expect(pair.driver.engine.webTransport.openStream(session, true, pair.driver.now)).toBe(
    Status.INVALID_STATE,
  );
  pair.driver.engine.doors.releaseExchange(session);
  pair.run();
  expect(client.counter("exchanges_open")).toBe(0);
  expect([client.counter("sessions_wt"), client.counter("sessions_wt_open")]).toEqual([0, 0]);
  expect(client.error).toBe(null);
});

test("an interim answer opens nothing; a session may be over with its head", async () => {
  const client = await Client.create();
  client.ask();
  const { pair, log } = client;
  const stream = pair.raw.get(0)!;
  pair.send(stream, headers([[":status", "103"]])).run();
  pair.send(stream, OK, true).run();
  expect(log).toEqual(["answer 200", "session close 0 "]);
  expect(stream.isEnded).toBe(true);
  expect(client.counter("exchanges_open")).toBe(0);
  expect(client.counter("sessions_wt_open")).toBe(0);
});

test("the server asks for the end, and closes with code and reason", async () => {
  const client = await Client.create();
  const { session, stream } = client.open();
  const { pair, log } = client;
  const { engine, now } = pair.driver;
  const one = engine.quic.streamId(engine.webTransport.openStream(session, true, now));
  pair
    .send(stream, data(Buffer.concat([Buffer.from([0x80, 0, 0x78, 0xae, 0]), closing(4294967295, "gone")])))
    .run();
  expect(log).toEqual(["session drain", "session close 4294967295 gone"]);
  expect(pair.raw.get(one)!.resetCode).toBe(SESSION_GONE);
  expect(stream.isEnded).toBe(true);
  const late = pair.open(true, uni(stream.id, "late"));
  pair.send(stream, [], true).run();
  expect(late.stopCode).toBe(SESSION_GONE);
  expect(client.counter("exchanges_open")).toBe(0);
  expect(client.error).toBe(null);
});

test("this side closes: the capsule is sent, and the host is done with it", async () => {
  const client = await Client.create();
  const { session, stream } = client.open();
  const { pair } = client;
  const { engine, now } = pair.driver;
  expect(engine.webTransport.drain(session, now)).toBe(Status.OK);
  expect(engine.webTransport.close(session, 7, "bye", now)).toBe(Status.OK);
  engine.doors.releaseExchange(session);
  pair.run();
  const frames = readFrames(stream.bytes).slice(1);
  expect(readFrames(Buffer.concat(frames.map(({ payload }) => payload)))).toEqual([
    { type: DRAIN, payload: Buffer.alloc(0) },
    { type: CLOSE, payload: Buffer.from("\0\0\0\x07bye") },
  ]);
  expect([stream.isEnded, stream.resetCode, stream.stopCode]).toEqual([true, null, null]);
  pair.send(stream, data(closing(1)), true).run();
  expect(client.counter("exchanges_open")).toBe(0);
  expect(client.counter("sessions_wt_open")).toBe(0);
  expect(client.error).toBe(null);
});

test("a server that never ends its side of a closed session is cut", async () => {
  const client = await Client.create();
  const { session, stream } = client.open();
  const { engine, now } = client.pair.driver;
  engine.webTransport.close(session, 0, "", now);
  engine.doors.releaseExchange(session);
  client.pair.run().advance(61_000);
  expect(client.counter("exchanges_open")).toBe(0);
  expect(stream.stopCode).toBe(Code.requestCancelled);
});

test("who gives a session up before it is answered cancels its request", async () => {
  const client = await Client.create();
  const session = client.ask();
  client.pair.driver.engine.doors.releaseExchange(session);
  client.pair.run();
  expect(client.pair.raw.get(0)!.resetCode).toBe(Code.requestCancelled);
  expect(client.counter("exchanges_open")).toBe(0);
});

test("a session that is cut is told, and cuts its streams", async () => {
  const client = await Client.create();
  const { stream } = client.open();
  const { pair, log } = client;
  const both = pair.open(false, bidi(stream.id));
  pair.run();
  log.length = 0;
  pair.reset(stream, 0x10c).run();
  expect(log).toEqual([`aborted ${H3Status.CANCELLED}`]);
  expect([both.stopCode, both.resetCode]).toEqual([SESSION_GONE, SESSION_GONE]);
  expect(client.counter("sessions_wt_open")).toBe(0);
});

const attacks: [string, (client: Client, session: RawStream) => void, number][] = [
  [
    "a stream of a session that was never asked for",
    ({ pair }) => void pair.open(true, uni(4)),
    Code.idError,
  ],
  ["a datagram of one", ({ pair }) => void pair.sendDatagram(datagram(4, "x")), Code.idError],
  [
    "a stream of a session with a number of the server's",
    ({ pair }) => void pair.open(false, bidi(1)),
    Code.idError,
  ],
  ["a request of the server's", ({ pair }) => void pair.open(false, headers(GET)), Code.streamCreationError],
  ["a datagram without a number", ({ pair }) => void pair.sendDatagram([]), Code.datagramError],
];

test.each(attacks)("%s ends the connection", async (_name, attack, code) => {
  const client = await Client.create();
  attack(client, client.open().stream);
  client.pair.run();
  expect(client.error).toBe(code);
});

test("other protocols are asked for as before, on the same connection", async () => {
  const client = await Client.create();
  const exchange = client.ask([
    ["host", "example.org"],
    ["upgrade", "connect-udp"],
  ]);
  const { pair, log } = client;
  pair.send(pair.raw.get(0)!, OK).run();
  expect(log).toEqual(["answer 200", "tunnel"]);
  expect(pair.driver.engine.webTransport.openStream(exchange, true, pair.driver.now)).toBe(
    Status.INVALID_STATE,
  );
});

test("more sessions than a connection may have are not asked for", async () => {
  const client = await Client.create({ limits: { webTransportSessionCount: 1 } });
  client.open();
  expect(client.ask()).toBe(Status.EXCHANGES_FULL);
  expect(client.log).toEqual([]);
  expect(client.counter("exchanges_open")).toBe(1);
});

test("a client of ours and a server of ours", async () => {
  const pair = await Pair.create({
    flags: FLAGS,
    packetBytes: [50, 1200],
    lossEvery: 5,
    handler: {
      request: ({ exchange }, { engine, now }) => void engine.webTransport.accept(exchange, [], now),
    },
  });
  const client = new Client(pair);
  const session = client.ask();
  const { engine, now } = pair.driver;
  pair.run();
  const both = engine.webTransport.openStream(session, false, now);
  pair.run();
  expect(client.log).toEqual(["answer 200", expect.stringMatching(/^session stream \d+$/u)]);
  expect(engine.counters().get("sessions_wt_open")).toBe(2);
  expect(engine.quic.streamId(both)).toBe(4);
  expect(engine.webTransport.close(session, 9, "enough", now)).toBe(Status.OK);
  engine.doors.releaseExchange(session);
  pair.run();
  expect(client.log.slice(2)).toContain("session close 9 enough");
  expect(engine.counters().get("sessions_wt_open")).toBe(0);
  expect(engine.counters().get("exchanges_open")).toBe(0);
});
