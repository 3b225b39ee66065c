/** The limits of this instance (abi/limit.ts): the host's choices, and how often each was hit. */
import { Limit, LimitColumn, LIMIT_TABLE } from "../abi/limit.ts";

const values: usize = memory.data(Limit.COUNT * sizeof<f64>(), 8);
/** The same as whole numbers, as far as they fit: converting one costs more than loading it. */
const wholeValues: usize = memory.data(Limit.COUNT * sizeof<u32>(), 4);
const hits: usize = memory.data(Limit.COUNT * sizeof<f64>(), 8);

/** Fills the table with the defaults. The host may overwrite them until `limitsTake` is called. */
export function limitsReset(): void {
  for (let limit = 0; limit < Limit.COUNT; limit++) {
    setLimit(limit, unchecked(LIMIT_TABLE[limit * LimitColumn.COUNT + LimitColumn.DEFAULT]));
    store<f64>(hits + limit * sizeof<f64>(), 0);
  }
}

/** Takes what the host has written. False when a limit is not a whole number within its range. */
export function limitsTake(): bool {
  for (let limit = 0; limit < Limit.COUNT; limit++) {
    const value = load<f64>(values + limit * sizeof<f64>());
    const row = limit * LimitColumn.COUNT;
    // Written so that NaN fails too.
    if (!(value >= unchecked(LIMIT_TABLE[row + LimitColumn.LEAST]))) return false;
    if (!(value <= unchecked(LIMIT_TABLE[row + LimitColumn.MOST])) || value != floor(value)) return false;
    setLimit(limit, value);
  }
  return true;
}

// @ts-ignore: decorator
@inline
export function limitOf(limit: Limit): f64 {
  return load<f64>(values + limit * sizeof<f64>());
}

/** A limit whose range fits 32 bits. */
// @ts-ignore: decorator
@inline
export function limitU32(limit: Limit): u32 {
  return load<u32>(wholeValues + limit * sizeof<u32>());
}

function setLimit(limit: u32, value: f64): void {
  store<f64>(values + limit * sizeof<f64>(), value);
  store<u32>(wholeValues + limit * sizeof<u32>(), <u32>min(value, <f64>u32.MAX_VALUE));
}

export function limitHit(limit: Limit): void {
  const at = hits + limit * sizeof<f64>();
  store<f64>(at, load<f64>(at) + 1);
}

export function limitsPtr(): usize {
  return values;
}

export function limitHitsPtr(): usize {
  return hits;
}
