/**
 * Input that waits: the beginning of a head whose rest has not arrived, or bytes that must not be read yet.
 *
 * It lies in one slab block of the connection, allocated when needed and read from the front. Events may point into it, so a
 * block that was used up is not freed at once but retired, until the next `receive` or `handleTimeout`.
 *
 *     block  0       16         16 + inputStart
 *            +-------+----------+----------------+------+
 *            | next  | consumed | waiting        | room |     next: the list of retired blocks
 *            +-------+----------+----------------+------+
 */
import { slabAllocate, slabCapacity, slabFree, SLAB_MAX } from "../core/slab.ts";
import { retireBlock } from "../session/retired.ts";
import { H1Connection } from "./connection.ts";

const HEADER_BYTES: u32 = 16;
const LEAST_BYTES: u32 = 512;
/** The most bytes that can wait. */
export const INPUT_MAX: u32 = SLAB_MAX - HEADER_BYTES;

/** Address of the waiting bytes; moves with every append. */
// @ts-ignore: decorator
@inline
export function inputBytes(connection: H1Connection): usize {
  return connection.input + HEADER_BYTES + connection.inputStart;
}

/** Bytes that can be appended without growing. */
export function inputRoom(connection: H1Connection): u32 {
  if (connection.input == 0) return 0;
  return slabCapacity(connection.input) - HEADER_BYTES - connection.inputStart - connection.inputLen;
}

/** Appends bytes; false when the memory is full or there would be more than INPUT_MAX. */
export function inputAppend(connection: H1Connection, ptr: usize, len: u32): bool {
  const needed = connection.inputLen + len;
  if (needed > INPUT_MAX) return false;
  if (inputRoom(connection) < len && !inputGrow(connection, needed)) return false;
  memory.copy(inputBytes(connection) + connection.inputLen, ptr, len);
  connection.inputLen = needed;
  return true;
}

/** Makes room for `needed` bytes in all: over what was consumed, or in a block of at least twice the size. */
export function inputGrow(connection: H1Connection, needed: u32): bool {
  if (needed > INPUT_MAX) return false;
  const current: u32 = connection.input == 0 ? 0 : slabCapacity(connection.input);
  if (connection.inputStart != 0 && needed <= current - HEADER_BYTES) {
    memory.copy(connection.input + HEADER_BYTES, inputBytes(connection), connection.inputLen);
    connection.inputStart = 0;
    return true;
  }
  const wanted = max(max(needed + HEADER_BYTES, current * 2), LEAST_BYTES);
  const block = slabAllocate(min(wanted, SLAB_MAX));
  if (block == 0) return false;
  if (connection.input != 0) {
    memory.copy(block + HEADER_BYTES, inputBytes(connection), connection.inputLen);
    slabFree(connection.input);
  }
  connection.input = block;
  connection.inputStart = 0;
  return true;
}

/** The first `len` waiting bytes have been used; they stay readable until `freeRetired`. */
export function inputConsume(connection: H1Connection, len: u32): void {
  if (connection.input == 0) return;
  connection.inputStart += len;
  connection.inputLen -= len;
  if (connection.inputLen == 0) inputRetire(connection);
}

/** Takes the block from the connection; its bytes stay readable until `freeRetired`. */
export function inputRetire(connection: H1Connection): void {
  if (connection.input == 0) return;
  retireBlock(connection.input);
  connection.input = 0;
  connection.inputLen = 0;
  connection.inputStart = 0;
}
