/** Entries of a field block (abi/layout.ts) whose value is written before its length is known. */

import { FIELD_ENTRY_HEADER_BYTES } from "../abi/layout.ts";

/** Where the value of an entry of a known name goes. */
// @ts-ignore: decorator
@inline
export function valueAt(entry: usize): usize {
  return entry + FIELD_ENTRY_HEADER_BYTES;
}

/** Completes an entry whose value was written to `valueAt`. Answers the address after it. */
export function writeEntry(entry: usize, nameId: u32, valueLen: u32): usize {
  store<u16>(entry, <u16>nameId);
  store<u16>(entry, 0, 2);
  store<u32>(entry, valueLen, 4);
  return entry + FIELD_ENTRY_HEADER_BYTES + valueLen;
}
