/**
 * PRIORITY_UPDATE, RFC 9218 §7.2: the priority of a request, said on the control stream, also before the request has come: then it is
 * kept, for a few of them.
 */
import { H3Status } from "../abi/h3_status.ts";
import { readerLeft, readVarint, Reader, readerOpen } from "../core/reader.ts";
import { slabAllocate, slabFree } from "../core/slab.ts";
import { priorityIncremental, prioritySet, priorityUrgency, readPriorityValue } from "../http/priority.ts";
import { schedulePriority } from "../quic/stream/schedule.ts";
import { QuicStream } from "../quic/stream/stream.ts";
import { streamFind } from "../quic/stream/stream_table.ts";
import { countsOf } from "../quic/stream/streams.ts";
import { H3Connection, setOf } from "./connection.ts";
import { connectionError } from "./failure.ts";
import { FrameType } from "./frame.ts";
import { H3Stream } from "./stream.ts";

/** Requests whose priority is kept before they come; a newer one takes the place of the oldest. */
const KEPT_COUNT: u32 = 8;

/**
 *   0    8         12       16
 *   ┌────┬─────────┬────────┐
 *   │ id │ urgency │ shared │
 *   └────┴─────────┴────────┘
 */
@unmanaged
class KeptPriority {
  /** One more than the identifier; 0 for none. */
  key: u64;
  urgency: u32;
  isIncremental: u32;
}

const ENTRY_BYTES: u32 = <u32>offsetof<KeptPriority>();
const reader = changetype<Reader>(memory.data(offsetof<Reader>(), 8));

/** A frame of either type. */
export function receivePriorityUpdate(h3: H3Connection, type: u64, ptr: usize, len: u32): void {
  readerOpen(reader, ptr, len);
  const id = readVarint(reader);
  if (reader.failed) return connectionError(h3, H3Status.FRAME_LENGTH);
  // §7.2: no push was promised. A request is one that the client may make.
  if (type == FrameType.PRIORITY_UPDATE_PUSH) return connectionError(h3, H3Status.PRIORITY_ID);
  const set = setOf(h3);
  const counts = countsOf(set, false);
  if ((id & 3) != 0 || id >> 2 >= counts.remoteMost) return connectionError(h3, H3Status.PRIORITY_ID);
  readPriorityValue(reader.at, readerLeft(reader));
  const found = streamFind(set, id);
  if (found != 0) {
    const stream = changetype<QuicStream>(found);
    schedulePriority(set, stream, priorityUrgency, priorityIncremental);
    // Where the head has not come it would take the field's in its place.
    const state = stream.applicationState;
    if (state == 0 || changetype<H3Stream>(state).exchange == 0) keep(h3, id);
    return;
  }
  if (id >> 2 >= counts.remoteOpened) keep(h3, id);
}

function entryAt(h3: H3Connection, index: u32): KeptPriority {
  return changetype<KeptPriority>(h3.priorities + index * ENTRY_BYTES);
}

/** Keeps the priority read last. Without memory it is forgotten, which is allowed. */
function keep(h3: H3Connection, id: u64): void {
  if (h3.priorities == 0) {
    h3.priorities = slabAllocate(KEPT_COUNT * ENTRY_BYTES);
    if (h3.priorities == 0) return;
    memory.fill(h3.priorities, 0, KEPT_COUNT * ENTRY_BYTES);
  }
  let index: u32 = 0;
  while (index < KEPT_COUNT - 1 && entryAt(h3, index).key != id + 1) index++;
  // Those before it move back: the newest is the first, the oldest falls out.
  const from = changetype<usize>(entryAt(h3, 0));
  memory.copy(from + ENTRY_BYTES, from, index * ENTRY_BYTES);
  const entry = entryAt(h3, 0);
  entry.key = id + 1;
  entry.urgency = priorityUrgency;
  entry.isIncremental = priorityIncremental ? 1 : 0;
}

/** Takes what was kept for a request; it is then the priority read last. False when there is nothing. */
export function takePriority(h3: H3Connection, id: u64): bool {
  if (h3.priorities == 0) return false;
  for (let index: u32 = 0; index < KEPT_COUNT; index++) {
    const entry = entryAt(h3, index);
    if (entry.key != id + 1) continue;
    prioritySet(entry.urgency, entry.isIncremental != 0);
    entry.key = 0;
    return true;
  }
  return false;
}

export function prioritiesFree(h3: H3Connection): void {
  if (h3.priorities != 0) slabFree(h3.priorities);
  h3.priorities = 0;
}
