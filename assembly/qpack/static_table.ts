/**
 * The static table, RFC 9204 Appendix A, as both directions need it.
 *
 * Names are numbers (FieldName, PseudoField), so the table holds no name bytes. Entries with the same name are not always
 * neighbours: each points at the next one, and a name's first index is all the encoder has to know.
 *
 * An entry, filled at start:
 *
 *   0        1         2          3           4          8
 *   ┌────────┬─────────┬──────────┬───────────┬──────────┐
 *   │ nameId │ nameLen │ valueLen │ nextIndex │ valuePtr │
 *   └────────┴─────────┴──────────┴───────────┴──────────┘
 */
import { FieldName } from "../abi/field_name.ts";
import { writeAscii } from "../http/ascii.ts";
import { NAME_ID_COUNT, nameLength, PseudoField } from "../http/pseudo_field.ts";

/** Number of entries: indices 0 … 98. */
export const STATIC_COUNT: u32 = 99;
/** No index. */
export const STATIC_NONE: u32 = 0xff;

/** Names by index. */
// prettier-ignore
const nameIds: StaticArray<i32> = [
  PseudoField.AUTHORITY, PseudoField.PATH, FieldName.AGE, FieldName.CONTENT_DISPOSITION, FieldName.CONTENT_LENGTH,
  FieldName.COOKIE, FieldName.DATE, FieldName.ETAG, FieldName.IF_MODIFIED_SINCE, FieldName.IF_NONE_MATCH,
  FieldName.LAST_MODIFIED, FieldName.LINK, FieldName.LOCATION, FieldName.REFERER, FieldName.SET_COOKIE,
  PseudoField.METHOD, PseudoField.METHOD, PseudoField.METHOD, PseudoField.METHOD, PseudoField.METHOD,
  PseudoField.METHOD, PseudoField.METHOD, PseudoField.SCHEME, PseudoField.SCHEME, PseudoField.STATUS,
  PseudoField.STATUS, PseudoField.STATUS, PseudoField.STATUS, PseudoField.STATUS, FieldName.ACCEPT, FieldName.ACCEPT,
  FieldName.ACCEPT_ENCODING, FieldName.ACCEPT_RANGES, FieldName.ACCESS_CONTROL_ALLOW_HEADERS,
  FieldName.ACCESS_CONTROL_ALLOW_HEADERS, FieldName.ACCESS_CONTROL_ALLOW_ORIGIN, FieldName.CACHE_CONTROL,
  FieldName.CACHE_CONTROL, FieldName.CACHE_CONTROL, FieldName.CACHE_CONTROL, FieldName.CACHE_CONTROL,
  FieldName.CACHE_CONTROL, FieldName.CONTENT_ENCODING, FieldName.CONTENT_ENCODING, FieldName.CONTENT_TYPE,
  FieldName.CONTENT_TYPE, FieldName.CONTENT_TYPE, FieldName.CONTENT_TYPE, FieldName.CONTENT_TYPE,
  FieldName.CONTENT_TYPE, FieldName.CONTENT_TYPE, FieldName.CONTENT_TYPE, FieldName.CONTENT_TYPE,
  FieldName.CONTENT_TYPE, FieldName.CONTENT_TYPE, FieldName.RANGE, FieldName.STRICT_TRANSPORT_SECURITY,
  FieldName.STRICT_TRANSPORT_SECURITY, FieldName.STRICT_TRANSPORT_SECURITY, FieldName.VARY, FieldName.VARY,
  FieldName.X_CONTENT_TYPE_OPTIONS, FieldName.X_XSS_PROTECTION, PseudoField.STATUS, PseudoField.STATUS,
  PseudoField.STATUS, PseudoField.STATUS, PseudoField.STATUS, PseudoField.STATUS, PseudoField.STATUS,
  PseudoField.STATUS, PseudoField.STATUS, FieldName.ACCEPT_LANGUAGE, FieldName.ACCESS_CONTROL_ALLOW_CREDENTIALS,
  FieldName.ACCESS_CONTROL_ALLOW_CREDENTIALS, FieldName.ACCESS_CONTROL_ALLOW_HEADERS,
  FieldName.ACCESS_CONTROL_ALLOW_METHODS, FieldName.ACCESS_CONTROL_ALLOW_METHODS,
  FieldName.ACCESS_CONTROL_ALLOW_METHODS, FieldName.ACCESS_CONTROL_EXPOSE_HEADERS,
  FieldName.ACCESS_CONTROL_REQUEST_HEADERS, FieldName.ACCESS_CONTROL_REQUEST_METHOD,
  FieldName.ACCESS_CONTROL_REQUEST_METHOD, FieldName.ALT_SVC, FieldName.AUTHORIZATION,
  FieldName.CONTENT_SECURITY_POLICY, FieldName.EARLY_DATA, FieldName.EXPECT_CT, FieldName.FORWARDED,
  FieldName.IF_RANGE, FieldName.ORIGIN, FieldName.PURPOSE, FieldName.SERVER, FieldName.TIMING_ALLOW_ORIGIN,
  FieldName.UPGRADE_INSECURE_REQUESTS, FieldName.USER_AGENT, FieldName.X_FORWARDED_FOR, FieldName.X_FRAME_OPTIONS,
  FieldName.X_FRAME_OPTIONS,
];

/** Values by index. */
// prettier-ignore
const values: StaticArray<string> = [
  "", "/", "0", "", "0", "", "", "", "", "", "", "", "", "", "", "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS",
  "POST", "PUT", "http", "https", "103", "200", "304", "404", "503", "*/*", "application/dns-message",
  "gzip, deflate, br", "bytes", "cache-control", "content-type", "*", "max-age=0", "max-age=2592000",
  "max-age=604800", "no-cache", "no-store", "public, max-age=31536000", "br", "gzip", "application/dns-message",
  "application/javascript", "application/json", "application/x-www-form-urlencoded", "image/gif", "image/jpeg",
  "image/png", "text/css", "text/html; charset=utf-8", "text/plain", "text/plain;charset=utf-8", "bytes=0-",
  "max-age=31536000", "max-age=31536000; includesubdomains", "max-age=31536000; includesubdomains; preload",
  "accept-encoding", "origin", "nosniff", "1; mode=block", "100", "204", "206", "302", "400", "403", "421", "425",
  "500", "", "FALSE", "TRUE", "*", "get", "get, post, options", "options", "content-length", "content-type", "get",
  "post", "clear", "", "script-src 'none'; object-src 'none'; base-uri 'none'", "1", "", "", "", "", "prefetch", "",
  "*", "1", "", "", "deny", "sameorigin",
];


@unmanaged
export class StaticEntry {
  nameId: u8;
  nameLen: u8;
  valueLen: u8;
  /** The next entry with the same name, STATIC_NONE after the last. */
  nextIndex: u8;
  valuePtr: usize;
}

/** With 16 bytes of slack after the last value, for copies that read on. */
const VALUE_BYTES: u32 = 768;

const entries: usize = memory.data(STATIC_COUNT * offsetof<StaticEntry>(), 16);
const valueBytes: usize = memory.data(VALUE_BYTES, 16);
/** By name number: its first index, STATIC_NONE when the name is not in the table. */
const firstIndices: usize = memory.data(NAME_ID_COUNT);

/** Called once, after the names are there. */
export function staticTableInitialize(): void {
  memory.fill(firstIndices, <u8>STATIC_NONE, NAME_ID_COUNT);
  let valuePtr = valueBytes;
  for (let index: u32 = 0; index < STATIC_COUNT; index++) {
    const entry = staticEntry(index);
    const nameId: u32 = unchecked(nameIds[index]);
    entry.nameId = <u8>nameId;
    entry.nameLen = <u8>nameLength(nameId);
    entry.valuePtr = valuePtr;
    entry.valueLen = <u8>writeAscii(valuePtr, unchecked(values[index]));
    valuePtr += entry.valueLen;
  }
  assert(valuePtr + 16 <= valueBytes + VALUE_BYTES);
  for (let index = STATIC_COUNT; index-- > 0;) {
    const entry = staticEntry(index);
    entry.nextIndex = <u8>staticIndexOfName(entry.nameId);
    store<u8>(firstIndices + entry.nameId, <u8>index);
  }
}

/** The entry at an index below STATIC_COUNT. */
// @ts-ignore: decorator
@inline
export function staticEntry(index: u32): StaticEntry {
  return changetype<StaticEntry>(entries + index * offsetof<StaticEntry>());
}

/** The lowest index with this name, or STATIC_NONE. `nameId` is below NAME_ID_COUNT. */
// @ts-ignore: decorator
@inline
export function staticIndexOfName(nameId: u32): u32 {
  return load<u8>(firstIndices + nameId);
}

/** The index with this name and value, or STATIC_NONE; `firstIndex` is that of the name. */
export function staticIndexOfField(firstIndex: u32, valuePtr: usize, valueLen: u32): u32 {
  let index = firstIndex;
  while (index != STATIC_NONE) {
    const entry = staticEntry(index);
    if (entry.valueLen == valueLen && memory.compare(entry.valuePtr, valuePtr, valueLen) == 0) return index;
    index = entry.nextIndex;
  }
  return STATIC_NONE;
}
