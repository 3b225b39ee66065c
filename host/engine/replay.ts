// Gives an engine what another was given, and tells what it says: a recorded connection run again, on any runtime.
//
// Handles are those of the engine that runs now: an exchange is told apart by its place in the order of its connection's. What a
// door answers is compared with what it answered then, since the same inputs give the same outputs; entropy alone is another, so
// a WebSocket client's masks would be.

import { statusText } from "../../assembly/abi/status_text.ts";
import type { Doors } from "./doors.ts";
import { Engine } from "./engine.ts";
import type { EventSink } from "./event_reader.ts";
import type { CompiledModule } from "./module.ts";
import type { ReceivedHead } from "./received_head.ts";
import { fromBase64, RECORDED_DOORS } from "./recording.ts";
import type { RecordedCall, RecordedConnection, RecordingHead } from "./recording.ts";

/** What came of a replay. */
export interface ReplayReport {
  /** Calls that were made. */
  readonly callCount: number;
  /** Calls that answered something else than they did when they were recorded, one line each. */
  readonly differences: readonly string[];
}

/** Fields whose values are told by their length alone. */
const SECRET_FIELDS = /^(?:authorization|proxy-authorization|cookie|set-cookie|x-api-key)$/u;

/** Runs a recorded connection again; `tell` is called with a line for each call and each event. */
export function replay(
  module: CompiledModule,
  head: RecordingHead,
  recorded: RecordedConnection,
  tell: (line: string) => void,
): ReplayReport {
  if (!recorded.isWhole) {
    throw new RangeError("the connection was longer than its recording had room for, and cannot be replayed");
  }
  return new Replay(module, head, recorded, tell).run();
}

class Replay {
  readonly #engine: Engine;
  readonly #recorded: RecordedConnection;
  readonly #tell: (line: string) => void;
  readonly #exchanges: number[] = [];
  readonly #differences: string[] = [];
  #connection = 0;

  constructor(
    module: CompiledModule,
    head: RecordingHead,
    recorded: RecordedConnection,
    tell: (line: string) => void,
  ) {
    this.#recorded = recorded;
    this.#tell = tell;
    const opened = recorded.calls.find(([door]) => door === "openConnection");
    this.#engine = Engine.create(module, {
      memoryBytes: head.memoryBytes,
      limits: Float64Array.from(head.limits),
      entropy: new Uint8Array(32),
      now: opened?.[1][3] ?? 0,
    });
  }

  run(): ReplayReport {
    for (const call of this.#recorded.calls) this.#repeat(call);
    return { callCount: this.#recorded.calls.length, differences: this.#differences };
  }

  #repeat([door, recordedArgs, bytes, recordedAnswer]: RecordedCall): void {
    const args = [...recordedArgs];
    const shape = RECORDED_DOORS[door];
    if (shape?.of === "connection") args[0] = this.#connection;
    if (shape?.of === "exchange") args[0] = this.#exchangeOf(args[0] as number);
    const parts = bytes === "" ? [] : bytes.split(" ").map(fromBase64);
    if (door === "receive") this.#engine.receiveBuffer.set(parts[0] ?? new Uint8Array(), args[1]);
    else if (shape !== undefined) this.#engine.layArguments(args, shape.pointers, parts);
    const call = this.#engine.doors[door as keyof Doors] as (...args: number[]) => number;
    const answer = call(...args);
    if (door === "openConnection") this.#connection = answer;
    else this.#compare(door, recordedAnswer, answer);
    this.#describe(door, args, answer);
    this.#engine.readEvents(this.#sink);
  }

  /** The handle that an exchange has here. */
  #exchangeOf(recorded: number): number {
    return this.#exchanges[this.#recorded.exchanges.indexOf(recorded)] ?? 0;
  }

  #compare(door: string, recorded: number | null, answer: number): void {
    // A call that trapped has no answer, and JSON no word for it.
    if (recorded === null || recorded === answer) return;
    const line = `${door} answered ${answer}, and ${recorded} when it was recorded`;
    this.#differences.push(line);
    this.#tell(`! ${line}`);
  }

  #describe(door: string, args: readonly number[], answer: number): void {
    const status = answer < 0 ? ` ${statusText(answer)}` : "";
    if (door === "pollTransmit") {
      if (answer > 0) this.#tell(`> ${answer} bytes`);
    } else if (door === "receive") {
      this.#tell(`< ${args[2]} bytes, ${answer} taken${status} at ${args[3]} ms`);
    } else if (door !== "setDate") {
      this.#tell(`  ${door}${status}`);
    }
  }

  #event(exchange: number, text: string): void {
    this.#tell(`* ${exchange === 0 ? "" : `exchange ${this.#number(exchange)} `}${text}`);
  }

  /** Exchanges are numbered in the order in which they come. */
  #number(exchange: number): number {
    const index = this.#exchanges.indexOf(exchange);
    return index < 0 ? this.#exchanges.push(exchange) : index + 1;
  }

  readonly #sink: EventSink = {
    request: (_connection, exchange, head) => this.#message(exchange, `${head.method} ${head.target}`, head),
    response: (_connection, exchange, head) => this.#message(exchange, `status ${head.statusCode}`, head),
    informational: (_connection, exchange, statusCode) => this.#event(exchange, `interim ${statusCode}`),
    body: (_connection, exchange, bytes, isEnd) =>
      this.#event(exchange, `content of ${bytes.length} bytes${isEnd ? ", the last" : ""}`),
    end: (_connection, exchange) => this.#event(exchange, "end"),
    aborted: (_connection, exchange, status) => this.#event(exchange, `aborted: ${statusText(status)}`),
    peerEnded: (_connection, exchange) => this.#event(exchange, "the peer ended"),
    writable: (_connection, exchange) => this.#event(exchange, "writable"),
    tunnel: (_connection, exchange) => this.#event(exchange, "tunnel"),
    transmit: () => this.#event(0, "something is to be sent"),
    readPause: () => this.#event(0, "stop reading"),
    readResume: () => this.#event(0, "go on reading"),
    close: (_connection, status, abort) =>
      this.#event(0, `close${abort ? " at once" : ""}: ${statusText(status)}`),
    sockets: {
      socketOpen: () => undefined,
      socketData: (socket, flags, payload) =>
        this.#event(socket, `WebSocket data of ${payload.length} bytes, flags ${flags}`),
      socketPing: (socket) => this.#event(socket, "ping"),
      socketPong: (socket) => this.#event(socket, "pong"),
      socketClose: (socket, _flags, code, reason) =>
        this.#event(socket, `WebSocket closed ${code} ${quoted(reason)}`),
    },
  };

  #message(exchange: number, text: string, head: ReceivedHead): void {
    this.#event(exchange, `${text} ${head.protocol}`);
    for (const [name, value] of head.fields()) {
      const shown = SECRET_FIELDS.test(name) ? `(${value.length} characters)` : quoted(value);
      this.#tell(`*   ${name}: ${shown}`);
    }
  }
}

const MOST_SHOWN = 200;

function quoted(text: string): string {
  const shown = JSON.stringify(text.slice(0, MOST_SHOWN));
  return text.length > MOST_SHOWN ? `${shown}…` : shown;
}
