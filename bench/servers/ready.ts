/*
 * What every server of this folder does once it listens: say `ready PORT`, collect garbage when asked, and end when
 * the bench is gone. Started by hand there is no channel to the bench, and only the line is printed.
 */

import { getHeapSpaceStatistics } from "node:v8";

/** A young generation of V8 up to this size is as small as it gets. */
const SMALL_NEW_SPACE_BYTES = 4 * 1024 * 1024;
const SHRINK_ATTEMPTS = 40;
const SHRINK_PAUSE_MS = 250;

export function announceReady(port: number): void {
  process.stdout.write(`ready ${port}\n`);
  process.on("disconnect", () => process.exit(0));
  process.on("message", () => {
    void collectGarbage().then(() => process.send?.("done"));
  });
}

/**
 * Collects until V8 has also given back the room for new objects, up to 32 MiB that grow with whatever is allocated and shrink a
 * few seconds later: beside what 10,000 connections hold they would decide the figure.
 */
async function collectGarbage(): Promise<void> {
  for (let attempt = 0; attempt < SHRINK_ATTEMPTS; attempt++) {
    globalThis.gc?.();
    const newSpace = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
    if (newSpace === undefined || newSpace.space_size <= SMALL_NEW_SPACE_BYTES) return;
    await new Promise((resolve) => setTimeout(resolve, SHRINK_PAUSE_MS));
  }
}
