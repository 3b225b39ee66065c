// The table of streams against a list: random opening and closing, with identifiers that collide and without.

import { H2Connection, H2_CONNECTION_BYTES } from "../../../assembly/h2/connection.ts";
import { H2Stream } from "../../../assembly/h2/stream.ts";
import { streamFind, streamTableAdd, streamTableRemove } from "../../../assembly/h2/stream_table.ts";
import { slabBytesInUse, slabInitialize } from "../../../assembly/core/slab.ts";

const STREAM_COUNT: u32 = 300;
const region = heap.alloc(4 * 65536);
const streams = heap.alloc(STREAM_COUNT * <u32>offsetof<H2Stream>());
const connectionPtr = heap.alloc(H2_CONNECTION_BYTES);

function streamAt(index: u32): H2Stream {
  return changetype<H2Stream>(streams + index * <u32>offsetof<H2Stream>());
}

function fresh(): H2Connection {
  slabInitialize(region, region + 4 * 65536);
  memory.fill(connectionPtr, 0, H2_CONNECTION_BYTES);
  return changetype<H2Connection>(connectionPtr);
}

/** Opens and closes streams in a seeded order and looks all of them up after each step. */
function churn(idOf: (index: u32) => u32): void {
  const connection = fresh();
  const isOpen = new StaticArray<bool>(STREAM_COUNT);
  let seed: u32 = 1;
  for (let step: u32 = 0; step < 2000; step++) {
    seed = seed * 1664525 + 1013904223;
    const index = (seed >>> 8) % STREAM_COUNT;
    const stream = streamAt(index);
    if (isOpen[index]) {
      streamTableRemove(connection, stream);
    } else {
      stream.streamId = idOf(index);
      assert(streamTableAdd(connection, stream));
    }
    isOpen[index] = !isOpen[index];
    if (step % 50 != 0) continue;
    for (let i: u32 = 0; i < STREAM_COUNT; i++) {
      const wanted: usize = isOpen[i] ? changetype<usize>(streamAt(i)) : 0;
      if (streamFind(connection, idOf(i)) != wanted) assert(false, `stream ${i} at step ${step}`);
    }
  }
  for (let i: u32 = 0; i < STREAM_COUNT; i++) if (isOpen[i]) streamTableRemove(connection, streamAt(i));
  expect(connection.streamCount).toBe(0);
}

describe("the table of streams", () => {
  test("finds what is open and nothing else, with identifiers in a row", () => {
    churn((index: u32) => index * 2 + 1);
  });

  test("and with identifiers of which many fall on one slot", () => {
    churn((index: u32) => ((index % 10) << 20) + (index / 10) * 2 + 1);
  });

  test("gives a large table back when the last stream closes", () => {
    const connection = fresh();
    for (let i: u32 = 0; i < 100; i++) {
      streamAt(i).streamId = i * 2 + 1;
      streamTableAdd(connection, streamAt(i));
    }
    for (let i: u32 = 0; i < 100; i++) streamTableRemove(connection, streamAt(i));
    expect(slabBytesInUse()).toBe(0);
  });

  test("answers nothing on a connection without streams", () => {
    expect(streamFind(fresh(), 1)).toBe(0);
  });
});
