/** Classes of characters: the search by vectors against the table of single bytes. */
import {
  charactersInitialize,
  CharClass,
  findOther,
  isCharacter,
} from "../../../assembly/http/characters.ts";

const LEN: u32 = 39;
const bytes: usize = heap.alloc(128);

describe("classes of characters", () => {
  test("every byte is found outside a class exactly where the table says so", () => {
    charactersInitialize();
    let faults = 0;
    for (let charClass: u32 = 1; charClass <= <u32>CharClass.HEX; charClass <<= 1) {
      for (let byte: u32 = 0; byte < 256; byte++) {
        for (let at: u32 = 0; at <= LEN; at++) {
          // A digit is of every class.
          memory.fill(bytes, 0x31, 128);
          store<u8>(bytes + at, <u8>byte);
          const expected = isCharacter(byte, charClass) ? bytes + LEN : bytes + at;
          if (findOther(bytes, bytes + LEN, charClass) != expected) faults++;
        }
      }
    }
    expect(faults).toBe(0);
  });
});
