/** The buffers against plain arrays: every byte, in any order, with loss; and nothing left in the slab. */

import { Status } from "../../../../assembly/abi/status.ts";
import { SLAB_MAX, slabAllocate, slabBytesInUse, slabInitialize } from "../../../../assembly/core/slab.ts";
import {
  RangeList,
  rangeAt,
  rangeListAdd,
  rangeListClear,
  rangeListHas,
  rangeListRemove,
  rangeListRemoveBelow,
} from "../../../../assembly/quic/stream/range_list.ts";
import {
  ReceiveBuffer,
  receiveBufferAdvance,
  receiveBufferClear,
  receiveBufferInsert,
  receiveBufferPeek,
  receiveBufferPeekLength,
} from "../../../../assembly/quic/stream/receive_buffer.ts";
import {
  SendBuffer,
  sendBufferAcked,
  sendBufferAppend,
  sendBufferClear,
  sendBufferHasLost,
  sendBufferLost,
  sendBufferNext,
  sendBufferNextLength,
  sendBufferSend,
} from "../../../../assembly/quic/stream/send_buffer.ts";
import { freeRetired, retiredReset } from "../../../../assembly/session/retired.ts";
import { fillRandom, randomBelow, seedRandom } from "../../core/random.ts";

const REGION_SIZE: usize = 40 * 65536;
const region: usize = heap.alloc(REGION_SIZE);
const DATA_SIZE: u32 = 600000;
const data: usize = heap.alloc(DATA_SIZE);
const marks: usize = heap.alloc(DATA_SIZE);
const packet: usize = heap.alloc(65536);
const bufferPtr: usize = heap.alloc(256);
const FLIGHT_MOST: u32 = 64;
const flight: usize = heap.alloc(FLIGHT_MOST * 8);

function ranges(): RangeList {
  return changetype<RangeList>(bufferPtr);
}

/** Whether the list says the same as the marks, and keeps its invariant. */
function rangesMatch(list: RangeList, size: u32): bool {
  let at: u64 = 0;
  for (let index: u32 = 0; index < list.count; index++) {
    const range = rangeAt(list, index);
    if (range.start >= range.end || (index != 0 && range.start <= at)) return false;
    for (; at < range.start; at++) if (load<u8>(marks + <usize>at)) return false;
    for (; at < range.end; at++) if (!load<u8>(marks + <usize>at)) return false;
  }
  for (; at < size; at++) if (load<u8>(marks + <usize>at)) return false;
  return true;
}

describe("stream buffers", () => {
  beforeEach(() => {
    retiredReset();
    slabInitialize(region, region + REGION_SIZE);
    memory.fill(bufferPtr, 0, 256);
    memory.fill(marks, 0, DATA_SIZE);
    fillRandom(data, DATA_SIZE);
  });

  test("ranges are what a map of bytes says", () => {
    seedRandom(7);
    const size: u32 = 200;
    let faults = 0;
    for (let step = 0; step < 6000; step++) {
      const start = randomBelow(size);
      const end = start + randomBelow(min(size - start, 30) + 1);
      const kind = randomBelow(16);
      if (kind < 8) {
        if (!rangeListAdd(ranges(), start, end)) faults++;
        memory.fill(marks + start, 1, end - start);
      } else if (kind < 15) {
        if (!rangeListRemove(ranges(), start, end)) faults++;
        memory.fill(marks + start, 0, end - start);
      } else {
        const below = randomBelow(40);
        rangeListRemoveBelow(ranges(), below);
        memory.fill(marks, 0, below);
      }
      if (!rangesMatch(ranges(), size)) faults++;
      let isAll = end > start;
      for (let at = start; at < end; at++) isAll = isAll && load<u8>(marks + at) != 0;
      if (end > start && rangeListHas(ranges(), start, end) != isAll) faults++;
    }
    rangeListClear(ranges());
    expect(faults).toBe(0);
    freeRetired();
    expect(slabBytesInUse()).toBe(0);
  });

  test("fragments in any order, repeated and overlapping, are read in order to the byte", () => {
    for (let round: u32 = 1; round <= 6; round++) {
      seedRandom(round);
      const buffer = changetype<ReceiveBuffer>(bufferPtr);
      memory.fill(bufferPtr, 0, 256);
      let read: u32 = 0;
      let faults = 0;
      const most: u32 = 1 << (6 + 2 * round);
      while (read < DATA_SIZE) {
        const offset = max<i32>(0, <i32>read + <i32>randomBelow(20000) - 4000);
        const len = min(randomBelow(min(most, 30000)) + 1, DATA_SIZE - min(<u32>offset, DATA_SIZE));
        // From time to time exactly what is missing, so that every run comes to its end.
        const isNext = randomBelow(3) == 0;
        const start = isNext ? read : <u32>offset;
        const size = isNext ? min<u32>(most, min<u32>(30000, DATA_SIZE - read)) : len;
        memory.copy(packet, data + start, size);
        if (receiveBufferInsert(buffer, start, packet, size, 4000) != Status.OK) faults++;
        memory.fill(packet, 0xee, size);
        for (let piece = receiveBufferPeekLength(buffer); piece != 0 && faults == 0;) {
          const take = randomBelow(piece) + 1;
          if (memory.compare(receiveBufferPeek(buffer), data + read, take) != 0) faults++;
          read += take;
          receiveBufferAdvance(buffer, read);
          piece = randomBelow(4) == 0 ? 0 : receiveBufferPeekLength(buffer);
        }
        if (faults != 0) break;
      }
      expect(faults).toBe(0);
      expect(read).toBe(DATA_SIZE);
      receiveBufferClear(buffer);
      freeRetired();
      expect(slabBytesInUse()).toBe(0);
    }
  });

  test("fragments of one byte at odd offsets take no more memory than their span, and end at the bound", () => {
    const buffer = changetype<ReceiveBuffer>(bufferPtr);
    let status: i32 = Status.OK;
    let count: u32 = 0;
    while (status == Status.OK) {
      status = receiveBufferInsert(buffer, 2 * count + 1, data, 1, 256);
      count++;
    }
    expect(status).toBe(Status.QUIC_STREAM_FRAGMENTS);
    expect(count).toBe(257);
    freeRetired();
    expect(slabBytesInUse()).toBeLessThan(512 + 1024 + 8192 + 1);
    receiveBufferClear(buffer);
    // Far apart within a window of 256 KiB: never more than the window, and one block.
    for (let index: u32 = 0; index < 250; index++)
      receiveBufferInsert(buffer, index * 1031 + 3, data, 1, 256);
    freeRetired();
    expect(slabBytesInUse()).toBeLessThan(262144 + 16384 + 8192);
    receiveBufferClear(buffer);
    freeRetired();
    expect(slabBytesInUse()).toBe(0);
  });

  test("what was sent is sent again until it is acknowledged, whatever is lost, also when memory is full", () => {
    for (let round: u32 = 1; round <= 8; round++) {
      seedRandom(round * 77);
      retiredReset();
      slabInitialize(region, region + REGION_SIZE);
      memory.fill(bufferPtr, 0, 256);
      memory.fill(marks, 0, DATA_SIZE);
      const isTight = round > 4;
      const buffer = changetype<SendBuffer>(bufferPtr);
      let written: u32 = 0;
      let inFlight: u32 = 0;
      let faults = 0;
      let turns = 0;
      let hoard: usize = 0;
      while (buffer.ackedTo < <u64>DATA_SIZE && faults == 0 && turns++ < 200000) {
        if (isTight && hoard == 0 && written > DATA_SIZE / 2) {
          // No block of any size is left for the lists of ranges.
          for (let size = SLAB_MAX; size >= 64; size >>= 1) while ((hoard = slabAllocate(size)) != 0) {}
          hoard = 1;
        }
        if (buffer.end - buffer.ackedTo < 200000) {
          const len = min(randomBelow(40000), DATA_SIZE - written);
          written += sendBufferAppend(buffer, data + written, len);
          if (isTight && hoard != 0 && buffer.end == buffer.ackedTo) break;
        }
        const waiting = sendBufferNextLength(buffer, u64.MAX_VALUE);
        if (waiting != 0 && inFlight < FLIGHT_MOST) {
          const offset = <u32>sendBufferNext(buffer);
          const len = <u32>min<u64>(waiting, randomBelow(1400) + 1);
          sendBufferSend(buffer, offset, packet, len);
          if (memory.compare(packet, data + offset, len) != 0) faults++;
          store<u32>(flight + inFlight * 8, offset);
          store<u32>(flight + inFlight * 8, len, 4);
          inFlight++;
        }
        if (inFlight != 0 && (waiting == 0 || randomBelow(2) == 0)) {
          const index = randomBelow(inFlight);
          const offset = load<u32>(flight + index * 8);
          const len = load<u32>(flight + index * 8, 4);
          inFlight--;
          store<u64>(flight + index * 8, load<u64>(flight + inFlight * 8));
          if (randomBelow(3) == 0) {
            sendBufferLost(buffer, offset, len);
          } else {
            sendBufferAcked(buffer, offset, len);
            memory.fill(marks + offset, 1, len);
          }
        }
        if (buffer.ackedTo > buffer.sentTo || buffer.sentTo > buffer.sentMost || buffer.sentMost > buffer.end)
          faults++;
      }
      expect(faults).toBe(0);
      expect(buffer.ackedTo).toBe(<u64>written);
      if (!isTight) expect(written).toBe(DATA_SIZE);
      // Never taken for acknowledged what the peer has not.
      for (let at: u32 = 0; at < written; at++) if (load<u8>(marks + at) == 0) faults++;
      expect(faults).toBe(0);
      expect(sendBufferHasLost(buffer)).toBe(false);
      sendBufferClear(buffer);
      freeRetired();
      if (!isTight) expect(slabBytesInUse()).toBe(0);
    }
  });
});
