/** The peer's connection IDs: taken by paths, retired by either side, and what a peer may not do with them. */

import { QuicStatus } from "../../../../assembly/abi/quic_status.ts";
import { Status } from "../../../../assembly/abi/status.ts";
import {
  REMOTE_IDS_BYTES,
  RemoteId,
  RemoteIds,
  remoteIdOf,
  remoteIdOfPath,
  remoteIdsAddPreferred,
  remoteIdsHasToken,
  remoteIdsOnNew,
  remoteIdsOpen,
  remoteIdsRelease,
  remoteIdsReplaceInitial,
  remoteIdsSetInitialToken,
  remoteIdsSpare,
  remoteIdsTake,
  retiredIdsOf,
} from "../../../../assembly/quic/ids/remote_ids.ts";
import {
  NO_SEQUENCE,
  RETIRED_ID_COUNT,
  retiredIdsOnAcked,
  retiredIdsOnLost,
  retiredIdsOnSent,
  retiredIdsOwed,
} from "../../../../assembly/quic/ids/retired_ids.ts";
import { connectionIdIs } from "../../../../assembly/quic/wire/connection_id.ts";

const ids = changetype<RemoteIds>(heap.alloc(REMOTE_IDS_BYTES));
const bytes: usize = heap.alloc(20);
const token: usize = heap.alloc(16);

/** IDs of five bytes, told apart by their number. */
const ID_LEN: u32 = 5;

function idOf(sequence: u64): usize {
  memory.fill(bytes, 0x11, 20);
  store<u32>(bytes, <u32>sequence);
  return bytes;
}

function tokenOf(sequence: u64): usize {
  memory.fill(token, 0x22, 16);
  store<u64>(token, sequence, 8);
  return token;
}

function receive(sequence: u64, retirePriorTo: u64): i32 {
  return remoteIdsOnNew(ids, sequence, retirePriorTo, idOf(sequence), ID_LEN, tokenOf(sequence));
}

/** The number of the ID that a path has, -1 for none. */
function sequenceOf(path: u32): i64 {
  const id = remoteIdOfPath(ids, path);
  return id != 0 ? <i64>changetype<RemoteId>(id).sequence : -1;
}

function open(): void {
  remoteIdsOpen(ids, idOf(0), ID_LEN, 0);
}

/** The numbers that are owed, each marked as sent. */
function sendAll(): string {
  let sent = "";
  for (
    let next = retiredIdsOwed(retiredIdsOf(ids));
    next != NO_SEQUENCE;
    next = retiredIdsOwed(retiredIdsOf(ids))
  ) {
    sent += `${next} `;
    retiredIdsOnSent(retiredIdsOf(ids), next);
  }
  return sent;
}

describe("the peer's connection IDs", () => {
  test("begin with the one of the handshake, which changes", () => {
    open();
    expect(sequenceOf(0)).toBe(0);
    remoteIdsReplaceInitial(ids, idOf(9), 20);
    const id = changetype<RemoteId>(remoteIdOfPath(ids, 0));
    expect(connectionIdIs(remoteIdOf(id), idOf(9), 20)).toBe(true);
    expect(remoteIdsSpare(ids)).toBe(0);
    expect(sequenceOf(1)).toBe(-1);
    expect(remoteIdsTake(ids, 1)).toBe(false);
  });

  test("go to one path each, the lowest number first, and are retired when it is left", () => {
    open();
    expect(receive(2, 0)).toBe(Status.OK);
    expect(receive(1, 0)).toBe(Status.OK);
    expect(remoteIdsTake(ids, 1)).toBe(true);
    expect(sequenceOf(1)).toBe(1);
    expect(remoteIdsTake(ids, 2)).toBe(true);
    expect(sequenceOf(2)).toBe(2);
    expect(remoteIdsTake(ids, 3)).toBe(false);
    expect(remoteIdsRelease(ids, 1)).toBe(Status.OK);
    expect(sequenceOf(1)).toBe(-1);
    expect(remoteIdsRelease(ids, 1)).toBe(Status.OK);
    expect(sendAll()).toBe("1 ");
  });

  test("may repeat exactly, and not otherwise", () => {
    open();
    expect(receive(1, 0)).toBe(Status.OK);
    expect(receive(1, 0)).toBe(Status.OK);
    expect(remoteIdsSpare(ids)).toBe(1);
    const CONFLICT = QuicStatus.CONNECTION_ID_CONFLICT;
    expect(remoteIdsOnNew(ids, 1, 0, idOf(2), ID_LEN, tokenOf(1))).toBe(CONFLICT);
    expect(remoteIdsOnNew(ids, 1, 0, idOf(1), ID_LEN + 1, tokenOf(1))).toBe(CONFLICT);
    expect(remoteIdsOnNew(ids, 1, 0, idOf(1), ID_LEN, tokenOf(2))).toBe(CONFLICT);
    expect(remoteIdsOnNew(ids, 2, 0, idOf(1), ID_LEN, tokenOf(1))).toBe(CONFLICT);
    expect(remoteIdsOnNew(ids, 2, 0, idOf(0), ID_LEN, tokenOf(2))).toBe(CONFLICT);
    expect(receive(2, 3)).toBe(QuicStatus.RETIRE_PRIOR_TO);
  });

  test("are no more than the limit", () => {
    open();
    for (let sequence: u64 = 1; sequence < 4; sequence++) expect(receive(sequence, 0)).toBe(Status.OK);
    expect(receive(4, 0)).toBe(QuicStatus.CONNECTION_ID_COUNT);
    open();
    for (let sequence: u64 = 1; sequence < 4; sequence++) expect(receive(sequence, 0)).toBe(Status.OK);
    // What it retires makes room for what it brings.
    expect(receive(4, 1)).toBe(Status.OK);
    expect(receive(5, 1)).toBe(QuicStatus.CONNECTION_ID_COUNT);
  });

  test("come as number 1 with a preferred address", () => {
    open();
    expect(remoteIdsAddPreferred(ids, idOf(1), ID_LEN, tokenOf(1))).toBe(Status.OK);
    expect(receive(1, 0)).toBe(Status.OK);
    expect(remoteIdsSpare(ids)).toBe(1);
  });

  test("are given up when the peer says so, and their paths get others, the one that is sent on first", () => {
    open();
    receive(1, 0);
    remoteIdsTake(ids, 1);
    ids.primaryPath = 1;
    expect(receive(2, 2)).toBe(Status.OK);
    expect(sequenceOf(1)).toBe(2);
    expect(sequenceOf(0)).toBe(-1);
    expect(sendAll()).toBe("0 1 ");
    expect(receive(3, 3)).toBe(Status.OK);
    expect(sequenceOf(1)).toBe(3);
    expect(sendAll()).toBe("2 ");
  });

  test("that were retired before they came are retired at once, and once", () => {
    open();
    expect(receive(5, 5)).toBe(Status.OK);
    expect(sendAll()).toBe("0 ");
    expect(receive(3, 1)).toBe(Status.OK);
    expect(receive(3, 1)).toBe(Status.OK);
    expect(sendAll()).toBe("3 ");
    retiredIdsOnAcked(retiredIdsOf(ids), 3);
    expect(receive(3, 1)).toBe(Status.OK);
    expect(sendAll()).toBe("");
    expect(sequenceOf(0)).toBe(5);
    expect(remoteIdsSpare(ids)).toBe(0);
  });

  test("are remembered as received across jumps", () => {
    open();
    expect(receive(1000, 1000)).toBe(Status.OK);
    expect(receive(936, 1)).toBe(Status.OK);
    expect(receive(935, 1)).toBe(Status.OK);
    expect(receive(937, 1)).toBe(Status.OK);
    expect(sendAll()).toBe("0 937 ");
    expect(receive(0x3fffffffffffffff, 0x3fffffffffffffff)).toBe(Status.OK);
    expect(sendAll()).toBe("1000 ");
  });

  test("may not all be retired", () => {
    open();
    receive(1, 0);
    remoteIdsTake(ids, 1);
    expect(remoteIdsRelease(ids, 1)).toBe(Status.OK);
    // Number 1 has come and gone; now number 0 is to go as well.
    expect(receive(1, 1)).toBe(QuicStatus.CONNECTION_ID_NONE);
  });

  test("have no business where the peer's have no bytes", () => {
    remoteIdsOpen(ids, bytes, 0, 0);
    expect(receive(1, 0)).toBe(QuicStatus.CONNECTION_ID_UNEXPECTED);
    expect(sequenceOf(7)).toBe(0);
    expect(remoteIdsTake(ids, 7)).toBe(true);
    expect(remoteIdsRelease(ids, 7)).toBe(Status.OK);
    expect(sendAll()).toBe("");
  });

  test("cannot be churned while nothing is acknowledged (CVE-2024-22189)", () => {
    open();
    let sequence: u64 = 1;
    while (receive(sequence, sequence) == Status.OK) sequence++;
    expect(sequence).toBe(1 + RETIRED_ID_COUNT);
    expect(receive(sequence + 1, sequence + 1)).toBe(QuicStatus.CONNECTION_ID_BACKLOG);
    open();
    for (let number: u64 = 1; number < 1000; number++) {
      expect(receive(number, number)).toBe(Status.OK);
      retiredIdsOnAcked(retiredIdsOf(ids), number - 1);
    }
  });

  test("are retired again when the frame is lost, the oldest first", () => {
    open();
    receive(1, 0);
    receive(2, 0);
    receive(3, 3);
    expect(sendAll()).toBe("0 1 2 ");
    retiredIdsOnLost(retiredIdsOf(ids), 2);
    retiredIdsOnLost(retiredIdsOf(ids), 1);
    expect(sendAll()).toBe("1 2 ");
    retiredIdsOnAcked(retiredIdsOf(ids), 1);
    retiredIdsOnLost(retiredIdsOf(ids), 1);
    retiredIdsOnLost(retiredIdsOf(ids), 2);
    expect(sendAll()).toBe("2 ");
  });
});

describe("stateless reset tokens", () => {
  test("count for IDs in use, and no others", () => {
    open();
    memory.fill(token, 0, 16);
    expect(remoteIdsHasToken(ids, token)).toBe(false);
    remoteIdsSetInitialToken(ids, tokenOf(0));
    expect(remoteIdsHasToken(ids, tokenOf(0))).toBe(true);
    receive(1, 0);
    expect(remoteIdsHasToken(ids, tokenOf(1))).toBe(false);
    remoteIdsTake(ids, 1);
    expect(remoteIdsHasToken(ids, tokenOf(1))).toBe(true);
    for (let offset: u32 = 0; offset < 16; offset++) {
      tokenOf(1);
      store<u8>(token + offset, load<u8>(token + offset) ^ 0x80);
      expect(remoteIdsHasToken(ids, token)).toBe(false);
    }
    remoteIdsRelease(ids, 1);
    expect(remoteIdsHasToken(ids, tokenOf(1))).toBe(false);
    expect(remoteIdsHasToken(ids, tokenOf(0))).toBe(true);
  });
});
