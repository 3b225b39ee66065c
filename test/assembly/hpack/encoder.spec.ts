/** The encoder: what it writes for each kind of field, that a decoder follows it, and what it does when it cannot. */

import { FieldName } from "../../../assembly/abi/field_name.ts";
import { FIELD_ENTRY_HEADER_BYTES } from "../../../assembly/abi/layout.ts";
import { Status } from "../../../assembly/abi/status.ts";
import { slabAllocate, slabBytesInUse } from "../../../assembly/core/slab.ts";
import { nameLookup, PseudoField } from "../../../assembly/http/pseudo_field.ts";
import {
  HpackDecoder,
  hpackDecoderFree,
  hpackDecoderInitialize,
  hpackDecoderLimit,
} from "../../../assembly/hpack/decoder.ts";
import {
  HpackEncoder,
  hpackEncodeBegin,
  hpackEncodeBlock,
  hpackEncodeDate,
  hpackEncodeEnd,
  hpackEncodeField,
  hpackEncodeHead,
  hpackEncodeLength,
  hpackEncoderFree,
  hpackEncoderInitialize,
  hpackEncoderLimit,
  hpackEncodeStatus,
} from "../../../assembly/hpack/encoder.ts";
import {
  block,
  BLOCK_BYTES,
  decodeBlock,
  hexOf,
  placeText,
  sectionText,
  setUp,
  tableText,
} from "./blocks.ts";

const decoder = changetype<HpackDecoder>(heap.alloc(offsetof<HpackDecoder>()));
const encoder = changetype<HpackEncoder>(heap.alloc(offsetof<HpackEncoder>()));
const name: usize = heap.alloc(4096 + 64);
const value: usize = heap.alloc(65536 + 64);
const fields: usize = heap.alloc(4096 + 64);

/** What a test itself has taken of the slab. */
let heldBytes: u32 = 0;

function begin(capacity: u32 = BLOCK_BYTES): void {
  hpackEncodeBegin(encoder, block, capacity);
}

function field(nameText: string, valueText: string): void {
  const nameLen = placeText(nameText, name);
  hpackEncodeField(0, name, nameLen, value, placeText(valueText, value));
}

/** Ends the block and gives its bytes. */
function ended(): string {
  const len = hpackEncodeEnd();
  return len < 0 ? "status " + len.toString() : hexOf(block, len);
}

/** Ends the block, decodes it and gives the section; the tables must then agree. */
function decoded(): string {
  const len = hpackEncodeEnd();
  if (len < 0) return "status " + len.toString();
  const status = decodeBlock(decoder, len);
  if (status < 0) return "decoder status " + status.toString();
  if (tableText(encoder) != tableText(decoder)) return "the tables differ";
  return sectionText();
}

/** Appends an entry to a field block and answers its end. */
function placeField(at: usize, nameText: string, valueText: string): usize {
  const nameLen = placeText(nameText, at + FIELD_ENTRY_HEADER_BYTES);
  const nameId = nameLookup(at + FIELD_ENTRY_HEADER_BYTES, nameLen);
  const storedLen = nameId != 0 ? 0 : nameLen;
  store<u16>(at, <u16>nameId);
  store<u16>(at, <u16>storedLen, 2);
  store<u32>(at, placeText(valueText, at + FIELD_ENTRY_HEADER_BYTES + storedLen), 4);
  return at + FIELD_ENTRY_HEADER_BYTES + storedLen + valueText.length;
}

/** A response's block as a server has them. */
function placeHead(): u32 {
  let at = placeField(fields, "content-type", "text/plain; charset=utf-8");
  at = placeField(at, "server", "test");
  at = placeField(at, "x-own", "field");
  return <u32>(at - fields);
}

const HEAD = "content-type: text/plain; charset=utf-8\nserver: test\nx-own: field\n";
const DATE_1 = "Mon, 21 Oct 2013 20:13:21 GMT";
const DATE_2 = "Mon, 21 Oct 2013 20:13:22 GMT";

function date(second: u32, text: string): void {
  placeText(text, value);
  hpackEncodeDate(second, value);
}

describe("the encoder", () => {
  beforeEach(() => {
    setUp();
    heldBytes = 0;
    hpackDecoderInitialize(decoder, 4096);
    hpackEncoderInitialize(encoder);
  });
  afterEach(() => {
    hpackDecoderFree(decoder);
    hpackEncoderFree(encoder);
    expect(slabBytesInUse()).toBe(heldBytes, "memory was not given back");
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

  test("goes on without indexing when memory is full", () => {
    begin();
    field("custom-key", "1");
    decoded();
    while (slabAllocate(64) != 0) heldBytes += 64;
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
    const nameLen = placeText("server", name);
    hpackEncodeField(0, name, nameLen, value, placeText("a", value));
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
