/** The cache of expanded keys: who gives way, what is wiped, and that keys are compared whole. */

import {
  KeyCache,
  keyCacheFind,
  keyCacheForget,
  keyCacheOpen,
  keyCacheTake,
} from "../../../assembly/crypto/key_cache.ts";

const key: usize = heap.alloc(32);
const entryBytes: u32 = 64;
const entries = heap.alloc(4 * entryBytes);
const cache = changetype<KeyCache>(heap.alloc(offsetof<KeyCache>()));

describe("the cache of expanded keys", () => {
  beforeEach(() => {
    memory.fill(entries, 0, 4 * entryBytes);
    keyCacheOpen(cache, entries, entryBytes, 4);
    for (let index: u32 = 0; index < 32; index++) store<u8>(key + index, <u8>index);
  });

  test("drops the key that was unused for longest, and keeps none that was forgotten", () => {
    for (let index: u32 = 0; index < 4; index++) {
      store<u8>(key, <u8>(100 + index));
      store<u64>(keyCacheTake(cache, key, 32), index + 1);
    }
    store<u8>(key, 100);
    expect(load<u64>(keyCacheFind(cache, key, 32))).toBe(1);
    store<u8>(key, 104);
    expect(keyCacheFind(cache, key, 32)).toBe(0);
    expect(load<u64>(keyCacheTake(cache, key, 32))).toBe(0, "the room is zeroed");
    store<u8>(key, 101);
    expect(keyCacheFind(cache, key, 32)).toBe(0, "the oldest gave way");
    store<u8>(key, 100);
    keyCacheForget(cache, key, 32);
    expect(keyCacheFind(cache, key, 32)).toBe(0);
    let kept = 0;
    for (let at: u32 = 0; at < 4 * entryBytes; at += 8) if (load<u8>(entries + at) == 100) kept++;
    expect(kept).toBe(0, "no byte of a forgotten key stays");
  });

  test("tells a key of 16 bytes from one of 32 that begins with it, and sees every byte", () => {
    keyCacheTake(cache, key, 16);
    expect(keyCacheFind(cache, key, 32)).toBe(0);
    keyCacheTake(cache, key, 32);
    for (let index: u32 = 0; index < 32; index++) {
      store<u8>(key + index, <u8>(index ^ 1));
      expect(keyCacheFind(cache, key, 32)).toBe(0);
      if (index < 16) expect(keyCacheFind(cache, key, 16)).toBe(0);
      store<u8>(key + index, <u8>index);
    }
    expect(keyCacheFind(cache, key, 32)).not.toBe(0);
    expect(keyCacheFind(cache, key, 16)).not.toBe(0);
  });
});
