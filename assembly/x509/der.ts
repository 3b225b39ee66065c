/**
 * DER, ITU-T X.690 §10, as far as certificates use it: a tag of one byte, a definite length in its shortest form, the content.
 *
 * Reading one element opens a second reader on its content. What is not DER (indefinite or overlong lengths, tags of several
 * bytes, content that leaves its surroundings) fails the reader, and a failed reader gives nothing.
 */
import {
  Reader,
  readFail,
  readSpan,
  readU16,
  readU24,
  readU8,
  readerLeft,
  readerOpen,
} from "../core/reader.ts";

/** Tags with their class and form, X.680 §8.4. */
export const enum Tag {
  BOOLEAN = 0x01,
  INTEGER = 0x02,
  BIT_STRING = 0x03,
  OCTET_STRING = 0x04,
  OBJECT_IDENTIFIER = 0x06,
  UTC_TIME = 0x17,
  GENERALIZED_TIME = 0x18,
  SEQUENCE = 0x30,
  SET = 0x31,
  CONTEXT_0 = 0x80,
  CONTEXT_1 = 0x81,
  CONTEXT_2 = 0x82,
  CONTEXT_7 = 0x87,
  CONTEXT_CONSTRUCTED_2 = 0xa2,
  CONTEXT_CONSTRUCTED_0 = 0xa0,
  CONTEXT_CONSTRUCTED_1 = 0xa1,
  CONTEXT_CONSTRUCTED_3 = 0xa3,
  CONTEXT_CONSTRUCTED_4 = 0xa4,
}

/** The number of a tag that does not fit its first byte. */
const LONG_TAG: u32 = 0x1f;

const skipped = changetype<Reader>(memory.data(offsetof<Reader>(), 4));

/** Whether the next element has `tag`. Reads nothing. */
export function derIs(reader: Reader, tag: Tag): bool {
  return readerLeft(reader) != 0 && load<u8>(reader.at) == tag;
}

/** Reads the next element whatever it is, and opens `content` on it. Answers its tag; 0 on failure. */
export function derNext(reader: Reader, content: Reader): u32 {
  const tag = readU8(reader);
  if ((tag & LONG_TAG) == LONG_TAG) readFail(reader);
  const len = readLength(reader);
  const ptr = readSpan(reader, len);
  readerOpen(content, ptr, reader.failed != 0 ? 0 : len);
  content.failed = reader.failed;
  return reader.failed != 0 ? 0 : tag;
}

/** Reads the next element, which must have `tag`, and opens `content` on it. */
export function derRead(reader: Reader, tag: Tag, content: Reader): bool {
  if (!derIs(reader, tag)) {
    readFail(reader);
    readerOpen(content, 0, 0);
    content.failed = 1;
    return false;
  }
  return derNext(reader, content) != 0;
}

/** Passes over the next element, which must have `tag`. */
export function derSkip(reader: Reader, tag: Tag): bool {
  return derRead(reader, tag, skipped);
}

/** X.690 §10.1: the definite form with the least number of bytes. */
function readLength(reader: Reader): u32 {
  const first = readU8(reader);
  if (first < 0x80) return first;
  let len: u32 = 0;
  let least: u32 = 0;
  switch (first) {
    case 0x81:
      len = readU8(reader);
      least = 0x80;
      break;
    case 0x82:
      len = readU16(reader);
      least = 0x100;
      break;
    case 0x83:
      len = readU24(reader);
      least = 0x10000;
      break;
    default:
      readFail(reader);
      return 0;
  }
  if (len < least) readFail(reader);
  return len;
}
