// A seeded simulation whose transcript must be the same wherever the engine runs: two engines, a network that delivers in pieces
// of any size, a clock that moves when the seed says so. It uses the engine and the language, and nothing of a runtime.
//
// A line of the transcript is what one side did or was told. Bytes are told by their length and a digest of 53 bits, so that a
// difference of one bit on one runtime is one line that differs.

import { Protocol, Role, SendFlag } from "../../assembly/abi/message.ts";
import { Engine } from "../../host/engine/engine.ts";
import type { EventSink } from "../../host/engine/event_reader.ts";
import { resolveLimits } from "../../host/engine/limits.ts";
import type { ReceivedHead } from "../../host/engine/received_head.ts";
import { Random } from "../fuzz/random.ts";
import { digest } from "./digest.ts";

const EXCHANGES = 24;
const CONCURRENCY = 6;
const MOST_STEPS = 200_000;
const MEMORY_BYTES = 16 * 1024 * 1024;
/** Small windows, so that flow control has something to do. */
const LIMITS = { outputBytes: 65_536, readWindowBytes: 16_384, streamWindowBytes: 65_535 };

/** As many as it takes to meet every path, and few enough to run everywhere in a second or two. */
const SEEDS = 12;

/** What runtimes are compared by: the transcripts of all seeds, as text. */
export function transcripts(module: WebAssembly.Module): string {
  return Array.from({ length: SEEDS }, (_, seed) => transcript(module, seed).join("\n")).join("\n");
}

/** The transcript of a seed, one line each. Throws when the two sides do not come to an end. */
export function transcript(module: WebAssembly.Module, seed: number): string[] {
  const lines: string[] = [];
  for (const protocol of [Protocol.HTTP_1, Protocol.HTTP_2]) {
    lines.push(`protocol ${protocol}, seed ${seed}`);
    new Simulation(module, new Random(seed), protocol, lines).run();
  }
  return lines;
}

class Simulation {
  readonly #random: Random;
  readonly #client: Side;
  readonly #server: Side;
  readonly #concurrency: number;
  #asked = 0;
  #now = 1000;

  constructor(module: WebAssembly.Module, random: Random, protocol: Protocol, lines: string[]) {
    this.#random = random;
    this.#client = new Side("client", Role.CLIENT, protocol, module, random, lines);
    this.#server = new Side("server", Role.SERVER, protocol, module, random, lines);
    this.#concurrency = protocol === Protocol.HTTP_2 ? CONCURRENCY : 1;
  }

  run(): void {
    for (let step = 0; this.#client.answeredCount < EXCHANGES; step++) {
      if (step === MOST_STEPS) throw new Error(`no end after ${this.#client.answeredCount} exchanges`);
      const isFree = this.#asked - this.#client.answeredCount < this.#concurrency;
      if (this.#asked < EXCHANGES && isFree && this.#random.oneIn(4)) this.#client.ask(this.#asked++);
      const [from, to] = this.#random.oneIn(2) ? [this.#client, this.#server] : [this.#server, this.#client];
      from.send();
      to.receive(from.take(this.#random.pick([1, 7, 100, 3000, 100_000])));
      if (this.#random.oneIn(10)) this.#now += this.#random.below(5);
      for (const side of [this.#client, this.#server]) side.pass(this.#now);
    }
    for (const side of [this.#client, this.#server]) side.finish();
  }
}

/** Content that is still to be sent. */
interface Sending {
  readonly exchange: number;
  readonly content: Uint8Array;
  at: number;
}

class Side implements EventSink {
  readonly #name: string;
  readonly #role: Role;
  readonly #engine: Engine;
  readonly #connection: number;
  readonly #random: Random;
  readonly #lines: string[];
  readonly #sending: Sending[] = [];
  #outgoing: Uint8Array = new Uint8Array();
  #waiting: Uint8Array = new Uint8Array();
  #isPaused = false;
  #now = 1000;
  answeredCount = 0;

  constructor(
    name: string,
    role: Role,
    protocol: Protocol,
    module: WebAssembly.Module,
    random: Random,
    lines: string[],
  ) {
    this.#name = name;
    this.#role = role;
    this.#random = random;
    this.#lines = lines;
    const entropy = new Uint8Array(32).fill(role + 1);
    const limits = resolveLimits(LIMITS);
    this.#engine = Engine.create(module, { memoryBytes: MEMORY_BYTES, limits, entropy, now: this.#now });
    this.#connection = this.#engine.doors.openConnection(protocol, role, 0, this.#now);
  }

  // What the simulation asks.

  ask(index: number): void {
    const hasContent = this.#random.oneIn(2);
    const content = this.#content(hasContent);
    const fields: [string, string][] = [
      ["host", "example.org"],
      ["x-index", String(index)],
      ["x-long", "é€x".repeat(this.#random.below(30)).replaceAll(/[^\x20-\x7e]/g, "y")],
    ];
    const exchange = this.#engine.openExchange(
      this.#connection,
      {
        method: hasContent ? "POST" : "GET",
        target: `/${index}?seed=${this.#random.below(1000)}`,
        fields,
        contentLength: hasContent && this.#random.oneIn(2) ? content.length : -1,
      },
      hasContent ? 0 : SendFlag.END,
      this.#now,
    );
    this.#tell(`asks ${index} on ${exchange}`);
    if (hasContent) this.#sending.push({ exchange, content, at: 0 });
    this.#settle();
  }

  /** Sends a piece of what is still to be sent. */
  send(): void {
    if (this.#sending.length === 0) return;
    const index = this.#random.below(this.#sending.length);
    const sending = this.#sending[index] as Sending;
    const piece = sending.content.subarray(
      sending.at,
      sending.at + this.#random.pick([1, 100, 5000, 70_000]),
    );
    const isLast = sending.at + piece.length === sending.content.length;
    const taken = this.#engine.sendBody(sending.exchange, piece, isLast ? this.#endFlags : 0);
    this.#tell(`sends ${taken} of ${piece.length} on ${sending.exchange}`);
    sending.at += Math.max(taken, 0);
    if (taken < 0 || (isLast && taken === piece.length)) this.#sending.splice(index, 1);
    this.#settle();
  }

  /** The server is through with an exchange when its answer is. */
  get #endFlags(): number {
    return this.#role === Role.SERVER ? SendFlag.END | SendFlag.RELEASE : SendFlag.END;
  }

  /** Bytes on their way, at most so many. */
  take(most: number): Uint8Array {
    const piece = this.#outgoing.subarray(0, most);
    this.#outgoing = this.#outgoing.subarray(piece.length);
    return piece;
  }

  receive(bytes: Uint8Array): void {
    this.#waiting = joined(this.#waiting, bytes);
    while (this.#waiting.length > 0 && !this.#isPaused) {
      const room = this.#engine.receiveBuffer;
      const piece = this.#waiting.subarray(0, room.length);
      room.set(piece);
      const taken = this.#engine.doors.receive(this.#connection, 0, piece.length, this.#now);
      this.#tell(`receives ${taken} of ${piece.length} ${digest(piece)}`);
      if (taken < 0) throw new Error(`${this.#name}: receive answered ${taken}`);
      this.#waiting = this.#waiting.subarray(taken);
      this.#settle();
    }
  }

  /** Time passes. */
  pass(now: number): void {
    this.#now = now;
    const deadline = this.#engine.doors.pollDeadline();
    if (deadline > now) return;
    this.#engine.doors.handleTimeout(now);
    this.#tell(`handles its timeout at ${now}`);
    this.#settle();
  }

  /** Hangs up, and tells what was counted. */
  finish(): void {
    this.#engine.doors.closeConnection(this.#connection);
    this.#engine.readEvents(this);
    for (const [name, value] of this.#engine.counters()) if (value !== 0) this.#tell(`${name} ${value}`);
  }

  #settle(): void {
    do {
      this.#engine.readEvents(this);
      for (let length; (length = this.#engine.pollTransmit(this.#connection)) > 0;) {
        const bytes = this.#engine.transmitted(length).slice();
        this.#tell(`transmits ${length} ${digest(bytes)}`);
        this.#outgoing = joined(this.#outgoing, bytes);
      }
    } while (this.#engine.hasEvents);
  }

  #content(isLong: boolean): Uint8Array {
    const length = this.#random.pick([0, 1, 1000, isLong ? this.#random.below(200_000) : 10]);
    const first = this.#random.below(256);
    return Uint8Array.from({ length }, (_, index) => (first + index * 7) & 0xff);
  }

  #tell(line: string): void {
    this.#lines.push(`${this.#now} ${this.#name} ${line}`);
  }

  // What the engine tells.

  request(_connection: number, exchange: number, head: ReceivedHead): void {
    this.#tell(`request ${exchange} ${head.method} ${head.target} ${JSON.stringify(head.fields())}`);
    if (head.hasBody) this.#engine.doors.readBody(exchange, 0, this.#now);
    else this.#answer(exchange);
  }

  response(_connection: number, exchange: number, head: ReceivedHead): void {
    this.#tell(`response ${exchange} ${head.statusCode} ${JSON.stringify(head.fields())}`);
    if (head.hasBody) this.#engine.doors.readBody(exchange, 0, this.#now);
    else this.#complete(exchange);
  }

  body(_connection: number, exchange: number, bytes: Uint8Array, isEnd: boolean): void {
    this.#tell(`content ${exchange} ${bytes.length} ${digest(bytes)} ${isEnd}`);
    if (isEnd) this.#complete(exchange);
    else this.#engine.doors.readBody(exchange, bytes.length, this.#now);
  }

  end(_connection: number, exchange: number): void {
    this.#tell(`end ${exchange}`);
    this.#complete(exchange);
  }

  aborted(_connection: number, exchange: number, status: number): void {
    throw new Error(`${this.#name}: exchange ${exchange} was aborted by ${status}`);
  }

  close(_connection: number, status: number): void {
    throw new Error(`${this.#name}: the connection was closed by ${status}`);
  }

  readPause(): void {
    this.#isPaused = true;
    this.#tell("pauses");
  }

  readResume(): void {
    this.#isPaused = false;
    this.#tell("resumes");
  }

  writable(_connection: number, exchange: number): void {
    this.#tell(`writable ${exchange}`);
  }

  informational(): void {}

  peerEnded(): void {}

  tunnel(): void {}

  transmit(): void {}

  /** A message has come to its end. */
  #complete(exchange: number): void {
    if (this.#role === Role.SERVER) {
      this.#answer(exchange);
      return;
    }
    this.answeredCount++;
    this.#engine.doors.releaseExchange(exchange);
  }

  #answer(exchange: number): void {
    const content = this.#content(this.#random.oneIn(2));
    const contentLength = this.#random.oneIn(2) ? content.length : -1;
    const status = this.#engine.sendHead(exchange, 200, [["x-answer", "1"]], contentLength, 0);
    this.#tell(`answers ${exchange} with ${content.length}: ${status}`);
    this.#sending.push({ exchange, content, at: 0 });
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
