/** Masking against its definition: byte i of the payload with byte i mod 4 of the key. */

import { maskBytes, maskBytesScalar } from "../../../assembly/ws/mask.ts";
import { equalBytesScalar } from "../../../assembly/core/scan.ts";
import { fillRandom, random64, randomBelow, seedRandom } from "../core/random.ts";

const LEN_MAX: u32 = 200;
const GUARD: u32 = 16;
const original: usize = heap.alloc(LEN_MAX + 3 * GUARD);
const masked: usize = heap.alloc(LEN_MAX + 3 * GUARD);

/** Masks `len` bytes at this alignment and counts bytes that are not what §5.3 says, the guards around them included. */
function faultsAt(alignment: u32, len: u32, key: u32): u32 {
  const total = len + 2 * GUARD;
  const from = original + alignment;
  const to = masked + alignment;
  memory.copy(to, from, total);
  const nextKey = maskBytes(to + GUARD, len, key);
  let faults: u32 = nextKey == rotr(key, (len & 3) << 3) ? 0 : 1;
  for (let index: u32 = 0; index < total; index++) {
    const isPayload = index >= GUARD && index < GUARD + len;
    const octet = isPayload ? <u8>(key >> (((index - GUARD) & 3) << 3)) : 0;
    if (load<u8>(to + index) != (load<u8>(from + index) ^ octet)) faults++;
  }
  return faults;
}

describe("masking", () => {
  test("every length up to 200 at every alignment, and nothing beside it", () => {
    seedRandom(41);
    fillRandom(original, LEN_MAX + 3 * GUARD);
    let faults: u32 = 0;
    for (let alignment: u32 = 0; alignment < 16; alignment++) {
      for (let len: u32 = 0; len <= LEN_MAX; len++) faults += faultsAt(alignment, len, <u32>random64());
    }
    expect(faults).toBe(0);
  });

  test("a key of zero changes nothing", () => {
    expect(faultsAt(3, 77, 0)).toBe(0);
  });

  test("pieces give what the whole gives, and what the scalar form gives", () => {
    seedRandom(42);
    let differing = 0;
    for (let run = 0; run < 2000; run++) {
      const key = <u32>random64();
      const len = randomBelow(LEN_MAX);
      memory.copy(masked, original, len);
      let nextKey = key;
      for (let offset: u32 = 0; offset < len;) {
        const piece = min(len - offset, randomBelow(40));
        nextKey = maskBytes(masked + offset, piece, nextKey);
        offset += piece;
      }
      // Masking twice is the identity.
      if (maskBytesScalar(masked, len, key) != nextKey) differing++;
      if (!equalBytesScalar(masked, original, len)) differing++;
    }
    expect(differing).toBe(0);
  });
});
