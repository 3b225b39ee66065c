/**
 * What the encoder remembers to choose what it inserts: fields that came lately without being inserted, and how much each entry is used.
 *
 * Fields that never come again are the most there are. One that is inserted pushes out another, and where the stream may not be blocked
 * it is written twice. So a field waits until it comes a second time where it would be written twice, or would push out an entry
 * that was used. Where it would be written twice, entries that were used lately are spared even then: each refusal cools one, at
 * most one a section, until it may go.
 *
 *   0          4                           260
 *   ┌──────────┬───────────────────────────┬──────────────────────┐
 *   │ heatMask │ hashes of fields, by hash │ heat, by index, u8 … │   one slab block; as many heats as there can be entries
 *   └──────────┴───────────────────────────┴──────────────────────┘
 *
 * All of it is advice: two fields with one hash cost an insertion too early. The sizes were chosen by the QIFs.
 */
import { slabAllocate } from "../core/slab.ts";
import { FIELD_OVERHEAD_BYTES } from "../http/field_section.ts";

const HASH_COUNT: u32 = 64;
const HEAT_MAX: u32 = 2;


@unmanaged
export class History {
  heatMask: u32;
}

const HASHES_OFFSET: u32 = offsetof<History>();
const HEATS_OFFSET: u32 = HASHES_OFFSET + HASH_COUNT * sizeof<u32>();

/** A history for a table of this capacity, which is not 0. Freed by slabFree. 0 when the memory is full. */
export function historyAllocate(capacity: u32): usize {
  let heatCount: u32 = 1;
  while (heatCount * FIELD_OVERHEAD_BYTES < capacity) heatCount <<= 1;
  const block = slabAllocate(HEATS_OFFSET + heatCount);
  if (block == 0) return 0;
  memory.fill(block, 0, HEATS_OFFSET + heatCount);
  changetype<History>(block).heatMask = heatCount - 1;
  return block;
}

/** Whether the field with this hash came before; from now on it has. */
export function hasCome(history: History, hash: u32): bool {
  const at = changetype<usize>(history) + HASHES_OFFSET + ((hash & (HASH_COUNT - 1)) << 2);
  const isKnown = load<u32>(at) == hash;
  store<u32>(at, hash);
  return isKnown;
}

// @ts-ignore: decorator
@inline
function heatAt(history: History, absolute: u64): usize {
  return changetype<usize>(history) + HEATS_OFFSET + ((<u32>absolute) & history.heatMask);
}

export function isHot(history: History, absolute: u64): bool {
  return load<u8>(heatAt(history, absolute)) != 0;
}

/** The entry was used. */
export function heat(history: History, absolute: u64): void {
  const at = heatAt(history, absolute);
  if (load<u8>(at) < HEAT_MAX) store<u8>(at, load<u8>(at) + 1);
}

/** The entry is hot, and in the way. */
export function cool(history: History, absolute: u64): void {
  const at = heatAt(history, absolute);
  store<u8>(at, load<u8>(at) - 1);
}

/** The entry is new, or has been replaced by a newer one. */
export function chill(history: History, absolute: u64): void {
  store<u8>(heatAt(history, absolute), 0);
}
