/** The list keeps every field of its records in order, and refuses what does not fit without touching a byte. */

import {
  SENT_FRAME_BYTES,
  SentFlag,
  SentFrameList,
  sentFrameAdd,
  sentFrameAt,
  sentFrameListOpen,
  sentFrameRoom,
} from "../../../../assembly/quic/wire/sent_frame.ts";

const CAPACITY: u32 = 5;
const GUARD: u8 = 0xa5;
const listPtr: usize = heap.alloc(offsetof<SentFrameList>());
const records: usize = heap.alloc((CAPACITY + 1) * SENT_FRAME_BYTES);

describe("sent frames", () => {
  test("a record is 24 bytes, and a list holds exactly its capacity", () => {
    expect(SENT_FRAME_BYTES).toBe(24);
    memory.fill(records, GUARD, (CAPACITY + 1) * SENT_FRAME_BYTES);
    const list = changetype<SentFrameList>(listPtr);
    sentFrameListOpen(list, records, CAPACITY);
    for (let index: u32 = 0; index < CAPACITY; index++) {
      expect(sentFrameRoom(list)).toBe(CAPACITY - index);
      const id: u64 = 0x3ffffffffffffff0 + index;
      expect(sentFrameAdd(list, 0x08 + index, SentFlag.FIN, id, id - 1, 0xfffffff0 + index)).toBe(true);
    }
    expect(sentFrameAdd(list, 1, 1, 1, 1, 1)).toBe(false);
    expect(list.count).toBe(CAPACITY);
    for (let index: u32 = 0; index < CAPACITY; index++) {
      const frame = sentFrameAt(list, index);
      expect(<u32>frame.kind).toBe(0x08 + index);
      expect(<u32>frame.flags).toBe(SentFlag.FIN);
      expect(frame.streamId).toBe(0x3ffffffffffffff0 + index);
      expect(frame.offset).toBe(0x3fffffffffffffef + index);
      expect(frame.length).toBe(0xfffffff0 + index);
    }
    for (let at: u32 = 0; at < SENT_FRAME_BYTES; at++) {
      expect(load<u8>(records + CAPACITY * SENT_FRAME_BYTES + at)).toBe(GUARD);
    }
  });
});
