/** RFC 7541 Appendix C, all of it: both directions where the example's choices are the encoder's too. */

import {
  HpackDecoder,
  hpackDecoderFree,
  hpackDecoderInitialize,
  hpackDecoderLimit,
} from "../../../assembly/hpack/decoder.ts";
import { integerValue, readInteger } from "../../../assembly/hpack/integer.ts";
import { writeInteger } from "../../../assembly/http/prefixed_integer.ts";
import { block, decodeBlock, hexOf, placeHex, sectionText, setUp, tableText } from "./blocks.ts";

const decoder = changetype<HpackDecoder>(heap.alloc(offsetof<HpackDecoder>()));

/** Decodes the block and gives section and table in one text. */
function decoded(hex: string): string {
  const status = decodeBlock(decoder, placeHex(hex));
  if (status < 0) return "status " + status.toString();
  return sectionText() + "-- " + tableText(decoder);
}

function writtenInteger(mask: u32, value: u32): string {
  return hexOf(block, <u32>(writeInteger(block, 0, mask, value) - block));
}

function readBack(hex: string, mask: u32): u32 {
  const len = placeHex(hex);
  return readInteger(block, block + len, mask) == block + len ? integerValue() : u32.MAX_VALUE;
}

const FIRST_REQUEST = ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\n";
const SECOND_REQUEST = FIRST_REQUEST + "cache-control: no-cache\n";
const THIRD_REQUEST =
  ":method: GET\n:scheme: https\n:path: /index.html\n:authority: www.example.com\ncustom-key: custom-value\n";
const REQUEST_TABLE_1 = "-- :authority: www.example.com\nsize 57";
const REQUEST_TABLE_2 = "-- cache-control: no-cache\n:authority: www.example.com\nsize 110";
const REQUEST_TABLE_3 =
  "-- custom-key: custom-value\ncache-control: no-cache\n:authority: www.example.com\nsize 164";

const DATE_1 = "date: Mon, 21 Oct 2013 20:13:21 GMT\n";
const DATE_2 = "date: Mon, 21 Oct 2013 20:13:22 GMT\n";
const COOKIE = "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1\n";
const LOCATION = "location: https://www.example.com\n";
const PRIVATE = "cache-control: private\n";
const GZIP = "content-encoding: gzip\n";

const FIRST_RESPONSE = ":status: 302\n" + PRIVATE + DATE_1 + LOCATION;
const SECOND_RESPONSE = ":status: 307\n" + PRIVATE + DATE_1 + LOCATION;
const THIRD_RESPONSE = ":status: 200\n" + PRIVATE + DATE_2 + LOCATION + GZIP + COOKIE;
const RESPONSE_TABLE_1 = "-- " + LOCATION + DATE_1 + PRIVATE + ":status: 302\nsize 222";
const RESPONSE_TABLE_2 = "-- :status: 307\n" + LOCATION + DATE_1 + PRIVATE + "size 222";
const RESPONSE_TABLE_3 = "-- " + COOKIE + GZIP + DATE_2 + "size 215";

describe("RFC 7541 Appendix C", () => {
  beforeEach(() => {
    setUp();
    hpackDecoderInitialize(decoder, 4096);
  });
  afterEach(() => {
    hpackDecoderFree(decoder);
  });

  test("C.1 integers, read and written", () => {
    expect(writtenInteger(0x1f, 10)).toBe("0a");
    expect(writtenInteger(0x1f, 1337)).toBe("1f9a0a");
    expect(writtenInteger(0xff, 42)).toBe("2a");
    expect(readBack("0a", 0x1f)).toBe(10);
    expect(readBack("1f9a0a", 0x1f)).toBe(1337);
    expect(readBack("2a", 0xff)).toBe(42);
  });

  test("C.2.1 a literal with indexing enters the table", () => {
    expect(decoded("400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572")).toBe(
      "custom-key: custom-header\n-- custom-key: custom-header\nsize 55",
    );
  });

  test("C.2.2 a literal without indexing does not", () => {
    expect(decoded("040c 2f73 616d 706c 652f 7061 7468")).toBe(":path: /sample/path\n-- size 0");
  });

  test("C.2.3 nor does one never indexed", () => {
    expect(decoded("1008 7061 7373 776f 7264 0673 6563 7265 74")).toBe("password: secret\n-- size 0");
  });

  test("C.2.4 an index of the static table", () => {
    expect(decoded("82")).toBe(":method: GET\n-- size 0");
  });

  test("C.3 requests without Huffman coding", () => {
    expect(decoded("8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d")).toBe(
      FIRST_REQUEST + REQUEST_TABLE_1,
    );
    expect(decoded("8286 84be 5808 6e6f 2d63 6163 6865")).toBe(SECOND_REQUEST + REQUEST_TABLE_2);
    expect(decoded("8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65")).toBe(
      THIRD_REQUEST + REQUEST_TABLE_3,
    );
  });

  test("C.4 requests with Huffman coding", () => {
    expect(decoded("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff")).toBe(FIRST_REQUEST + REQUEST_TABLE_1);
    expect(decoded("8286 84be 5886 a8eb 1064 9cbf")).toBe(SECOND_REQUEST + REQUEST_TABLE_2);
    expect(decoded("8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf")).toBe(
      THIRD_REQUEST + REQUEST_TABLE_3,
    );
  });

  test("C.5 responses without Huffman coding, through a table of 256 bytes that evicts", () => {
    hpackDecoderInitialize(decoder, 256);
    expect(
      decoded(
        "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 " +
          "474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
      ),
    ).toBe(FIRST_RESPONSE + RESPONSE_TABLE_1);
    expect(decoded("4803 3330 37c1 c0bf")).toBe(SECOND_RESPONSE + RESPONSE_TABLE_2);
    expect(
      decoded(
        "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 " +
          "666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 " +
          "3630 303b 2076 6572 7369 6f6e 3d31",
      ),
    ).toBe(THIRD_RESPONSE + RESPONSE_TABLE_3);
  });

  test("C.6 responses with Huffman coding, through a table of 256 bytes that evicts", () => {
    hpackDecoderInitialize(decoder, 256);
    expect(
      decoded(
        "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 " +
          "63c7 8f0b 97c8 e9ae 82ae 43d3",
      ),
    ).toBe(FIRST_RESPONSE + RESPONSE_TABLE_1);
    expect(decoded("4883 640e ffc1 c0bf")).toBe(SECOND_RESPONSE + RESPONSE_TABLE_2);
    expect(
      decoded(
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 " +
          "b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
      ),
    ).toBe(THIRD_RESPONSE + RESPONSE_TABLE_3);
  });

  test("§4.2 a lowered limit is reached by the smallest size and the last", () => {
    decoded("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff");
    hpackDecoderLimit(decoder, 0);
    hpackDecoderLimit(decoder, 4096);
    expect(decoded("20 3fe11f 82")).toBe(":method: GET\n-- size 0");
  });
});
