/**
 * From the bytes of a field name to its number (abi/field_name.ts), without comparing strings one by one.
 *
 * A name's first eight bytes, its last eight and its length are mixed into a slot of an open hash table that is filled once,
 * at start, from FIELD_NAMES; comparing at most four words decides. Peers cannot add entries, so the hash needs no seed.
 *
 * Names are in lower case by the time they get here. Loads may pass the end of the name by up to 31 bytes and ignore
 * what they find there: the engine keeps that much slack at the end of linear memory.
 */
import { FIELD_NAMES, FieldName } from "../abi/field_name.ts";

/** Longest name with a number. */
const NAME_MAX: u32 = 32;
const SLOT_COUNT: u32 = 512;
const SLOT_MASK: u32 = SLOT_COUNT - 1;
/** The bit that tells lower case from upper case, in each byte. All bytes of a name with a number have it. */
const LOWER_CASE: u64 = 0x2020202020202020;
/** Odd constants with well spread bits. */
const MIX_FIRST: u64 = 0x9e3779b97f4a7c15;
const MIX_LAST: u64 = 0xc2b2ae3d27d4eb4f;
const MIX_LENGTH: u64 = 0x165667b19e3779f9;

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
    const last = len < 8 ? 0 : load<u64>(ptr + len - 8);
    let slot = slotOf(firstWord(ptr, len), last, len);
    while (load<u8>(slots + slot) != 0) slot = (slot + 1) & SLOT_MASK;
    store<u8>(slots + slot, <u8>id);
  }
}

/** The FieldName of the `len` bytes at `ptr`, which are in lower case; FieldName.NONE when it has none. */
export function fieldNameLookup(ptr: usize, len: u32): u32 {
  return find(ptr, len, 0);
}

/**
 * The same for a name in any case. The caller has made sure that no byte is below 0x20: setting the bit that makes letters
 * lower case would make some of those part of a name.
 */
export function fieldNameLookupAnyCase(ptr: usize, len: u32): u32 {
  return find(ptr, len, LOWER_CASE);
}

// @ts-ignore: decorator
@inline
function find(ptr: usize, len: u32, fold: u64): u32 {
  if (len - 1 >= NAME_MAX) return FieldName.NONE;
  const first = firstWord(ptr, len) | (len < 8 ? fold & firstBytes(len) : fold);
  const last = len < 8 ? 0 : load<u64>(ptr + len - 8) | fold;
  let slot = slotOf(first, last, len);
  let id: u32 = load<u8>(slots + slot);
  while (id != 0) {
    const name = names + id * NAME_MAX;
    if (load<u8>(lengths + id) == len && load<u64>(name) == first) {
      if (len <= 8) return id;
      // Two words at the front and two at the back cover up to 32 bytes, however they overlap.
      const isEqual =
        load<u64>(name + len - 8) == last &&
        (len <= 16 ||
          (load<u64>(name, 8) == (load<u64>(ptr, 8) | fold) &&
            load<u64>(name + len - 16) == (load<u64>(ptr + len - 16) | fold)));
      if (isEqual) return id;
    }
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
function firstWord(ptr: usize, len: u32): u64 {
  const word = load<u64>(ptr);
  return len < 8 ? word & firstBytes(len) : word;
}

// @ts-ignore: decorator
@inline
function slotOf(first: u64, last: u64, len: u32): u32 {
  const mixed = (first ^ (last * MIX_LAST)) * MIX_FIRST + len * MIX_LENGTH;
  return (<u32>(mixed >> 40)) & SLOT_MASK;
}

/** Mask of the first `count` bytes (1 to 7) of a little-endian word. */
// @ts-ignore: decorator
@inline
function firstBytes(count: u32): u64 {
  return ((<u64>1) << ((<u64>count) << 3)) - 1;
}
