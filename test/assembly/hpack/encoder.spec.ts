/** The encoder: what it writes for each kind of field, that a decoder follows it, and what it does when it cannot. */

import { FieldName } from "../../../assembly/abi/field_name.ts";
import { Status } from "../../../assembly/abi/status.ts";
import { slabBytesInUse } from "../../../assembly/core/slab.ts";
import { PseudoField } from "../../../assembly/http/pseudo_field.ts";
import { hpackDecoderLimit } from "../../../assembly/hpack/decoder.ts";
import {
  hpackEncodeBlock,
  hpackEncodeEnd,
  hpackEncodeField,
  hpackEncodeHead,
  hpackEncodeLength,
  hpackEncoderLimit,
  hpackEncodeStatus,
} from "../../../assembly/hpack/encoder.ts";
import { block, decodeBlock, placeText, sectionText, tableText } from "./blocks.ts";
import {
  begin,
  closeBoth,
  date,
  DATE_1,
  decoded,
  decoder,
  encoder,
  ended,
  field,
  fields,
  fillSlab,
  HEAD,
  openBoth,
  placeHead,
  value,
} from "./encoding.ts";

describe("the encoder", () => {
  beforeEach(openBoth);
  afterEach(() => {
    expect(closeBoth()).toBe(true, "memory was not given back");
  });

  test("writes the requests of RFC 7541 C.4 as the RFC does", () => {
    begin();
    field(":method", "GET");
    field(":scheme", "http");
    field(":path", "/");
    field(":authority", "www.example.com");
    expect(ended()).toBe("828684418cf1e3c2e5f23a6ba0ab90f4ff");
    begin();
    field(":authority", "www.example.com");
    field("cache-control", "no-cache");
    expect(ended()).toBe("be5886a8eb10649cbf");
    begin();
    field(":authority", "www.example.com");
    field("custom-key", "custom-value");
    expect(ended()).toBe("bf408825a849e95ba97d7f8925a849e95bb8e8b4bf");
    expect(tableText(encoder)).toBe(
      "custom-key: custom-value\ncache-control: no-cache\n:authority: www.example.com\nsize 164",
    );
  });

  test("writes a name alone by its index, of either table", () => {
    begin();
    field("custom-key", "1");
    field("custom-key", "2");
    field("cache-control", "3");
    expect(ended().slice(-16)).toBe("0131" + "7e0132" + "580133");
  });

  test("finds entries again however often the table's ring has grown", () => {
    for (let i = 0; i < 60; i++) {
      begin();
      field("x-" + i.toString(), "value");
      decoded();
    }
    expect(encoder.count).toBe(60);
    for (let i = 0; i < 60; i++) {
      begin();
      field("x-" + i.toString(), "value");
      expect(ended()).toBe((0x80 + 62 + 59 - i).toString(16));
    }
  });

  test("has one byte for each status code of the static table, and an entry for another", () => {
    const codes: StaticArray<u32> = [200, 204, 206, 304, 400, 404, 500];
    for (let i = 0; i < codes.length; i++) {
      begin();
      hpackEncodeStatus(codes[i]);
      expect(ended()).toBe((0x88 + i).toString(16));
    }
    begin();
    hpackEncodeStatus(302);
    hpackEncodeStatus(302);
    expect(ended()).toBe("48826402" + "be");
  });

  test("never indexes secrets, whatever the table holds", () => {
    begin();
    field("authorization", "Basic 123");
    field("proxy-authorization", "Basic 123");
    field("set-cookie", "session=123; HttpOnly; Secure");
    field("cookie", "short=9");
    const hex = ended();
    expect(hex.slice(0, 4)).toBe("1f08");
    expect(hex.includes("1f22")).toBe(true, "proxy-authorization");
    expect(hex.includes("1f28")).toBe(true, "set-cookie");
    expect(hex.includes("1f11")).toBe(true, "cookie");
    expect(encoder.count).toBe(0);
    decodeBlock(decoder, hex.length / 2);
    expect(sectionText()).toBe(
      "authorization: Basic 123\nproxy-authorization: Basic 123\nset-cookie: session=123; HttpOnly; Secure\ncookie: short=9\n",
    );
  });

  test("indexes a long cookie, but not what rarely comes twice or would fill the table", () => {
    begin();
    field("cookie", "session=0123456789abcdef");
    expect(decoded()).toBe("cookie: session=0123456789abcdef\n");
    expect(encoder.count).toBe(1);
    begin();
    field(":path", "/some/where");
    field("content-length", "12345");
    field("etag", '"abc"');
    field("location", "/else");
    memory.fill(value, 0x61, 4000);
    hpackEncodeField(FieldName.LINK, 0, 0, value, 3064);
    decoded();
    expect(encoder.count).toBe(1);
    begin();
    hpackEncodeField(FieldName.LINK, 0, 0, value, 3036);
    decoded();
    expect(encoder.count).toBe(2);
  });

  test("writes strings of every length as a decoder reads them, with Huffman and without", () => {
    let faults = 0;
    for (let len: u32 = 0; len < 3000; len += len < 300 ? 1 : 97) {
      for (let kind = 0; kind < 2; kind++) {
        memory.fill(value, kind == 0 ? 0x65 : 0x7c, len);
        begin();
        hpackEncodeField(FieldName.ETAG, 0, 0, value, len);
        const encodedLen = hpackEncodeEnd();
        if (decodeBlock(decoder, encodedLen) != 1) faults++;
        if (sectionText().length != <i32>len + 7) faults++;
        // Short codes have to be used, long ones (15 bits) not.
        if (len > 20 && (kind == 0) != <u32>encodedLen < len) faults++;
      }
    }
    expect(faults).toBe(0);
  });

  test("writes a content length", () => {
    begin();
    hpackEncodeLength(0);
    hpackEncodeLength(9007199254740991);
    expect(decoded()).toBe("content-length: 0\ncontent-length: 9007199254740991\n");
  });

  test("tells of a smaller table at the start of the next block, of the smallest and the last", () => {
    begin();
    field("custom-key", "1");
    decoded();
    hpackEncoderLimit(encoder, 0);
    hpackEncoderLimit(encoder, 1365);
    expect(encoder.count).toBe(0);
    hpackDecoderLimit(decoder, 0);
    hpackDecoderLimit(decoder, 1365);
    begin();
    field("custom-key", "1");
    expect(ended().slice(0, 8)).toBe("203fb60a");
    expect(decodeBlock(decoder, 4 + 2 + 8 + 2)).toBe(1);
    expect(tableText(decoder)).toBe("custom-key: 1\nsize 43");
    begin();
    field("custom-key", "1");
    expect(ended()).toBe("be");
  });

  test("says nothing when the peer offers what it does not use", () => {
    hpackEncoderLimit(encoder, 65536);
    begin();
    expect(ended()).toBe("");
    hpackEncoderLimit(encoder, 4096);
    begin();
    expect(ended()).toBe("");
  });

  test("without a table writes literals, and holds no memory", () => {
    hpackEncoderLimit(encoder, 0);
    hpackDecoderLimit(decoder, 0);
    for (let i = 0; i < 3; i++) {
      begin();
      hpackEncodeHead(200, fields, placeHead());
      date(1, DATE_1);
      expect(decoded()).toBe(":status: 200\n" + HEAD + "date: " + DATE_1 + "\n");
    }
    expect(slabBytesInUse()).toBe(0);
  });

  test("gives up a block that does not fit, and the next one is right again", () => {
    begin();
    field("custom-key", "1");
    decoded();
    for (let capacity: u32 = 0; capacity < 120; capacity++) {
      memory.fill(block, 0xa5, 256);
      begin(capacity);
      hpackEncodeHead(302, fields, placeHead());
      date(capacity, DATE_1);
      hpackEncodeLength(capacity);
      const status = hpackEncodeEnd();
      expect(load<u8>(block + capacity)).toBe(0xa5, "a byte beyond the capacity was written");
      if (status >= 0) {
        expect(decodeBlock(decoder, status)).toBe(6);
      } else {
        expect(status).toBe(Status.OUT_OF_BOUNDS);
        begin();
        field("custom-key", "1");
        expect(decoded()).toBe("custom-key: 1\n");
      }
    }
  });

  test("goes on without indexing when memory is full", () => {
    begin();
    field("custom-key", "1");
    decoded();
    fillSlab();
    memory.fill(value, 0x61, 500);
    for (let i = 0; i < 50; i++) {
      begin();
      hpackEncodeField(FieldName.LINK, 0, 0, value, 400 + i);
      field("x-" + i.toString(), "value");
      field("custom-key", "1");
      expect(decodeBlock(decoder, hpackEncodeEnd())).toBe(3);
      expect(sectionText().endsWith("x-" + i.toString() + ": value\ncustom-key: 1\n")).toBe(true);
    }
  });

  test("uses a known name's number also where the block spells it out", () => {
    begin();
    const nameLen = placeText("server", fields);
    hpackEncodeField(0, fields, nameLen, value, placeText("a", value));
    hpackEncodeField(FieldName.SERVER, 0, 0, value, 1);
    hpackEncodeField(PseudoField.METHOD, 0, 0, value, placeText("GET", value));
    expect(ended()).toBe("760161be82");
  });

  test("writes the fields of a block in their order", () => {
    begin();
    hpackEncodeBlock(fields, placeHead());
    expect(decoded()).toBe(HEAD);
  });
});
