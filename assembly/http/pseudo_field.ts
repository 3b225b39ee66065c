/**
 * Pseudo-fields of HTTP/2 and HTTP/3 (RFC 9113 §8.3, RFC 9114 §4.3, RFC 8441 §4) and their place among the numbered names.
 *
 * They are numbers of the engine only: their names take the top of the range that FieldName leaves free, so one table entry,
 * one record and one lookup serve both kinds, and the message rules recognise them by a comparison. The host never sees
 * them: it gets the message head's lanes instead.
 */
import { fieldNameLength, fieldNameLookup, fieldNamePtr } from "./field_name_lookup.ts";
import { writeAscii } from "./ascii.ts";

export const enum PseudoField {
  AUTHORITY = 240,
  METHOD = 241,
  PATH = 242,
  SCHEME = 243,
  STATUS = 244,
  PROTOCOL = 245,
  /** One beyond the last. */
  END = 246,
}

/** Above every number of a name, FieldName or PseudoField. */
export const NAME_ID_COUNT: u32 = 256;

/** By PseudoField, from AUTHORITY on. */
const NAMES: StaticArray<string> = [":authority", ":method", ":path", ":scheme", ":status", ":protocol"];
const NAME_STRIDE: u32 = 16;
const COLON: u8 = 0x3a;

const names: usize = memory.data((PseudoField.END - PseudoField.AUTHORITY) * NAME_STRIDE, 16);
const lengths: usize = memory.data(PseudoField.END - PseudoField.AUTHORITY);

/** Called once, before any lookup. `fieldNameInitialize` is the caller's to call too. */
export function pseudoFieldInitialize(): void {
  for (let i: u32 = 0; i < <u32>NAMES.length; i++) {
    store<u8>(lengths + i, <u8>writeAscii(names + i * NAME_STRIDE, unchecked(NAMES[i])));
  }
}

// @ts-ignore: decorator
@inline
export function isPseudoField(nameId: u32): bool {
  return nameId >= <u32>PseudoField.AUTHORITY;
}

/**
 * The number of a name as it stands in a field section: FieldName or PseudoField, 0 when it has none. Loads may pass the end
 * of the name as in `fieldNameLookup`.
 */
export function nameLookup(ptr: usize, len: u32): u32 {
  if (len == 0 || load<u8>(ptr) != COLON) return fieldNameLookup(ptr, len);
  for (let id: u32 = PseudoField.AUTHORITY; id < <u32>PseudoField.END; id++) {
    if (nameLength(id) == len && memory.compare(namePtr(id), ptr, len) == 0) return id;
  }
  return 0;
}

/** Address of a numbered name's bytes; they stay for ever. */
export function namePtr(nameId: u32): usize {
  if (isPseudoField(nameId)) return names + (nameId - PseudoField.AUTHORITY) * NAME_STRIDE;
  return fieldNamePtr(nameId);
}

export function nameLength(nameId: u32): u32 {
  if (isPseudoField(nameId)) return load<u8>(lengths + nameId - PseudoField.AUTHORITY);
  return fieldNameLength(nameId);
}
