/** The byte machine of chunked content: every state with every byte against the grammar written down a second time. */

import { Status } from "../../../assembly/abi/status.ts";
import {
  chunkedAt,
  chunkedBegin,
  ChunkStep,
  chunkedStep,
  chunkedWriteSize,
} from "../../../assembly/h1/chunked.ts";
import { ChunkState, H1Connection } from "../../../assembly/h1/connection.ts";
import { charactersInitialize } from "../../../assembly/http/characters.ts";
import { limitsReset } from "../../../assembly/session/limits.ts";

const TCHARS: string = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const HEX: string = "0123456789abcdefABCDEF";
/** Codes of `expected` besides states and statuses. */
const DATA: i32 = 1000;
const LAST: i32 = 1001;

const connection: H1Connection = changetype<H1Connection>(heap.alloc(offsetof<H1Connection>()));
const area: usize = heap.alloc(256);

function isBlank(byte: i32): bool {
  return byte == 0x20 || byte == 0x09;
}

function isToken(byte: i32): bool {
  return TCHARS.includes(String.fromCharCode(byte));
}

/** qdtext and quoted-pair of RFC 9110 §5.6.4, without the two bytes that mean something. */
function isText(byte: i32): bool {
  return byte == 0x09 || (byte >= 0x20 && byte != 0x7f);
}

/** What one byte leads to: a state, DATA, LAST, or a status. */
function expected(state: i32, byte: i32, isLast: bool): i32 {
  const c = String.fromCharCode(byte);
  switch (state) {
    case ChunkState.SIZE:
      return HEX.includes(c) ? ChunkState.SIZE_MORE : Status.H1_CHUNK_SIZE;
    case ChunkState.SIZE_MORE:
      if (HEX.includes(c)) return ChunkState.SIZE_MORE;
      if (c == "\r") return ChunkState.SIZE_LF;
      if (c == ";") return ChunkState.EXTENSION_START;
      return isBlank(byte) ? ChunkState.EXTENSION_BLANK : Status.H1_CHUNK_SIZE;
    case ChunkState.EXTENSION_BLANK:
      if (c == ";") return ChunkState.EXTENSION_START;
      return isBlank(byte) ? state : Status.H1_CHUNK_EXTENSION;
    case ChunkState.EXTENSION_START:
      if (isToken(byte)) return ChunkState.EXTENSION_NAME;
      return isBlank(byte) ? state : Status.H1_CHUNK_EXTENSION;
    case ChunkState.EXTENSION_NAME:
      if (isToken(byte)) return state;
      if (c == "=") return ChunkState.EXTENSION_VALUE_START;
      if (c == ";") return ChunkState.EXTENSION_START;
      if (c == "\r") return ChunkState.SIZE_LF;
      return isBlank(byte) ? ChunkState.EXTENSION_NAME_BLANK : Status.H1_CHUNK_EXTENSION;
    case ChunkState.EXTENSION_NAME_BLANK:
      if (c == "=") return ChunkState.EXTENSION_VALUE_START;
      if (c == ";") return ChunkState.EXTENSION_START;
      return isBlank(byte) ? state : Status.H1_CHUNK_EXTENSION;
    case ChunkState.EXTENSION_VALUE_START:
      if (c == '"') return ChunkState.EXTENSION_QUOTED;
      if (isToken(byte)) return ChunkState.EXTENSION_VALUE;
      return isBlank(byte) ? state : Status.H1_CHUNK_EXTENSION;
    case ChunkState.EXTENSION_VALUE:
    case ChunkState.EXTENSION_VALUE_END:
      if (isToken(byte) && state == ChunkState.EXTENSION_VALUE) return state;
      if (c == ";") return ChunkState.EXTENSION_START;
      if (c == "\r") return ChunkState.SIZE_LF;
      return isBlank(byte) ? ChunkState.EXTENSION_BLANK : Status.H1_CHUNK_EXTENSION;
    case ChunkState.EXTENSION_QUOTED:
      if (c == '"') return ChunkState.EXTENSION_VALUE_END;
      if (c == "\\") return ChunkState.EXTENSION_ESCAPE;
      return isText(byte) ? state : Status.H1_CHUNK_EXTENSION;
    case ChunkState.EXTENSION_ESCAPE:
      return isText(byte) ? ChunkState.EXTENSION_QUOTED : Status.H1_CHUNK_EXTENSION;
    case ChunkState.SIZE_LF:
      if (c != "\n") return Status.H1_LINE_ENDING;
      return isLast ? LAST : ChunkState.DATA;
    case ChunkState.DATA:
      return DATA;
    case ChunkState.DATA_CR:
      return c == "\r" ? ChunkState.DATA_LF : Status.H1_CHUNK_TERMINATOR;
    case ChunkState.DATA_LF:
      return c == "\n" ? ChunkState.SIZE : Status.H1_CHUNK_TERMINATOR;
  }
  return Status.INVALID_STATE;
}

/** Does one step over `text`; chunk data is passed over. Answers the step or the status that ended it. */
function run(text: string): i32 {
  chunkedBegin(connection);
  for (let i = 0; i < text.length; i++) store<u8>(area + i, <u8>text.charCodeAt(i));
  let at = area;
  const end = area + text.length;
  while (true) {
    const step = chunkedStep(connection, at, end);
    if (step != ChunkStep.DATA) return step;
    const len = min<usize>(<usize>connection.remaining, end - chunkedAt);
    connection.remaining -= len;
    at = chunkedAt + len;
  }
}

describe("chunked content", () => {
  beforeAll(() => {
    charactersInitialize();
    limitsReset();
  });

  test("does with every byte in every state what the grammar says", () => {
    for (let state = 0; state < ChunkState.COUNT; state++) {
      for (let byte = 0; byte < 256; byte++) {
        for (let size = 0; size < 2; size++) {
          memory.fill(changetype<usize>(connection), 0, offsetof<H1Connection>());
          connection.chunkState = state;
          // A size of nothing is the last chunk's; within data there is some left.
          connection.remaining = state == ChunkState.DATA ? 5 : size;
          store<u8>(area, <u8>byte);
          const step = chunkedStep(connection, area, area + 1);
          const want = expected(state, byte, size == 0);
          const where = "state " + state.toString() + ", byte " + byte.toString();
          if (want < 0) expect(step).toBe(want, where);
          else if (want == DATA) expect(step).toBe(ChunkStep.DATA, where);
          else if (want == LAST) expect(step).toBe(ChunkStep.LAST, where);
          else {
            expect(step).toBe(ChunkStep.NEED_MORE, where);
            expect(connection.chunkState).toBe(want, where);
          }
        }
      }
    }
  });

  test("reads sizes to 2^53 - 1 and no further", () => {
    expect(run("1fffffffffffff\r\n")).toBe(ChunkStep.NEED_MORE);
    expect(connection.remaining).toBe(9007199254740991);
    expect(run("20000000000000\r\n")).toBe(Status.H1_CHUNK_SIZE);
    expect(run("001fffffffffffff\r\n")).toBe(ChunkStep.NEED_MORE);
    expect(run("0001fffffffffffff\r\n")).toBe(Status.H1_CHUNK_SIZE);
    expect(run("00000000000000000\r\n")).toBe(Status.H1_CHUNK_SIZE);
  });

  test("begins each size anew", () => {
    expect(run("5\r\nhello\r\n00000000000005\r\nworld\r\n0000000000000000\r\n")).toBe(ChunkStep.LAST);
  });

  test("says where it stopped", () => {
    expect(run("5\r\nhello\r\n0;a=b\r\nx: y\r\n")).toBe(ChunkStep.LAST);
    expect(chunkedAt - area).toBe(17);
  });

  test("writes sizes that it reads back", () => {
    const sizes: u64[] = [1, 9, 10, 15, 16, 255, 4096, 65535, 1 << 20, 4294967296, 9007199254740991];
    for (let i = 0; i < sizes.length; i++) {
      chunkedBegin(connection);
      const len = chunkedWriteSize(area, sizes[i]);
      expect(chunkedStep(connection, area, area + len)).toBe(ChunkStep.NEED_MORE);
      expect(connection.remaining).toBe(sizes[i]);
      expect(connection.chunkState).toBe(ChunkState.DATA);
    }
  });
});
