// Gives an engine what another was given, and tells what it says: a recorded connection run again, on any runtime.
//
// Handles are those of the engine that runs now: an exchange or a stream is told apart by its place in the order of its
// connection's. What a door answers is compared with what it answered then, since the same inputs give the same outputs. Random
// bytes are an input as well, on connections of QUIC: what was drawn is drawn again.

import { statusText } from "../../assembly/abi/status_text.ts";
import { datagramLengthAt } from "./datagram_batch.ts";
import type { Doors } from "./doors.ts";
import { Engine } from "./engine.ts";
import type { CompiledModule } from "./module.ts";
import { RECORDED_DOORS } from "./recorded_doors.ts";
import { fromBase64 } from "./recording.ts";
import type { RecordedCall, RecordedConnection, RecordingHead } from "./recording.ts";
import { ReplaySink } from "./replay_sink.ts";

/** What came of a replay. */
export interface ReplayReport {
  /** Calls that were made. */
  readonly callCount: number;
  /** Calls that answered something else than they did when they were recorded, one line each. */
  readonly differences: readonly string[];
}

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
  readonly #setup: readonly RecordedCall[];
  readonly #recorded: RecordedConnection;
  readonly #tell: (line: string) => void;
  readonly #sink: ReplaySink;
  readonly #differences: string[] = [];
  #connection = 0;

  constructor(
    module: CompiledModule,
    head: RecordingHead,
    recorded: RecordedConnection,
    tell: (line: string) => void,
  ) {
    this.#recorded = recorded;
    this.#setup = head.setup.slice(0, recorded.setupCount);
    this.#tell = tell;
    this.#sink = new ReplaySink(tell);
    this.#engine = Engine.create(module, {
      memoryBytes: head.memoryBytes,
      limits: Float64Array.from(head.limits),
      entropy: fromBase64(head.entropy),
      now: head.startMs,
    });
    this.#engine.trace.start();
  }

  run(): ReplayReport {
    for (const call of this.#setup) this.#repeat(call);
    for (const call of this.#recorded.calls) this.#repeat(call);
    return { callCount: this.#recorded.calls.length, differences: this.#differences };
  }

  #repeat([door, recordedArgs, bytes, recordedAnswer, key]: RecordedCall): void {
    const args = [...recordedArgs];
    const shape = RECORDED_DOORS[door];
    if (shape?.of === "connection") args[0] = this.#connection;
    if (shape?.of === "exchange") args[0] = this.#handleOf("exchanges", args[0] as number);
    if (shape?.of === "stream") args[0] = this.#handleOf("streams", args[0] as number);
    if (shape?.hasStream === true) args[1] = this.#handleOf("streams", args[1] as number);
    const parts = bytes === "" ? [] : bytes.split(" ").map(fromBase64);
    const [received = new Uint8Array()] = parts;
    if (door === "receive") this.#engine.receiveBuffer.set(received, args[1]);
    else if (door === "receiveDatagrams") this.#engine.receiveBuffer.set(received);
    else if (shape !== undefined) this.#engine.layArguments(args, shape.pointers, parts);
    if (key !== undefined) this.#engine.trace.setKey(fromBase64(key));
    const call = this.#engine.doors[door as keyof Doors] as (...args: number[]) => number;
    const answer = call(...args);
    if (door === "openConnection") this.#connection = answer;
    else if (shape?.answers !== undefined && answer > 0 && (recordedAnswer ?? 0) > 0) {
      const handles = this.#sink[`${shape.answers}s`];
      if (!handles.includes(answer)) handles.push(answer);
    } else this.#compare(door, recordedAnswer, answer);
    this.#describe(door, args, received, answer);
    this.#engine.readEvents(this.#sink);
    if (door === "receiveDatagrams" && this.#connection === 0) this.#connection = this.#sink.accepted;
  }

  /** The handle that an exchange or a stream has here. */
  #handleOf(kind: "exchanges" | "streams", recorded: number): number {
    return this.#sink[kind][this.#recorded[kind].indexOf(recorded)] ?? 0;
  }

  #compare(door: string, recorded: number | null, answer: number): void {
    // A call that trapped has no answer, and JSON no word for it.
    if (recorded === null || recorded === answer) return;
    const line = `${door} answered ${answer}, and ${recorded} when it was recorded`;
    this.#differences.push(line);
    this.#tell(`! ${line}`);
  }

  #describe(door: string, args: readonly number[], received: Uint8Array, answer: number): void {
    const status = answer < 0 ? ` ${statusText(answer)}` : "";
    if (door === "pollTransmit") {
      if (answer > 0) this.#tell(`> ${answer} bytes`);
    } else if (door === "pollDatagrams") {
      if (answer > 0) this.#tell(`> ${answer} bytes of datagrams at ${args[1]} ms`);
    } else if (door === "receive") {
      this.#tell(`< ${args[2]} bytes, ${answer} taken${status} at ${args[3]} ms`);
    } else if (door === "receiveDatagrams") {
      this.#tell(`< datagram of ${datagramLengthAt(received, 0)} bytes${status} at ${args[3]} ms`);
    } else if (door !== "setDate") {
      this.#tell(`  ${door}${status}`);
    }
  }
}
