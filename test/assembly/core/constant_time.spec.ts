/** Equality alone; that its time does not depend on the bytes is held by its having no branch on them. */

import { equalConstantTime } from "../../../assembly/core/constant_time.ts";
import { fillRandom, seedRandom } from "./random.ts";

const a: usize = heap.alloc(64);
const b: usize = heap.alloc(64);

describe("constant-time equality", () => {
  test("sees each changed bit inside the run and none behind it", () => {
    seedRandom(1);
    let faults = 0;
    for (let len: u32 = 0; len <= 40; len++) {
      fillRandom(a, 64);
      memory.copy(b, a, 64);
      store<u8>(b + len, ~load<u8>(b + len));
      if (!equalConstantTime(a, b, len)) faults++;
      for (let bit: u32 = 0; bit < len * 8; bit++) {
        const at = b + (bit >> 3);
        const byte = load<u8>(at);
        const flipped = (<u32>byte) ^ (1 << (bit & 7));
        store<u8>(at, <u8>flipped);
        if (equalConstantTime(a, b, len)) faults++;
        store<u8>(at, byte);
      }
    }
    expect(faults).toBe(0);
  });
});
