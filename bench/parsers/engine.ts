/*
 * The engine of dist/engine.wasm, driven through its ABI alone (assembly/abi), as an embedder without the host would.
 *
 * Each request is a whole exchange: received, told by an event, its field records read, released. Nobody answers
 * them, so a connection takes only as many as may be pipelined and is then replaced.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { EventKind, EventLane } from "../../assembly/abi/event.ts";
import { Layout } from "../../assembly/abi/layout.ts";
import { FieldLane, MessageLane, OpenFlag, Protocol, Role } from "../../assembly/abi/message.ts";
import { distFolder } from "../paths.ts";
import { BenchError } from "../suite.ts";
import { SPAN_NUMBERS } from "./parser.ts";
import type { Parser } from "./parser.ts";

/** Half of what the engine allows by default. */
const REQUESTS_PER_CONNECTION = 32;
const MEMORY_PAGES = 4096;
const NOW_MS = 0;

interface Doors {
  memory: WebAssembly.Memory;
  layout(): number;
  initialize(now: number): number;
  openConnection(protocol: number, role: number, flags: number, now: number): number;
  receive(connection: number, offset: number, byteCount: number, now: number): number;
  closeConnection(connection: number): number;
  releaseExchange(exchange: number): number;
}

export function createEngineParser(): Parser {
  const module = new WebAssembly.Module(readFileSync(join(distFolder, "engine.wasm")));
  const doors = new WebAssembly.Instance(module).exports as unknown as Doors;
  doors.memory.grow(MEMORY_PAGES - doors.memory.buffer.byteLength / 65_536);
  const words = new Uint32Array(doors.memory.buffer);
  const tableAt = doors.layout() >>> 2;
  const laneOf = (lane: Layout) => words[tableAt + lane] as number;
  expect(doors.initialize(NOW_MS), 0, "initialize");
  const receiveBuffer = new Uint8Array(
    doors.memory.buffer,
    laneOf(Layout.RECEIVE_PTR),
    laneOf(Layout.RECEIVE_LEN),
  );
  const eventsAt = laneOf(Layout.EVENT_PTR) >>> 2;
  const eventMask = laneOf(Layout.EVENT_CAPACITY) - 1;
  const writeAt = laneOf(Layout.EVENT_WRITE_PTR) >>> 2;
  const readAt = laneOf(Layout.EVENT_READ_PTR) >>> 2;
  const spans = new Int32Array(SPAN_NUMBERS);
  const exchanges: number[] = [];
  let fieldCount = 0;

  /** Notes target, names and values of a head, as llhttp's callbacks do. */
  function noteSpans(head: number): void {
    let spanLen = 0;
    spans[spanLen++] = words[head + MessageLane.TARGET_PTR] as number;
    spans[spanLen++] = words[head + MessageLane.TARGET_LEN] as number;
    const base = words[head + MessageLane.BYTES_PTR] as number;
    const count = words[head + MessageLane.FIELD_COUNT] as number;
    let record = (words[head + MessageLane.FIELDS_PTR] as number) >>> 2;
    for (let i = 0; i < count; i++, record += FieldLane.COUNT) {
      spans[spanLen++] = base + (words[record + FieldLane.NAME_OFFSET] as number);
      spans[spanLen++] = (words[record + FieldLane.NAME] as number) >>> 16;
      spans[spanLen++] = base + (words[record + FieldLane.VALUE_OFFSET] as number);
      spans[spanLen++] = words[record + FieldLane.VALUE_LEN] as number;
    }
    fieldCount += count;
  }

  function readEvents(): void {
    while (words[readAt] !== words[writeAt]) {
      const count = words[readAt] as number;
      const event = eventsAt + (count & eventMask) * EventLane.COUNT;
      expect((words[event + EventLane.KIND] as number) & 0xffff, EventKind.REQUEST, "event");
      noteSpans((words[event + EventLane.A] as number) >>> 2);
      exchanges.push(words[event + EventLane.EXCHANGE] as number);
      words[readAt] = count + 1;
    }
  }

  return (bytes, iterations) => {
    fieldCount = 0;
    for (let done = 0; done < iterations;) {
      const connection = doors.openConnection(Protocol.HTTP_1, Role.SERVER, OpenFlag.NONE, NOW_MS);
      for (let i = 0; i < REQUESTS_PER_CONNECTION && done < iterations; i++, done++) {
        receiveBuffer.set(bytes);
        expect(doors.receive(connection, 0, bytes.length, NOW_MS), bytes.length, "receive");
        readEvents();
      }
      doors.closeConnection(connection);
      for (const exchange of exchanges) doors.releaseExchange(exchange);
      exchanges.length = 0;
    }
    return fieldCount;
  };
}

function expect(answer: number, wanted: number, what: string): void {
  if (answer !== wanted)
    throw new BenchError(`engine: ${what} answered ${answer} where ${wanted} was awaited`);
}
