/** The static table by RFC 9204 Appendix A: a few of its entries, and that each is found where it lies. */

import { FieldName } from "../../../assembly/abi/field_name.ts";
import { writeAscii } from "../../../assembly/http/ascii.ts";
import { fieldNameInitialize } from "../../../assembly/http/field_name_lookup.ts";
import { NAME_ID_COUNT, nameLength, namePtr, PseudoField } from "../../../assembly/http/pseudo_field.ts";
import { qpackInitialize } from "../../../assembly/qpack/decoder.ts";
import {
  STATIC_COUNT,
  STATIC_NONE,
  staticEntry,
  staticIndexOfField,
  staticIndexOfName,
} from "../../../assembly/qpack/static_table.ts";

fieldNameInitialize();
qpackInitialize();

const value: usize = heap.alloc(128);

function text(ptr: usize, len: u32): string {
  return String.UTF8.decodeUnsafe(ptr, len);
}

function line(index: u32): string {
  const entry = staticEntry(index);
  return text(namePtr(entry.nameId), entry.nameLen) + ": " + text(entry.valuePtr, entry.valueLen);
}

describe("the static table", () => {
  test("has the entries of the RFC", () => {
    expect(line(0)).toBe(":authority: ");
    expect(line(1)).toBe(":path: /");
    expect(line(24)).toBe(":status: 103");
    expect(line(57)).toBe("strict-transport-security: max-age=31536000; includesubdomains");
    expect(line(71)).toBe(":status: 500");
    expect(line(85)).toBe("content-security-policy: script-src 'none'; object-src 'none'; base-uri 'none'");
    expect(line(98)).toBe("x-frame-options: sameorigin");
  });

  test("finds each of its entries by name and value, also where the entries of a name lie apart", () => {
    let faults = 0;
    for (let index: u32 = 0; index < STATIC_COUNT; index++) {
      const entry = staticEntry(index);
      if (entry.nameLen != nameLength(entry.nameId)) faults++;
      const first = staticIndexOfName(entry.nameId);
      if (first > index) faults++;
      if (staticIndexOfField(first, entry.valuePtr, entry.valueLen) != index) faults++;
    }
    expect(faults).toBe(0);
  });

  test("knows names and values that it does not have", () => {
    let names = 0;
    for (let nameId: u32 = 0; nameId < NAME_ID_COUNT; nameId++) {
      if (staticIndexOfName(nameId) != STATIC_NONE) names++;
    }
    expect(names).toBe(52);
    expect(staticIndexOfName(FieldName.UPGRADE)).toBe(STATIC_NONE);
    const len = writeAscii(value, "418");
    expect(staticIndexOfField(staticIndexOfName(PseudoField.STATUS), value, len)).toBe(STATIC_NONE);
    expect(staticIndexOfField(STATIC_NONE, value, len)).toBe(STATIC_NONE);
  });
});
