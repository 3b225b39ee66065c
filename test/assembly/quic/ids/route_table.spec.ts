/** The table against a model that is a plain list, through many insertions and removals; and IDs that name their process. */

import { hashInitialize } from "../../../../assembly/core/hash.ts";
import { drbgSeed } from "../../../../assembly/crypto/drbg.ts";
import {
  ID_GENERATOR_BYTES,
  IdGenerator,
  LOCAL_ID_BYTES,
  idGenerate,
  idGeneratorOpen,
  idProcess,
} from "../../../../assembly/quic/ids/id_generator.ts";
import {
  RouteInsert,
  RouteTable,
  routeFind,
  routeInsert,
  routeRemove,
  routeTableBytes,
  routeTableOpen,
} from "../../../../assembly/quic/ids/route_table.ts";
import { fillRandom, randomBelow, seedRandom } from "../../core/random.ts";

const ENTRIES: u32 = 100;
const KEYS: u32 = 400;
const table = changetype<RouteTable>(heap.alloc(offsetof<RouteTable>()));
const guardAt = routeTableBytes(ENTRIES);
const region: usize = heap.alloc(guardAt + 16);
const keys: usize = heap.alloc(KEYS * 20);
const handles: usize = heap.alloc(KEYS * 4);
const generator = changetype<IdGenerator>(heap.alloc(ID_GENERATOR_BYTES));
const other = changetype<IdGenerator>(heap.alloc(ID_GENERATOR_BYTES));
const key: usize = heap.alloc(32);
const id: usize = heap.alloc(LOCAL_ID_BYTES);

/** Lengths 0 … 20; key 0 has no bytes, and the others are told apart by their first two. */
function keyLen(key: u32): u32 {
  return key == 0 ? 0 : 2 + (key % 19);
}

function fillKeys(): void {
  fillRandom(keys, KEYS * 20);
  for (let key: u32 = 0; key < KEYS; key++) store<u16>(keys + key * 20, <u16>key);
}

describe("the route table", () => {
  test("does what a list would do, and touches nothing behind its region", () => {
    seedRandom(5);
    hashInitialize(1, 2);
    fillKeys();
    memory.fill(handles, 0, KEYS * 4);
    memory.fill(region, 0xa5, guardAt + 16);
    routeTableOpen(table, region, ENTRIES);
    let count: u32 = 0;
    let fullCount: u32 = 0;
    let takenCount: u32 = 0;
    for (let round: u32 = 0; round < 20000; round++) {
      const key = randomBelow(KEYS);
      const at = keys + key * 20;
      const known = load<i32>(handles + key * 4);
      // Spells of growing and of shrinking, so that the table is full and empty again and again.
      if (randomBelow(8) < ((round / 1000) % 2 == 0 ? 6 : 2)) {
        const handle = <i32>(1 + randomBelow(0x7ffffffe));
        const result = routeInsert(table, at, keyLen(key), handle);
        if (known != 0) {
          assert(result == RouteInsert.TAKEN, "taken");
          takenCount++;
        } else if (count == ENTRIES) {
          assert(result == RouteInsert.FULL, "full");
          fullCount++;
        } else {
          assert(result == RouteInsert.ADDED, "added");
          store<i32>(handles + key * 4, handle);
          count++;
        }
      } else {
        assert(routeRemove(table, at, keyLen(key)) == (known != 0), "removed");
        if (known != 0) count--;
        store<i32>(handles + key * 4, 0);
      }
      assert(table.entryCount == count, "count");
      if (round % 50 != 0) continue;
      for (let other: u32 = 0; other < KEYS; other++) {
        const found = routeFind(table, keys + other * 20, keyLen(other));
        assert(found == load<i32>(handles + other * 4), "found");
      }
    }
    expect(fullCount).toBeGreaterThan(100);
    expect(takenCount).toBeGreaterThan(100);
    for (let offset: u32 = 0; offset < 16; offset++) expect(load<u8>(region + guardAt + offset)).toBe(0xa5);
  });

  test("tells IDs apart by their length", () => {
    routeTableOpen(table, region, ENTRIES);
    memory.fill(keys, 0, 20);
    for (let len: u32 = 0; len <= 20; len++)
      expect(routeInsert(table, keys, len, 1 + len)).toBe(RouteInsert.ADDED);
    for (let len: u32 = 0; len <= 20; len++) expect(routeFind(table, keys, len)).toBe(1 + len);
  });
});

describe("connection IDs", () => {
  test("name their process to whoever has the key, and look random to others", () => {
    drbgSeed(key, 32);
    memory.fill(key, 7, 32);
    idGeneratorOpen(generator, key, 0);
    idGeneratorOpen(other, key, 255);
    const seen = new Set<u64>();
    const firstBytes = new Set<u8>();
    for (let round = 0; round < 2000; round++) {
      const isOther = (round & 1) != 0;
      idGenerate(isOther ? other : generator, id);
      assert(idProcess(generator, id) == (isOther ? 255 : 0), "process");
      seen.add(load<u64>(id));
      if (!isOther) firstBytes.add(load<u8>(id));
    }
    expect(seen.size).toBe(2000);
    // One process' first bytes take nearly all values: 256 × (1 - e^(-1000/256)) is 251.
    expect(firstBytes.size).toBeGreaterThan(230);
  });

  test("name another process under another key", () => {
    let same = 0;
    store<u8>(key, 8);
    idGeneratorOpen(other, key, 0);
    for (let round = 0; round < 256; round++) {
      idGenerate(generator, id);
      if (idProcess(other, id) == 0) same++;
    }
    expect(same).toBeLessThan(20);
  });
});
