/**
 * The static table, RFC 7541 Appendix A, as both directions need it.
 *
 * Names are numbers (FieldName, PseudoField), so the table holds no name bytes. Entries with the same name are neighbours
 * except for those without a value, and a name's first index is all the encoder has to know.
 *
 * An entry, filled at start:
 *
 *   0         2          3           4          8
 *   ┌─────────┬──────────┬───────────┬──────────┐
 *   │ nameId  │ nameLen  │ valueLen  │ valuePtr │
 *   └─────────┴──────────┴───────────┴──────────┘
 */
import { FieldName } from "../abi/field_name.ts";
import { writeAscii } from "../http/ascii.ts";
import { NAME_ID_COUNT, nameLength, PseudoField } from "../http/pseudo_field.ts";

/** Number of entries: indices 1 … 61, dynamic ones follow. */
export const STATIC_COUNT: u32 = 61;

/** Names by index, from 1 on. */
// prettier-ignore
const nameIds: StaticArray<i32> = [
  PseudoField.AUTHORITY, PseudoField.METHOD, PseudoField.METHOD, PseudoField.PATH, PseudoField.PATH,
  PseudoField.SCHEME, PseudoField.SCHEME, PseudoField.STATUS, PseudoField.STATUS, PseudoField.STATUS,
  PseudoField.STATUS, PseudoField.STATUS, PseudoField.STATUS, PseudoField.STATUS, FieldName.ACCEPT_CHARSET,
  FieldName.ACCEPT_ENCODING, FieldName.ACCEPT_LANGUAGE, FieldName.ACCEPT_RANGES, FieldName.ACCEPT,
  FieldName.ACCESS_CONTROL_ALLOW_ORIGIN, FieldName.AGE, FieldName.ALLOW, FieldName.AUTHORIZATION,
  FieldName.CACHE_CONTROL, FieldName.CONTENT_DISPOSITION, FieldName.CONTENT_ENCODING,
  FieldName.CONTENT_LANGUAGE, FieldName.CONTENT_LENGTH, FieldName.CONTENT_LOCATION, FieldName.CONTENT_RANGE,
  FieldName.CONTENT_TYPE, FieldName.COOKIE, FieldName.DATE, FieldName.ETAG, FieldName.EXPECT,
  FieldName.EXPIRES, FieldName.FROM, FieldName.HOST, FieldName.IF_MATCH, FieldName.IF_MODIFIED_SINCE,
  FieldName.IF_NONE_MATCH, FieldName.IF_RANGE, FieldName.IF_UNMODIFIED_SINCE, FieldName.LAST_MODIFIED,
  FieldName.LINK, FieldName.LOCATION, FieldName.MAX_FORWARDS, FieldName.PROXY_AUTHENTICATE,
  FieldName.PROXY_AUTHORIZATION, FieldName.RANGE, FieldName.REFERER, FieldName.REFRESH,
  FieldName.RETRY_AFTER, FieldName.SERVER, FieldName.SET_COOKIE, FieldName.STRICT_TRANSPORT_SECURITY,
  FieldName.TRANSFER_ENCODING, FieldName.USER_AGENT, FieldName.VARY, FieldName.VIA,
  FieldName.WWW_AUTHENTICATE,
];

/** Values by index, from 1 on; every later one is empty. */
// prettier-ignore
const values: StaticArray<string> = [
  "", "GET", "POST", "/", "/index.html", "http", "https", "200", "204", "206", "304", "400", "404", "500", "",
  "gzip, deflate",
];


@unmanaged
export class StaticEntry {
  nameId: u16;
  nameLen: u8;
  valueLen: u8;
  valuePtr: usize;
}

/** With 16 bytes of slack after the last value, for copies that read on. */
const VALUE_BYTES: u32 = 128;

const entries: usize = memory.data((STATIC_COUNT + 1) * offsetof<StaticEntry>(), 16);
const valueBytes: usize = memory.data(VALUE_BYTES, 16);
/** By name number: its first index, 0 when the name is not in the table. */
const firstIndices: usize = memory.data(NAME_ID_COUNT);

/** Called once, after the names are there. */
export function staticTableInitialize(): void {
  let valuePtr = valueBytes;
  for (let index: u32 = 1; index <= STATIC_COUNT; index++) {
    const nameId: u32 = unchecked(nameIds[index - 1]);
    const entry = staticEntry(index);
    entry.nameId = <u16>nameId;
    entry.nameLen = <u8>nameLength(nameId);
    entry.valuePtr = valuePtr;
    entry.valueLen = index <= <u32>values.length ? <u8>writeAscii(valuePtr, unchecked(values[index - 1])) : 0;
    valuePtr += entry.valueLen;
    if (load<u8>(firstIndices + nameId) == 0) store<u8>(firstIndices + nameId, <u8>index);
  }
  assert(valuePtr + 16 <= valueBytes + VALUE_BYTES);
}

/** The entry at an index of 1 … STATIC_COUNT. */
// @ts-ignore: decorator
@inline
export function staticEntry(index: u32): StaticEntry {
  return changetype<StaticEntry>(entries + index * offsetof<StaticEntry>());
}

/** The lowest index with this name, 0 when there is none. `nameId` is below NAME_ID_COUNT. */
// @ts-ignore: decorator
@inline
export function staticIndexOfName(nameId: u32): u32 {
  return load<u8>(firstIndices + nameId);
}

/** The index with this name and value, 0 when there is none; `firstIndex` is that of the name, not 0. */
export function staticIndexOfField(firstIndex: u32, valuePtr: usize, valueLen: u32): u32 {
  const nameId = staticEntry(firstIndex).nameId;
  for (let index = firstIndex; index <= STATIC_COUNT; index++) {
    const entry = staticEntry(index);
    if (entry.nameId != nameId) break;
    if (entry.valueLen == valueLen && memory.compare(entry.valuePtr, valuePtr, valueLen) == 0) return index;
  }
  return 0;
}
