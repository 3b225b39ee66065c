/**
 * Ordinary field lines, many at a time: what nearly every line of nearly every request is.
 *
 * A line is ordinary when its name has a number (abi/field_name.ts), one space follows the colon, the value is visible ASCII
 * with spaces only inside, and CRLF ends it. Whatever else a line may be, allowed or not, complete or not, is for
 * `readFieldLine` to say: this reader stops in front of it. So it decides nothing: a section has the same records and the
 * same end with it and without it.
 *
 * Bytes that cannot be in such a line (controls, DEL, obs-text) are found 64 at a time and kept as the bits of one word, from
 * which line after line takes its end; the first of them after a line's first byte has to be its CR.
 */
import { FieldLane } from "../abi/message.ts";
import { fieldNamePeek } from "../http/field_name_lookup.ts";

const RECORD_BYTES: u32 = FieldLane.COUNT * sizeof<u32>();
const BLOCK: u32 = 64;
const SP: u32 = 0x20;
const COLON_SP: u32 = 0x203a;
const CRLF: u32 = 0x0a0d;

/** Sixteen times each: 1, the least visible character raised by 1, and the colon. */
// prettier-ignore
const vectors: usize = memory.data<u8>(
  [
    0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01,
    0x21, 0x21, 0x21, 0x21, 0x21, 0x21, 0x21, 0x21, 0x21, 0x21, 0x21, 0x21, 0x21, 0x21, 0x21, 0x21,
    0x3a, 0x3a, 0x3a, 0x3a, 0x3a, 0x3a, 0x3a, 0x3a, 0x3a, 0x3a, 0x3a, 0x3a, 0x3a, 0x3a, 0x3a, 0x3a,
  ],
  16,
);

/** Address after the last record written. */
export let ordinaryRecordsEnd: usize = 0;

/**
 * Reads lines in [ptr, end) as long as they are ordinary, writing records in [record, recordsEnd) with offsets from `base`.
 * Answers the address of the first byte it did not read. Loads may pass `end` by BLOCK bytes.
 */
export function readOrdinaryLines(
  ptr: usize,
  end: usize,
  record: usize,
  recordsEnd: usize,
  base: usize,
): usize {
  // Loaded rather than written as constants: engines make a vector constant anew in each round of a loop.
  const one = v128.load(vectors);
  const least = v128.load(vectors, 16);
  const colon = v128.load(vectors, 32);
  let line = ptr;
  let at = record;
  let block = ptr;
  /** Bit n: the byte at `block` + n ends something. Bits of lines already read are clear. */
  let stops = findStops(block, one, least);
  while (at < recordsEnd) {
    while (stops == 0) {
      // One further where the border of the blocks cut the CRLF of the line before.
      block = max(block + BLOCK, line);
      if (block >= end) break;
      stops = findStops(block, one, least);
    }
    // Where there was no stop before the end, this is the end of a block behind it.
    const stop = block + <usize>ctz(stops);
    if (stop + 2 > end) break;
    if (load<u16>(stop) != CRLF) break;

    const front = i8x16.bitmask(i8x16.eq(v128.load(line), colon));
    const back = i8x16.bitmask(i8x16.eq(v128.load(line, 16), colon));
    const nameLen = <u32>ctz(front | (back << 16));
    const nameEnd = line + nameLen;
    if (load<u16>(nameEnd) != COLON_SP) break;
    // A name that ran over the end of the line would hold its LF, which no name with a number does, folded or not.
    const id = fieldNamePeek(line, nameLen);
    if (id == 0) break;

    const value = nameEnd + 2;
    if (load<u8>(value) == SP) break;
    if (load<u8>(stop - 1) == SP) break;
    store<u32>(at, id | (nameLen << 16), FieldLane.NAME << 2);
    store<u32>(at, <u32>(line - base), FieldLane.NAME_OFFSET << 2);
    store<u32>(at, <u32>(value - base), FieldLane.VALUE_OFFSET << 2);
    store<u32>(at, <u32>(stop - value), FieldLane.VALUE_LEN << 2);
    at += RECORD_BYTES;
    line = stop + 2;
    // CR and LF.
    stops &= stops - 1;
    stops &= stops - 1;
  }
  ordinaryRecordsEnd = at;
  return line;
}

/** One bit for each of the 64 bytes at `ptr` that is a control, DEL or above it. */
// @ts-ignore: decorator
@inline
function findStops(ptr: usize, one: v128, least: v128): u64 {
  const low = stopsAt(ptr, one, least) | (stopsAt(ptr + 16, one, least) << 16);
  const high = stopsAt(ptr + 32, one, least) | (stopsAt(ptr + 48, one, least) << 16);
  return (<u64>low) | ((<u64>high) << 32);
}

/** One more than such a byte is, signed, at most 0x20: DEL turns negative, as the bytes above it are. */
// @ts-ignore: decorator
@inline
function stopsAt(ptr: usize, one: v128, least: v128): u32 {
  return i8x16.bitmask(i8x16.gt_s(least, i8x16.add(v128.load(ptr), one)));
}
