/** The automaton against the definition (RFC 3629 §3 and §4), and the vector form against the automaton. */

import { Utf8State, isUtf8, utf8Advance, utf8AdvanceScalar } from "../../../assembly/ws/utf8.ts";
import { fillRandom, randomBelow, seedRandom } from "../core/random.ts";

const bytes: usize = heap.alloc(256);

/** RFC 3629 §3, by arithmetic, with no regard to what is allowed. */
function encode(codePoint: u32, length: u32): void {
  for (let index = length - 1; index > 0; index--) {
    store<u8>(bytes + index, <u8>(0x80 | (codePoint & 0x3f)));
    codePoint >>= 6;
  }
  const lead: u32 = length == 1 ? 0 : 0xff00 >> length;
  store<u8>(bytes, <u8>(lead | codePoint));
}

function shortestLength(codePoint: u32): u32 {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}

function isScalarValue(codePoint: u32): bool {
  return codePoint <= 0x10ffff && (codePoint < 0xd800 || codePoint > 0xdfff);
}

/** Index of the first byte that makes the text wrong, or -1. */
function firstFault(len: u32): i32 {
  let state: u32 = Utf8State.ACCEPT;
  for (let index: u32 = 0; index < len; index++) {
    state = utf8Advance(state, bytes + index, 1);
    if (state == Utf8State.REJECT) return index;
  }
  return -1;
}

function faultOf(a: u32, b: u32, c: u32, d: u32): i32 {
  store<u8>(bytes, <u8>a, 0);
  store<u8>(bytes, <u8>b, 1);
  store<u8>(bytes, <u8>c, 2);
  store<u8>(bytes, <u8>d, 3);
  return firstFault(4);
}

describe("UTF-8", () => {
  test("every code point in its shortest form is text, except surrogates", () => {
    let wrong = 0;
    for (let codePoint: u32 = 0; codePoint < 0x110000; codePoint++) {
      const length = shortestLength(codePoint);
      encode(codePoint, length);
      if (isUtf8(bytes, length) != isScalarValue(codePoint)) wrong++;
    }
    expect(wrong).toBe(0);
  });

  test("no code point above U+10FFFF", () => {
    let accepted = 0;
    for (let codePoint: u32 = 0x110000; codePoint < 0x200000; codePoint++) {
      encode(codePoint, 4);
      if (isUtf8(bytes, 4)) accepted++;
    }
    expect(accepted).toBe(0);
  });

  test("no overlong form", () => {
    let accepted = 0;
    for (let length: u32 = 2; length <= 4; length++) {
      const least: u32 = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
      for (let codePoint: u32 = 0; codePoint < least; codePoint++) {
        encode(codePoint, length);
        if (isUtf8(bytes, length)) accepted++;
      }
    }
    expect(accepted).toBe(0);
  });

  test("every pair of bytes", () => {
    let wrong = 0;
    for (let first: u32 = 0; first < 256; first++) {
      for (let second: u32 = 0; second < 256; second++) {
        store<u8>(bytes, <u8>first, 0);
        store<u8>(bytes, <u8>second, 1);
        const isPair = first >= 0xc2 && first <= 0xdf && second >= 0x80 && second <= 0xbf;
        if (isUtf8(bytes, 2) != ((first < 0x80 && second < 0x80) || isPair)) wrong++;
      }
    }
    expect(wrong).toBe(0);
  });

  test("a proper prefix of a character is neither text nor a fault", () => {
    for (let length: u32 = 2; length <= 4; length++) {
      encode(length == 2 ? 0xe9 : length == 3 ? 0x20ac : 0x1f600, length);
      for (let part: u32 = 1; part < length; part++) {
        const state = utf8Advance(Utf8State.ACCEPT, bytes, part);
        expect(state).not.toBe(Utf8State.ACCEPT);
        expect(state).not.toBe(Utf8State.REJECT);
      }
      expect(utf8Advance(Utf8State.ACCEPT, bytes, length)).toBe(Utf8State.ACCEPT);
    }
  });

  test("a fault shows at the first byte that nothing could follow", () => {
    expect(faultOf(0x80, 0x61, 0x61, 0x61)).toBe(0, "a continuation alone");
    expect(faultOf(0xc0, 0x80, 0x61, 0x61)).toBe(0, "an overlong lead");
    expect(faultOf(0xc1, 0xbf, 0x61, 0x61)).toBe(0, "an overlong lead");
    expect(faultOf(0xf5, 0x80, 0x80, 0x80)).toBe(0, "a lead above U+10FFFF");
    expect(faultOf(0xff, 0x61, 0x61, 0x61)).toBe(0);
    expect(faultOf(0xe0, 0x9f, 0xbf, 0x61)).toBe(1, "overlong in three");
    expect(faultOf(0xed, 0xa0, 0x80, 0x61)).toBe(1, "a surrogate");
    expect(faultOf(0xf0, 0x8f, 0xbf, 0xbf)).toBe(1, "overlong in four");
    expect(faultOf(0xf4, 0x90, 0x80, 0x80)).toBe(1, "U+110000");
    expect(faultOf(0xe2, 0x82, 0x61, 0x61)).toBe(2, "cut after two of three");
    expect(faultOf(0xf0, 0x9f, 0x98, 0x61)).toBe(3, "cut after three of four");
    expect(faultOf(0xf4, 0x8f, 0xbf, 0xbf)).toBe(-1, "U+10FFFF");
  });

  test("every boundary code point at every offset of a block, in two pieces", () => {
    const edges: StaticArray<u32> = [
      0x7f, 0x80, 0x7ff, 0x800, 0xfff, 0x1000, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x3ffff, 0x40000, 0xfffff,
      0x100000, 0x10ffff,
    ];
    let wrong = 0;
    for (let edge = 0; edge < edges.length; edge++) {
      const length = shortestLength(edges[edge]);
      encode(edges[edge], length);
      const text = bytes + 64;
      for (let offset: u32 = 0; offset < 34; offset++) {
        memory.fill(text, 0x61, 64);
        memory.copy(text + offset, bytes, length);
        for (let cut: u32 = 0; cut <= 64; cut++) {
          const state = utf8Advance(Utf8State.ACCEPT, text, cut);
          if (utf8Advance(state, text + cut, 64 - cut) != Utf8State.ACCEPT) wrong++;
        }
        store<u8>(text + offset + length, 0x80);
        if (utf8Advance(Utf8State.ACCEPT, text, 64) != Utf8State.REJECT) wrong++;
      }
    }
    expect(wrong).toBe(0);
  });

  test("every four bytes of the kinds that matter, across the end of a block", () => {
    // prettier-ignore
    const kinds: StaticArray<u8> = [
      0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0,
      0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xff,
    ];
    const count = <u32>kinds.length;
    let differing = 0;
    for (let index: u32 = 0; index < count * count * count * count; index++) {
      memory.fill(bytes, 0x61, 48);
      const at = bytes + 12 + (index & 3);
      store<u8>(at, kinds[index % count], 0);
      store<u8>(at, kinds[(index / count) % count], 1);
      store<u8>(at, kinds[(index / (count * count)) % count], 2);
      store<u8>(at, kinds[index / (count * count * count)], 3);
      // The last of the four may also be the last of the text.
      const len: u32 = index % 3 == 0 ? 16 : 48;
      const state = utf8Advance(Utf8State.ACCEPT, bytes, len);
      if (state != utf8AdvanceScalar(Utf8State.ACCEPT, bytes, len)) differing++;
    }
    expect(differing).toBe(0);
  });

  test("a rejected text stays rejected", () => {
    memory.fill(bytes, 0x61, 64);
    expect(utf8Advance(Utf8State.REJECT, bytes, 64)).toBe(Utf8State.REJECT);
    expect(utf8Advance(Utf8State.REJECT, bytes, 1)).toBe(Utf8State.REJECT);
    expect(utf8Advance(Utf8State.REJECT, bytes, 0)).toBe(Utf8State.REJECT);
  });

  test("text of random characters, whole and with one byte changed, in two pieces", () => {
    const text = heap.alloc(256);
    seedRandom(32);
    let refused = 0;
    let differing = 0;
    for (let run = 0; run < 10000; run++) {
      // Texts of one length of character and texts that mix them.
      const fixedLength = randomBelow(5);
      let len: u32 = 0;
      while (len < 200) {
        const length = fixedLength != 0 ? fixedLength : 1 + randomBelow(4);
        const least: u32 = length == 1 ? 0 : length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
        const end: u32 = length == 1 ? 0x80 : length == 2 ? 0x800 : length == 3 ? 0x10000 : 0x110000;
        const codePoint = least + randomBelow(end - least);
        if (!isScalarValue(codePoint)) continue;
        encode(codePoint, length);
        memory.copy(text + len, bytes, length);
        len += length;
      }
      if (!isUtf8(text, len)) refused++;
      fillRandom(text + randomBelow(len), 1);
      const cut = randomBelow(len);
      const state = utf8Advance(Utf8State.ACCEPT, text, cut);
      if (state != utf8AdvanceScalar(Utf8State.ACCEPT, text, cut)) differing++;
      const whole = utf8Advance(state, text + cut, len - cut);
      if (whole != utf8AdvanceScalar(Utf8State.ACCEPT, text, len)) differing++;
    }
    expect(refused).toBe(0);
    expect(differing).toBe(0);
  });

  test("the vector form agrees with the automaton on random text, at every alignment", () => {
    seedRandom(31);
    let differing = 0;
    for (let run: u32 = 0; run < 20000; run++) {
      const ptr = bytes + (run & 15);
      const len = randomBelow(100);
      memory.fill(ptr, 0x61, len);
      for (let count = randomBelow(4); count > 0 && len > 4; count--) {
        if (randomBelow(4) == 0) fillRandom(ptr + randomBelow(len), 1);
        else store<u32>(ptr + randomBelow(len - 4), 0x98989ff0 - 0x1800 * randomBelow(2));
      }
      const start = randomBelow(9) * 12;
      if (utf8Advance(start, ptr, len) != utf8AdvanceScalar(start, ptr, len)) differing++;
    }
    expect(differing).toBe(0);
  });
});
