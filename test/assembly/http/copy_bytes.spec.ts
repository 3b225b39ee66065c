/** Short copies at every length and alignment, with guards around. */

import { COPY_SLACK, copyBytes, copyBytesLoosely } from "../../../assembly/http/copy_bytes.ts";
import { fillRandom, seedRandom } from "../core/random.ts";

const SPAN: u32 = 2200;
const GUARD: u8 = 0xa5;
const source: usize = heap.alloc(SPAN + 64);
const dest: usize = heap.alloc(SPAN + 64);

function isGuarded(ptr: usize, len: u32): bool {
  for (let i: u32 = 0; i < len; i++) if (load<u8>(ptr + i) != GUARD) return false;
  return true;
}

describe("copies", () => {
  test("copyBytes copies every length at every alignment and touches nothing else", () => {
    seedRandom(1);
    fillRandom(source, SPAN + 64);
    let faults = 0;
    for (let len: u32 = 0; len < 300; len++) {
      for (let shift: u32 = 0; shift < 17; shift++) {
        memory.fill(dest, GUARD, SPAN + 64);
        copyBytes(dest + 16 + shift, source + ((shift * 7) % 16), len);
        if (memory.compare(dest + 16 + shift, source + ((shift * 7) % 16), len) != 0) faults++;
        if (!isGuarded(dest, 16 + shift) || !isGuarded(dest + 16 + shift + len, 16)) faults++;
      }
    }
    expect(faults).toBe(0);
  });

  test("copyBytes copies what is long, and longer than is copied in place", () => {
    let faults = 0;
    for (let len: u32 = 300; len < SPAN - 40; len += len < 2000 ? 37 : 1) {
      memory.fill(dest, GUARD, SPAN + 64);
      copyBytes(dest + 16, source + 3, len);
      if (memory.compare(dest + 16, source + 3, len) != 0) faults++;
      if (!isGuarded(dest, 16) || !isGuarded(dest + 16 + len, 16)) faults++;
    }
    expect(faults).toBe(0);
  });

  test("copyBytesLoosely copies every length and stays within its slack", () => {
    let faults = 0;
    for (let len: u32 = 0; len < 300; len++) {
      memory.fill(dest, GUARD, SPAN + 64);
      copyBytesLoosely(dest + 16, source, len);
      if (memory.compare(dest + 16, source, len) != 0) faults++;
      if (!isGuarded(dest, 16) || !isGuarded(dest + 16 + len + COPY_SLACK, 16)) faults++;
    }
    expect(faults).toBe(0);
  });
});
