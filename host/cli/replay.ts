// `httpy replay`: runs the connections of a recording again, and prints what the engine told and answered.

import { readFile } from "node:fs/promises";
import { loadModule, readRecording, replay, type Recording } from "../index.ts";
import { UsageError } from "./usage_error.ts";

/** Replays one connection, by its place from 1, or all; answers whether every call answered as it did when it was recorded. */
export async function replayFile(
  file: string,
  only: number | undefined,
  print: (line: string) => void,
): Promise<boolean> {
  const { head, connections } = readFrom(file, await readFile(file, "utf8"));
  if (only !== undefined && (only < 1 || only > connections.length)) {
    throw new UsageError(`--connection is ${only}; the recording has ${connections.length}, from 1`);
  }
  print("# the recording holds what peers sent, secrets included");
  const module = await loadModule();
  let isSame = true;
  for (const [index, connection] of connections.entries()) {
    if (only !== undefined && index + 1 !== only) continue;
    print(`# connection ${index + 1} of ${connections.length}`);
    if (!connection.isWhole) {
      print("# it was longer than the recording had room for, and is left out");
      continue;
    }
    const { callCount, differences } = replay(module, head, connection, print);
    print(`# ${callCount} calls, ${differences.length} answered differently`);
    isSame &&= differences.length === 0;
  }
  return isSame;
}

function readFrom(file: string, text: string): Recording {
  try {
    return readRecording(text);
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
}
