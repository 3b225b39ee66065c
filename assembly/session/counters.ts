/** The counters of this instance (abi/counter.ts). */
import { Counter } from "../abi/counter.ts";

const values: usize = memory.data(Counter.COUNT * sizeof<f64>(), 8);

export function countersReset(): void {
  memory.fill(values, 0, Counter.COUNT * sizeof<f64>());
}

// @ts-ignore: decorator
@inline
export function count(counter: Counter, amount: f64 = 1): void {
  const at = values + counter * sizeof<f64>();
  store<f64>(at, load<f64>(at) + amount);
}

/** For gauges that mirror a number kept elsewhere. */
export function counterSet(counter: Counter, value: f64): void {
  store<f64>(values + counter * sizeof<f64>(), value);
}

export function countersPtr(): usize {
  return values;
}
