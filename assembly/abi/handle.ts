/**
 * Handles: how the host names connections and exchanges.
 *
 * A handle is an index into a table of the engine with the generation of that slot, so that a stale handle is an error and
 * never somebody else's connection. It is a positive i32; zero is never a handle.
 *
 *     30        20 19                  0
 *    +------------+---------------------+
 *    | generation |        index        |      generation 1 … 2047, wrapping past 0
 *    +------------+---------------------+
 *
 * This file is read by both compilers (AssemblyScript and TypeScript): it keeps to their common subset.
 */
export const HANDLE_INDEX_BITS: i32 = 20;
export const HANDLE_INDEX_MASK: i32 = 0xfffff;
export const HANDLE_GENERATION_MASK: i32 = 0x7ff;
