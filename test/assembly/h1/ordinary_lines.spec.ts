/** The reader of ordinary lines against the reader of any line: the same section, with and without it. */
import { FieldLane } from "../../../assembly/abi/message.ts";
import { readFieldLine, SECTION_END } from "../../../assembly/h1/field_line.ts";
import { ordinaryRecordsEnd, readOrdinaryLines } from "../../../assembly/h1/ordinary_lines.ts";
import { fieldNameInitialize } from "../../../assembly/http/field_name_lookup.ts";
import { randomBelow, seedRandom } from "../core/random.ts";

const RECORD_BYTES: u32 = FieldLane.COUNT * sizeof<u32>();
const RECORDS_MAX: u32 = 40;
const SPAN: u32 = 4096;
const SLACK: u32 = 128;

const text: usize = heap.alloc(SPAN + SLACK);
const copy: usize = heap.alloc(SPAN + SLACK);
const records: usize = heap.alloc((RECORDS_MAX + 1) * RECORD_BYTES);
const expectedRecords: usize = heap.alloc((RECORDS_MAX + 1) * RECORD_BYTES);

let recordCount: u32 = 0;
let stoppedAt: u32 = 0;

fieldNameInitialize();

/** Reads a section as head.ts does, with or without the reader of ordinary lines. Answers its length, 0, or a status. */
function readSection(base: usize, end: usize, into: usize, maxCount: u32, isFast: bool): i32 {
  let line = base;
  let record = into;
  let result: i32 = 0;
  while (true) {
    if (isFast) {
      line = readOrdinaryLines(line, end, record, into + maxCount * RECORD_BYTES, base);
      record = ordinaryRecordsEnd;
    }
    const length = readFieldLine(line, end, record, base);
    if (length <= 0) {
      result = length;
      break;
    }
    line += length;
    if (length == SECTION_END) {
      result = <i32>(line - base);
      break;
    }
    if (record == into + maxCount * RECORD_BYTES) {
      result = -1;
      break;
    }
    record += RECORD_BYTES;
  }
  recordCount = <u32>(record - into) / RECORD_BYTES;
  stoppedAt = <u32>(line - base);
  return result;
}

/**
 * Whether the first `len` bytes of the text read the same both ways at an alignment. What follows them in memory is the rest of
 * the text, as after an earlier and longer read.
 */
function readsAlike(len: u32, shift: u32, maxCount: u32): bool {
  const base = copy + shift;
  memory.copy(base, text, SPAN);
  const expected = readSection(base, base + len, expectedRecords, maxCount, false);
  const expectedCount = recordCount;
  const expectedStop = stoppedAt;
  memory.copy(base, text, SPAN);
  const found = readSection(base, base + len, records, maxCount, true);
  if (found != expected || recordCount != expectedCount || stoppedAt != expectedStop) return false;
  return memory.compare(records, expectedRecords, recordCount * RECORD_BYTES) == 0;
}

function put(at: u32, line: string): u32 {
  for (let i = 0; i < line.length; i++) store<u8>(text + at + i, <u8>line.charCodeAt(i));
  return at + line.length;
}

function putBrowserFields(): u32 {
  let len = put(0, "Host: www.example.com\r\nConnection: keep-alive\r\n");
  len = put(len, 'sec-ch-ua-platform: "Linux"\r\nUpgrade-Insecure-Requests: 1\r\n');
  len = put(
    len,
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0\r\n",
  );
  len = put(
    len,
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9\r\nDNT: 1\r\nTE: trailers\r\n",
  );
  return put(
    len,
    "Accept-Encoding: gzip, deflate, br\r\nCookie: session=6f1c0a9e7b3d4e52a8c1; theme=dark\r\n\r\n",
  );
}
const BROWSER_FIELD_COUNT: u32 = 10;

/** One line of a kind chosen at random: mostly ordinary, else at the edge of it. */
function putRandomLine(at: u32): u32 {
  const kind = randomBelow(24);
  switch (kind) {
    case 0:
      return put(at, "X-Custom-Name: of its own\r\n");
    case 1:
      return put(at, "Host:none\r\n");
    case 2:
      return put(at, "Host:  two\r\n");
    case 3:
      return put(at, "Host: after \r\n");
    case 4:
      return put(at, "Host: tab\tinside\r\n");
    case 5:
      return put(at, "Host:\r\n");
    case 6:
      return put(at, "Host: \r\n");
    case 7:
      return put(at, "Host: obs\xe9text\r\n");
    case 8:
      return put(at, "Access-Control-Allow-Credentials: true\r\n");
    case 9:
      return put(at, "Access-Control-Allow-Credentials-Too: a name longer than all\r\n");
    case 10:
      return put(at, "COOKIE: " + "x".repeat(randomBelow(150)) + "\r\n");
    case 11:
      return put(at, 'Etag: :: "a": b\r\n');
    default:
      return put(at, "accept-language: " + "y".repeat(1 + randomBelow(70)) + "\r\n");
  }
}

describe("ordinary lines", () => {
  test("all fields of a browser's request are read without help", () => {
    const len = putBrowserFields();
    const stop = readOrdinaryLines(text, text + len, records, records + RECORDS_MAX * RECORD_BYTES, text);
    expect(<u32>(stop - text)).toBe(len - 2);
    expect(<u32>(ordinaryRecordsEnd - records) / RECORD_BYTES).toBe(BROWSER_FIELD_COUNT);
  });

  test("they are read without help wherever a block of 64 bytes cuts them", () => {
    for (let pad: u32 = 1; pad <= 130; pad++) {
      let len = put(0, "Via: " + "x".repeat(pad) + "\r\n");
      for (let i = 0; i < 12; i++) len = put(len, "Host: a\r\n");
      len = put(len, "\r\n");
      const stop = readOrdinaryLines(text, text + len, records, records + RECORDS_MAX * RECORD_BYTES, text);
      expect(<u32>(stop - text)).toBe(len - 2);
    }
  });

  test("a line that breaks within what would be a name is not taken for one", () => {
    const breaks = ["\r\n", "\r", "\n", "\x0d\x0a", "\x0d\x0d"];
    for (let i = 0; i < breaks.length; i++) {
      let len = put(0, "Keep" + breaks[i] + "Alive: 1\r\nSec" + breaks[i] + "Fetch-Mode: a\r\n\r\n");
      expect(readsAlike(len, 0, RECORDS_MAX)).toBe(true);
      expect(readOrdinaryLines(text, text + len, records, records + RECORD_BYTES, text)).toBe(text);
      len = put(0, "HTTP\x12-Settings: 1\r\n\r\n");
      expect(readsAlike(len, 0, RECORDS_MAX)).toBe(true);
      expect(readOrdinaryLines(text, text + len, records, records + RECORD_BYTES, text)).toBe(text);
    }
  });

  test("a section read at any alignment and cut anywhere reads as it does line by line", () => {
    const len = putBrowserFields();
    let faults = 0;
    for (let shift: u32 = 0; shift < 64; shift++) {
      for (let cut: u32 = shift % 3; cut <= len; cut += 3) {
        if (!readsAlike(cut, shift, RECORDS_MAX)) faults++;
      }
    }
    expect(faults).toBe(0);
  });

  test("any byte in any place of a section reads as it does line by line", () => {
    const len = put(0, "Host: a.b\r\nAccept: */*\r\nUpgrade-Insecure-Requests: 1\r\n\r\n");
    let faults = 0;
    for (let at: u32 = 0; at < len; at++) {
      const kept = load<u8>(text + at);
      for (let byte: u32 = 0; byte < 256; byte++) {
        store<u8>(text + at, <u8>byte);
        if (!readsAlike(len, at & 63, RECORDS_MAX)) faults++;
      }
      store<u8>(text + at, kept);
    }
    expect(faults).toBe(0);
  });

  test("random sections read as they do line by line", () => {
    seedRandom(20240607);
    let faults = 0;
    for (let round = 0; round < 4000; round++) {
      let len: u32 = 0;
      const lineCount: u32 = randomBelow(16);
      for (let i: u32 = 0; i <= lineCount; i++) len = putRandomLine(len);
      len = put(len, "\r\n");
      if (randomBelow(3) == 0) store<u8>(text + randomBelow(len), <u8>randomBelow(256));
      if (randomBelow(4) == 0) len = randomBelow(len);
      if (!readsAlike(len, randomBelow(64), 8 + randomBelow(8))) faults++;
    }
    expect(faults).toBe(0);
  });
});
