/** The dynamic table against a shadow model that keeps its entries in an array of texts. */

import { slabAllocate, slabBytesInUse } from "../../../assembly/core/slab.ts";
import { FieldName } from "../../../assembly/abi/field_name.ts";
import { nameLength } from "../../../assembly/http/pseudo_field.ts";
import {
  DynamicTable,
  Insertion,
  ringEquals,
  tableEntry,
  tableEvict,
  tableFree,
  tableInitialize,
  tableInsert,
  tableResize,
} from "../../../assembly/http/dynamic_table.ts";
import { fillRandom, randomBelow, seedRandom } from "../core/random.ts";
import { setUp, tableText } from "../hpack/blocks.ts";

const LONGEST: u32 = 3000;
const text: usize = heap.alloc(2 * LONGEST + 64);
const table = changetype<DynamicTable>(heap.alloc(offsetof<DynamicTable>()));

/** The model: newest last, each the seed that its strings are drawn from, with their lengths. */
const ENTRY_MAX: i32 = 4096;
const seeds = new StaticArray<u32>(ENTRY_MAX);
const nameIds = new StaticArray<u32>(ENTRY_MAX);
const nameLens = new StaticArray<u32>(ENTRY_MAX);
const valueLens = new StaticArray<u32>(ENTRY_MAX);
let first = 0;
let end = 0;
let modelSize: u32 = 0;

function evictModel(size: u32): void {
  for (; modelSize > size; first++) modelSize -= nameLens[first] + valueLens[first] + 32;
}

/** The bytes of a name and a value behind it are a slice of one random text, told by the seed. */
function namePtrOf(index: i32): usize {
  return text + seeds[index];
}

function insertBoth(seed: u32, nameId: u32, nameLen: u32, valueLen: u32): bool {
  const fieldSize = nameLen + valueLen + 32;
  const stored = tableInsert(table, nameId, text + seed, nameLen, text + seed + nameLen, valueLen);
  if (fieldSize > table.maxSize) {
    evictModel(0);
    return stored == Insertion.TOO_LARGE;
  }
  evictModel(table.maxSize - fieldSize);
  if (stored != Insertion.STORED) return false;
  seeds[end] = seed;
  nameIds[end] = nameId;
  nameLens[end] = nameLen;
  valueLens[end++] = valueLen;
  modelSize += fieldSize;
  return true;
}

/** Differences between table and model. */
function faultCount(): i32 {
  let faults = 0;
  if (table.size != modelSize || <i32>table.count != end - first || table.size > table.maxSize) return 1;
  for (let i = 0; i < end - first; i++) {
    const model = end - 1 - i;
    const entry = tableEntry(table, i);
    if (
      entry.nameId != nameIds[model] ||
      entry.nameLen != nameLens[model] ||
      entry.valueLen != valueLens[model]
    )
      faults++;
    const name = namePtrOf(model);
    if (entry.nameId == 0 && !ringEquals(table, entry.position, name, entry.nameLen)) faults++;
    if (!ringEquals(table, entry.position + entry.storedNameLen, name + entry.nameLen, entry.valueLen))
      faults++;
  }
  return faults;
}

/** Moves the model to the start of its arrays when they run out. */
function compactModel(): void {
  if (end < ENTRY_MAX) return;
  for (let i = first; i < end; i++) {
    seeds[i - first] = seeds[i];
    nameIds[i - first] = nameIds[i];
    nameLens[i - first] = nameLens[i];
    valueLens[i - first] = valueLens[i];
  }
  end -= first;
  first = 0;
}

function reset(maxSize: u32): void {
  setUp();
  tableInitialize(table, maxSize);
  first = 0;
  end = 0;
  modelSize = 0;
  fillRandom(text, 2 * LONGEST);
}

describe("the dynamic table", () => {
  test("20,000 random insertions, evictions and resizes are those of the model", () => {
    seedRandom(1);
    reset(4096);
    let faults = 0;
    for (let step = 0; step < 20000; step++) {
      const kind = randomBelow(1000);
      if (kind == 0) {
        const size = randomBelow(8) == 0 ? 0 : randomBelow(16384);
        tableResize(table, size);
        evictModel(size);
      } else {
        // Phases of tiny and of long strings, so that both rings wrap at many fillings.
        const longest = (step / 2000) % 2 == 0 ? 20 : randomBelow(LONGEST / 2);
        const nameId: u32 = randomBelow(2) == 0 ? FieldName.DATE : 0;
        const nameLen = nameId != 0 ? nameLength(nameId) : 1 + randomBelow(longest + 1);
        if (!insertBoth(randomBelow(LONGEST), nameId, nameLen, randomBelow(longest + 1))) faults++;
      }
      faults += faultCount();
      compactModel();
    }
    expect(faults).toBe(0);
    tableFree(table);
    expect(slabBytesInUse()).toBe(0);
  });

  test("a table of 64 KiB holds its largest entry and as many of the smallest as fit", () => {
    reset(65536);
    const long: usize = heap.alloc(65536);
    memory.fill(long, 0x61, 65536);
    expect(tableInsert(table, 0, long, 504, long, 65000)).toBe(Insertion.STORED);
    expect(table.size).toBe(65536);
    expect(ringEquals(table, tableEntry(table, 0).position + 504, long, 65000)).toBe(true);
    for (let i = 0; i < 3000; i++) tableInsert(table, 0, long, 1, long, 0);
    expect(table.count).toBe(65536 / 33);
    expect(tableInsert(table, 0, long, 505, long, 65000)).toBe(Insertion.TOO_LARGE);
    expect(table.count).toBe(0);
    heap.free(long);
  });

  test("memory follows content: a dozen fields of a browser take less than 1 KiB", () => {
    reset(4096);
    for (let i: u32 = 0; i < 12; i++) tableInsert(table, FieldName.ACCEPT + i, 0, 10, text, 40);
    expect(slabBytesInUse()).toBeLessThan(1024);
  });

  test("never takes more memory than its size and an eighth", () => {
    seedRandom(2);
    reset(4096);
    let most: u32 = 0;
    for (let step = 0; step < 5000; step++) {
      tableInsert(table, 0, text, randomBelow(300), text, randomBelow(step < 2500 ? 3 : 300));
      most = max(most, slabBytesInUse());
    }
    expect(most).toBeLessThanOrEqual(4096 + 128 * 8);
  });

  test("an insertion without memory stores nothing and leaves the rest as it is", () => {
    reset(4096);
    tableInsert(table, 0, text, 1, text + 1, 1);
    while (slabAllocate(64) != 0) continue;
    const before = tableText(table);
    expect(tableInsert(table, 0, text, 100, text + 100, 100)).toBe(Insertion.MEMORY_FULL);
    expect(tableText(table)).toBe(before);
    expect(tableInsert(table, 0, text, 1, text + 1, 1)).toBe(Insertion.STORED);
  });

  test("evicting to the present size evicts nothing", () => {
    reset(4096);
    tableInsert(table, 0, text, 1, text, 1);
    tableEvict(table, table.size);
    expect(table.count).toBe(1);
    tableEvict(table, table.size - 1);
    expect(table.count).toBe(0);
  });
});
