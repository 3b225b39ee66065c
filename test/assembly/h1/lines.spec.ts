/**
 * The readers of lines: vector and scalar paths agree at every length and alignment, and whatever a prefix of the bytes
 * comes to, more bytes never change (the answer depends on the bytes, not on how they were split).
 */

import { FieldLane, Method, Version } from "../../../assembly/abi/message.ts";
import { Status } from "../../../assembly/abi/status.ts";
import { readFieldLine, SECTION_END } from "../../../assembly/h1/field_line.ts";
import {
  lineMethod,
  lineMethodLen,
  lineStatusCode,
  lineTargetLen,
  lineTargetPtr,
  lineVersion,
  readRequestLine,
  readStatusLine,
} from "../../../assembly/h1/start_line.ts";
import { charactersInitialize, CharClass, isCharacter } from "../../../assembly/http/characters.ts";
import { fieldNameInitialize } from "../../../assembly/http/field_name_lookup.ts";
import { limitsReset } from "../../../assembly/session/limits.ts";
import { fillRandom, random64, randomBelow, seedRandom } from "../core/random.ts";

const AREA: usize = 512;
const area: usize = heap.alloc(AREA);
const copy: usize = heap.alloc(AREA);
const record: usize = heap.alloc(16);

function write(ptr: usize, text: string): usize {
  for (let i = 0; i < text.length; i++) store<u8>(ptr + i, <u8>text.charCodeAt(i));
  return ptr + text.length;
}

function requestLine(text: string): i32 {
  return readRequestLine(area, write(area, text));
}

function statusLine(text: string): i32 {
  return readStatusLine(area, write(area, text));
}

function fieldLine(text: string): i32 {
  return readFieldLine(area, write(area, text), record, area);
}

/** The scalar twin of the target's scan. */
function targetLength(ptr: usize, end: usize): u32 {
  let at = ptr;
  while (at < end && isCharacter(load<u8>(at), CharClass.TARGET)) at++;
  return <u32>(at - ptr);
}

/** The scalar twin of the name's scan: its length, and its bytes in lower case at `copy`. */
function nameLength(ptr: usize, end: usize): u32 {
  let at = ptr;
  while (at < end && isCharacter(load<u8>(at), CharClass.TCHAR)) {
    const byte: u32 = load<u8>(at);
    store<u8>(copy + (at - ptr), <u8>(byte - 0x41 < 26 ? byte | 0x20 : byte));
    at++;
  }
  return <u32>(at - ptr);
}

describe("lines", () => {
  beforeAll(() => {
    charactersInitialize();
    fieldNameInitialize();
    limitsReset();
  });

  beforeEach(() => {
    seedRandom(9);
  });

  test("a request line gives its parts", () => {
    expect(requestLine("GET /a?b HTTP/1.1\r\nrest")).toBe(19);
    expect(lineMethod).toBe(Method.GET);
    expect(lineMethodLen).toBe(3);
    expect(lineTargetPtr - area).toBe(4);
    expect(lineTargetLen).toBe(4);
    expect(lineVersion).toBe(Version.HTTP_1_1);
    expect(requestLine("M-SEARCH * HTTP/1.0\r\n")).toBe(21);
    expect(lineMethod).toBe(Method.OTHER);
    expect(lineVersion).toBe(Version.HTTP_1_0);
  });

  test("a status line gives its code", () => {
    expect(statusLine("HTTP/1.1 204 No Content\r\n")).toBe(25);
    expect(lineStatusCode).toBe(204);
    expect(statusLine("HTTP/1.0 599 \r\n")).toBe(15);
    expect(lineStatusCode).toBe(599);
    expect(lineVersion).toBe(Version.HTTP_1_0);
    expect(statusLine("HTTP/1.1 600 X\r\n")).toBe(Status.H1_STATUS_LINE);
  });

  test("a target ends where its scalar twin says, at every length and alignment", () => {
    let faults = 0;
    for (let round = 0; round < 20000; round++) {
      const shift = randomBelow(16);
      const ptr = area + shift;
      write(ptr, "GET ");
      const len: u32 = randomBelow(80);
      for (let i: u32 = 0; i < len; i++) store<u8>(ptr + 4 + i, <u8>(0x24 + randomBelow(90)));
      if (len != 0 && randomBelow(3) == 0) store<u8>(ptr + 4 + randomBelow(len), <u8>random64());
      const end = write(ptr + 4 + len, " HTTP/1.1\r\n");
      const status = readRequestLine(ptr, end);
      const own = targetLength(ptr + 4, end);
      const isWhole = own == len && len != 0;
      if (isWhole != status > 0) faults++;
      if (status > 0 && (lineTargetLen != own || <usize>status != end - ptr)) faults++;
    }
    expect(faults).toBe(0);
  });

  test("a name is what its scalar twin says, in lower case, and nothing behind it is touched", () => {
    let faults = 0;
    for (let round = 0; round < 20000; round++) {
      fillRandom(area, <u32>AREA);
      const ptr = area + randomBelow(16);
      const len: u32 = 1 + randomBelow(60);
      for (let i: u32 = 0; i < len; i++) {
        let byte: u32 = 0;
        while (!isCharacter(byte, CharClass.TCHAR)) byte = 0x21 + randomBelow(94);
        store<u8>(ptr + i, <u8>byte);
      }
      if (randomBelow(3) == 0) store<u8>(ptr + randomBelow(len), <u8>random64());
      const end = write(ptr + len, ": VALUE in Capitals\r\n");
      const own = nameLength(ptr, end);
      const status = readFieldLine(ptr, end, record, ptr);
      // The byte that was changed may have become a colon.
      if ((own != 0 && load<u8>(ptr + own) == 0x3a) != status > 0) faults++;
      if (status <= 0) continue;
      if (memory.compare(ptr, copy, own) != 0) faults++;
      if (load<u16>(record, 2) != own) faults++;
      if (String.UTF8.decodeUnsafe(ptr + len + 2, 17) != "VALUE in Capitals") faults++;
    }
    expect(faults).toBe(0);
  });

  test("a value has no blanks around it", () => {
    expect(fieldLine("a: \t b c\t \r\n")).toBe(12);
    expect(load<u32>(record, FieldLane.VALUE_OFFSET << 2)).toBe(5);
    expect(load<u32>(record, FieldLane.VALUE_LEN << 2)).toBe(3);
    expect(fieldLine("a:\t \r\n")).toBe(6);
    expect(load<u32>(record, FieldLane.VALUE_LEN << 2)).toBe(0);
  });

  test("an empty line ends the section", () => {
    expect(fieldLine("\r\n")).toBe(SECTION_END);
    expect(fieldLine("\r")).toBe(0);
    expect(fieldLine("\rx")).toBe(Status.H1_LINE_ENDING);
  });

  test("every byte in every place: a prefix is incomplete until its answer, which then stands", () => {
    const lines: string[] = [
      "GET /path?q HTTP/1.1\r\n",
      "HTTP/1.1 200 OK fine\r\n",
      "Content-Type: text/plain\r\n",
    ];
    let faults = 0;
    for (let kind = 0; kind < 3; kind++) {
      for (let at = 0; at < lines[kind].length; at++) {
        for (let byte = 0; byte < 256; byte++) {
          const end = write(area, lines[kind]);
          store<u8>(area + at, <u8>byte);
          let answer = 0;
          for (let stop = area; stop <= end; stop++) {
            // The reader of names writes where it reads: the same bytes, since lower case stays lower case.
            const status: i32 =
              kind == 0
                ? readRequestLine(area, stop)
                : kind == 1
                  ? readStatusLine(area, stop)
                  : readFieldLine(area, stop, record, area);
            if (answer != 0 && status != answer) faults++;
            answer = status;
          }
        }
      }
    }
    expect(faults).toBe(0);
  });
});
