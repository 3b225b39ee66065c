/** Absolute indices, RFC 9204 §3.2.4: they do not wrap where the count of insertions passes 32 bits, and the streams go on across it. */

import { slabBytesInUse, slabInitialize } from "../../../assembly/core/slab.ts";
import { FieldName } from "../../../assembly/abi/field_name.ts";
import { writeAscii } from "../../../assembly/http/ascii.ts";
import {
  DynamicTable,
  tableFree,
  tableInitialize,
  tableInsert,
  tableInsertTotal,
} from "../../../assembly/http/dynamic_table.ts";
import { fieldNameInitialize } from "../../../assembly/http/field_name_lookup.ts";
import { fieldSectionBegin, fieldSectionCount } from "../../../assembly/http/field_section.ts";
import {
  QPACK_DECODER_BYTES,
  QpackDecoder,
  qpackDecode,
  qpackDecoderFree,
  qpackDecoderInitialize,
  qpackDecoderStreamLen,
  qpackDecoderStreamTake,
  qpackInitialize,
  qpackInsertCount,
  qpackReceiveEncoderStream,
} from "../../../assembly/qpack/decoder.ts";
import { absoluteOf, ageOf } from "../../../assembly/qpack/dynamic_table.ts";
import {
  qpackEncodeBegin,
  qpackEncodedPtr,
  qpackEncodeEnd,
  qpackEncodeField,
} from "../../../assembly/qpack/encoder.ts";
import {
  QPACK_ENCODER_BYTES,
  QpackEncoder,
  qpackEncoderFree,
  qpackEncoderInitialize,
  qpackEncoderSettings,
  qpackEncoderStreamLen,
  qpackEncoderStreamTake,
  qpackReceiveDecoderStream,
} from "../../../assembly/qpack/encoder_state.ts";
import { limitsReset } from "../../../assembly/session/limits.ts";

const SLAB_BYTES: usize = 1 << 20;
const BUFFER_BYTES: u32 = 4096;
const slab: usize = heap.alloc(SLAB_BYTES);
const buffer: usize = heap.alloc(BUFFER_BYTES);
const section: usize = heap.alloc(BUFFER_BYTES);
const value: usize = heap.alloc(128);
const table = changetype<DynamicTable>(heap.alloc(offsetof<DynamicTable>()));
const decoder = changetype<QpackDecoder>(heap.alloc(QPACK_DECODER_BYTES));
const encoder = changetype<QpackEncoder>(heap.alloc(QPACK_ENCODER_BYTES));

fieldNameInitialize();
qpackInitialize();

describe("absolute indices", () => {
  beforeEach(() => {
    limitsReset();
    slabInitialize(slab, slab + SLAB_BYTES);
  });

  test("stay what they are when entries come and go, across 2^32", () => {
    tableInitialize(table, 3 * (32 + 4 + 3));
    table.insertCount = 0xfffffffe;
    const first: u64 = 0xfffffffe;
    for (let i = 0; i < 4; i++) {
      const len = writeAscii(value, "v" + i.toString() + "x");
      tableInsert(table, FieldName.DATE, 0, 4, value, len);
    }
    expect(tableInsertTotal(table)).toBe(first + 4);
    expect(ageOf(table, first)).toBe(-1);
    expect(ageOf(table, first + 1)).toBe(2);
    expect(ageOf(table, first + 3)).toBe(0);
    expect(ageOf(table, first + 4)).toBe(-1);
    expect(ageOf(table, u64.MAX_VALUE)).toBe(-1);
    expect(absoluteOf(table, 2)).toBe(first + 1);
    tableFree(table);
  });

  test("of both sides agree through 300 insertions across 2^32", () => {
    qpackDecoderInitialize(decoder, 4096, 16);
    qpackEncoderInitialize(encoder);
    qpackEncoderSettings(encoder, 4096, 16);
    decoder.insertCount = encoder.insertCount = 0xffffff80;
    decoder.announcedCount = encoder.knownReceivedCount = 0xffffff80;
    let faults = 0;
    for (let i: u64 = 1; i <= 300; i++) {
      const len = writeAscii(value, "value " + i.toString());
      qpackEncodeBegin(encoder, 4 * i, section, BUFFER_BYTES, BUFFER_BYTES);
      // Twice, since a field that would push out another waits for that.
      for (let again = 0; again < 2; again++) qpackEncodeField(FieldName.SERVER, 0, 0, value, len);
      const sectionLen = qpackEncodeEnd();
      let streamLen = qpackEncoderStreamTake(encoder, buffer, qpackEncoderStreamLen(encoder));
      if (qpackReceiveEncoderStream(decoder, buffer, streamLen) != 0) faults++;
      fieldSectionBegin(128, 32768);
      if (qpackDecode(decoder, 4 * i, qpackEncodedPtr(), sectionLen, false) != 0) faults++;
      if (fieldSectionCount() != 2) faults++;
      streamLen = qpackDecoderStreamTake(decoder, buffer, qpackDecoderStreamLen(decoder));
      if (qpackReceiveDecoderStream(encoder, buffer, streamLen) != 0) faults++;
    }
    expect(faults).toBe(0);
    expect(qpackInsertCount(decoder)).toBe(0xffffff80 + <u64>300);
    expect(encoder.knownReceivedCount).toBe(0xffffff80 + <u64>300);
    qpackEncoderFree(encoder);
    qpackDecoderFree(decoder);
    expect(slabBytesInUse()).toBe(0);
  });
});
