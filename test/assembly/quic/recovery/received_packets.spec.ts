/** What arrived: duplicates, when an ACK is due (RFC 9000 §13.2), and the ACK frame read back (§19.3). */

import { Reader, readerIsExact, readerOpen, readVarint } from "../../../../assembly/core/reader.ts";
import { rangeFirst, rangeLast } from "../../../../assembly/core/range_set.ts";
import { slabBytesInUse, slabInitialize } from "../../../../assembly/core/slab.ts";
import { Writer, writerOpen } from "../../../../assembly/core/writer.ts";
import {
  Ecn,
  receivedAdd,
  receivedFree,
  receivedHasNews,
  receivedInitialize,
  receivedIsDuplicate,
  receivedLargest,
  receivedOnAckAcked,
  ReceivedPackets,
  receivedWriteAck,
} from "../../../../assembly/quic/recovery/received_packets.ts";
import { randomBelow, seedRandom } from "../../core/random.ts";
import { freshSlab } from "./driver.ts";

const received = changetype<ReceivedPackets>(heap.alloc(offsetof<ReceivedPackets>()));
const writer = changetype<Writer>(heap.alloc(offsetof<Writer>()));
const reader = changetype<Reader>(heap.alloc(offsetof<Reader>()));
const AREA_BYTES: u32 = 2048;
const area = heap.alloc(AREA_BYTES);

function fresh(mostRanges: u32 = 64): void {
  freshSlab();
  receivedInitialize(received, mostRanges);
}

function add(number: u64, nowMs: f64, isEliciting: bool = true, ecn: Ecn = Ecn.NOT_ECT): void {
  expect(receivedAdd(received, number, isEliciting, ecn, 25, nowMs)).toBe(true);
}

/** The frame in `room` bytes, read back as text; "" when there is none. */
function frame(nowMs: f64, room: u32 = AREA_BYTES): string {
  writerOpen(writer, area, room);
  if (!receivedWriteAck(received, writer, 3, nowMs)) return writer.at == area ? "" : "written";
  expect(writer.failed).toBe(0);
  readerOpen(reader, area, <u32>(writer.at - area));
  const kind = readVarint(reader);
  let last = readVarint(reader);
  let text = `${kind} delay ${readVarint(reader)}:`;
  const count = readVarint(reader);
  let first = last - readVarint(reader);
  text += ` ${first}-${last}`;
  for (let i: u64 = 0; i < count; i++) {
    last = first - readVarint(reader) - 2;
    first = last - readVarint(reader);
    text += ` ${first}-${last}`;
  }
  if (kind == 3) text += ` ecn ${readVarint(reader)} ${readVarint(reader)} ${readVarint(reader)}`;
  expect(readerIsExact(reader)).toBe(true);
  return text;
}

describe("received packets", () => {
  test("an ACK is due within max_ack_delay, and at once for every second packet", () => {
    fresh();
    expect(received.ackDueMs).toBe(Infinity);
    add(0, 10);
    expect(received.ackDueMs).toBe(35);
    add(1, 12);
    expect(received.ackDueMs).toBe(12);
    expect(receivedHasNews(received)).toBe(true);
    expect(frame(12)).toBe("2 delay 0: 0-1");
    expect(received.ackDueMs).toBe(Infinity);
    expect(receivedHasNews(received)).toBe(false);
    add(2, 50);
    add(3, 60, false);
    expect(received.ackDueMs).toBe(75);
  });

  test("packets that elicit nothing make no ACK due, whatever gaps there are", () => {
    fresh();
    add(0, 1, false);
    add(9, 2, false);
    add(5, 3, false, Ecn.CE);
    expect(received.ackDueMs).toBe(Infinity);
    expect(receivedHasNews(received)).toBe(false);
  });

  test("an ACK is due at once for a gap, for a late packet, and for CE", () => {
    fresh();
    add(0, 1);
    add(2, 2);
    expect(received.ackDueMs).toBe(2);
    frame(2);
    add(1, 3);
    expect(received.ackDueMs).toBe(3);
    frame(3);
    add(3, 4);
    expect(received.ackDueMs).toBe(29);
    frame(4);
    add(4, 5, false);
    add(5, 6);
    expect(received.ackDueMs).toBe(31);
    frame(7);
    add(6, 8, true, Ecn.CE);
    expect(received.ackDueMs).toBe(8);
  });

  test("a gap that is known already is no reason for haste", () => {
    fresh();
    add(0, 1);
    add(2, 1);
    frame(2);
    add(3, 5);
    expect(received.ackDueMs).toBe(30);
  });

  test("the frame has all ranges from the highest down, the delay of the largest, and the counts", () => {
    fresh();
    expect(frame(0)).toBe("");
    add(0, 1);
    add(1, 1);
    add(5, 2);
    add(300, 3);
    add(299, 9);
    expect(frame(11)).toBe("2 delay 1000: 299-300 5-5 0-1");
    add(301, 20, true, Ecn.ECT0);
    add(302, 20, true, Ecn.ECT1);
    add(303, 20, true, Ecn.CE);
    add(304, 20, true, Ecn.ECT0);
    expect(frame(20)).toBe("3 delay 0: 299-304 5-5 0-1 ecn 2 1 1");
  });

  test("where room is short the lowest ranges are left out, and nothing is written by halves", () => {
    fresh();
    for (let number: u64 = 0; number < 40; number += 2) add(number, 1);
    const whole = frame(1);
    for (let room: u32 = 0; room < 60; room++) {
      const text = frame(1, room);
      expect(text == "" ? room < 5 : whole.startsWith(text)).toBe(true, `${room}: ${text}`);
    }
    expect(frame(1, 5)).toBe("2 delay 0: 38-38");
    expect(frame(1, 7)).toBe("2 delay 0: 38-38 36-36");
  });

  test("acknowledged acknowledgements are dropped, save for the highest range", () => {
    fresh();
    for (let number: u64 = 0; number < 10; number += 2) add(number, 1);
    receivedOnAckAcked(received, 4);
    expect(frame(1)).toBe("2 delay 0: 8-8 6-6");
    expect(receivedIsDuplicate(received, 3)).toBe(true);
    expect(receivedIsDuplicate(received, 5)).toBe(false);
    receivedOnAckAcked(received, 1000);
    expect(frame(1)).toBe("2 delay 0: 8-8");
    expect(receivedLargest(received)).toBe(8);
    expect(receivedIsDuplicate(received, 9)).toBe(false);
  });

  test("a flood of every other number keeps 64 ranges, and no number is taken twice", () => {
    fresh();
    for (let number: u64 = 0; number < 200000; number += 2) {
      assert(!receivedIsDuplicate(received, number), "a new number was refused");
      receivedAdd(received, number, true, Ecn.NOT_ECT, 25, 1);
    }
    expect(received.count).toBe(64);
    expect(slabBytesInUse()).toBe(1024);
    expect(rangeLast(received, 63)).toBe(199998);
    expect(rangeFirst(received, 0)).toBe(199998 - 126);
    expect(receivedIsDuplicate(received, 1)).toBe(true);
    expect(receivedAdd(received, 1, true, Ecn.NOT_ECT, 25, 1)).toBe(false);
    receivedFree(received);
    expect(slabBytesInUse()).toBe(0);
  });

  test("over random arrivals no number counts as new twice", () => {
    fresh(8);
    seedRandom(7);
    const seen = new StaticArray<bool>(4000);
    let faults = 0;
    let taken = 0;
    for (let step: u32 = 0; step < 20000; step++) {
      const number = step / 8 + randomBelow(40);
      if (receivedIsDuplicate(received, number)) continue;
      if (seen[number]) faults++;
      seen[number] = true;
      taken++;
      // Refused where it is the lowest of a full set; then it must count as seen as well.
      if (
        !receivedAdd(received, number, true, Ecn.NOT_ECT, 25, step) &&
        !receivedIsDuplicate(received, number)
      )
        faults++;
      if (randomBelow(50) == 0) receivedOnAckAcked(received, receivedLargest(received) - randomBelow(20));
    }
    expect(faults).toBe(0);
    expect(taken).toBeGreaterThan(1000);
  });

  test("a packet for which there is no memory is refused", () => {
    fresh();
    slabInitialize(area, area);
    expect(receivedAdd(received, 0, true, Ecn.NOT_ECT, 25, 1)).toBe(false);
    expect(received.ackDueMs).toBe(Infinity);
  });
});
