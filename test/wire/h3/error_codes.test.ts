// Which error code each status of HTTP/3 and QPACK becomes on the wire: the whole of both lists, beside the code that the RFCs want
// (RFC 9114 §8.1, RFC 9204 §6, RFC 9297 §2.1). A status that is added without a row here fails.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { Code } from "./frames.ts";
import { Pair } from "./pair.ts";

/** WebTransport over HTTP/3 (draft), §9.5. */
const WT_BUFFERED_STREAM_REJECTED = 0x3994bd84;
const WT_SESSION_GONE = 0x170d7b68;

const codes: Readonly<Record<string, number>> = {
  FRAME_UNEXPECTED: Code.frameUnexpected,
  FRAME_LENGTH: Code.frameError,
  FRAME_CUT: Code.frameError,
  FRAME_TOO_LARGE: Code.excessiveLoad,
  SETTINGS_MISSING: Code.missingSettings,
  SETTINGS_DUPLICATE: Code.settingsError,
  SETTINGS_RESERVED: Code.settingsError,
  SETTINGS_VALUE: Code.settingsError,
  STREAM_DUPLICATE: Code.streamCreationError,
  STREAM_DIRECTION: Code.streamCreationError,
  CRITICAL_STREAM_CLOSED: Code.closedCriticalStream,
  PUSH_ID: Code.idError,
  GOAWAY_ID: Code.idError,
  PRIORITY_ID: Code.idError,
  REQUEST_INCOMPLETE: Code.requestIncomplete,
  REJECTED: Code.requestRejected,
  CANCELLED: Code.requestCancelled,
  GONE: Code.requestRejected,
  REFUSED: Code.requestRejected,
  // Answered 425; the stream goes on.
  TOO_EARLY: Code.generalProtocolError,
  RESET_FLOOD: Code.excessiveLoad,
  CONTROL_FLOOD: Code.excessiveLoad,
  EMPTY_FRAME_FLOOD: Code.excessiveLoad,
  SECTION_TOO_LARGE: Code.excessiveLoad,
  STALLED: Code.excessiveLoad,
  DATAGRAM: Code.datagramError,
  // RFC 9297 §3.3: a malformed capsule makes the message malformed.
  CAPSULE: Code.messageError,
  SESSION_GONE: WT_SESSION_GONE,
  SESSION_UNKNOWN: WT_BUFFERED_STREAM_REJECTED,
  SESSION_ID: Code.idError,
  SECTION_TRUNCATED: Code.decompressionFailed,
  SECTION_INTEGER: Code.decompressionFailed,
  SECTION_HUFFMAN: Code.decompressionFailed,
  SECTION_INDEX: Code.decompressionFailed,
  REQUIRED_INSERT_COUNT: Code.decompressionFailed,
  BASE: Code.decompressionFailed,
  TOO_MANY_BLOCKED: Code.decompressionFailed,
  SECTION_TOO_LONG: Code.excessiveLoad,
  ENCODER_INTEGER: Code.encoderStreamError,
  ENCODER_HUFFMAN: Code.encoderStreamError,
  ENCODER_INDEX: Code.encoderStreamError,
  ENCODER_CAPACITY: Code.encoderStreamError,
  ENCODER_ENTRY_TOO_LARGE: Code.encoderStreamError,
  DECODER_INTEGER: Code.decoderStreamError,
  DECODER_ACKNOWLEDGMENT: Code.decoderStreamError,
  DECODER_INCREMENT: Code.decoderStreamError,
  DECODER_STREAM_FULL: Code.excessiveLoad,
};

/** The members of the enum of statuses in a file: it exists at compile time only. */
function membersOf(file: string): { name: string; value: number }[] {
  const source = readFileSync(resolve("assembly/abi", file), "utf8");
  const text = /export const enum \w+Status \{(.*?)^\}/ms.exec(source)![1]!;
  return [...text.matchAll(/^ {2}([A-Z0-9_]+) = (-\d+),/gm)].map(([, name, value]) => ({
    name: name!,
    value: Number(value),
  }));
}

const listed = ["h3_status.ts", "qpack_status.ts"].flatMap(membersOf);

describe("the error code of a status", () => {
  test.each(listed.map(({ name, value }) => [name, value] as const))("%s", async (name, value) => {
    const pair = await Pair.create();
    expect(codes[name]).toBeDefined();
    expect(pair.door("errorCode")(value)).toBe(codes[name]);
  });

  test("is one of RFC 9114, RFC 9204 or RFC 9297 for every number that there could be", async () => {
    const pair = await Pair.create();
    const known = new Set([...Object.values(Code), WT_BUFFERED_STREAM_REJECTED, WT_SESSION_GONE]);
    const strange: number[] = [];
    for (let status = 10; status > -1000; status--)
      if (!known.has(pair.door("errorCode")(status))) strange.push(status);
    expect(strange).toEqual([]);
  });

  test("has a row for nothing that is not listed", () => {
    expect(Object.keys(codes).filter((name) => !listed.some((other) => other.name === name))).toEqual([]);
  });
});
