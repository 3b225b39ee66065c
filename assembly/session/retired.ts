/**
 * Slab blocks that events point into although their owner is done with them: they stay until the host has handled those events,
 * which is by the next `receive` or `handleTimeout`. A retired block's first word is the link to the next one.
 */
import { slabFree } from "../core/slab.ts";

let retired: usize = 0;

/** Frees a slab block at the next `freeRetired`. Its first word is overwritten. */
export function retireBlock(block: usize): void {
  store<usize>(block, retired);
  retired = block;
}

/** Frees what was retired. The host has handled all events by now. */
export function freeRetired(): void {
  while (retired != 0) {
    const block = retired;
    retired = load<usize>(block);
    slabFree(block);
  }
}

export function retiredReset(): void {
  retired = 0;
}
