/** The static table as RFC 7541 Appendix A prints it, through the decoder and back through the encoder. */

import { HpackDecoder, hpackDecoderInitialize } from "../../../assembly/hpack/decoder.ts";
import { STATIC_COUNT, staticIndexOfField, staticIndexOfName } from "../../../assembly/hpack/static_table.ts";
import { nameLookup } from "../../../assembly/http/pseudo_field.ts";
import { block, decodeBlock, placeText, sectionText, setUp } from "./blocks.ts";

// prettier-ignore
const APPENDIX_A: StaticArray<string> = [
  ":authority: ", ":method: GET", ":method: POST", ":path: /", ":path: /index.html", ":scheme: http", ":scheme: https",
  ":status: 200", ":status: 204", ":status: 206", ":status: 304", ":status: 400", ":status: 404", ":status: 500",
  "accept-charset: ", "accept-encoding: gzip, deflate", "accept-language: ", "accept-ranges: ", "accept: ",
  "access-control-allow-origin: ", "age: ", "allow: ", "authorization: ", "cache-control: ", "content-disposition: ",
  "content-encoding: ", "content-language: ", "content-length: ", "content-location: ", "content-range: ",
  "content-type: ", "cookie: ", "date: ", "etag: ", "expect: ", "expires: ", "from: ", "host: ", "if-match: ",
  "if-modified-since: ", "if-none-match: ", "if-range: ", "if-unmodified-since: ", "last-modified: ", "link: ",
  "location: ", "max-forwards: ", "proxy-authenticate: ", "proxy-authorization: ", "range: ", "referer: ",
  "refresh: ", "retry-after: ", "server: ", "set-cookie: ", "strict-transport-security: ", "transfer-encoding: ",
  "user-agent: ", "vary: ", "via: ", "www-authenticate: ",
];

const decoder = changetype<HpackDecoder>(heap.alloc(offsetof<HpackDecoder>()));
const text: usize = heap.alloc(128);

describe("the static table", () => {
  test("has the entries of Appendix A at their indices, found again by name and value", () => {
    setUp();
    hpackDecoderInitialize(decoder, 4096);
    expect(APPENDIX_A.length).toBe(STATIC_COUNT);
    for (let index: u32 = 1; index <= STATIC_COUNT; index++) {
      const line = APPENDIX_A[index - 1];
      store<u8>(block, <u8>(0x80 | index));
      expect(decodeBlock(decoder, 1)).toBe(1);
      expect(sectionText()).toBe(line + "\n");
      const parts = line.split(": ");
      const nameId = nameLookup(text, placeText(parts[0], text));
      const first = staticIndexOfName(nameId);
      expect(first).toBeLessThanOrEqual(index);
      expect(staticIndexOfField(first, text, placeText(parts[1], text))).toBe(index);
    }
  });

  test("answers 0 for what it does not have", () => {
    expect(staticIndexOfName(nameLookup(text, placeText("x-frame-options", text)))).toBe(0);
    expect(staticIndexOfName(nameLookup(text, placeText(":protocol", text)))).toBe(0);
    expect(staticIndexOfField(2, text, placeText("PUT", text))).toBe(0);
    expect(staticIndexOfField(61, text, placeText("Basic", text))).toBe(0);
  });
});
