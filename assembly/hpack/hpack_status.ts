/**
 * Why a header block was refused. All but EXPANSION are decoding errors, which end the connection with COMPRESSION_ERROR
 * (RFC 9113 §4.3), because the tables of the two sides no longer agree. The limits of a field section are no errors of
 * HPACK: see FieldSectionStatus (http/field_section.ts), which refuses one stream.
 */
export const enum HpackStatus {
  /** The block ends within a representation. */
  TRUNCATED = -400,
  /** RFC 7541 §5.1: an integer of more octets or a larger value than anything could need. */
  INTEGER = -401,
  /** RFC 7541 §5.2: EOS, padding of more than seven bits, or padding that is not EOS's prefix. */
  HUFFMAN = -402,
  /** RFC 7541 §2.3.3 and §6.1: index 0, or one beyond the tables. */
  INDEX = -403,
  /** RFC 7541 §6.3: a table size above the limit. */
  TABLE_SIZE = -404,
  /** RFC 7541 §4.2: a size update after the first field of the block. */
  TABLE_SIZE_MISPLACED = -405,
  /** RFC 7541 §4.2: no size update although the limit was lowered below the size in use. */
  TABLE_SIZE_MISSING = -406,
  /** The block is longer than the decoder takes. The caller's own limit comes first. */
  BLOCK_TOO_LONG = -407,
  /** Names copied over and over out of the table after the section's limit was passed: ENHANCE_YOUR_CALM. */
  EXPANSION = -408,
}
