/*
 * What the engine keeps of an idle HTTP/2 connection and of an open stream, by its own count of memory in use.
 *
 * The published engine is driven by bytes, without sockets: it refreshes its count only when it is handed the time, which a
 * server does when a deadline falls due, so that a scrape of a server's metrics may show an old figure. Each connection
 * has made one request and was answered, so that what a first head brings (HPACK's tables) is counted. An open stream is a
 * request that was told to the host and has no answer.
 *
 * Invariant: a figure of nothing is a fault of the measure, never a result; exchanges are counted beside the bytes.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type * as EngineModule from "../../host/engine/index.ts";
import { Protocol, Role } from "../../assembly/abi/message.ts";
import { distFolder } from "../paths.ts";
import { BenchError } from "../suite.ts";
import type { Measure } from "../suite.ts";

type Engine = EngineModule.Engine;

const KIB = 1024;
const MIB = 2 ** 20;
const NOW_MS = 1000;
const CONNECTION_COUNT = 200;
const STREAM_CONNECTION_COUNT = 10;
/** Below the 100 streams that a connection may have open at once. */
const STREAMS_PER_CONNECTION = 90;

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
const HEADERS = 1;
const SETTINGS = 4;
const ACK = 1;
const END_STREAM_AND_HEADERS = 5;

/**
 * RFC 7541 appendix A: 2 is `:method: GET`, 6 `:scheme: http`, 4 `:path: /`. `:authority` and `user-agent` are literals
 * with incremental indexing, as a client sends them, so that each connection has a dynamic table.
 */
const FIELDS = Buffer.concat([
  Buffer.from([0x82, 0x86, 0x84]),
  literal(1, "www.example.com"),
  literal(58, "bench/1.0"),
]);

function literal(nameIndex: number, value: string): Buffer {
  return Buffer.concat([Buffer.from([0x40 | nameIndex, value.length]), Buffer.from(value)]);
}

function frame(type: number, flags: number, streamId: number, payload = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, payload]);
}

/** An engine and the exchanges that it told of and that nobody answered yet. */
class Peer {
  readonly #engine: Engine;
  readonly #asked: number[] = [];
  readonly #heads: EngineModule.ReceivedHead[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  open(): number {
    const connection = this.#engine.doors.openConnection(Protocol.HTTP_2, Role.SERVER, 0, NOW_MS);
    if (connection < 0) throw new BenchError(`the engine opened no connection: status ${connection}`);
    this.#feed(connection, Buffer.concat([PREFACE, frame(SETTINGS, 0, 0), frame(SETTINGS, ACK, 0)]));
    this.ask(connection, 1);
    for (const exchange of this.#asked.splice(0)) {
      const left = this.#engine.respond(exchange, 200, [["content-type", "text/plain"]], "Hello, World!", 0);
      if (left !== 0) throw new BenchError(`the engine did not take an answer: ${left}`);
      this.#heads.pop()?.release();
      this.#engine.doors.releaseExchange(exchange);
    }
    this.#send(connection);
    return connection;
  }

  ask(connection: number, streamId: number): void {
    this.#feed(connection, frame(HEADERS, END_STREAM_AND_HEADERS, streamId, FIELDS));
  }

  get heldCount(): number {
    return this.#asked.length;
  }

  bytesInUse(): number {
    this.#engine.doors.handleTimeout(NOW_MS);
    return this.#engine.counters().get("memory_bytes_in_use") ?? 0;
  }

  #feed(connection: number, bytes: Buffer): void {
    this.#engine.receiveBuffer.set(bytes);
    const taken = this.#engine.doors.receive(connection, 0, bytes.length, NOW_MS);
    if (taken !== bytes.length) throw new BenchError(`the engine took ${taken} of ${bytes.length} bytes`);
    this.#engine.readEvents(this.#sink);
    this.#send(connection);
  }

  #send(connection: number): void {
    while (this.#engine.pollTransmit(connection) > 0);
  }

  readonly #refuse = (): never => {
    throw new BenchError("the engine told of something other than a request");
  };
  readonly #ignore = (): void => {};
  readonly #sink: EngineModule.EventSink = {
    request: (_connection, exchange, head) => {
      this.#asked.push(exchange);
      this.#heads.push(head);
    },
    transmit: this.#ignore,
    writable: this.#ignore,
    response: this.#refuse,
    informational: this.#refuse,
    body: this.#refuse,
    end: this.#refuse,
    aborted: this.#refuse,
    peerEnded: this.#refuse,
    tunnel: this.#refuse,
    readPause: this.#refuse,
    readResume: this.#refuse,
    close: this.#refuse,
  };
}

function bytesPerConnection(peer: Peer): number {
  const before = peer.bytesInUse();
  for (let i = 0; i < CONNECTION_COUNT; i++) peer.open();
  return (peer.bytesInUse() - before) / CONNECTION_COUNT;
}

function bytesPerStream(peer: Peer): number {
  const connections = Array.from({ length: STREAM_CONNECTION_COUNT }, () => peer.open());
  const before = peer.bytesInUse();
  for (const connection of connections) {
    for (let i = 1; i <= STREAMS_PER_CONNECTION; i++) peer.ask(connection, 1 + 2 * i);
  }
  const openCount = STREAM_CONNECTION_COUNT * STREAMS_PER_CONNECTION;
  if (peer.heldCount !== openCount)
    throw new BenchError(`${peer.heldCount} streams are open, not ${openCount}`);
  return (peer.bytesInUse() - before) / openCount;
}

function memoryMeasure(
  name: string,
  title: string,
  limitKiB: number,
  bytesEach: (peer: Peer) => number,
): Measure {
  return {
    name,
    title,
    peers: ["engine"],
    async run() {
      const published = (await import(
        pathToFileURL(join(distFolder, "engine.js")).href
      )) as typeof EngineModule;
      const module = new WebAssembly.Module(readFileSync(join(distFolder, "engine.wasm")));
      const engine = published.Engine.create(module, {
        memoryBytes: 64 * MIB,
        limits: published.resolveLimits({}),
        now: NOW_MS,
      });
      const bytes = bytesEach(new Peer(engine));
      if (bytes <= 0) throw new BenchError(`the engine counts ${bytes} bytes: its counter does not move`);
      return {
        unit: "KiB",
        better: "lower",
        series: [{ peer: "engine", samples: [{ value: bytes / KIB }] }],
        bars: [{ kind: "limit", subject: "engine", direction: "at most", limit: limitKiB }],
        notes: [
          "Blocks of the engine's slab as it counts them; sockets and JavaScript objects are not in it.",
        ],
      };
    },
  };
}

export const idleConnection = memoryMeasure(
  "idle",
  "Engine memory of one idle connection",
  6,
  bytesPerConnection,
);

export const openStream = memoryMeasure("open-stream", "Engine memory of one open stream", 1, bytesPerStream);
