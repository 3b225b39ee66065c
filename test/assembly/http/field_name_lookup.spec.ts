/** Every name with a number is found, and nothing else is: near misses at each byte, other lengths, bytes behind the end. */

import { FIELD_NAMES, FieldName } from "../../../assembly/abi/field_name.ts";
import {
  fieldNameInitialize,
  fieldNameLength,
  fieldNameLookup,
  fieldNamePeek,
  fieldNamePtr,
} from "../../../assembly/http/field_name_lookup.ts";
import { fillRandom, random64, randomBelow, seedRandom } from "../core/random.ts";

const area: usize = heap.alloc(256);

/** Writes a name among other bytes and answers its length. */
function write(name: string): u32 {
  fillRandom(area, 256);
  for (let i = 0; i < name.length; i++) store<u8>(area + i, <u8>name.charCodeAt(i));
  return name.length;
}

describe("the lookup of field names", () => {
  beforeAll(() => {
    fieldNameInitialize();
    seedRandom(1);
  });

  test("finds every name, whatever stands behind it", () => {
    for (let id: u32 = 1; id < <u32>FieldName.COUNT; id++) {
      const name = FIELD_NAMES[id];
      for (let round = 0; round < 8; round++) expect(fieldNameLookup(area, write(name))).toBe(id, name);
      expect(fieldNameLength(id)).toBe(name.length);
      expect(String.UTF8.decodeUnsafe(fieldNamePtr(id), name.length)).toBe(name);
    }
  });

  test("finds no name that differs in one byte", () => {
    for (let id: u32 = 1; id < <u32>FieldName.COUNT; id++) {
      const name = FIELD_NAMES[id];
      for (let at = 0; at < name.length; at++) {
        const len = write(name);
        // A token character that changes the name in any case.
        store<u8>(area + at, load<u8>(area + at) == 0x71 ? 0x7a : 0x71);
        const found = fieldNameLookup(area, len);
        const isOther = found != FieldName.NONE && FIELD_NAMES[found] != String.UTF8.decodeUnsafe(area, len);
        expect(isOther).toBe(false, name);
        expect(found).not.toBe(id, name);
      }
    }
  });

  test("finds no beginning of a name and no longer one, unless that is a name", () => {
    for (let id: u32 = 1; id < <u32>FieldName.COUNT; id++) {
      const name = FIELD_NAMES[id];
      const len = write(name);
      for (let shorter: u32 = 0; shorter < len; shorter++) {
        const found = fieldNameLookup(area, shorter);
        if (found != FieldName.NONE) expect(FIELD_NAMES[found]).toBe(name.substr(0, shorter));
      }
      store<u8>(area + len, 0x7a);
      expect(fieldNameLookup(area, len + 1)).toBe(FieldName.NONE, name);
    }
  });

  test("finds nothing in random tokens", () => {
    for (let round = 0; round < 20000; round++) {
      const len = randomBelow(40);
      for (let i: u32 = 0; i < len; i++) store<u8>(area + i, <u8>(0x61 + randomBelow(26)));
      store<u64>(area + len, random64());
      const found = fieldNameLookup(area, len);
      if (found != FieldName.NONE) expect(FIELD_NAMES[found]).toBe(String.UTF8.decodeUnsafe(area, len));
    }
  });

  test("a single look finds every name in any case, each at its own slot", () => {
    for (let id: u32 = 1; id < <u32>FieldName.COUNT; id++) {
      const name = FIELD_NAMES[id];
      expect(fieldNamePeek(area, write(name))).toBe(id, name);
      expect(fieldNamePeek(area, write(name.toUpperCase()))).toBe(id, name);
      expect(fieldNameLookup(area, write(name.toUpperCase()))).toBe(FieldName.NONE, name);
    }
  });

  test("a single look finds no name that differs in one byte, is shorter or longer", () => {
    let faults = 0;
    for (let id: u32 = 1; id < <u32>FieldName.COUNT; id++) {
      const len = write(FIELD_NAMES[id]);
      for (let other: u32 = 0; other <= 32; other++) {
        if (other != len && fieldNamePeek(area, other) == id) faults++;
      }
      for (let at: u32 = 0; at < len; at++) {
        const kept = load<u8>(area + at);
        store<u8>(area + at, kept ^ 0x01);
        if (fieldNamePeek(area, len) == id) faults++;
        // What a line's LF becomes.
        store<u8>(area + at, 0x0a);
        if (fieldNamePeek(area, len) != FieldName.NONE) faults++;
        store<u8>(area + at, kept);
      }
    }
    expect(faults).toBe(0);
  });
});
