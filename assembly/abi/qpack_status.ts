/**
 * Statuses of QPACK, -850 … -879 of the one list that begins in abi/status.ts: why a field section or an instruction was refused.
 * All of them blame the peer and end the connection, because the tables of the two sides no longer agree or one of them plays
 * for time. The limits of a field section are no errors of QPACK: see FieldSectionStatus (http/field_section.ts), which refuses
 * one stream.
 *
 * `qpackErrorCodeOf` says what goes into CONNECTION_CLOSE (RFC 9204 §6). Numbers are never renumbered or reused.
 *
 * This file is read by both compilers (AssemblyScript and TypeScript): it keeps to their common subset.
 */
export const enum QpackStatus {
  // Field sections, RFC 9204 §4.5.
  SECTION_TRUNCATED = -850,
  SECTION_INTEGER = -851,
  SECTION_HUFFMAN = -852,
  SECTION_INDEX = -853,
  REQUIRED_INSERT_COUNT = -854,
  BASE = -855,
  TOO_MANY_BLOCKED = -856,
  SECTION_TOO_LONG = -857,

  // The encoder stream, RFC 9204 §4.3.
  ENCODER_INTEGER = -860,
  ENCODER_HUFFMAN = -861,
  ENCODER_INDEX = -862,
  ENCODER_CAPACITY = -863,
  ENCODER_ENTRY_TOO_LARGE = -864,

  // The decoder stream, RFC 9204 §4.4.
  DECODER_INTEGER = -870,
  DECODER_ACKNOWLEDGMENT = -871,
  DECODER_INCREMENT = -872,
  DECODER_STREAM_FULL = -873,
}

/** RFC 9204 §6, and the code of RFC 9114 §8.1 for peers that make this side hold too much. */
export const enum QpackErrorCode {
  H3_INTERNAL_ERROR = 0x0102,
  H3_EXCESSIVE_LOAD = 0x0107,
  DECOMPRESSION_FAILED = 0x0200,
  ENCODER_STREAM_ERROR = 0x0201,
  DECODER_STREAM_ERROR = 0x0202,
}

/** The error code that ends the connection for a status of this room. Total: what is not of QPACK is H3_INTERNAL_ERROR. */
export function qpackErrorCodeOf(status: i32): i32 {
  if (status == QpackStatus.SECTION_TOO_LONG || status == QpackStatus.DECODER_STREAM_FULL) {
    return QpackErrorCode.H3_EXCESSIVE_LOAD;
  }
  if (status <= QpackStatus.SECTION_TRUNCATED && status > QpackStatus.ENCODER_INTEGER) {
    return QpackErrorCode.DECOMPRESSION_FAILED;
  }
  if (status <= QpackStatus.ENCODER_INTEGER && status > QpackStatus.DECODER_INTEGER) {
    return QpackErrorCode.ENCODER_STREAM_ERROR;
  }
  if (status <= QpackStatus.DECODER_INTEGER && status >= QpackStatus.DECODER_STREAM_FULL) {
    return QpackErrorCode.DECODER_STREAM_ERROR;
  }
  return QpackErrorCode.H3_INTERNAL_ERROR;
}

/** One short sentence per status, without the peer's bytes; the empty string for a status of another room. */
export function qpackStatusText(status: i32): string {
  switch (status) {
    case QpackStatus.SECTION_TRUNCATED:
      return "a field section that ends within a field line";
    case QpackStatus.SECTION_INTEGER:
      return "an integer in a field section of more than 62 bits";
    case QpackStatus.SECTION_HUFFMAN:
      return "an invalid Huffman code in a field section";
    case QpackStatus.SECTION_INDEX:
      return "a field line with an index of no entry";
    case QpackStatus.REQUIRED_INSERT_COUNT:
      return "an impossible required insert count";
    case QpackStatus.BASE:
      return "a field section with a negative base";
    case QpackStatus.TOO_MANY_BLOCKED:
      return "more blocked streams than allowed";
    case QpackStatus.SECTION_TOO_LONG:
      return "an encoded field section longer than can be decoded";
    case QpackStatus.ENCODER_INTEGER:
      return "an integer on the encoder stream of more than 62 bits";
    case QpackStatus.ENCODER_HUFFMAN:
      return "an invalid Huffman code on the encoder stream";
    case QpackStatus.ENCODER_INDEX:
      return "an instruction with an index of no entry";
    case QpackStatus.ENCODER_CAPACITY:
      return "a dynamic table capacity above its allowed maximum";
    case QpackStatus.ENCODER_ENTRY_TOO_LARGE:
      return "an entry larger than the dynamic table";
    case QpackStatus.DECODER_INTEGER:
      return "an integer on the decoder stream of more than 62 bits";
    case QpackStatus.DECODER_ACKNOWLEDGMENT:
      return "an acknowledgment of a field section that was not sent";
    case QpackStatus.DECODER_INCREMENT:
      return "an insert count increment of zero, or beyond what was inserted";
    case QpackStatus.DECODER_STREAM_FULL:
      return "too many acknowledgments are waiting on the decoder stream";
  }
  return "unknown status";
}
