// Options for the engine's limits: what is wrong is an error that names the option, the value and what is allowed.

import { describe, expect, test } from "vitest";
import { Status } from "../../../assembly/abi/status.ts";
import { Engine } from "../../../host/engine/engine.ts";
import { EngineError } from "../../../host/engine/engine_error.ts";
import { limitEntries, resolveLimits } from "../../../host/engine/limits.ts";
import type { LimitOptions } from "../../../host/engine/limits.ts";
import { engineModule } from "../../wire/driver.ts";

const entries = limitEntries();

test("what is left out keeps its default", () => {
  expect([...resolveLimits()]).toEqual(entries.map((entry) => entry.default));
  expect(resolveLimits({ headBytes: 4096 })[entries.findIndex(({ name }) => name === "headBytes")]).toBe(
    4096,
  );
  expect([...resolveLimits({ headBytes: undefined })]).toEqual([...resolveLimits()]);
});

describe.each(entries)("$name", ({ name, least, most }) => {
  test("takes its ends", () => {
    expect(() => resolveLimits({ [name]: least })).not.toThrow();
    expect(() => resolveLimits({ [name]: most })).not.toThrow();
  });

  test.each([least - 1, most + 1, 0.5 + least, NaN, Infinity, -1, "5", null])(
    "refuses %s and says why",
    (value) => {
      if (value === -1 && least <= -1) return;
      const options = { [name]: value } as unknown as LimitOptions;
      expect(() => resolveLimits(options)).toThrow(
        new RangeError(
          `limits.${name} is ${typeof value === "number" ? value : JSON.stringify(value)}; it must be a whole number from ${least} to ${most}`,
        ),
      );
    },
  );
});

test("a name that is no limit is an error that lists them", () => {
  expect(() => resolveLimits({ headByte: 1 } as LimitOptions)).toThrow(
    /limits\.headByte is not a limit; .*headBytes/,
  );
});

test("the engine refuses a table that the host has not checked", () => {
  const limits = resolveLimits();
  limits[0] = 0;
  const start = (): Engine => Engine.create(engineModule(), { memoryBytes: 8 << 20, limits, now: 0 });
  expect(start).toThrow(EngineError);
  limits[0] = NaN;
  expect(start).toThrow(/argument/);
});

test("the engine refuses memory that is too small", () => {
  try {
    Engine.create(engineModule(), { memoryBytes: 1 << 20, now: 0 });
    expect.unreachable();
  } catch (error) {
    expect((error as EngineError).status).toBe(Status.MEMORY_FULL);
  }
});
