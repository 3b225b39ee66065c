/** The builder of received field sections: limits from both sides, and what a stored section looks like. */

import { FieldName } from "../../../assembly/abi/field_name.ts";
import { FieldLane } from "../../../assembly/abi/message.ts";
import {
  fieldSectionAccept,
  fieldSectionAppend,
  fieldSectionBegin,
  fieldSectionBytes,
  fieldSectionCount,
  fieldSectionRecords,
  fieldSectionRoom,
  FieldSectionStatus,
  fieldSectionStatus,
  fieldSectionStore,
  fieldSectionStoredBytes,
} from "../../../assembly/http/field_section.ts";
import { PseudoField } from "../../../assembly/http/pseudo_field.ts";
import { placeText, textOf } from "../hpack/blocks.ts";

const text: usize = heap.alloc(1024);
const dest: usize = heap.alloc(4096);

/** Offers a numbered field whose name counts as `nameLen` bytes, as a decoder would. */
function offer(nameId: u32, nameLen: u32, value: string): bool {
  const valueLen = placeText(value, text);
  if (!fieldSectionAccept(nameLen, valueLen)) return false;
  fieldSectionAppend(nameId, nameLen, text, valueLen);
  return true;
}

function lane(records: usize, index: u32, lane: u32): u32 {
  return load<u32>(records + (index * FieldLane.COUNT + lane) * 4);
}

describe("a field section", () => {
  test("takes exactly as many fields as its limit, and counts every cookie", () => {
    fieldSectionBegin(3, 65536);
    expect(offer(FieldName.COOKIE, 6, "a=1")).toBe(true);
    expect(offer(FieldName.COOKIE, 6, "b=2")).toBe(true);
    expect(offer(FieldName.COOKIE, 6, "c=3")).toBe(true);
    expect(fieldSectionStatus()).toBe(0);
    expect(fieldSectionCount()).toBe(3);
    expect(offer(FieldName.COOKIE, 6, "")).toBe(false);
    expect(fieldSectionStatus()).toBe(FieldSectionStatus.TOO_MANY_FIELDS);
  });

  test("takes exactly its size, each field counting 32 bytes beyond its strings", () => {
    fieldSectionBegin(100, 2 * (32 + 4 + 6));
    expect(offer(FieldName.DATE, 4, "123456")).toBe(true);
    expect(offer(FieldName.DATE, 4, "123456")).toBe(true);
    expect(fieldSectionStatus()).toBe(0);
    fieldSectionBegin(100, 2 * (32 + 4 + 6) - 1);
    expect(offer(FieldName.DATE, 4, "123456")).toBe(true);
    expect(offer(FieldName.DATE, 4, "123456")).toBe(false);
    expect(fieldSectionStatus()).toBe(FieldSectionStatus.TOO_LARGE);
  });

  test("stores nothing more once over, however small, and is empty then", () => {
    fieldSectionBegin(100, 80);
    expect(offer(FieldName.DATE, 4, "1")).toBe(true);
    expect(offer(FieldName.DATE, 4, "a value that is too large for the rest of the section")).toBe(false);
    expect(offer(FieldName.DATE, 4, "")).toBe(false);
    expect(fieldSectionStatus()).toBe(FieldSectionStatus.TOO_LARGE);
    expect(fieldSectionCount()).toBe(0);
    expect(fieldSectionRoom()).toBe(fieldSectionBytes());
  });

  test("refuses everything when its limit is no field", () => {
    fieldSectionBegin(0, 65536);
    expect(offer(FieldName.DATE, 4, "1")).toBe(false);
    expect(fieldSectionStatus()).toBe(FieldSectionStatus.TOO_MANY_FIELDS);
  });

  test("keeps a number for a known name and bytes for another", () => {
    fieldSectionBegin(10, 65536);
    offer(FieldName.DATE, 4, "now");
    const nameLen = placeText("x-own", fieldSectionRoom());
    const valueLen = placeText("value", text);
    expect(fieldSectionAccept(nameLen, valueLen)).toBe(true);
    fieldSectionAppend(0, nameLen, text, valueLen);
    const records = fieldSectionRecords();
    const bytes = fieldSectionBytes();
    expect(lane(records, 0, FieldLane.NAME)).toBe(FieldName.DATE);
    expect(lane(records, 0, FieldLane.NAME_OFFSET)).toBe(0);
    expect(
      textOf(bytes + lane(records, 0, FieldLane.VALUE_OFFSET), lane(records, 0, FieldLane.VALUE_LEN)),
    ).toBe("now");
    expect(lane(records, 1, FieldLane.NAME)).toBe(nameLen << 16);
    expect(textOf(bytes + lane(records, 1, FieldLane.NAME_OFFSET), nameLen)).toBe("x-own");
    expect(textOf(bytes + lane(records, 1, FieldLane.VALUE_OFFSET), valueLen)).toBe("value");
  });

  test("copies nothing when the value lies in its room already", () => {
    fieldSectionBegin(10, 65536);
    const room = fieldSectionRoom();
    const nameLen = placeText("x-own", room);
    const valueLen = placeText("value", room + nameLen);
    expect(fieldSectionAccept(nameLen, valueLen)).toBe(true);
    fieldSectionAppend(0, nameLen, room + nameLen, valueLen);
    expect(textOf(fieldSectionBytes(), nameLen + valueLen)).toBe("x-ownvalue");
    expect(fieldSectionRoom()).toBe(room + nameLen + valueLen);
  });

  test("is stored without the first records, but with all bytes, in as many bytes as it said", () => {
    fieldSectionBegin(10, 65536);
    offer(PseudoField.METHOD, 7, "GET");
    offer(FieldName.DATE, 4, "now");
    offer(FieldName.HOST, 4, "here");
    const len = fieldSectionStoredBytes(1);
    expect(len).toBe(2 * 16 + 3 + 3 + 4);
    memory.fill(dest, 0xa5, len + 16);
    const bytes = fieldSectionStore(dest, 1);
    expect(textOf(bytes, 10)).toBe("GETnowhere");
    expect(lane(dest, 0, FieldLane.NAME)).toBe(FieldName.DATE);
    expect(textOf(bytes + lane(dest, 1, FieldLane.VALUE_OFFSET), lane(dest, 1, FieldLane.VALUE_LEN))).toBe(
      "here",
    );
    expect(load<u64>(dest + len)).toBe(0xa5a5a5a5a5a5a5a5);
  });
});
