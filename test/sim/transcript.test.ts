// The transcript that runtimes are compared by is one of the seed alone, and says what happened.

import { expect, test } from "vitest";
import { engineModule } from "../wire/driver.ts";
import { recordQuic } from "./quic_recording.ts";
import { quicTranscript, RUNS } from "./quic_transcript.ts";
import { transcript } from "./transcript.ts";

test("a seed gives the same transcript each time, and another seed another one", () => {
  const module = engineModule();
  const first = transcript(module, 1);
  expect(transcript(module, 1)).toEqual(first);
  expect(transcript(module, 2)).not.toEqual(first);
  for (const kind of ["asks", "request", "content", "response", "transmits", "pauses"]) {
    expect(
      first.filter((line) => line.includes(` ${kind} `) || line.endsWith(` ${kind}`)).length,
    ).toBeGreaterThan(0);
  }
});

test("QUIC does the same with recorded answers as when they were made, and its transcript is one of every datagram", () => {
  const module = engineModule();
  const recording = recordQuic(module);
  const lines = quicTranscript(module, recording).split("\n");
  expect(quicTranscript(module, recording).split("\n")).toEqual(lines);
  expect(lines.filter((line) => line.startsWith("ends at ")).length).toBe(RUNS);
  expect(lines.filter((line) => line.includes(" sends ")).length).toBeGreaterThan(1000);
  // Another answer to one question is another transcript, or none.
  const [first, ...rest] = recording.answers;
  const swapped = { ...recording, answers: [[first![0].map(flipped), first![1]] as const, ...rest] };
  expect(() => quicTranscript(module, swapped)).toThrow();
}, 60_000);

function flipped(answer: string): string {
  return answer.replace(/.$/, (digit) => (digit === "0" ? "1" : "0"));
}
