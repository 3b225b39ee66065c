/** Every SIMD scan equals its scalar twin: each alignment, each length up to 80, with hits inside, at the edges and just behind. */

import {
  equalBytes,
  equalBytesScalar,
  equalsLowerCase,
  equalsLowerCaseScalar,
  findByte,
  findByteScalar,
  findControl,
  findControlScalar,
  findNonToken,
  findNonTokenScalar,
  isFieldText,
  isFieldTextScalar,
  isToken,
  isTokenByte,
  isTokenScalar,
  lowerCaseAscii,
  lowerCaseAsciiScalar,
} from "../../../assembly/core/scan.ts";
import { fillRandom, random64, randomBelow, seedRandom } from "./random.ts";

const AREA: usize = 160;
const LENGTH_MAX: u32 = 80;
const ALIGNMENTS: usize = 16;
const area: usize = heap.alloc(AREA);
const twin: usize = heap.alloc(AREA);
const saved: usize = heap.alloc(AREA);

const TCHARS: string = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

function isTcharOfTheRfc(byte: u8): bool {
  return TCHARS.indexOf(String.fromCharCode(byte)) >= 0;
}

/** Fills with token bytes and puts a few random bytes among them, some of them behind the end. */
function fillMostlyToken(ptr: usize, len: u32): void {
  for (let index: u32 = 0; index < len; index++) {
    store<u8>(ptr + index, <u8>TCHARS.charCodeAt(randomBelow(TCHARS.length)));
  }
  for (let count = randomBelow(4); count > 0; count--) store<u8>(ptr + randomBelow(len), <u8>random64());
}

describe("scan", () => {
  beforeEach(() => {
    seedRandom(1);
  });

  test("finds equal their scalar twins in random bytes", () => {
    let faults = 0;
    for (let round = 0; round < 12; round++) {
      for (let shift: usize = 0; shift < ALIGNMENTS; shift++) {
        const ptr = area + shift;
        for (let len: u32 = 0; len <= LENGTH_MAX; len++) {
          if (round % 3 == 0) fillRandom(area, <u32>AREA);
          else fillMostlyToken(area, <u32>AREA);
          const end = ptr + len;
          const wanted = round % 2 == 0 ? <u8>random64() : load<u8>(area + randomBelow(<u32>AREA));
          if (findByte(ptr, end, wanted) != findByteScalar(ptr, end, wanted)) faults++;
          if (findControl(ptr, end) != findControlScalar(ptr, end)) faults++;
          if (findNonToken(ptr, end) != findNonTokenScalar(ptr, end)) faults++;
          if (isFieldText(ptr, len) != isFieldTextScalar(ptr, len)) faults++;
          if (isToken(ptr, len) != isTokenScalar(ptr, len)) faults++;
        }
      }
    }
    expect(faults).toBe(0);
  });

  test("each of the 256 bytes, at each place of a block, falls into the class its twin says", () => {
    let faults = 0;
    for (let value: u32 = 0; value < 256; value++) {
      const byte = <u8>value;
      for (let place: usize = 0; place < 40; place++) {
        memory.fill(area, 0x61, AREA);
        store<u8>(area + place, byte);
        const end = area + 40;
        const hit = area + place;
        if (findByte(area, end, byte) != (byte == 0x61 ? area : hit)) faults++;
        if (findControl(area, end) != findControlScalar(area, end)) faults++;
        if (findNonToken(area, end) != (isTcharOfTheRfc(byte) ? end : hit)) faults++;
        if (findNonTokenScalar(area, end) != (isTcharOfTheRfc(byte) ? end : hit)) faults++;
      }
      if (isTokenByte(byte) != isTcharOfTheRfc(byte)) faults++;
    }
    expect(faults).toBe(0);
  });

  test("field text refuses the controls but HTAB, and DEL, and takes everything else", () => {
    for (let value: u32 = 0; value < 256; value++) {
      store<u8>(area, <u8>value);
      const allowed = value == 9 || (value >= 32 && value != 127);
      expect(isFieldText(area, 1)).toBe(allowed);
      expect(isFieldTextScalar(area, 1)).toBe(allowed);
    }
    expect(isFieldText(area, 0)).toBe(true);
  });

  test("an empty run is no token", () => {
    store<u8>(area, 0x61);
    expect(isToken(area, 0)).toBe(false);
    expect(isTokenScalar(area, 0)).toBe(false);
    expect(isToken(area, 1)).toBe(true);
  });

  test("a byte behind the end is never found", () => {
    let faults = 0;
    memory.fill(area, 0x61, AREA);
    for (let len: u32 = 0; len <= LENGTH_MAX; len++) {
      const end = area + len;
      store<u8>(end, 0x0d);
      if (findByte(area, end, 0x0d) != end || findControl(area, end) != end) faults++;
      if (findNonToken(area, end) != end) faults++;
      store<u8>(end, 0x61);
    }
    expect(faults).toBe(0);
  });

  test("equality sees one changed bit anywhere inside, and none outside", () => {
    let faults = 0;
    for (let shift: usize = 0; shift < ALIGNMENTS; shift++) {
      for (let len: u32 = 0; len <= LENGTH_MAX; len++) {
        fillRandom(area, <u32>AREA);
        fillRandom(twin, <u32>AREA);
        const a = area + shift;
        const b = twin + ((shift * 7) & 15);
        memory.copy(b, a, len);
        if (!equalBytes(a, b, len) || !equalBytesScalar(a, b, len)) faults++;
        for (let offset: u32 = 0; offset < len; offset++) {
          const byte = load<u8>(b + offset);
          store<u8>(b + offset, byte ^ ((<u8>1) << (<u8>randomBelow(8))));
          if (equalBytes(a, b, len) || equalBytesScalar(a, b, len)) faults++;
          store<u8>(b + offset, byte);
        }
      }
    }
    expect(faults).toBe(0);
  });

  test("lower-casing changes A to Z and no byte outside the run", () => {
    let faults = 0;
    for (let round = 0; round < 4; round++) {
      for (let shift: usize = 0; shift < ALIGNMENTS; shift++) {
        for (let len: u32 = 0; len <= LENGTH_MAX; len++) {
          if (round == 0) fillRandom(area, <u32>AREA);
          else
            for (let index: usize = 0; index < AREA; index++)
              store<u8>(area + index, <u8>(0x3c + randomBelow(40)));
          memory.copy(twin, area, AREA);
          memory.copy(saved, area, AREA);
          lowerCaseAscii(area + shift, len);
          lowerCaseAsciiScalar(twin + shift, len);
          if (memory.compare(area, twin, AREA) != 0) faults++;
          const after = shift + len;
          if (memory.compare(area, saved, shift) != 0) faults++;
          if (memory.compare(area + after, saved + after, AREA - after) != 0) faults++;
        }
      }
    }
    expect(faults).toBe(0);
  });

  test("lower-casing maps each of the 256 bytes as ASCII does", () => {
    let faults = 0;
    for (let value: u32 = 0; value < 256; value++) {
      memory.fill(area, <u8>value, 20);
      lowerCaseAscii(area, 20);
      const expected = value >= 0x41 && value <= 0x5a ? value + 32 : value;
      for (let index: usize = 0; index < 20; index++) if (load<u8>(area + index) != expected) faults++;
    }
    expect(faults).toBe(0);
  });

  test("texts equal without case as their scalar twin says", () => {
    const lower = "the quick-brown_fox jumps over[the]lazy@dog {and} back`";
    const units = changetype<usize>(lower);
    let faults = 0;
    let equalCount = 0;
    for (let len: u32 = 0; len <= <u32>lower.length; len++) {
      fillRandom(area, <u32>AREA);
      for (let i: u32 = 0; i < len; i++) {
        const unit = load<u16>(units + (i << 1));
        const isLetter = unit >= 0x61 && unit <= 0x7a;
        store<u8>(area + i, <u8>(isLetter && randomBelow(2) == 0 ? unit - 0x20 : unit));
      }
      if (equalsLowerCase(area, units, len)) equalCount++;
      for (let at: u32 = 0; at < len; at++) {
        const kept = load<u8>(area + at);
        for (let bit: u32 = 0; bit < 8; bit++) {
          store<u8>(area + at, <u8>((<u32>kept) ^ ((<u32>1) << bit)));
          if (equalsLowerCase(area, units, len) != equalsLowerCaseScalar(area, units, len)) faults++;
        }
        store<u8>(area + at, kept);
      }
    }
    expect(faults).toBe(0);
    expect(equalCount).toBe(lower.length + 1);
  });
});
