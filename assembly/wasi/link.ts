/**
 * A link: one connection of the world outside, as the loop (loop.ts) sees it. The kinds of WASI say how bytes are moved.
 *
 * Nothing here waits: what cannot be moved now is answered with WAIT, and the loop polls.
 */

/** Negative results of `read` and `write`. */
export const enum Moved {
  /** Nothing can be moved for now. */
  WAIT = -1,
  /** The peer has ended its side (`read`). */
  END = -2,
  /** The connection is lost. */
  LOST = -3,
}

export abstract class Link {
  /** The engine's connection. */
  handle: u32 = 0;
  /** The engine takes nothing for now. */
  isPaused: bool = false;
  /** The engine is through with the peer: once everything is written the write side ends. */
  isEnding: bool = false;
  /** The write side has ended. */
  isShut: bool = false;
  /** The peer has ended its side. */
  isPeerEnded: bool = false;
  /** Closed, and of no further use. */
  isOver: bool = false;
  /** Output that the engine gave and the peer has not taken: a block of the heap, 0 when there is none. */
  pendingBlock: usize = 0;
  pendingAt: u32 = 0;
  pendingLen: u32 = 0;

  /** Whether output waits for the peer. */
  get isBlocked(): bool {
    return this.pendingBlock != 0;
  }

  /** Reads up to `len` bytes to `dest`. Answers how many, at least 1, or a Moved. */
  abstract read(dest: usize, len: u32): i32;
  /** Writes up to `len` bytes from `ptr`. Answers how many, at least 1, or a Moved. */
  abstract write(ptr: usize, len: u32): i32;
  /** Ends the write side. */
  abstract shutdown(): void;
  /** Gives the connection up. */
  abstract close(): void;

  /** Keeps output for later. */
  hold(ptr: usize, len: u32): void {
    const block = heap.alloc(len);
    memory.copy(block, ptr, len);
    this.pendingBlock = block;
    this.pendingAt = 0;
    this.pendingLen = len;
  }

  /** Forgets output that was kept. */
  letGo(): void {
    if (this.pendingBlock != 0) heap.free(this.pendingBlock);
    this.pendingBlock = 0;
  }
}
