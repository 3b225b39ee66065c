// The transcript that runtimes are compared by is one of the seed alone, and says what happened.

import { expect, test } from "vitest";
import { engineModule } from "../wire/driver.ts";
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
