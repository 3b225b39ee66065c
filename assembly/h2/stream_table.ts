/**
 * From a stream identifier to its stream: an open-addressed table of addresses per connection.
 *
 * The two roles use odd and even identifiers, each counting up by two, so the identifier's upper bits are a hash without
 * collisions among neighbours; a peer that skips identifiers to make some pays with probes bounded by the limit of
 * concurrent streams. Removal shifts back what follows, so there are no tombstones. The table doubles when half full, and a
 * large one is given back when the last stream closes.
 */
import { slabAllocate, slabFree } from "../core/slab.ts";
import { H2Connection } from "./connection.ts";
import { H2Stream } from "./stream.ts";

const FIRST_CAPACITY: u32 = 16;
const SLOT_BYTES: u32 = sizeof<usize>();

/** The stream's address, or 0 when it is not open. */
export function streamFind(connection: H2Connection, streamId: u32): usize {
  if (connection.streams == 0) return 0;
  let slot = slotOf(connection, streamId);
  while (true) {
    const ptr = load<usize>(connection.streams + slot * SLOT_BYTES);
    if (ptr == 0 || changetype<H2Stream>(ptr).streamId == streamId) return ptr;
    slot = (slot + 1) & connection.streamMask;
  }
}

/** Enters a stream; false when the memory is full. */
export function streamTableAdd(connection: H2Connection, stream: H2Stream): bool {
  const capacity: u32 = connection.streams == 0 ? 0 : connection.streamMask + 1;
  if ((connection.streamCount + 1) * 2 > capacity && !grow(connection, max(capacity * 2, FIRST_CAPACITY))) {
    return false;
  }
  place(connection, changetype<usize>(stream));
  connection.streamCount++;
  return true;
}

/** Removes a stream that is in the table. */
export function streamTableRemove(connection: H2Connection, stream: H2Stream): void {
  const mask = connection.streamMask;
  let hole = slotOf(connection, stream.streamId);
  while (load<usize>(connection.streams + hole * SLOT_BYTES) != changetype<usize>(stream))
    hole = (hole + 1) & mask;
  let slot = hole;
  while (true) {
    slot = (slot + 1) & mask;
    const ptr = load<usize>(connection.streams + slot * SLOT_BYTES);
    if (ptr == 0) break;
    // A stream moves into the hole unless its own slot lies behind it.
    const home = slotOf(connection, changetype<H2Stream>(ptr).streamId);
    if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
    store<usize>(connection.streams + hole * SLOT_BYTES, ptr);
    hole = slot;
  }
  store<usize>(connection.streams + hole * SLOT_BYTES, 0);
  connection.streamCount--;
  if (connection.streamCount == 0 && mask >= FIRST_CAPACITY) streamTableFree(connection);
}

/** Gives the table back; its streams are the caller's to free. */
export function streamTableFree(connection: H2Connection): void {
  if (connection.streams != 0) slabFree(connection.streams);
  connection.streams = 0;
  connection.streamMask = 0;
  connection.streamCount = 0;
}

function grow(connection: H2Connection, capacity: u32): bool {
  const block = slabAllocate(capacity * SLOT_BYTES);
  if (block == 0) return false;
  memory.fill(block, 0, capacity * SLOT_BYTES);
  const old = connection.streams;
  const oldCapacity: u32 = old == 0 ? 0 : connection.streamMask + 1;
  connection.streams = block;
  connection.streamMask = capacity - 1;
  for (let slot: u32 = 0; slot < oldCapacity; slot++) {
    const ptr = load<usize>(old + slot * SLOT_BYTES);
    if (ptr != 0) place(connection, ptr);
  }
  if (old != 0) slabFree(old);
  return true;
}

function place(connection: H2Connection, ptr: usize): void {
  let slot = slotOf(connection, changetype<H2Stream>(ptr).streamId);
  while (load<usize>(connection.streams + slot * SLOT_BYTES) != 0) slot = (slot + 1) & connection.streamMask;
  store<usize>(connection.streams + slot * SLOT_BYTES, ptr);
}

// @ts-ignore: decorator
@inline
function slotOf(connection: H2Connection, streamId: u32): u32 {
  return (streamId >> 1) & connection.streamMask;
}
