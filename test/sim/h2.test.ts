// Client and server of HTTP/2 against each other, many exchanges at once, small windows, by seeds. A failure names its seed.

import { describe, expect, test } from "vitest";
import { Protocol } from "../../assembly/abi/message.ts";
import { Random } from "../fuzz/random.ts";
import { Driver } from "../wire/driver.ts";
import { Pair } from "./pair.ts";

const EXCHANGES = 40;

describe("a client and a server of the engine, in HTTP/2", () => {
  test.each(Array.from({ length: 40 }, (_, seed) => seed))("understand each other, seed %i", (seed) => {
    const limits = {
      outputBytes: 65_536,
      streamOutputBytes: 16_384,
      streamWindowBytes: 65_535,
      connectionWindowBytes: seed % 2 === 0 ? 65_535 : 1_048_576,
      bodyWindowMs: 3_600_000,
    };
    const pair = new Pair(new Random(seed), new Driver({ limits }), new Driver({ limits }), {
      protocol: Protocol.HTTP_2,
      concurrency: 8,
    });
    expect(pair.run(EXCHANGES)).toBe(EXCHANGES);
  });
});
