/**
 * Two honest sides that give each other connection IDs over a network that loses, delays and repeats: whatever happens, neither has
 * an error to find in the other, and in the end the one that sends has as many IDs as it may.
 */

import { Status } from "../../../../assembly/abi/status.ts";
import {
  LOCAL_IDS_BYTES,
  LOCAL_ID_COUNT,
  LocalId,
  LocalIdState,
  LocalIds,
  localIdAt,
  localIdBytes,
  localIdsIssue,
  localIdsMissing,
  localIdsOnAcked,
  localIdsOnLost,
  localIdsOnRetire,
  localIdsOnSent,
  localIdsOpen,
  localIdsOwed,
  localIdsSetLimit,
} from "../../../../assembly/quic/ids/local_ids.ts";
import {
  REMOTE_IDS_BYTES,
  RemoteId,
  RemoteIds,
  remoteIdOf,
  remoteIdOfPath,
  remoteIdsOnNew,
  remoteIdsOpen,
  remoteIdsRelease,
  remoteIdsSpare,
  remoteIdsTake,
  retiredIdsOf,
} from "../../../../assembly/quic/ids/remote_ids.ts";
import {
  NO_SEQUENCE,
  retiredIdsOnAcked,
  retiredIdsOnLost,
  retiredIdsOnSent,
  retiredIdsOwed,
} from "../../../../assembly/quic/ids/retired_ids.ts";
import { connectionIdBytes } from "../../../../assembly/quic/wire/connection_id.ts";
import { limitsReset } from "../../../../assembly/session/limits.ts";
import { randomBelow, seedRandom } from "../../core/random.ts";

const local = changetype<LocalIds>(heap.alloc(LOCAL_IDS_BYTES));
const remote = changetype<RemoteIds>(heap.alloc(REMOTE_IDS_BYTES));
const bytes: usize = heap.alloc(8);
const token: usize = heap.alloc(16);

/** A frame under way. */
class Frame {
  isArrived: bool = false;

  constructor(
    /** NEW_CONNECTION_ID of the one side, or RETIRE_CONNECTION_ID of the other. */
    public isNew: bool,
    public sequence: u64,
    /** The eight bytes of the ID, or of the ID that its packet goes to. */
    public id: u64,
  ) {}
}

let underWay: Frame[] = [];

function bytesOf(value: u64): usize {
  store<u64>(bytes, value);
  return bytes;
}

/** Both sides write all that they owe. */
function send(nowMs: f64): void {
  for (let missing = localIdsMissing(local, nowMs); missing > 0; missing--) {
    localIdsIssue(local, bytesOf(0xabcd0000 + local.nextSequence), nowMs);
  }
  for (let owed = localIdsOwed(local); owed != 0; owed = localIdsOwed(local)) {
    const id = changetype<LocalId>(owed);
    underWay.push(new Frame(true, id.sequence, load<u64>(localIdBytes(id))));
    localIdsOnSent(local, id.sequence);
  }
  const retired = retiredIdsOf(remote);
  for (let next = retiredIdsOwed(retired); next != NO_SEQUENCE; next = retiredIdsOwed(retired)) {
    const sentTo = changetype<RemoteId>(remoteIdOfPath(remote, remote.primaryPath));
    underWay.push(new Frame(false, next, load<u64>(connectionIdBytes(remoteIdOf(sentTo)))));
    retiredIdsOnSent(retired, next);
  }
}

/** A frame arrives. Answers the receiver's status. */
function arrive(frame: Frame): i32 {
  frame.isArrived = true;
  if (!frame.isNew) return localIdsOnRetire(local, frame.sequence, bytesOf(frame.id), 8);
  memory.fill(token, <u8>frame.sequence, 16);
  return remoteIdsOnNew(remote, frame.sequence, 0, bytesOf(frame.id), 8, token);
}

/** Its sender learns what became of a frame: acknowledged if it arrived, or lost, be that true or not. */
function settle(frame: Frame): void {
  const isAcked = frame.isArrived && randomBelow(4) != 0;
  if (frame.isNew) {
    if (isAcked) localIdsOnAcked(local, frame.sequence);
    else localIdsOnLost(local, frame.sequence);
  } else if (isAcked) {
    retiredIdsOnAcked(retiredIdsOf(remote), frame.sequence);
  } else {
    retiredIdsOnLost(retiredIdsOf(remote), frame.sequence);
  }
}

/** The side that sends moves to a path with another ID. */
function migrate(): void {
  const path = remote.primaryPath + 1;
  if (!remoteIdsTake(remote, path)) return;
  const before = remote.primaryPath;
  remote.primaryPath = path;
  assert(remoteIdsRelease(remote, before) == Status.OK, "released");
}

function step(nowMs: f64): void {
  send(nowMs);
  if (randomBelow(10) == 0) migrate();
  if (underWay.length == 0) return;
  const index = randomBelow(underWay.length);
  const frame = underWay[index];
  // Some arrive twice, and some never.
  if (randomBelow(4) != 0) assert(arrive(frame) == Status.OK, "an honest frame is an error");
  if (randomBelow(2) == 0) return;
  settle(frame);
  underWay.splice(index, 1);
}

describe("two honest sides", () => {
  test("exchange connection IDs without an error, over any network", () => {
    for (let seed: u64 = 1; seed <= 40; seed++) {
      seedRandom(seed * 0x9e3779b97f4a7c15);
      limitsReset();
      underWay = [];
      localIdsOpen(local, bytesOf(0xabcd0000), 0);
      localIdsSetLimit(local, 2 + randomBelow(4));
      remoteIdsOpen(remote, bytes, 8, 0);
      let nowMs: f64 = 0;
      for (let round = 0; round < 2000; round++) step((nowMs += 100));
      assert(remote.primaryPath > 20, "it moved");
      // A network that works, at last.
      for (let round = 0; round < 20; round++) {
        send((nowMs += 1000));
        for (let index = 0; index < underWay.length; index++) {
          const frame = underWay[index];
          assert(arrive(frame) == Status.OK, "an honest frame is an error");
          if (frame.isNew) localIdsOnAcked(local, frame.sequence);
          else retiredIdsOnAcked(retiredIdsOf(remote), frame.sequence);
        }
        underWay = [];
      }
      expect(remoteIdsSpare(remote)).toBe(local.countMost - 1);
      expect(local.count).toBe(local.countMost);
      expect(retiredIdsOf(remote).count).toBe(0);
      for (let index: u32 = 0; index < LOCAL_ID_COUNT; index++) {
        const state = localIdAt(local, index).state;
        expect(state == LocalIdState.KNOWN || state == LocalIdState.FREE).toBe(true);
      }
    }
  });
});
