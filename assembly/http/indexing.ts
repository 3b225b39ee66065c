/**
 * What an encoder does with a field it could put into the dynamic table, RFC 7541 §6.2 and §7.1, RFC 9204 §7.1.
 *
 *   NEVER        secrets: written as never-indexed literals, which whoever forwards them has to keep so (§7.1.3). The table
 *                is not even searched for their values, since the length of the answer would tell whether a guess was right
 *                (CRIME). Short cookies count as guessable; long ones are worth their place. A new session's set-cookie is
 *                a secret too, and as a literal it costs nothing more: it never comes twice.
 *   WITHOUT      values that rarely come again, and would only push out those that do; large ones likewise
 *   INCREMENTAL  the rest
 *
 * The choice of names follows nghttp2, whose output this encoder is measured against.
 */
import { FieldName } from "../abi/field_name.ts";
import { FIELD_OVERHEAD_BYTES } from "./field_section.ts";
import { PseudoField } from "./pseudo_field.ts";

export const enum Indexing {
  INCREMENTAL = 0,
  WITHOUT = 1,
  NEVER = 2,
}

/** RFC 7541 §7.1.3 advises against indexing values of low entropy; below this length a cookie may be one. */
const COOKIE_GUESSABLE_BYTES: u32 = 20;

/** `tableSize` is the table's maximum. */
export function indexingOf(nameId: u32, nameLen: u32, valueLen: u32, tableSize: u32): Indexing {
  switch (nameId) {
    case FieldName.AUTHORIZATION:
    case FieldName.PROXY_AUTHORIZATION:
    case FieldName.SET_COOKIE:
      return Indexing.NEVER;
    case FieldName.COOKIE:
      if (valueLen < COOKIE_GUESSABLE_BYTES) return Indexing.NEVER;
      break;
    case PseudoField.PATH:
    case FieldName.AGE:
    case FieldName.CONTENT_LENGTH:
    case FieldName.ETAG:
    case FieldName.IF_MODIFIED_SINCE:
    case FieldName.IF_NONE_MATCH:
    case FieldName.LOCATION:
      return Indexing.WITHOUT;
  }
  // A field that takes more than three quarters of the table would leave nothing else in it.
  const isLarge = nameLen + valueLen + FIELD_OVERHEAD_BYTES > tableSize - (tableSize >> 2);
  return isLarge ? Indexing.WITHOUT : Indexing.INCREMENTAL;
}
