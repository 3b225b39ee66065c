/**
 * From the bytes of a field name to its number (abi/field_name.ts), without comparing strings one by one.
 *
 * A name is at most 32 bytes, so two vectors hold it whole: bytes after its end are masked away, upper case is folded into
 * lower. The two are mixed into a slot of an open hash table that is filled once, at start, from FIELD_NAMES, and one
 * comparison with the name found there decides. Peers cannot add entries, so the hash needs no seed; its constants were
 * searched for until every name had a slot of its own, but a later name that shares one is still found behind it.
 *
 * Loads take 32 bytes whatever the length and ignore what lies past the name: the engine keeps that much slack at the end of
 * linear memory.
 */
import { FIELD_NAMES, FieldName } from "../abi/field_name.ts";

/** Longest name with a number. */
const NAME_MAX: u32 = 32;
const SLOT_BITS: u32 = 9;
const SLOT_COUNT: u32 = 1 << SLOT_BITS;
const SLOT_MASK: u32 = SLOT_COUNT - 1;
/** One bit of each byte, mixed with its neighbour, makes a word; this factor spreads the words over the slots. */
const SPREAD: u32 = 0x957ea389;
/** Eight times the factor that mixes, and sixteen times the bit that tells lower case from upper case: all names have it set. */
// prettier-ignore
const vectors: usize = memory.data<u8>(
  [
    0xed, 0x32, 0xed, 0x32, 0xed, 0x32, 0xed, 0x32, 0xed, 0x32, 0xed, 0x32, 0xed, 0x32, 0xed, 0x32,
    0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20,
  ],
  16,
);

/** FieldName by slot, 0 where free. */
const slots: usize = memory.data(SLOT_COUNT);
/** Names by FieldName, padded with zeros to NAME_MAX. */
const names: usize = memory.data(FieldName.COUNT * NAME_MAX, 16);
const lengths: usize = memory.data(FieldName.COUNT);
/** NAME_MAX bytes of ones, then as many of zeros: from `len` bytes before their border on, a mask of the first `len` bytes. */
const masks: usize = memory.data(2 * NAME_MAX, 16);

/** Fills the table. Called once, before any lookup. */
export function fieldNameInitialize(): void {
  memory.fill(masks, 0xff, NAME_MAX);
  // Where there is no name nothing is equal, not even the empty one.
  memory.fill(names, 0xff, NAME_MAX);
  for (let id: u32 = 1; id < <u32>FieldName.COUNT; id++) {
    const name = unchecked(FIELD_NAMES[id]);
    const len: u32 = name.length;
    const ptr = names + id * NAME_MAX;
    for (let i: u32 = 0; i < len; i++) store<u8>(ptr + i, <u8>name.charCodeAt(i));
    store<u8>(lengths + id, <u8>len);
    let slot = slotOf(v128.load(ptr), v128.load(ptr, 16));
    while (load<u8>(slots + slot) != 0) slot = (slot + 1) & SLOT_MASK;
    store<u8>(slots + slot, <u8>id);
  }
}

/** The FieldName of the `len` bytes at `ptr`, which are in lower case; FieldName.NONE when it has none. */
export function fieldNameLookup(ptr: usize, len: u32): u32 {
  if (len > NAME_MAX) return FieldName.NONE;
  const mask = masks + NAME_MAX - len;
  const front = v128.and(v128.load(ptr), v128.load(mask));
  const back = v128.and(v128.load(ptr, 16), v128.load(mask, 16));
  let slot = slotOf(front, back);
  let id: u32 = load<u8>(slots + slot);
  while (id != 0 && !isName(id, front, back)) {
    slot = (slot + 1) & SLOT_MASK;
    id = load<u8>(slots + slot);
  }
  return id;
}

/**
 * The same for a name in any case, in a single look, which answers FieldName.NONE also where `fieldNameLookup` would have to
 * look further. `len` is at most 32. Folding turns some control bytes into digits and "-": the caller makes sure that a name
 * that is found has none below 0x20, except for LF, which is turned into "*", a part of no name.
 */
// @ts-ignore: decorator
@inline
export function fieldNamePeek(ptr: usize, len: u32): u32 {
  const mask = masks + NAME_MAX - len;
  const lowerCase = v128.load(vectors, 16);
  const front = v128.and(v128.or(v128.load(ptr), lowerCase), v128.load(mask));
  const back = v128.and(v128.or(v128.load(ptr, 16), lowerCase), v128.load(mask, 16));
  const id: u32 = load<u8>(slots + slotOf(front, back));
  return isName(id, front, back) ? id : <u32>FieldName.NONE;
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
function isName(id: u32, front: v128, back: v128): bool {
  const name = names + id * NAME_MAX;
  const difference = v128.or(v128.xor(front, v128.load(name)), v128.xor(back, v128.load(name, 16)));
  return !v128.any_true(difference);
}

// @ts-ignore: decorator
@inline
function slotOf(front: v128, back: v128): u32 {
  const word: u32 = i8x16.bitmask(i16x8.mul(v128.xor(front, back), v128.load(vectors)));
  return (word * SPREAD) >> (32 - SLOT_BITS);
}
