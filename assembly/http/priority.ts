/**
 * Priorities: urgency and incremental of RFC 9218 §4, as the `priority` field and PRIORITY_UPDATE say them.
 *
 * The value is a dictionary of structured fields (RFC 9651). What is not understood is ignored member by member, as §4
 * wants, so that a value never refuses a request.
 */

export const URGENCY_DEFAULT: u32 = 3;
export const URGENCY_COUNT: u32 = 8;

/** What `readPriorityValue` found. */
export let priorityUrgency: u32 = URGENCY_DEFAULT;
export let priorityIncremental: bool = false;

/** Reads `u=0…7` and `i`, `i=?1` or `i=?0`. */
export function readPriorityValue(ptr: usize, len: u32): void {
  priorityUrgency = URGENCY_DEFAULT;
  priorityIncremental = false;
  const end = ptr + len;
  let at = ptr;
  while (at < end) {
    while (at < end && isSeparator(load<u8>(at))) at++;
    const key = at;
    let isQuoted = false;
    while (at < end && (isQuoted || load<u8>(at) != 0x2c)) {
      if (load<u8>(at) == 0x22) isQuoted = !isQuoted;
      at++;
    }
    readMember(key, memberEnd(key, at));
  }
}

/** Takes over what was read before. */
export function prioritySet(urgency: u32, isIncremental: bool): void {
  priorityUrgency = urgency;
  priorityIncremental = isIncremental;
}

/** Where the member ends without its parameters and the blanks behind it. */
function memberEnd(ptr: usize, end: usize): usize {
  let at = ptr;
  while (at < end && load<u8>(at) != 0x3b) at++;
  while (at > ptr && isSeparator(load<u8>(at - 1))) at--;
  return at;
}

function readMember(ptr: usize, end: usize): void {
  const len = <u32>(end - ptr);
  if (len == 0) return;
  const key: u32 = load<u8>(ptr);
  if (key == 0x75 && len == 3 && load<u8>(ptr, 1) == 0x3d) {
    const digit = <u32>load<u8>(ptr, 2) - 0x30;
    if (digit < URGENCY_COUNT) priorityUrgency = digit;
  } else if (key == 0x69) {
    // A key alone is true, RFC 9651 §3.2.
    if (len == 1) priorityIncremental = true;
    else if (len == 4 && load<u16>(ptr, 1) == 0x3f3d) {
      const bit = <u32>load<u8>(ptr, 3) - 0x30;
      if (bit <= 1) priorityIncremental = bit != 0;
    }
  }
}

// @ts-ignore: decorator
@inline
function isSeparator(byte: u32): bool {
  return byte == 0x2c || byte == 0x20 || byte == 0x09;
}
