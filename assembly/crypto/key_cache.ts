/**
 * Expanded keys that were used last, found by the key itself.
 *
 * Connections keep raw keys, 16 or 32 bytes; what AES makes of one is up to 4 KiB, and lies here, in a fixed number of entries of
 * which the one unused for longest gives way. So the memory is bounded however many connections there are, and a miss costs
 * one key set-up.
 *
 * A look-up compares whole keys, and reads the entries in an order that depends on which of them were used, not on what the keys
 * are. An entry is wiped before it is used anew, and when its key is forgotten.
 */

/**
 *   0        8     12     16        48
 *   ┌────────┬─────┬──────┬─────────┬──────────────┐
 *   │ usedAt │ len │      │ key, 32 │ expanded key │
 *   └────────┴─────┴──────┴─────────┴──────────────┘
 */
@unmanaged
class CachedKey {
  /** Tick of the last use; 0 is a free entry. */
  usedAt: u64;
  len: u32;
  unused: u32;
  key0: u64;
  key1: u64;
  key2: u64;
  key3: u64;
}

const KEY: usize = offsetof<CachedKey>("key0");
const KEY_BYTES_MAX: u32 = 32;

/** What an entry needs beside the expanded key. */
export const CACHED_KEY_BYTES: u32 = offsetof<CachedKey>();


@unmanaged
export class KeyCache {
  entries: usize;
  entryBytes: u32;
  entryCount: u32;
  tick: u64;
  /** The entry found last, which is looked at first. */
  recent: usize;
}

/** Opens `cache` on `entryCount` zeroed entries of `entryBytes` each, CACHED_KEY_BYTES of which are the cache's own. */
export function keyCacheOpen(cache: KeyCache, entries: usize, entryBytes: u32, entryCount: u32): void {
  cache.entries = entries;
  cache.entryBytes = entryBytes;
  cache.entryCount = entryCount;
  cache.tick = 0;
  cache.recent = entries;
}

/** Address of the expanded key, or 0 when there is none for this key. */
export function keyCacheFind(cache: KeyCache, key: usize, keyLen: u32): usize {
  const entry = find(cache, key, keyLen);
  if (entry == 0) return 0;
  cache.recent = entry;
  changetype<CachedKey>(entry).usedAt = ++cache.tick;
  return entry + CACHED_KEY_BYTES;
}

/** Makes an entry for this key, which has none, and answers the address of its zeroed room for the expanded key. */
export function keyCacheTake(cache: KeyCache, key: usize, keyLen: u32): usize {
  let oldest = cache.entries;
  const end = cache.entries + cache.entryCount * cache.entryBytes;
  for (let entry = oldest; entry < end; entry += cache.entryBytes) {
    if (changetype<CachedKey>(entry).usedAt < changetype<CachedKey>(oldest).usedAt) oldest = entry;
  }
  memory.fill(oldest, 0, cache.entryBytes);
  changetype<CachedKey>(oldest).usedAt = ++cache.tick;
  changetype<CachedKey>(oldest).len = keyLen;
  memory.copy(oldest + KEY, key, keyLen);
  cache.recent = oldest;
  return oldest + CACHED_KEY_BYTES;
}

/** Wipes the entry of this key, if there is one. */
export function keyCacheForget(cache: KeyCache, key: usize, keyLen: u32): void {
  const entry = find(cache, key, keyLen);
  if (entry != 0) memory.fill(entry, 0, cache.entryBytes);
}

function find(cache: KeyCache, key: usize, keyLen: u32): usize {
  const recent = cache.recent;
  if (holds(recent, key, keyLen)) return recent;
  const end = cache.entries + cache.entryCount * cache.entryBytes;
  for (let entry = cache.entries; entry < end; entry += cache.entryBytes) {
    if (holds(entry, key, keyLen)) return entry;
  }
  return 0;
}

// @ts-ignore: decorator
@inline
function holds(entry: usize, key: usize, keyLen: u32): bool {
  if (changetype<CachedKey>(entry).len != keyLen) return false;
  const own = entry + KEY;
  let difference = v128.xor(v128.load(own), v128.load(key));
  if (keyLen == KEY_BYTES_MAX) {
    difference = v128.or(difference, v128.xor(v128.load(own, 16), v128.load(key, 16)));
  }
  return !v128.any_true(difference);
}
