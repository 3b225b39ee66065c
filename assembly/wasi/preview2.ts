/**
 * WASI 0.2: clocks, randomness, environment and output of a component, and the memory of what its calls answer.
 *
 * A result that does not fit one value is written to a place the caller names: its discriminant first, 0 for success, then its
 * payload at that payload's alignment. Lists that the host returns are put where `cabi_realloc` says.
 */
import { Host } from "./host.ts";
import {
  getEnvironment,
  getStdout,
  monotonicNow,
  outputDrop,
  outputWriteAndFlush,
  randomU64,
  wallClockNow,
} from "./preview2_imports.ts";
import { textOf } from "./text.ts";

export const NANOSECONDS_PER_MS: f64 = 1000000;

const result: usize = memory.data(64, 8);
/** Where the next list that the host returns is to lie; 0 for a block of the heap. */
let destination: usize = 0;

/** The world of 0.2. */
export class Preview2Host extends Host {
  now(): f64 {
    return <f64>monotonicNow() / NANOSECONDS_PER_MS;
  }

  wallClock(): f64 {
    wallClockNow(result);
    return <f64>load<u64>(result) * 1000 + <f64>load<u32>(result, 8) / NANOSECONDS_PER_MS;
  }

  entropy(dest: usize, len: u32): void {
    for (let at: u32 = 0; at + 8 <= len; at += 8) store<u64>(dest + at, randomU64());
  }
}

/** Where the host puts the list of the next call; 0 lets it have a block of the heap, which is the caller's to free. */
export function placeNextList(dest: usize): void {
  destination = dest;
}

/** Memory for what a call returns. */
export function cabi_realloc(block: usize, _oldLen: usize, _alignment: usize, len: usize): usize {
  if (destination != 0) return destination;
  return block == 0 ? heap.alloc(max<usize>(len, 1)) : heap.realloc(block, len);
}

/** The value of an environment variable, null when it is not set. */
export function environmentVariable(name: string): string | null {
  placeNextList(0);
  getEnvironment(result);
  const entries = load<usize>(result);
  const count = load<u32>(result, 4);
  let value: string | null = null;
  for (let i: u32 = 0; i < count; i++) {
    // name pointer, name length, value pointer, value length
    const entry = entries + i * 16;
    if (textOf(load<usize>(entry), load<u32>(entry, 4)) == name) {
      value = textOf(load<usize>(entry, 8), load<u32>(entry, 12));
    }
    heap.free(load<usize>(entry));
    heap.free(load<usize>(entry, 8));
  }
  heap.free(entries);
  return value;
}

/** Writes a line to standard output. */
export function printLine(line: string): void {
  const bytes = String.UTF8.encode(line + "\n");
  const stdout = getStdout();
  outputWriteAndFlush(stdout, changetype<usize>(bytes), bytes.byteLength, result);
  outputDrop(stdout);
}
