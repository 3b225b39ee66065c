// HTTP/3 in either role under a peer gone mad (h3_traffic.ts), on streams of QUIC without packets, whose bytes come in pieces of any size.
// The application answers, reads, opens and lets go of things without a plan, and time passes at random.
//
// A round fails when the module traps, when the connection ends with a code that is none, and when memory is not what it was before,
// once the connection is over and the host has let go of its exchanges.

import { OpenFlag, Role, SendFlag } from "../../assembly/abi/message.ts";
import { StreamNews } from "../../assembly/abi/quic.ts";
import { Code, headers, Stream, varint } from "../wire/h3/frames.ts";
import { Pair, type RawStream } from "../wire/h3/pair.ts";
import {
  controlFrame,
  decoderInstruction,
  encoderInstruction,
  httpDatagram,
  perhapsDamaged,
  requestFrame,
  sessionBeginning,
  someSettings,
  uniBeginning,
} from "./h3_traffic.ts";
import { Random } from "./random.ts";
import type { FuzzTarget } from "./target.ts";

const STEPS_MOST = 60;
const CODES = new Set<number>(Object.values(Code));

export async function h3Target(): Promise<FuzzTarget> {
  const module = await Pair.module();
  // A connection from beginning to end: what is kept for good is there after it.
  const bytes = new Map(
    [true, false].map((isServer) => [isServer, new Round(module, new Random(0), isServer).end()]),
  );
  return {
    round(seed) {
      const random = new Random(seed);
      const isServer = !random.oneIn(4);
      const round = new Round(module, random, isServer);
      round.play();
      const [before, after] = [bytes.get(isServer) as number, round.end()];
      if (after > before) throw new Error(`bytes in use grew from ${before} to ${after}`);
    },
  };
}

class Round {
  readonly #random: Random;
  readonly #pair: Pair;
  readonly #isServer: boolean;
  readonly #streams: RawStream[] = [];
  readonly #exchanges = new Set<number>();
  /** Handles of streams of sessions. */
  readonly #handles: number[] = [];
  readonly #control: RawStream;

  constructor(module: WebAssembly.Module, random: Random, isServer: boolean) {
    this.#random = random;
    this.#isServer = isServer;
    this.#pair = Pair.over(module, {
      client: !isServer,
      server: isServer,
      flags: OpenFlag.EXTENDED_CONNECT | (random.oneIn(8) ? 0 : OpenFlag.WEBTRANSPORT),
      memoryBytes: 8 << 20,
      limits: {
        webTransportSessionCount: 2,
        webTransportWaitingStreamCount: 3,
        connectionCount: 64,
        exchangeCount: 512,
      },
      packetBytes: random.oneIn(2) ? [1200] : [60 + random.below(200), 1200],
      handler: {
        request: (message) => this.#asked(message.exchange),
        body: (message) => void (random.oneIn(10) && this.#act(message.exchange)),
        writable: (message) => void this.#act(message.exchange),
      },
    });
    const { engine } = this.#pair.driver;
    Object.assign(this.#pair.driver, {
      webTransport: {
        sessionDatagram: () => undefined,
        sessionStream: (_session: number, stream: number) => void this.#handles.push(stream),
        sessionDrain: () => undefined,
        sessionClose: (session: number) => void (random.oneIn(4) || engine.doors.releaseExchange(session)),
      },
      quic: {
        stream: (_connection: number, stream: number, news: number) => this.#streamNews(stream, news),
        openable: () => undefined,
      },
    });
    this.#control = this.#pair.open(true, Buffer.concat([varint(Stream.control), someSettings(random)]));
    this.#pair.run();
    if (!isServer) for (let left = 1 + random.below(3); left > 0; left--) this.#ask();
  }

  play(): void {
    const random = this.#random;
    for (let left = random.below(STEPS_MOST); left > 0 && !this.#isOver; left--) {
      this.#step();
      if (!random.oneIn(3)) this.#pair.run();
    }
    this.#pair.run();
    const { errorOf } = { errorOf: this.#pair.errorOf(this.#role) };
    if (errorOf !== null && !CODES.has(errorOf)) throw new Error(`the connection ended with ${errorOf}`);
  }

  /** The connection is gone, and the host lets go. Answers the bytes in use. */
  end(): number {
    const { driver } = this.#pair;
    this.#pair.door("endClose")(this.#role, -140);
    this.#pair.door("endClose")(1 - this.#role, -140);
    driver.engine.readEvents(driver);
    for (const exchange of this.#exchanges) driver.engine.doors.releaseExchange(exchange);
    driver.engine.doors.handleTimeout(driver.now);
    driver.engine.readEvents(driver);
    driver.engine.doors.handleTimeout(driver.now);
    return driver.engine.counters().get("memory_bytes_in_use") as number;
  }

  get #role(): Role {
    return this.#isServer ? Role.SERVER : Role.CLIENT;
  }

  get #isOver(): boolean {
    return this.#pair.answers[this.#role] !== 0;
  }

  // What the peer does.

  #step(): void {
    const random = this.#random;
    switch (random.below(14)) {
      case 0:
        return this.#send(this.#control, controlFrame(random));
      case 1:
        return this.#open(true, Buffer.concat([uniBeginning(random), random.bytes(random.below(20))]));
      case 2:
        return this.#open(true, Buffer.concat([varint(Stream.encoder), encoderInstruction(random)]));
      case 3:
        return this.#open(true, Buffer.concat([varint(Stream.decoder), decoderInstruction(random)]));
      case 4:
        return this.#open(false, sessionBeginning(random));
      case 5:
      case 6:
        return this.#open(false, requestFrame(random, this.#isServer));
      case 7:
        return void this.#pair.sendDatagram(httpDatagram(random));
      case 8:
        return void this.#pair.advance(random.oneIn(6) ? random.below(70_000) : random.below(500));
      case 9:
        return this.#cut();
      case 10:
        return this.#act(random.pick([...this.#exchanges, 0]));
      default:
        return this.#send(random.pick([...this.#all()]), this.#more());
    }
  }

  /** Streams that the peer may send on: its own, and those of requests that the victim has made. */
  #all(): RawStream[] {
    const asked = this.#isServer ? [] : [...this.#pair.raw.values()].filter(({ id }) => (id & 3) === 0);
    const all = [...this.#streams, ...asked];
    return all.length === 0 ? [this.#control] : all;
  }

  #more(): Buffer {
    const random = this.#random;
    if (random.oneIn(6)) return random.oneIn(2) ? encoderInstruction(random) : decoderInstruction(random);
    if (random.oneIn(10)) return random.bytes(random.below(50));
    return requestFrame(random, this.#isServer);
  }

  #open(isUni: boolean, bytes: Buffer): void {
    try {
      this.#streams.push(this.#pair.open(isUni));
    } catch {
      return; // The victim allows no more.
    }
    this.#send(this.#streams.at(-1), bytes);
  }

  /** In up to three pieces; a stream that has ended, or is full, takes no more. */
  #send(stream: RawStream, bytes: Buffer): void {
    const random = this.#random;
    const isFin = stream !== this.#control && random.oneIn(8);
    let rest = perhapsDamaged(random, bytes, 20);
    while (random.oneIn(3) && rest.length > 1) {
      const at = 1 + random.below(rest.length - 1);
      this.#put(stream, rest.subarray(0, at), false);
      rest = rest.subarray(at);
      if (random.oneIn(2)) this.#pair.run();
    }
    this.#put(stream, rest, isFin);
  }

  #put(stream: RawStream, bytes: Buffer, isFin: boolean): void {
    try {
      this.#pair.send(stream, bytes, isFin);
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) throw error;
    }
  }

  #cut(): void {
    const stream = this.#random.pick(this.#all());
    if (stream === this.#control && !this.#random.oneIn(10)) return;
    if (this.#random.oneIn(2)) this.#pair.reset(stream, 0x100 + this.#random.below(20));
    else this.#pair.stop(stream, 0x100 + this.#random.below(20));
  }

  // What the victim's application does.

  #ask(): void {
    const { engine, now } = this.#pair.driver;
    const random = this.#random;
    const isConnect = random.oneIn(2);
    const fields: [string, string][] = [["host", "example.org"]];
    if (isConnect) fields.push(["upgrade", random.oneIn(4) ? "connect-udp" : "webtransport"]);
    const request = {
      method: isConnect ? "CONNECT" : random.pick(["GET", "POST", "HEAD"]),
      target: "/",
      fields,
      contentLength: -1,
    };
    const isEnd = !isConnect && random.oneIn(2);
    const flags = isConnect ? SendFlag.TUNNEL : isEnd ? SendFlag.END : SendFlag.NONE;
    const handle = engine.openExchange(this.#pair.client?.handle ?? 0, request, flags, now);
    if (handle > 0) this.#exchanges.add(handle);
    this.#pair.run();
    // Left to chance, hardly any session would be accepted.
    const asked = this.#all().findLast(({ id }) => (id & 3) === 0);
    if (handle > 0 && isConnect && asked !== undefined && random.oneIn(2)) {
      this.#put(asked, headers([[":status", "200"]]), false);
      this.#pair.run();
    }
  }

  #asked(exchange: number): void {
    this.#exchanges.add(exchange);
    if (!this.#random.oneIn(3)) this.#act(exchange);
  }

  #act(exchange: number): void {
    const random = this.#random;
    const { engine, now } = this.#pair.driver;
    switch (random.below(13)) {
      case 0:
        return void engine.respond(exchange, 200, [], "hello", SendFlag.RELEASE);
      case 1:
        return void engine.sendHead(exchange, 200, [["x", "y"]], -1, SendFlag.NONE);
      case 2:
        return void engine.sendBody(
          exchange,
          random.bytes(random.below(3000)),
          random.oneIn(3) ? SendFlag.END : 0,
        );
      case 3:
        return void engine.sendTrailers(exchange, [["x-sum", "1"]]);
      case 4:
        return void engine.sendInformational(exchange, 103, [["link", "</a>"]]);
      case 5:
        return void engine.doors.releaseExchange(exchange);
      case 6:
        return void engine.webTransport.close(exchange, random.below(9), "bye", now);
      case 7:
        return void engine.webTransport.drain(exchange, now);
      case 8:
        return void engine.webTransport.sendDatagram(exchange, random.bytes(random.below(50)), now);
      case 9: {
        const stream = engine.webTransport.openStream(exchange, random.oneIn(2), now);
        if (stream > 0) this.#handles.push(stream);
        return;
      }
      case 10:
        if (this.#handles.length !== 0) this.#actOnStream(random.pick(this.#handles));
        return;
      default:
        return void engine.webTransport.accept(exchange, [], now);
    }
  }

  #streamNews(stream: number, news: number): void {
    const { engine } = this.#pair.driver;
    if (news & StreamNews.READABLE && !this.#random.oneIn(4)) {
      const bytes = engine.quic.peekStream(stream);
      this.#pair.door("handleConsume")(stream, bytes.length);
    }
    if (this.#random.oneIn(4)) this.#actOnStream(stream);
  }

  #actOnStream(stream: number): void {
    const random = this.#random;
    const { engine } = this.#pair.driver;
    switch (random.below(4)) {
      case 0:
        return void engine.quic.releaseStream(stream);
      case 1:
        return void this.#pair.door("handleCut")(stream, random.below(2));
      default:
        return void this.#pair.door("handleSend")(stream, random.below(2000), random.oneIn(4) ? 1 : 0);
    }
  }
}
