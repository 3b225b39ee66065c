/** Numbers of names as field sections have them: pseudo-fields and fields in one lookup. */

import { FieldName } from "../../../assembly/abi/field_name.ts";
import {
  isPseudoField,
  nameLength,
  nameLookup,
  namePtr,
  PseudoField,
} from "../../../assembly/http/pseudo_field.ts";
import { placeText, textOf } from "../hpack/blocks.ts";

const text: usize = heap.alloc(128);

function lookUp(name: string): u32 {
  memory.fill(text, 0x7a, 128);
  return nameLookup(text, placeText(name, text));
}

describe("names of a field section", () => {
  test("every pseudo-field is found by its name and gives it back", () => {
    expect(lookUp(":authority")).toBe(PseudoField.AUTHORITY);
    expect(lookUp(":method")).toBe(PseudoField.METHOD);
    expect(lookUp(":path")).toBe(PseudoField.PATH);
    expect(lookUp(":scheme")).toBe(PseudoField.SCHEME);
    expect(lookUp(":status")).toBe(PseudoField.STATUS);
    expect(lookUp(":protocol")).toBe(PseudoField.PROTOCOL);
    for (let id: u32 = PseudoField.AUTHORITY; id < <u32>PseudoField.END; id++) {
      expect(lookUp(textOf(namePtr(id), nameLength(id)))).toBe(id);
      expect(isPseudoField(id)).toBe(true);
    }
  });

  test("a field is found by its number in the same lookup", () => {
    expect(lookUp("date")).toBe(FieldName.DATE);
    expect(textOf(namePtr(FieldName.DATE), nameLength(FieldName.DATE))).toBe("date");
    expect(isPseudoField(FieldName.COUNT)).toBe(false);
  });

  test("what only resembles a pseudo-field has no number", () => {
    expect(lookUp("")).toBe(0);
    expect(lookUp(":")).toBe(0);
    expect(lookUp(":Method")).toBe(0);
    expect(lookUp(":methods")).toBe(0);
    expect(lookUp(":metho")).toBe(0);
    expect(lookUp("method")).toBe(0);
  });
});
