/**
 * What the encoder knows of the peer's table and of the field sections that refer to it, RFC 9204 §2.1: which entries may be evicted,
 * and which streams may be blocked.
 *
 * An entry is evictable when the peer is known to have it and no section that the peer has not acknowledged refers to it (§2.1.1). A
 * stream may be blocked while one of its sections needs more insertions than the peer is known to have (§2.1.2).
 *
 * Sections are kept in the order in which they were sent, in one slab block that doubles: only those that refer to the dynamic
 * table, so a connection that does not use it holds nothing. There are as many as answers on their way, and look-ups go through all.
 *
 *   section   0          8                     16                  24
 *             ┌──────────┬─────────────────────┬───────────────────┐
 *             │ streamId │ requiredInsertCount │ smallestReference │
 *             └──────────┴─────────────────────┴───────────────────┘
 *
 * Invariant: `oldestReference` is the least smallestReference of all sections, NO_REFERENCE without any.
 */
import { Limit } from "../abi/limit.ts";
import { slabAllocate, slabFree } from "../core/slab.ts";
import { tableInsertTotal } from "../http/dynamic_table.ts";
import { IndexedTable } from "../http/field_index.ts";
import { limitHit, limitU32 } from "../session/limits.ts";

/** Above every absolute index. */
export const NO_REFERENCE: u64 = u64.MAX_VALUE;

const FIRST_CAPACITY: u32 = 16;


@unmanaged
class Section {
  streamId: u64;
  requiredInsertCount: u64;
  smallestReference: u64;
}


@unmanaged
export class EncoderTable extends IndexedTable {
  /** Slab block, 0 when there is none. */
  sections: usize;
  sectionCount: u32;
  sectionCapacity: u32;
  /** Entries that the peer is known to have, RFC 9204 §2.1.4. */
  knownReceivedCount: u64;
  oldestReference: u64;
}

// @ts-ignore: decorator
@inline
function sectionAt(table: EncoderTable, position: u32): Section {
  return changetype<Section>(table.sections + position * offsetof<Section>());
}

export function referencesFree(table: EncoderTable): void {
  if (table.sections != 0) slabFree(table.sections);
  table.sections = 0;
  table.sectionCount = 0;
  table.sectionCapacity = 0;
  table.oldestReference = NO_REFERENCE;
}

/** Whether one more section can be kept; asked before it refers to anything. */
export function hasSectionRoom(table: EncoderTable): bool {
  if (table.sectionCount >= limitU32(Limit.QPACK_SECTION_COUNT)) {
    limitHit(Limit.QPACK_SECTION_COUNT);
    return false;
  }
  if (table.sectionCount < table.sectionCapacity) return true;
  const capacity = table.sectionCapacity == 0 ? FIRST_CAPACITY : table.sectionCapacity << 1;
  const block = slabAllocate(capacity * offsetof<Section>());
  if (block == 0) return false;
  if (table.sections != 0) {
    memory.copy(block, table.sections, table.sectionCount * offsetof<Section>());
    slabFree(table.sections);
  }
  table.sections = block;
  table.sectionCapacity = capacity;
  return true;
}

/** Keeps a section that refers to the table, for which there is room. */
export function addSection(
  table: EncoderTable,
  streamId: u64,
  requiredInsertCount: u64,
  smallestReference: u64,
): void {
  const section = sectionAt(table, table.sectionCount++);
  section.streamId = streamId;
  section.requiredInsertCount = requiredInsertCount;
  section.smallestReference = smallestReference;
  table.oldestReference = min(table.oldestReference, smallestReference);
}

/** Whether a section on the stream may refer to what the peer is not known to have, where `most` streams may be blocked. */
export function mayBlock(table: EncoderTable, streamId: u64, most: u32): bool {
  if (most == 0) return false;
  if (table.sectionCount < most) return true;
  // Two sections of one stream count as two: never more than allowed, rarely less.
  let blockedCount: u32 = 0;
  for (let position: u32 = 0; position < table.sectionCount; position++) {
    const section = sectionAt(table, position);
    if (section.requiredInsertCount <= table.knownReceivedCount) continue;
    if (section.streamId == streamId) return true;
    blockedCount++;
  }
  return blockedCount < most;
}

/** RFC 9204 §4.4.1: the peer has decoded the oldest section of the stream. False when there is none. */
export function acknowledgeSection(table: EncoderTable, streamId: u64): bool {
  for (let position: u32 = 0; position < table.sectionCount; position++) {
    const section = sectionAt(table, position);
    if (section.streamId != streamId) continue;
    table.knownReceivedCount = max(table.knownReceivedCount, section.requiredInsertCount);
    removeSection(table, position);
    return true;
  }
  return false;
}

/** RFC 9204 §4.4.2: the peer will not decode what it has not yet decoded of the stream. */
export function cancelSections(table: EncoderTable, streamId: u64): void {
  let position: u32 = 0;
  while (position < table.sectionCount) {
    if (sectionAt(table, position).streamId == streamId) removeSection(table, position);
    else position++;
  }
}

function removeSection(table: EncoderTable, position: u32): void {
  const reference = sectionAt(table, position).smallestReference;
  const size: u32 = offsetof<Section>();
  const at = table.sections + position * size;
  table.sectionCount--;
  memory.copy(at, at + size, (table.sectionCount - position) * size);
  if (table.sectionCount == 0) return referencesFree(table);
  if (reference != table.oldestReference) return;
  // Mostly the next section refers to the same.
  let oldest = NO_REFERENCE;
  for (let i: u32 = 0; i < table.sectionCount && oldest != reference; i++) {
    oldest = min(oldest, sectionAt(table, i).smallestReference);
  }
  table.oldestReference = oldest;
}

/** RFC 9204 §4.4.3. False for an increment of zero, or beyond what was inserted. */
export function acknowledgeInsertions(table: EncoderTable, increment: u64): bool {
  if (increment == 0 || increment > tableInsertTotal(table) - table.knownReceivedCount) return false;
  table.knownReceivedCount += increment;
  return true;
}
