// The golden wire cases with the standing properties of every reader:
//
//   golden    byte by byte, the events and their offsets are those of the log
//   split     whole, and cut in two anywhere, the bytes come to the same events and the same answers
//   truncate  no proper prefix completes a message that the whole completes later
//
// The third of STYLE's four, writing what was read, is in round_trip.test.ts; scanners against scalar twins are unit tests.

import { afterAll, describe, expect, test } from "vitest";
import { updateLogs, wireCases } from "./case_file.ts";
import type { WireCase } from "./case_file.ts";
import { linesOf, runCase } from "./run_case.ts";

const isUpdate = process.env.UPDATE_WIRE === "1";
/** Cases longer than this are cut in two at every seventh byte only, to keep the run short. */
const EVERY_CUT_BYTES = 600;

const cases = wireCases();
const files = [...new Set(cases.map(({ file }) => file))];
const updated = new Map<string, string[][]>();

function everyByte(wire: WireCase): number[] {
  return Array.from({ length: wire.bytes.length }, (_, index) => index + 1);
}

function offsetsOfEnds(wire: WireCase): number[] {
  const ends: number[] = [];
  const outcome = runCase(wire, everyByte(wire));
  for (const { offset, text } of outcome.log) {
    if (text === "end" || (text.startsWith("request ") && !text.includes(" body="))) ends.push(offset);
  }
  return ends;
}

describe.each(files)("%s", (file) => {
  const own = cases.filter((wire) => wire.file === file);

  test.each(own)("$name", (wire) => {
    const bytewise = runCase(wire, everyByte(wire));
    const lines = linesOf(bytewise, true);
    if (isUpdate) updated.set(file, [...(updated.get(file) ?? []), lines]);
    else expect(lines).toEqual(wire.log);

    // An answer given at the head races the content: what the host still sees of it depends on how it arrived.
    if (wire.options.answer === "early") return;
    const expected = linesOf(bytewise, false);
    expect(linesOf(runCase(wire, []), false)).toEqual(expected);
    const step = wire.bytes.length > EVERY_CUT_BYTES ? 7 : 1;
    for (let cut = 1; cut < wire.bytes.length; cut += step) {
      expect(linesOf(runCase(wire, [cut]), false), `cut at ${cut}`).toEqual(expected);
    }
  });

  const settled = own.filter(({ options }) => options.role !== "client" && options.answer !== "early");
  test.each(settled)("$name, truncated", (wire) => {
    const ends = offsetsOfEnds(wire);
    const step = wire.bytes.length > EVERY_CUT_BYTES ? 7 : 1;
    for (let length = 0; length < wire.bytes.length; length += step) {
      const { messages } = runCase(wire, [], length);
      const completed = messages.filter(({ isComplete, isTunnel }) => isComplete && !isTunnel).length;
      expect(completed, `of ${length} bytes`).toBeLessThanOrEqual(ends.filter((end) => end <= length).length);
    }
  });
});

afterAll(() => {
  for (const [file, logs] of updated) updateLogs(file, logs);
});
