// HTTP/3 at one end or at both, on two sets of QUIC streams without packets (test/assembly/h3/h3_entry.ts): the frames of the one are
// given to the other in pieces of any size, with loss if the test wants it. A bare end sends and reads bytes of the test's own.

import { OpenFlag, Role } from "../../../assembly/abi/message.ts";
import { Connection, Driver } from "../driver.ts";
import type { DriverOptions, Handler } from "../driver.ts";
import { sharedModule } from "../shared_module.ts";

type Door = (...args: number[]) => number;
type Doors = Record<string, Door>;

export interface PairOptions extends DriverOptions {
  /** Which ends speak HTTP/3; the others are bare. Both by default. */
  readonly client?: boolean;
  readonly server?: boolean;
  /** Flags of both connections; extended CONNECT by default. */
  readonly flags?: number;
  /** Bytes of each packet, one after the other, from the start again when they are used up. */
  readonly packetBytes?: readonly number[];
  /** Every n-th packet is lost. */
  readonly lossEvery?: number;
  readonly bidiStreams?: number;
}

/** What a bare end has seen of a stream. */
export interface RawStream {
  readonly ptr: number;
  readonly id: number;
  bytes: Buffer;
  isEnded: boolean;
  resetCode: number | null;
  stopCode: number | null;
}

export const StreamEvents = { reset: 8, stopped: 16 } as const;

export class Pair {
  readonly driver: Driver;
  readonly client: Connection | null;
  readonly server: Connection | null;
  /** What the bare end has seen, by the stream's identifier. */
  readonly raw = new Map<number, RawStream>();
  /** Whether the bare end reads what comes. */
  isReading = true;
  /** Called whenever the bare end has read. */
  onRead: () => void = () => undefined;
  readonly #doors: Doors;
  readonly #packetBytes: readonly number[];
  readonly #lossEvery: number;
  #packetCount = 0;
  /** What HTTP/3 answered last, by Role: 0, 1 when it is done, or a status. */
  readonly answers = [0, 0];

  static async create(options: PairOptions = {}): Promise<Pair> {
    return new Pair(await Pair.module(), options);
  }

  /** What pairs are made of, for who makes many. */
  static module(): Promise<WebAssembly.Module> {
    return sharedModule("test/assembly/h3/h3_entry.ts", h3Rooms);
  }

  static over(module: WebAssembly.Module, options: PairOptions): Pair {
    return new Pair(module, options);
  }

  private constructor(module: WebAssembly.Module, options: PairOptions) {
    this.driver = new Driver({ memoryBytes: 32 << 20, ...options, module });
    this.#doors = this.driver.engine.doors as unknown as Doors;
    this.#packetBytes = options.packetBytes ?? [1200];
    this.#lossEvery = options.lossEvery ?? 0;
    const flags = options.flags ?? OpenFlag.EXTENDED_CONNECT;
    this.server = this.#open(Role.SERVER, options.server ?? true, flags, options);
    this.client = this.#open(Role.CLIENT, options.client ?? true, flags, options);
    this.run();
  }

  #open(role: Role, isH3: boolean, flags: number, options: PairOptions): Connection | null {
    const handle = this.door("endOpen")(
      role,
      isH3 ? 1 : 0,
      flags,
      options.bidiStreams ?? 100,
      100,
      this.driver.now,
    );
    if (!isH3) return null;
    if (handle < 0) throw new Error(`the end did not open: ${handle}`);
    const connection = new Connection(handle);
    // Its output is no stream of bytes: nobody polls it.
    connection.isBlocked = true;
    this.driver.connections.set(handle, connection);
    return connection;
  }

  door(name: string): Door {
    return this.#doors[name] as Door;
  }

  /** The end that is bare. */
  get #bare(): Role {
    return this.client === null ? Role.CLIENT : Role.SERVER;
  }

  /** Carries packets until nothing more happens. */
  run(): this {
    for (let isMoving = true; isMoving;) {
      isMoving = false;
      for (const role of [Role.CLIENT, Role.SERVER]) {
        this.answers[role] = this.door("endRun")(role);
        this.driver.engine.readEvents(this.driver);
        const room = this.#packetBytes[this.#packetCount % this.#packetBytes.length] as number;
        const isLost = this.#lossEvery !== 0 && this.#packetCount % this.#lossEvery === this.#lossEvery - 1;
        const sent = this.door("endSend")(role, room, isLost ? 1 : 0, this.driver.now);
        if (sent < 0) throw new Error(`transport: ${sent}`);
        if (sent > 0) {
          this.#packetCount++;
          isMoving = true;
        }
        this.driver.engine.readEvents(this.driver);
        if (this.door("endIsWaiting")(role)) isMoving = true;
      }
      if ((this.client === null || this.server === null) && this.isReading) this.#collect();
      for (const role of [Role.CLIENT, Role.SERVER]) this.answers[role] = this.door("endRun")(role);
      this.driver.engine.readEvents(this.driver);
    }
    return this;
  }

  /** Time passes; deadlines act when they are due. */
  advance(ms: number): this {
    const target = this.driver.now + ms;
    for (;;) {
      const due = [Role.CLIENT, Role.SERVER]
        .map((role) => this.door("endDeadline")(role))
        .filter((at) => at !== 0);
      const next = Math.min(...due, this.driver.engine.doors.pollDeadline());
      if (next > target) break;
      this.driver.now = Math.max(next, this.driver.now);
      this.#timeout();
    }
    this.driver.now = target;
    this.#timeout();
    return this;
  }

  #timeout(): void {
    this.driver.engine.doors.handleTimeout(this.driver.now);
    for (const role of [Role.CLIENT, Role.SERVER]) this.door("endTimeout")(role, this.driver.now);
    this.driver.engine.readEvents(this.driver);
    this.run();
  }

  /** The error code that an end closes with, or null while it does not. */
  errorOf(role: Role): number | null {
    const answer = this.answers[role] as number;
    return answer < 0 ? this.door("errorCode")(answer) : null;
  }

  // The bare end.

  /** Opens a stream and sends bytes on it. Answers the stream. */
  open(isUni: boolean, bytes: Uint8Array | readonly number[] = [], isFin = false): RawStream {
    const ptr = this.door("rawOpen")(this.#bare, isUni ? 1 : 0);
    if (ptr === 0) throw new Error("no stream can be opened");
    const stream = this.#seen(ptr);
    if (bytes.length !== 0 || isFin) this.send(stream, bytes, isFin);
    return stream;
  }

  send(stream: RawStream, bytes: Uint8Array | readonly number[], isFin = false): this {
    this.#put(bytes);
    const taken = this.door("rawSend")(stream.ptr, bytes.length, isFin ? 1 : 0);
    if (taken !== bytes.length) throw new Error(`sent ${taken} of ${bytes.length} bytes`);
    return this;
  }

  reset(stream: RawStream, code: number): this {
    this.door("rawReset")(stream.ptr, code);
    return this;
  }

  stop(stream: RawStream, code: number): this {
    this.door("rawStop")(stream.ptr, code);
    return this;
  }

  sendDatagram(bytes: Uint8Array | readonly number[]): this {
    this.#put(bytes);
    this.door("rawDatagram")(this.#bare, bytes.length);
    return this;
  }

  readDatagram(): Buffer | null {
    const length = this.door("rawDatagramRead")(this.#bare);
    return length < 0 ? null : this.#take(length);
  }

  #put(bytes: Uint8Array | readonly number[]): void {
    this.#memory().set(bytes, this.door("bufferPtr")());
  }

  #take(length: number): Buffer {
    const at = this.door("bufferPtr")();
    return Buffer.from(this.#memory().subarray(at, at + length));
  }

  #memory(): Uint8Array {
    return new Uint8Array((this.#doors as unknown as { memory: WebAssembly.Memory }).memory.buffer);
  }

  #seen(ptr: number): RawStream {
    const id = this.door("rawId")(ptr);
    let stream = this.raw.get(id);
    if (stream === undefined) {
      stream = { ptr, id, bytes: Buffer.alloc(0), isEnded: false, resetCode: null, stopCode: null };
      this.raw.set(id, stream);
    }
    return stream;
  }

  /** Reads everything that has come to the bare end. */
  #collect(): void {
    for (;;) {
      const ptr = this.door("rawPoll")(this.#bare);
      if (ptr === 0) return this.onRead();
      const events = this.door("rawEvents")(this.#bare);
      const stream = this.#seen(ptr);
      if (events & StreamEvents.reset) stream.resetCode = this.door("rawResetCode")(ptr);
      if (events & StreamEvents.stopped) stream.stopCode = this.door("rawStopCode")(ptr);
      const length = this.door("rawRead")(ptr);
      if (length !== 0) stream.bytes = Buffer.concat([stream.bytes, this.#take(length)]);
      stream.isEnded = this.door("rawIsAtEnd")(ptr) !== 0;
    }
  }
}

const h3Rooms = [
  "core",
  "abi",
  "crypto",
  "http",
  "session",
  "h1",
  "hpack",
  "h2",
  "ws",
  "qpack",
  "x509",
  "tls",
  "quic",
  "h3",
  "engine",
  "exports",
];

/** A server that answers with the content that it was sent. */
export const echoing: Handler = {
  complete(message, driver) {
    if (message.kind === "request") driver.answer(message, 200, message.body);
    driver.release(message);
  },
};
