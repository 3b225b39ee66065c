/**
 * UTF-8 (RFC 3629 §4) checked as it arrives: overlong forms, surrogates and what lies above U+10FFFF are refused at the first
 * byte that no valid text could have there, which is where RFC 6455 §8.1 asks for close code 1007.
 *
 * The state between two pieces is one number, so a validator is a u32 that its owner keeps: start from ACCEPT, advance over
 * each piece, and the text is whole when the state is ACCEPT again. REJECT is final.
 *
 * The automaton is that of Björn Höhrmann ("Flexible and Economical UTF-8 Decoder", 2010): a byte's class, then a table of
 * state × class. The vector part only skips blocks without a fault; the automaton decides everything else.
 */

export const enum Utf8State {
  ACCEPT = 0,
  REJECT = 12,
}

/** By byte from 0x80 on; every byte below it is of class 0. */
// prettier-ignore
const classes: usize = memory.data<u8>([
  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9,
  7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  8, 8, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
  10, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 3, 3, 11, 6, 6, 6, 5, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8,
]);

/** By state, a multiple of 12, plus class. */
// prettier-ignore
const transitions: usize = memory.data<u8>([
  0, 12, 24, 36, 60, 96, 84, 12, 12, 12, 48, 72,
  12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12,
  12, 0, 12, 12, 12, 12, 12, 0, 12, 0, 12, 12,
  12, 24, 12, 12, 12, 12, 12, 24, 12, 24, 12, 12,
  12, 12, 12, 12, 12, 12, 12, 24, 12, 12, 12, 12,
  12, 24, 12, 12, 12, 12, 12, 12, 12, 24, 12, 12,
  12, 12, 12, 12, 12, 12, 12, 36, 12, 36, 12, 12,
  12, 36, 12, 12, 12, 12, 12, 36, 12, 36, 12, 12,
  12, 36, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12,
]);

const BLOCK_BYTES: u32 = 16;

/** The state after [ptr, ptr + len), which follows what led to `state`. */
export function utf8Advance(state: u32, ptr: usize, len: u32): u32 {
  const end = ptr + len;
  // What the last piece began ends within three bytes, or is wrong.
  while (state != Utf8State.ACCEPT) {
    if (ptr == end || state == Utf8State.REJECT) return state;
    state = nextState(state, load<u8>(ptr++));
  }
  while (ptr < end && state == Utf8State.ACCEPT) {
    ptr = skipText(ptr, end);
    // Enough for what is left at the end, and for the block that the scan stopped at.
    const part = min(<u32>(end - ptr), 2 * BLOCK_BYTES);
    state = utf8AdvanceScalar(state, ptr, part);
    ptr += part;
  }
  return state;
}

/** The same, by the automaton alone. */
export function utf8AdvanceScalar(state: u32, ptr: usize, len: u32): u32 {
  for (const end = ptr + len; ptr < end; ptr++) state = nextState(state, load<u8>(ptr));
  return state;
}

/** Whether [ptr, ptr + len) is UTF-8 on its own. */
export function isUtf8(ptr: usize, len: u32): bool {
  return utf8Advance(Utf8State.ACCEPT, ptr, len) == Utf8State.ACCEPT;
}

// @ts-ignore: decorator
@inline
function nextState(state: u32, byte: u32): u32 {
  const byteClass: u32 = byte < 0x80 ? 0 : load<u8>(classes + byte - 0x80);
  return load<u8>(transitions + state + byteClass);
}

/**
 * Where to go on in [ptr, end), between two characters: behind whole blocks that hold no fault. Fewer than sixteen bytes, or
 * the first block with a fault, are left, and with them a character that they cut.
 */
function skipText(ptr: usize, end: usize): usize {
  const start = ptr;
  let before = i8x16.splat(0);
  let isAsciiBefore = true;
  while (end - ptr >= BLOCK_BYTES) {
    const block = v128.load(ptr);
    const isAscii = i8x16.bitmask(block) == 0;
    if (!(isAscii && isAsciiBefore) && hasFault(before, block)) break;
    before = block;
    isAsciiBefore = isAscii;
    ptr += BLOCK_BYTES;
  }
  return lastBoundary(start, ptr);
}

/** The last address not after `ptr` where no character is cut, given that [start, ptr) holds no fault. */
function lastBoundary(start: usize, ptr: usize): usize {
  for (let back: u32 = 1; back <= 3 && ptr - back >= start; back++) {
    const byte: u32 = load<u8>(ptr - back);
    if (byte < 0x80) break;
    if (byte >= 0xc0) {
      const length: u32 = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
      return length > back ? ptr - back : ptr;
    }
  }
  return ptr;
}

/*
 * Faults between two neighbouring bytes, one bit for each kind: a kind is there when the high half of the first byte, its low
 * half and the high half of the second all have the bit. Keiser and Lemire, "Validating UTF-8 In Less Than One Instruction Per
 * Byte", 2021.
 *
 *   01 a lead is not followed by a continuation    10 surrogate
 *   02 a continuation follows ASCII                20 overlong in two bytes
 *   04 overlong in three bytes                     40 overlong in four bytes, or above U+13FFFF
 *   08 above U+10FFFF                              80 two continuations, right only after longer leads
 */
// @ts-ignore: decorator
@inline
function firstHighFaults(): v128 {
  // prettier-ignore
  return i8x16(
    0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02, 0x02,
    <i8>0x80, <i8>0x80, <i8>0x80, <i8>0x80, 0x21, 0x01, 0x15, 0x49,
  );
}

// @ts-ignore: decorator
@inline
function firstLowFaults(): v128 {
  // prettier-ignore
  return i8x16(
    <i8>0xe7, <i8>0xa3, <i8>0x83, <i8>0x83, <i8>0x8b, <i8>0xcb, <i8>0xcb, <i8>0xcb,
    <i8>0xcb, <i8>0xcb, <i8>0xcb, <i8>0xcb, <i8>0xcb, <i8>0xdb, <i8>0xcb, <i8>0xcb,
  );
}

// @ts-ignore: decorator
@inline
function secondHighFaults(): v128 {
  // prettier-ignore
  return i8x16(
    0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01,
    <i8>0xe6, <i8>0xae, <i8>0xba, <i8>0xba, 0x01, 0x01, 0x01, 0x01,
  );
}

/** Whether a byte of `block`, which follows `before`, cannot stand where it does. */
// @ts-ignore: decorator
@inline
function hasFault(before: v128, block: v128): bool {
  // The bytes one, two and three places before each byte of the block.
  const first = i8x16.shuffle(before, block, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
  const second = i8x16.shuffle(before, block, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29);
  const third = i8x16.shuffle(before, block, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28);
  const lowHalf = i8x16.splat(0x0f);
  const faults = v128.and(
    v128.and(
      i8x16.swizzle(firstHighFaults(), i8x16.shr_u(first, 4)),
      i8x16.swizzle(firstLowFaults(), v128.and(first, lowHalf)),
    ),
    i8x16.swizzle(secondHighFaults(), i8x16.shr_u(block, 4)),
  );
  // The highest bit where a lead of three or four bytes asks for a second or third continuation: exactly there two
  // continuations in a row are right.
  const continued = v128.or(
    i8x16.sub_sat_u(second, i8x16.splat(<i8>(0xe0 - 0x80))),
    i8x16.sub_sat_u(third, i8x16.splat(<i8>(0xf0 - 0x80))),
  );
  return v128.any_true(v128.xor(v128.and(continued, i8x16.splat(<i8>0x80)), faults));
}
