// Memory that large output is put together in, taken for one write and given back once the socket has written it.
//
// A new array for each write would cost more than the copy into it: its pages are fresh, and the garbage collector has to
// find out that nobody needs it. A block of this size is worth holding only for a write that fills much of it, so callers
// copy less than that out of it rather than let a slow peer hold all of it.

export const BLOCK_BYTES = 262144;
/** 4 MiB in all; what more is given back goes to the garbage collector. */
const KEPT_COUNT = 16;

export class WriteBlocks {
  readonly #free: Uint8Array[] = [];

  take(): Uint8Array {
    return this.#free.pop() ?? new Uint8Array(BLOCK_BYTES);
  }

  /** Nobody reads or writes the block any more. */
  give(block: Uint8Array): void {
    if (this.#free.length < KEPT_COUNT) this.#free.push(block);
  }
}
