/**
 * Response heads that the encoder wrote as indices alone, kept so that the same head is written again without looking at
 * its fields.
 *
 * A server answers most requests of a connection with a few heads. From the second time on each of their fields is one
 * index, and those bytes stay right as long as the table does: nothing was inserted. An entry is found by status code,
 * length and equality of the whole field block, so nothing depends on a hash or on where the host keeps the block.
 *
 * Fields that change with each answer (content-length) or each second (date) belong outside of the block.
 *
 *   0      4            8          12            16           24            56
 *   ┌──────┬────────────┬──────────┬─────────────┬────────────┬─────────────┬─────────┐
 *   │ next │ statusCode │ blockLen │ insertCount │ encodedLen │ encoded, 32 │ block … │
 *   └──────┴────────────┴──────────┴─────────────┴────────────┴─────────────┴─────────┘
 *
 * The cache is a list of at most HEAD_COUNT such slab blocks, newest first; its owner holds the first, 0 when empty.
 */
import { equalBytes } from "../core/scan.ts";
import { slabAllocate, slabFree } from "../core/slab.ts";
import { copyBytes } from "../http/copy_bytes.ts";

/** Heads kept per connection. */
const HEAD_COUNT: u32 = 4;
/** A head of indices alone is a byte or two per field. */
export const ENCODED_HEAD_MAX: u32 = 32;
/** With this an entry takes at most 256 bytes of slab, and the cache 1 KiB of what a connection may hold. */
const BLOCK_MAX: u32 = 200;


@unmanaged
export class CachedHead {
  next: usize;
  statusCode: u32;
  blockLen: u32;
  /** The table's insertCount when this was encoded. */
  insertCount: u32;
  encodedLen: u32;
  encoded0: u64;
  encoded1: u64;
  encoded2: u64;
  encoded3: u64;
}

/** The entry of the head in the list from `first` on, current or not, or 0. */
export function headCacheFind(first: usize, statusCode: u32, block: usize, blockLen: u32): usize {
  for (let ptr = first; ptr != 0; ptr = changetype<CachedHead>(ptr).next) {
    const head = changetype<CachedHead>(ptr);
    if (head.statusCode != statusCode || head.blockLen != blockLen) continue;
    if (equalBytes(ptr + offsetof<CachedHead>(), block, blockLen)) return ptr;
  }
  return 0;
}

/** Address of an entry's encoded bytes; there are always ENCODED_HEAD_MAX to copy. */
// @ts-ignore: decorator
@inline
export function headEncoded(head: CachedHead): usize {
  return changetype<usize>(head) + offsetof<CachedHead>("encoded0");
}

/** Gives an entry the bytes that are right as of `insertCount`. */
export function headUpdate(head: CachedHead, insertCount: u32, encoded: usize, encodedLen: u32): void {
  if (encodedLen > ENCODED_HEAD_MAX) return;
  head.insertCount = insertCount;
  head.encodedLen = encodedLen;
  copyBytes(headEncoded(head), encoded, encodedLen);
}

/** Adds a head in place of the oldest. Answers the list's first entry, which is the new one unless it is left out. */
export function headCacheAdd(
  first: usize,
  statusCode: u32,
  block: usize,
  blockLen: u32,
  insertCount: u32,
  encoded: usize,
  encodedLen: u32,
): usize {
  if (encodedLen > ENCODED_HEAD_MAX || blockLen > BLOCK_MAX) return first;
  const ptr = slabAllocate(offsetof<CachedHead>() + blockLen);
  if (ptr == 0) return first;
  dropBeyond(first, HEAD_COUNT - 1);
  const head = changetype<CachedHead>(ptr);
  head.next = first;
  head.statusCode = statusCode;
  head.blockLen = blockLen;
  headUpdate(head, insertCount, encoded, encodedLen);
  copyBytes(ptr + offsetof<CachedHead>(), block, blockLen);
  return ptr;
}

/** Frees what the list holds beyond its first `count` entries, which are at least one. */
function dropBeyond(first: usize, count: u32): void {
  let last = first;
  for (let position: u32 = 1; last != 0 && position < count; position++)
    last = changetype<CachedHead>(last).next;
  if (last == 0) return;
  headCacheFree(changetype<CachedHead>(last).next);
  changetype<CachedHead>(last).next = 0;
}

/** Frees the entries from `first` on. */
export function headCacheFree(first: usize): void {
  let ptr = first;
  while (ptr != 0) {
    const next = changetype<CachedHead>(ptr).next;
    slabFree(ptr);
    ptr = next;
  }
}
