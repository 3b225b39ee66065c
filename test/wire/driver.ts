// An engine with a virtual clock and no socket: what the wire tests, the simulation and the fuzzer drive.
//
// The driver does what a host must: it hands bytes over as the receive region takes them, reads the events after every call,
// acknowledges content, stops while told to pause, and gathers what is to be sent. What it learns it keeps per
// connection as messages and as a log, one line per event, with the number of bytes that had been handed over.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Protocol, Role, SendFlag } from "../../assembly/abi/message.ts";
import { statusText } from "../../assembly/abi/status_text.ts";
import { Engine } from "../../host/engine/engine.ts";
import type { EventSink } from "../../host/engine/event_reader.ts";
import { resolveLimits } from "../../host/engine/limits.ts";
import type { LimitOptions } from "../../host/engine/limits.ts";
import type { ReceivedHead } from "../../host/engine/received_head.ts";
import { coalesce, quoted, statusOf } from "./log.ts";
import type { LogLine } from "./log.ts";

const modules = new Map<string, WebAssembly.Module>();

/** The compiled engine: `engine` as released, `engine.debug` with its assertions. */
export function engineModule(name: "engine" | "engine.debug" = "engine"): WebAssembly.Module {
  let module = modules.get(name);
  if (module === undefined) {
    module = new WebAssembly.Module(readFileSync(resolve(`build/${name}.wasm`)));
    modules.set(name, module);
  }
  return module;
}

/** A request or a response as it came in. */
export interface Message {
  readonly connection: Connection;
  readonly exchange: number;
  readonly head: ReceivedHead;
  readonly kind: "request" | "response";
  readonly method: string;
  readonly target: string;
  readonly statusCode: number;
  readonly fields: [string, string][];
  body: Buffer;
  trailers: [string, string][];
  isComplete: boolean;
  isTunnel: boolean;
  abortedBy: number | null;
}

/** What a test does when something arrives; whatever is left out does nothing. */
export interface Handler {
  request?(message: Message, driver: Driver): void;
  body?(message: Message, bytes: Buffer, driver: Driver): void;
  complete?(message: Message, driver: Driver): void;
  writable?(message: Message, driver: Driver): void;
  tunnel?(message: Message, driver: Driver): void;
  tunnelEnd?(message: Message, driver: Driver): void;
}

/** A connection as its host sees it. */
export class Connection {
  readonly handle: number;
  readonly messages: Message[] = [];
  readonly log: LogLine[] = [];
  /** Client role: exchanges that were opened and not released. */
  readonly asked = new Set<number>();
  readonly informational: { statusCode: number; fields: [string, string][] }[] = [];
  /** What the engine wanted sent, in order. */
  sent: Buffer = Buffer.alloc(0);
  /** Bytes handed over so far. */
  offset = 0;
  /** Bytes that wait while the engine wants none. */
  waiting: Buffer = Buffer.alloc(0);
  isPaused = false;
  pauseCount = 0;
  closedBy: number | null = null;
  isAborted = false;
  isBlocked = false;

  constructor(handle: number) {
    this.handle = handle;
  }

  /** The log without offsets, content put together: what must not depend on how bytes were split. */
  get events(): string[] {
    return coalesce(this.log).map(({ text }) => text);
  }

  get sentText(): string {
    return this.sent.toString("latin1");
  }
}

export interface DriverOptions {
  readonly limits?: LimitOptions;
  readonly memoryBytes?: number;
  readonly handler?: Handler;
  readonly module?: WebAssembly.Module;
  /** Whether content is acknowledged as it arrives (default). */
  readonly isReading?: boolean;
}

export class Driver implements EventSink {
  readonly engine: Engine;
  readonly connections = new Map<number, Connection>();
  readonly messages = new Map<number, Message>();
  handler: Handler;
  isReading: boolean;
  now = 1000;

  constructor(options: DriverOptions = {}) {
    this.handler = options.handler ?? {};
    this.isReading = options.isReading ?? true;
    this.engine = Engine.create(options.module ?? engineModule(), {
      memoryBytes: options.memoryBytes ?? 16 * 1024 * 1024,
      limits: resolveLimits(options.limits),
      entropy: new Uint8Array(32).fill(7),
      now: this.now,
    });
  }

  open(role: Role = Role.SERVER, flags = 0, protocol: Protocol = Protocol.HTTP_1): Connection {
    const handle = this.engine.doors.openConnection(protocol, role, flags, this.now);
    if (handle < 0) throw new Error(statusText(handle));
    const connection = new Connection(handle);
    this.connections.set(handle, connection);
    return connection;
  }

  /** Bytes from the peer. They wait while the connection is paused. */
  feed(connection: Connection, bytes: Uint8Array | string): void {
    const more = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
    connection.waiting =
      connection.waiting.length === 0 ? Buffer.from(more) : Buffer.concat([connection.waiting, more]);
    this.#flow(connection);
  }

  /** The peer ended its side. */
  endPeer(connection: Connection): void {
    this.engine.doors.receiveEnd(connection.handle, this.now);
    this.settle(connection);
  }

  /** Reads events and gathers output until nothing more happens. */
  settle(connection: Connection): void {
    do {
      this.engine.readEvents(this);
      this.#pump(connection);
    } while (this.engine.hasEvents);
    if (connection.waiting.length !== 0 && !connection.isPaused) this.#flow(connection);
  }

  /** Time passes; what is due happens at its own time. */
  advance(ms: number): void {
    const target = this.now + ms;
    for (;;) {
      const deadline = this.engine.doors.pollDeadline();
      if (deadline > target) break;
      this.now = Math.max(this.now, deadline);
      this.engine.doors.handleTimeout(this.now);
      this.settleAll();
    }
    this.now = target;
    this.engine.doors.handleTimeout(this.now);
    this.settleAll();
  }

  settleAll(): void {
    this.engine.readEvents(this);
    for (const connection of this.connections.values()) this.settle(connection);
  }

  /** The socket is gone: frees everything the engine holds for it. */
  hangUp(connection: Connection): void {
    this.engine.doors.closeConnection(connection.handle);
    this.connections.delete(connection.handle);
    for (const message of connection.messages) this.release(message);
    for (const exchange of connection.asked) this.engine.doors.releaseExchange(exchange);
  }

  /** Client role: sends a request's head; answers its exchange, or a status. */
  ask(
    connection: Connection,
    request: { method: string; target: string; fields?: [string, string][]; contentLength?: number },
    flags: number = SendFlag.END,
  ): number {
    const { method, target, fields = [["host", "example.org"]], contentLength = -1 } = request;
    const exchange = this.engine.openExchange(
      connection.handle,
      { method, target, fields, contentLength },
      flags,
      this.now,
    );
    if (exchange > 0) connection.asked.add(exchange);
    return exchange;
  }

  release(message: Message): void {
    message.head.release();
    message.connection.asked.delete(message.exchange);
    if (this.messages.get(message.exchange) === message) this.messages.delete(message.exchange);
    this.engine.doors.releaseExchange(message.exchange);
  }

  /** Slab bytes in use. */
  memoryInUse(): number {
    this.engine.doors.handleTimeout(this.now);
    return this.counter("memory_bytes_in_use");
  }

  counter(name: string): number {
    return this.engine.counters().get(name) as number;
  }

  limitHits(name: string): number {
    return this.engine.limitHits().get(name) as number;
  }

  /** A whole answer without content. */
  answerWith(message: Message, fields: [string, string][]): number {
    return this.engine.respond(message.exchange, 200, fields, "", 0);
  }

  /** A whole answer. */
  answer(message: Message, statusCode: number, body: string | Uint8Array = "", flags = 0): number {
    return this.engine.respond(message.exchange, statusCode, [], body, flags);
  }

  #flow(connection: Connection): void {
    const region = this.engine.receiveBuffer;
    while (connection.waiting.length !== 0 && !connection.isPaused) {
      const part = connection.waiting.subarray(0, region.length);
      region.set(part);
      let offset = 0;
      while (offset < part.length) {
        connection.offset += part.length - offset;
        const taken = this.engine.doors.receive(connection.handle, offset, part.length - offset, this.now);
        if (taken < 0) throw new Error(`receive: ${statusText(taken)}`);
        connection.offset -= part.length - offset - taken;
        offset += taken;
        this.engine.readEvents(this);
        if (!this.connections.has(connection.handle)) return;
      }
      connection.waiting = connection.waiting.subarray(part.length);
      this.#pump(connection);
    }
    this.engine.readEvents(this);
    this.#pump(connection);
    if (this.engine.hasEvents) this.settle(connection);
  }

  #pump(connection: Connection): void {
    if (!this.connections.has(connection.handle) || connection.isBlocked) return;
    const parts: Buffer[] = [connection.sent];
    for (;;) {
      const length = this.engine.pollTransmit(connection.handle);
      if (length <= 0) break;
      parts.push(Buffer.from(this.engine.transmitted(length)));
    }
    if (parts.length > 1) connection.sent = Buffer.concat(parts);
  }

  #log(connection: number, text: string): void {
    const at = this.connections.get(connection);
    at?.log.push({ offset: at.offset, text });
  }

  #begin(kind: "request" | "response", connection: number, exchange: number, head: ReceivedHead): Message {
    const owner = this.connections.get(connection) as Connection;
    const message: Message = {
      connection: owner,
      exchange,
      head,
      kind,
      method: head.method,
      target: head.target,
      statusCode: head.statusCode,
      fields: head.fields(),
      body: Buffer.alloc(0),
      trailers: [],
      isComplete: false,
      isTunnel: false,
      abortedBy: null,
    };
    owner.messages.push(message);
    this.messages.set(exchange, message);
    return message;
  }

  #complete(message: Message): void {
    if (message.isTunnel) {
      this.handler.tunnelEnd?.(message, this);
      return;
    }
    message.isComplete = true;
    message.trailers = message.head.trailers();
    this.handler.complete?.(message, this);
  }

  request(connection: number, exchange: number, head: ReceivedHead): void {
    const message = this.#begin("request", connection, exchange, head);
    const marks = [
      head.isLast ? " last" : "",
      head.isConnect ? " connect" : "",
      head.isUpgrade ? " upgrade" : "",
      head.hasBody ? ` body=${head.contentLength}` : "",
    ].join("");
    this.#log(
      connection,
      `request ${head.method} ${head.target} ${head.protocol} authority=${head.authority}${marks}`,
    );
    for (const [name, value] of message.fields) this.#log(connection, `  ${name}: ${quoted(value)}`);
    this.handler.request?.(message, this);
    if (!head.hasBody) this.#complete(message);
  }

  response(connection: number, exchange: number, head: ReceivedHead): void {
    const message = this.#begin("response", connection, exchange, head);
    const length = head.hasBody ? ` body=${head.contentLength}` : "";
    this.#log(connection, `response ${head.statusCode} ${head.protocol}${length}`);
    for (const [name, value] of message.fields) this.#log(connection, `  ${name}: ${quoted(value)}`);
    const isTunnel = head.statusCode === 101 || (head.method === "CONNECT" && head.statusCode < 300);
    if (!head.hasBody && !isTunnel) this.#complete(message);
  }

  informational(connection: number, _exchange: number, statusCode: number, head: ReceivedHead): void {
    const fields = head.fields();
    this.connections.get(connection)?.informational.push({ statusCode, fields });
    this.#log(connection, `informational ${statusCode}`);
    for (const [name, value] of fields) this.#log(connection, `  ${name}: ${quoted(value)}`);
  }

  body(connection: number, exchange: number, bytes: Uint8Array, isEnd: boolean): void {
    const message = this.messages.get(exchange) as Message;
    const copy = Buffer.from(bytes);
    message.body = message.body.length === 0 ? copy : Buffer.concat([message.body, copy]);
    this.#log(connection, `body ${quoted(copy.toString("latin1"))}`);
    if (this.isReading) this.engine.doors.readBody(exchange, bytes.length, this.now);
    this.handler.body?.(message, copy, this);
    if (isEnd) this.#endOf(connection, message);
  }

  end(connection: number, exchange: number): void {
    this.#endOf(connection, this.messages.get(exchange) as Message);
  }

  #endOf(connection: number, message: Message): void {
    this.#log(connection, "end");
    if (!message.isTunnel) {
      for (const [name, value] of message.head.trailers())
        this.#log(connection, `  ${name}: ${quoted(value)}`);
    }
    this.#complete(message);
  }

  aborted(connection: number, exchange: number, status: number): void {
    const message = this.messages.get(exchange);
    if (message !== undefined) message.abortedBy = status;
    this.#log(connection, `aborted ${statusOf(status)}`);
  }

  peerEnded(connection: number): void {
    this.#log(connection, "peer ended");
  }

  writable(_connection: number, exchange: number): void {
    const message = this.messages.get(exchange);
    if (message !== undefined) this.handler.writable?.(message, this);
  }

  tunnel(connection: number, exchange: number): void {
    const message = this.messages.get(exchange) as Message;
    message.isTunnel = true;
    this.#log(connection, "tunnel");
    this.handler.tunnel?.(message, this);
  }

  transmit(): void {
    // Output is gathered after every call anyway.
  }

  readPause(connection: number): void {
    const at = this.connections.get(connection) as Connection;
    at.isPaused = true;
    at.pauseCount++;
  }

  readResume(connection: number): void {
    (this.connections.get(connection) as Connection).isPaused = false;
  }

  close(connection: number, status: number, abort: boolean): void {
    const at = this.connections.get(connection);
    if (at === undefined) return;
    // The reason stands; only how it ended can still change.
    at.closedBy ??= status;
    at.isAborted = abort;
    this.#log(connection, `close ${statusOf(status)}${abort ? " abort" : ""}`);
  }
}
