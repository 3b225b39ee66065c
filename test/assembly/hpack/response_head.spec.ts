/** Response heads that a server sends over and over: dates, and the cache of heads. */

import { slabBytesInUse } from "../../../assembly/core/slab.ts";
import { hpackDecoderLimit } from "../../../assembly/hpack/decoder.ts";
import { hpackEncodeEnd, hpackEncodeHead, hpackEncoderLimit } from "../../../assembly/hpack/encoder.ts";
import { block, decodeBlock } from "./blocks.ts";
import {
  begin,
  closeBoth,
  date,
  DATE_1,
  DATE_2,
  decoded,
  decoder,
  encoder,
  ended,
  field,
  fields,
  HEAD,
  openBoth,
  placeField,
  placeHead,
} from "./encoding.ts";

describe("a response head", () => {
  beforeEach(openBoth);
  afterEach(() => {
    expect(closeBoth()).toBe(true, "memory was not given back");
  });

  test("writes a date as a literal, then into the table, then as one byte; a new second starts over", () => {
    const text1 = "date: " + DATE_1 + "\n";
    begin();
    date(1, DATE_1);
    expect(decoded()).toBe(text1);
    expect(encoder.count).toBe(0);
    begin();
    date(1, DATE_1);
    expect(decoded()).toBe(text1);
    expect(encoder.count).toBe(1);
    begin();
    date(1, DATE_1);
    expect(ended()).toBe("be");
    begin();
    field("custom-key", "1");
    date(1, DATE_1);
    expect(decoded()).toBe("custom-key: 1\n" + text1);
    begin();
    date(2, DATE_2);
    expect(decoded()).toBe("date: " + DATE_2 + "\n");
    expect(encoder.count).toBe(2);
  });

  test("puts a date that was evicted within its second into the table again", () => {
    for (let i = 0; i < 2; i++) {
      begin();
      date(1, DATE_1);
      decoded();
    }
    for (let i = 0; i < 200; i++) {
      begin();
      field("x-" + i.toString(), "something that takes room");
      decoded();
    }
    for (let i = 0; i < 3; i++) {
      begin();
      date(1, DATE_1);
      expect(decoded()).toBe("date: " + DATE_1 + "\n");
    }
  });

  test("writes a head sent before as its indices, from the cache and after every insertion", () => {
    const headLen = placeHead();
    const text = ":status: 200\n" + HEAD;
    for (let i = 0; i < 2; i++) {
      begin();
      hpackEncodeHead(200, fields, headLen);
      expect(decoded()).toBe(text);
    }
    expect(encoder.heads).not.toBe(0, "the head was not kept");
    begin();
    hpackEncodeHead(200, fields, headLen);
    expect(ended()).toBe("88c0bfbe");
    begin();
    field("custom-key", "1");
    decoded();
    for (let i = 0; i < 2; i++) {
      begin();
      hpackEncodeHead(200, fields, headLen);
      expect(ended()).toBe("88c1c0bf");
    }
    // The same block with another status code, and another block at the same place.
    begin();
    hpackEncodeHead(404, fields, headLen);
    expect(decoded()).toBe(":status: 404\n" + HEAD);
    const otherLen = <u32>(placeField(fields, "server", "tess") - fields);
    begin();
    hpackEncodeHead(200, fields, otherLen);
    expect(decoded()).toBe(":status: 200\nserver: tess\n");
  });

  test("forgets cached heads when the table becomes smaller", () => {
    const headLen = placeHead();
    for (let i = 0; i < 3; i++) {
      begin();
      hpackEncodeHead(200, fields, headLen);
      decoded();
    }
    hpackEncoderLimit(encoder, 60);
    hpackDecoderLimit(decoder, 60);
    for (let i = 0; i < 3; i++) {
      begin();
      hpackEncodeHead(200, fields, headLen);
      expect(decoded()).toBe(":status: 200\n" + HEAD);
    }
  });

  test("keeps a few heads and their memory within 1 KiB, however many there are", () => {
    for (let i = 0; i < 12; i++) {
      const len = <u32>(placeField(fields, "server", "a".repeat(150 + i)) - fields);
      for (let round = 0; round < 3; round++) {
        begin();
        hpackEncodeHead(200, fields, len);
        expect(decodeBlock(decoder, hpackEncodeEnd())).toBe(2);
      }
    }
    const withHeads = slabBytesInUse();
    const heads = encoder.heads;
    hpackEncoderLimit(encoder, 4095);
    expect(encoder.heads).toBe(0);
    expect(heads).not.toBe(0);
    expect(withHeads - slabBytesInUse()).toBeLessThanOrEqual(1024);
  });

  test("from the cache is written within its capacity, or by its fields when the cache wants more room", () => {
    const headLen = placeHead();
    for (let i = 0; i < 2; i++) {
      begin();
      hpackEncodeHead(200, fields, headLen);
      decoded();
    }
    for (let capacity: u32 = 0; capacity < 160; capacity++) {
      memory.fill(block, 0xa5, 256);
      begin(capacity);
      hpackEncodeHead(200, fields, headLen);
      const len = hpackEncodeEnd();
      expect(load<u8>(block + capacity)).toBe(0xa5, "a byte beyond the capacity was written");
      if (len >= 0) {
        expect(decodeBlock(decoder, len)).toBe(4);
        continue;
      }
      // A block given up empties the table: fill it and the cache again.
      for (let i = 0; i < 2; i++) {
        begin();
        hpackEncodeHead(200, fields, headLen);
        expect(decoded()).toBe(":status: 200\n" + HEAD);
      }
    }
  });
});
