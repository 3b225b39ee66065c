/** The queue against a plain buffer: the same bytes in the same order, nothing changed by a refusal, no block left behind. */

import {
  BYTE_QUEUE_RESERVE_MAX,
  ByteQueue,
  byteQueueClear,
  byteQueueCommit,
  byteQueueMove,
  byteQueueRead,
  byteQueueReserve,
  byteQueueWrite,
} from "../../../assembly/core/byte_queue.ts";
import { SLAB_MAX, slabAllocate, slabBytesInUse, slabInitialize } from "../../../assembly/core/slab.ts";
import { fillRandom, randomBelow, seedRandom } from "./random.ts";

const REGION_SIZE: usize = 10 * 65536;
const region: usize = heap.alloc(REGION_SIZE);
const queues: usize = heap.alloc(2 * offsetof<ByteQueue>());
const source: usize = heap.alloc(65536);
const target: usize = heap.alloc(65536);
/** The model: the bytes that should be in the queue lie at [modelStart, modelEnd). */
const MODEL_SIZE: u32 = 1 << 20;
const model: usize = heap.alloc(MODEL_SIZE);
let modelStart: u32 = 0;
let modelEnd: u32 = 0;

function firstQueue(): ByteQueue {
  return changetype<ByteQueue>(queues);
}

function secondQueue(): ByteQueue {
  return changetype<ByteQueue>(queues + offsetof<ByteQueue>());
}

function expectInModel(ptr: usize, len: u32): void {
  if (modelEnd + len > MODEL_SIZE) {
    memory.copy(model, model + modelStart, modelEnd - modelStart);
    modelEnd -= modelStart;
    modelStart = 0;
  }
  memory.copy(model + modelEnd, ptr, len);
  modelEnd += len;
}

/** Reads once and answers whether length and bytes were the model's. */
function readMatches(queue: ByteQueue, max: u32): bool {
  const count = byteQueueRead(queue, target, max);
  if (count != min(max, modelEnd - modelStart)) return false;
  const same = memory.compare(target, model + modelStart, count) == 0;
  modelStart += count;
  return same;
}

function fillSlab(): void {
  for (let size = SLAB_MAX; size >= 64; size >>= 1) while (slabAllocate(size) != 0) {}
}

describe("byte queue", () => {
  beforeEach(() => {
    slabInitialize(region, region + REGION_SIZE);
    memory.fill(queues, 0, 2 * offsetof<ByteQueue>());
    modelStart = 0;
    modelEnd = 0;
  });

  test("random writes, reserves, moves and reads keep every byte in order", () => {
    seedRandom(1);
    let faults = 0;
    let refusals = 0;
    for (let step = 0; step < 30000; step++) {
      const queue = firstQueue();
      const kind = randomBelow(10);
      const len = randomBelow(1 << randomBelow(17));
      if (kind < 3) {
        fillRandom(source, min(len, 64));
        store<u32>(source + len / 2, step);
        if (byteQueueWrite(queue, source, len)) expectInModel(source, len);
        else refusals++;
      } else if (kind < 5) {
        const reserved = randomBelow(BYTE_QUEUE_RESERVE_MAX + 1);
        const room = byteQueueReserve(queue, reserved);
        if (room != 0) {
          const written = randomBelow(3) == 0 ? 0 : randomBelow(reserved + 1);
          fillRandom(room, written);
          expectInModel(room, written);
          byteQueueCommit(queue, written);
        } else {
          refusals++;
        }
      } else if (kind == 5) {
        const part = len & 0x1fff;
        fillRandom(source, min(part, 64));
        if (byteQueueWrite(secondQueue(), source, part)) {
          expectInModel(source, part);
          byteQueueMove(queue, secondQueue());
          if (secondQueue().head != 0 || secondQueue().tail != 0 || secondQueue().length != 0) faults++;
        }
      } else if (!readMatches(queue, len)) {
        faults++;
      }
      if (queue.length != modelEnd - modelStart) faults++;
      if (queue.length == 0 && slabBytesInUse() != 0) faults++;
    }
    expect(faults).toBe(0);
    expect(refusals).toBeGreaterThan(0, "the slab was never full, so fullness was not tested");
    byteQueueClear(firstQueue());
    expect(slabBytesInUse()).toBe(0);
  });

  test("a refused write changes nothing and leaks nothing", () => {
    seedRandom(2);
    fillRandom(source, 65536);
    byteQueueWrite(firstQueue(), source, 100);
    expectInModel(source, 100);
    const bytesInUse = slabBytesInUse();
    let refused = 0;
    // Far more than the region holds: some blocks are found before the slab runs dry.
    if (!byteQueueWrite(firstQueue(), 0, <u32>REGION_SIZE * 2)) refused++;
    if (!byteQueueWrite(firstQueue(), 0, u32.MAX_VALUE)) refused++;
    expect(refused).toBe(2);
    expect(slabBytesInUse()).toBe(bytesInUse);
    expect(firstQueue().length).toBe(100);
    expect(readMatches(firstQueue(), 65536)).toBe(true);
  });

  test("with the slab full, only what fits behind the last byte is taken", () => {
    byteQueueWrite(firstQueue(), source, 100);
    const room = slabBytesInUse() - 100 - 16;
    fillSlab();
    expect(byteQueueWrite(firstQueue(), source, room + 1)).toBe(false);
    expect(byteQueueReserve(firstQueue(), room + 1)).toBe(0);
    expect(byteQueueWrite(firstQueue(), source, room)).toBe(true);
    expect(byteQueueWrite(firstQueue(), source, 1)).toBe(false);
    expect(byteQueueWrite(firstQueue(), source, 0)).toBe(true);
    expect(firstQueue().length).toBe(100 + room);
  });

  test("a small answer holds one small block, and a drained queue none", () => {
    byteQueueWrite(firstQueue(), source, 200);
    expect(slabBytesInUse()).toBe(256);
    expect(byteQueueRead(firstQueue(), target, 200)).toBe(200);
    expect(slabBytesInUse()).toBe(0);
    expect(firstQueue().head).toBe(0);
  });

  test("a reserve that is given back holds nothing", () => {
    expect(byteQueueReserve(firstQueue(), 4096)).not.toBe(0);
    byteQueueCommit(firstQueue(), 0);
    expect(slabBytesInUse()).toBe(0);
    expect(firstQueue().tail).toBe(0);
  });

  test("many small writes take few blocks", () => {
    for (let count = 0; count < 2000; count++) byteQueueWrite(firstQueue(), source, 100);
    expect(firstQueue().length).toBe(200000);
    expect(slabBytesInUse()).toBeLessThan(200000 + 2 * 16384);
    let blocks = 0;
    for (let block = firstQueue().head; block != 0; block = load<usize>(block)) blocks++;
    expect(blocks).toBeLessThan(20);
  });

  test("a long write wastes less than half of what it holds", () => {
    for (let len: u32 = 5000; len < 65000; len += 997) {
      byteQueueWrite(firstQueue(), source, len);
      expect(slabBytesInUse()).toBeLessThan(2 * len);
      byteQueueClear(firstQueue());
    }
  });

  test("moving an empty queue changes nothing; moving into an empty one takes the chain over", () => {
    byteQueueMove(firstQueue(), secondQueue());
    expect(firstQueue().head).toBe(0);
    byteQueueWrite(secondQueue(), source, 300);
    const chain = secondQueue().head;
    byteQueueMove(firstQueue(), secondQueue());
    expect(firstQueue().head).toBe(chain);
    expect(firstQueue().length).toBe(300);
    byteQueueMove(firstQueue(), secondQueue());
    expect(firstQueue().length).toBe(300);
  });
});
