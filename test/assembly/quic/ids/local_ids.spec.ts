/** Connection IDs that were issued: through their states, against the peer's limit, and what a peer may not retire. */

import { QuicStatus } from "../../../../assembly/abi/quic_status.ts";
import { Status } from "../../../../assembly/abi/status.ts";
import {
  LOCAL_IDS_BYTES,
  LOCAL_ID_COUNT,
  LocalId,
  LocalIdState,
  LocalIds,
  isLocalIdRetired,
  localIdAt,
  localIdBytes,
  localIdsAddPreferred,
  localIdsIssue,
  localIdsMissing,
  localIdsOnAcked,
  localIdsOnLost,
  localIdsOnRetire,
  localIdsOnSent,
  localIdsOpen,
  localIdsOwed,
  localIdsSequence,
  localIdsSetLimit,
  retiredLocalId,
} from "../../../../assembly/quic/ids/local_ids.ts";
import { limitsReset } from "../../../../assembly/session/limits.ts";

const ids = changetype<LocalIds>(heap.alloc(LOCAL_IDS_BYTES));
const bytes: usize = heap.alloc(8);
const elsewhere: usize = heap.alloc(8);
store<u64>(elsewhere, 0xffff);

function idOf(sequence: u64): usize {
  store<u64>(bytes, 0x1000 + sequence);
  return bytes;
}

/** Issues as many as are missing, and answers how many that were. */
function issueAll(nowMs: f64): u32 {
  const missing = localIdsMissing(ids, nowMs);
  for (let index: u32 = 0; index < missing; index++) localIdsIssue(ids, idOf(ids.nextSequence), nowMs);
  return missing;
}

function owedSequence(): i64 {
  const owed = localIdsOwed(ids);
  return owed != 0 ? <i64>changetype<LocalId>(owed).sequence : -1;
}

function retire(sequence: u64): i32 {
  return localIdsOnRetire(ids, sequence, elsewhere, 8);
}

function open(limit: u64): void {
  limitsReset();
  localIdsOpen(ids, idOf(0), 0);
  localIdsSetLimit(ids, limit);
}

describe("issued connection IDs", () => {
  test("are as many as the peer takes, and four at most", () => {
    limitsReset();
    localIdsOpen(ids, idOf(0), 0);
    expect(localIdsMissing(ids, 0)).toBe(0);
    open(2);
    expect(issueAll(0)).toBe(1);
    expect(issueAll(0)).toBe(0);
    open(0x3fffffffffffffff);
    expect(issueAll(0)).toBe(3);
    expect(ids.count).toBe(LOCAL_ID_COUNT);
  });

  test("count the one of a preferred address, which no frame brings", () => {
    limitsReset();
    localIdsOpen(ids, idOf(0), 0);
    localIdsAddPreferred(ids, idOf(1));
    localIdsSetLimit(ids, 4);
    expect(owedSequence()).toBe(-1);
    expect(issueAll(0)).toBe(2);
    expect(owedSequence()).toBe(2);
    expect(retire(1)).toBe(Status.OK);
    expect(isLocalIdRetired).toBe(true);
  });

  test("are owed in order until they are sent, and again when they are lost", () => {
    open(4);
    issueAll(0);
    for (let sequence: u64 = 1; sequence < 4; sequence++) {
      expect(owedSequence()).toBe(sequence);
      localIdsOnSent(ids, sequence);
    }
    expect(owedSequence()).toBe(-1);
    localIdsOnLost(ids, 3);
    localIdsOnLost(ids, 2);
    expect(owedSequence()).toBe(2);
    localIdsOnAcked(ids, 2);
    expect(owedSequence()).toBe(3);
    localIdsOnSent(ids, 3);
    localIdsOnAcked(ids, 3);
    localIdsOnLost(ids, 3);
    expect(owedSequence()).toBe(-1);
    localIdsOnAcked(ids, 77);
    localIdsOnLost(ids, 77);
  });

  test("are found by their bytes until they are retired", () => {
    open(4);
    issueAll(0);
    expect(localIdsSequence(ids, idOf(3), 8)).toBe(3);
    expect(localIdsSequence(ids, idOf(3), 7)).toBe(-1);
    localIdsOnSent(ids, 3);
    expect(retire(3)).toBe(Status.OK);
    expect(load<u64>(retiredLocalId)).toBe(0x1003);
    expect(localIdsSequence(ids, idOf(3), 8)).toBe(-1);
    expect(retire(3)).toBe(Status.OK);
    expect(isLocalIdRetired).toBe(false);
    expect(issueAll(0)).toBe(1);
    expect(localIdsSequence(ids, idOf(4), 8)).toBe(4);
    for (let index: u32 = 0; index < LOCAL_ID_COUNT; index++) {
      const id = localIdAt(ids, index);
      expect(id.state).not.toBe(LocalIdState.FREE);
      expect(load<u64>(localIdBytes(id))).toBe(0x1000 + id.sequence);
    }
  });

  test("cannot be retired before they were sent, nor in a packet to themselves", () => {
    open(4);
    issueAll(0);
    expect(retire(1)).toBe(QuicStatus.CONNECTION_ID_UNSENT);
    expect(retire(100)).toBe(QuicStatus.CONNECTION_ID_UNSENT);
    localIdsOnSent(ids, 1);
    expect(retire(2)).toBe(QuicStatus.CONNECTION_ID_UNSENT);
    expect(localIdsOnRetire(ids, 1, idOf(1), 8)).toBe(QuicStatus.CONNECTION_ID_IN_USE);
    expect(localIdsOnRetire(ids, 1, idOf(0), 8)).toBe(Status.OK);
    expect(localIdsOnRetire(ids, 0, idOf(2), 8)).toBe(Status.OK);
  });

  test("come at a limited rate to a peer that retires them without end", () => {
    open(4);
    let issued: u32 = issueAll(0);
    for (let round: u32 = 0; round < 1000; round++) {
      const sequence = ids.nextSequence - 1;
      localIdsOnSent(ids, sequence);
      retire(sequence);
      issued += issueAll(0);
    }
    expect(issued).toBe(64);
    expect(issueAll(99)).toBe(0);
    expect(issueAll(100)).toBe(1);
  });
});
