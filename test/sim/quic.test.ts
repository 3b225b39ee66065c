// Client and server of QUIC against each other over a network of every weather. A failure names its seed, from which everything
// follows.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { CLEAR } from "./network.ts";
import { run } from "./quic_run.ts";
import { seededRun } from "./quic_seeds.ts";

const SEEDS = Number(process.env["QUIC_SEEDS"] ?? 300);
const FIRST = Number(process.env["QUIC_FIRST"] ?? 0);
const GROUP = 50;

const module = new WebAssembly.Module(readFileSync(resolve("build/engine.wasm")));

describe("a client and a server of QUIC", () => {
  test("shake hands and transfer in clear weather", () => {
    const outcome = run(seededRun(module, 1, CLEAR));
    expect(outcome.ms).toBeLessThan(5_000);
  });

  test.each(Array.from({ length: Math.ceil(SEEDS / GROUP) }, (_, index) => FIRST + index * GROUP))(
    "understand each other in the weather of the seeds from %i",
    (first) => {
      const failed: string[] = [];
      for (let seed = first; seed < Math.min(first + GROUP, FIRST + SEEDS); seed++) {
        try {
          run(seededRun(module, seed));
        } catch (error) {
          failed.push(`seed ${seed}: ${(error as Error).message}`);
        }
      }
      expect(failed).toEqual([]);
    },
    120_000,
  );

  test("do the same again from the same seed", () => {
    expect(run(seededRun(module, 7)).hash).toBe(run(seededRun(module, 7)).hash);
  });
});
