/**
 * The dynamic table as QPACK counts it, RFC 9204 §3.2.4: an entry's absolute index is how many were inserted before it, so it never
 * changes. Fields and bytes are kept by http/dynamic_table.ts, which goes by age: 0 is the newest.
 *
 *   absolute   0 … dropped │ oldest … newest │          total insertions: newest + 1
 *   age                      count-1 …     0
 *
 * Absolute indices have 64 bits and do not wrap.
 */
import { DynamicTable, tableInsertTotal } from "../http/dynamic_table.ts";

/** The age of an entry, or -1 when it has been evicted or was never inserted. */
// @ts-ignore: decorator
@inline
export function ageOf(table: DynamicTable, absolute: u64): i32 {
  const total = tableInsertTotal(table);
  if (absolute >= total) return -1;
  const age = total - 1 - absolute;
  return age < table.count ? <i32>age : -1;
}

/** The absolute index of the entry with an age below the table's count. */
// @ts-ignore: decorator
@inline
export function absoluteOf(table: DynamicTable, age: u32): u64 {
  return tableInsertTotal(table) - 1 - age;
}
