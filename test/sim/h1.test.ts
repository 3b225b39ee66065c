// Client and server of HTTP/1.1 against each other (round trip, both roles), by seeds. A failure names its seed.

import { describe, expect, test } from "vitest";
import { Random } from "../fuzz/random.ts";
import { Driver } from "../wire/driver.ts";
import { Pair } from "./pair.ts";

const EXCHANGES = 12;

describe("a client and a server of the engine", () => {
  test.each(Array.from({ length: 40 }, (_, seed) => seed))("understand each other, seed %i", (seed) => {
    const limits = { outputBytes: 65_536, readWindowBytes: 16_384, bodyWindowMs: 3_600_000 };
    const pair = new Pair(new Random(seed), new Driver({ limits }), new Driver({ limits }));
    expect(pair.run(EXCHANGES)).toBeGreaterThan(0);
  });
});
