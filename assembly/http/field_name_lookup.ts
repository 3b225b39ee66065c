/**
 * From the bytes of a field name to its number (abi/field_name.ts), without comparing strings one by one.
 *
 * A name of at most 32 bytes is four u64 words, padded with zeros. Two multiplications mix them into a slot of an open
 * hash table that is filled once, at start, from FIELD_NAMES; one comparison of the words decides. Peers cannot add
 * entries, so the hash needs no seed.
 *
 * Names are in lower case by the time they get here. Loads may pass the end of the name by up to 31 bytes and ignore
 * what they find there: the engine keeps that much slack at the end of linear memory.
 */
import { FIELD_NAMES, FieldName } from "../abi/field_name.ts";

/** Longest name with a number. */
const NAME_MAX: u32 = 32;
const SLOT_COUNT: u32 = 512;
const SLOT_MASK: u32 = SLOT_COUNT - 1;

/** FieldName by slot, 0 where free. */
const slots: usize = memory.data(SLOT_COUNT);
/** Names by FieldName, padded to NAME_MAX. */
const names: usize = memory.data(FieldName.COUNT * NAME_MAX, 16);
const lengths: usize = memory.data(FieldName.COUNT);

/** Fills the table. Called once, before any lookup. */
export function fieldNameInitialize(): void {
  for (let id: u32 = 1; id < <u32>FieldName.COUNT; id++) {
    const name = unchecked(FIELD_NAMES[id]);
    const len: u32 = name.length;
    const ptr = names + id * NAME_MAX;
    for (let i: u32 = 0; i < len; i++) store<u8>(ptr + i, <u8>name.charCodeAt(i));
    store<u8>(lengths + id, <u8>len);
    let slot = slotOf(ptr, len);
    while (load<u8>(slots + slot) != 0) slot = (slot + 1) & SLOT_MASK;
    store<u8>(slots + slot, <u8>id);
  }
}

/** The FieldName of the `len` bytes at `ptr`, or FieldName.NONE. */
export function fieldNameLookup(ptr: usize, len: u32): u32 {
  if (len == 0 || len > NAME_MAX) return FieldName.NONE;
  let slot = slotOf(ptr, len);
  let id: u32 = load<u8>(slots + slot);
  while (id != 0) {
    if (load<u8>(lengths + id) == len && isSameName(names + id * NAME_MAX, ptr, len)) return id;
    slot = (slot + 1) & SLOT_MASK;
    id = load<u8>(slots + slot);
  }
  return FieldName.NONE;
}

/** Address of the name with number `id`, in lower case; it has `fieldNameLength(id)` bytes and lives for ever. */
export function fieldNamePtr(id: u32): usize {
  return names + id * NAME_MAX;
}

export function fieldNameLength(id: u32): u32 {
  return load<u8>(lengths + id);
}

// @ts-ignore: decorator
@inline
function slotOf(ptr: usize, len: u32): u32 {
  let mixed: u64 = <u64>len * 0x9e3779b97f4a7c15;
  let rest = len;
  let at = ptr;
  while (rest >= 8) {
    mixed = (mixed ^ load<u64>(at)) * 0x9e3779b97f4a7c15;
    mixed ^= mixed >> 29;
    at += 8;
    rest -= 8;
  }
  if (rest != 0) {
    mixed = (mixed ^ (load<u64>(at) & firstBytes(rest))) * 0x9e3779b97f4a7c15;
  }
  return (<u32>(mixed >> 40)) & SLOT_MASK;
}

// @ts-ignore: decorator
@inline
function isSameName(name: usize, ptr: usize, len: u32): bool {
  let rest = len;
  let offset: usize = 0;
  while (rest >= 8) {
    if (load<u64>(name + offset) != load<u64>(ptr + offset)) return false;
    offset += 8;
    rest -= 8;
  }
  return rest == 0 || load<u64>(name + offset) == (load<u64>(ptr + offset) & firstBytes(rest));
}

/** Mask of the first `count` bytes (1 to 7) of a little-endian word. */
// @ts-ignore: decorator
@inline
function firstBytes(count: u32): u64 {
  return ((<u64>1) << ((<u64>count) << 3)) - 1;
}
