/** A seeded generator, so that a failing run can be repeated: xorshift64*. */

let state: u64 = 1;

export function seedRandom(seed: u64): void {
  state = seed | 1;
}

export function random64(): u64 {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 0x2545f4914f6cdd1d;
}

/** A number in [0, bound). */
export function randomBelow(bound: u32): u32 {
  return <u32>(((random64() >> 32) * bound) >> 32);
}

export function fillRandom(ptr: usize, len: u32): void {
  for (let index: u32 = 0; index < len; index++) store<u8>(ptr + index, <u8>(random64() >> 56));
}
