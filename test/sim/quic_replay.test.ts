// The server's side of simulated runs is recorded, and run again without its peer: in every weather, over moved addresses, Retry and
// updated keys, another engine answers each call as the first one did.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { readRecording, Recorder, replay } from "../../host/engine/index.ts";
import { run } from "./quic_run.ts";
import { seededRun } from "./quic_seeds.ts";

const SEEDS = Number(process.env["QUIC_REPLAY_SEEDS"] ?? 12);
const module = new WebAssembly.Module(readFileSync(resolve("build/engine.wasm")));

function recordRun(seed: number, maxBytes?: number): { recorder: Recorder; hash: string } {
  const recorder = new Recorder(maxBytes);
  const options = seededRun(module, seed);
  const { hash } = run({ ...options, server: { ...options.server, recorder } });
  return { recorder, hash };
}

describe("a recorded server of QUIC", () => {
  test(`does the same again alone, for ${SEEDS} seeds`, () => {
    const wrong: string[] = [];
    let polled = 0;
    for (let seed = 0; seed < SEEDS; seed++) {
      const { recorder } = recordRun(seed);
      const { head, connections } = readRecording(recorder.toText());
      if (connections.length !== 1) wrong.push(`seed ${seed}: ${connections.length} connections`);
      for (const connection of connections) {
        const lines: string[] = [];
        const { differences } = replay(module, head, connection, (line) => lines.push(line));
        if (differences.length > 0) wrong.push(`seed ${seed}: ${differences[0]}`);
        if (!lines.some((line) => line.startsWith("* connection closed: code 77"))) {
          wrong.push(`seed ${seed}: the end was not told`);
        }
        polled += lines.filter((line) => line.startsWith("> ")).length;
      }
    }
    expect(wrong).toEqual([]);
    expect(polled).toBeGreaterThan(SEEDS * 10);
  });

  test("keeps no more than it may, and says that a connection was too long", () => {
    const { recorder } = recordRun(3, 20_000);
    expect(recorder.byteLength).toBeLessThanOrEqual(20_000);
    const { connections } = readRecording(recorder.toText());
    expect(connections.map(({ isWhole, calls }) => [isWhole, calls.length])).toEqual([[false, 0]]);
  });
});
