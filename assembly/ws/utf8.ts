/**
 * UTF-8 (RFC 3629 §4) checked as it arrives: overlong forms, surrogates and what lies above U+10FFFF are refused at the first
 * byte that no valid text could have there, which is where RFC 6455 §8.1 asks for close code 1007.
 *
 * The state between two pieces is one number, so a validator is a u32 that its owner keeps: start from ACCEPT, advance over
 * each piece, and the text is whole when the state is ACCEPT again. REJECT is final.
 *
 * The automaton is that of Björn Höhrmann ("Flexible and Economical UTF-8 Decoder", 2010): a byte's class, then a table of
 * state × class. The vector part only skips blocks of ASCII between characters; the automaton decides everything else.
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
  while (len >= BLOCK_BYTES) {
    const isAsciiBlock = i8x16.bitmask(v128.load(ptr)) == 0;
    if (!isAsciiBlock || state != Utf8State.ACCEPT) {
      state = utf8AdvanceScalar(state, ptr, BLOCK_BYTES);
      if (state == Utf8State.REJECT) return state;
    }
    ptr += BLOCK_BYTES;
    len -= BLOCK_BYTES;
  }
  return utf8AdvanceScalar(state, ptr, len);
}

/** The same, by the automaton alone. */
export function utf8AdvanceScalar(state: u32, ptr: usize, len: u32): u32 {
  for (const end = ptr + len; ptr < end; ptr++) {
    const byte: u32 = load<u8>(ptr);
    const byteClass: u32 = byte < 0x80 ? 0 : load<u8>(classes + byte - 0x80);
    state = load<u8>(transitions + state + byteClass);
  }
  return state;
}

/** Whether [ptr, ptr + len) is UTF-8 on its own. */
export function isUtf8(ptr: usize, len: u32): bool {
  return utf8Advance(Utf8State.ACCEPT, ptr, len) == Utf8State.ACCEPT;
}
