/**
 * Reading integers of QPACK, RFC 9204 §4.1.1: those of HPACK (RFC 7541 §5.1), but with every value of up to 62 bits. They are written by
 * http/prefixed_integer.ts.
 *
 * A sender may pad an integer with groups of zeros. Nobody has a reason to, and an integer without an end would have to be
 * waited for; so no more groups are taken than the largest value needs.
 */

/** RFC 9204 §4.1.1. */
const VALUE_MAX: u64 = 0x3fffffffffffffff;
/** Groups after the prefix: 62 bits take nine. */
const GROUPS_MAX: u32 = 9;

/** What an integer is when it cannot be read. */
export const enum IntegerFailure {
  /** The bytes end within it. */
  INCOMPLETE = 1,
  TOO_LARGE = 2,
}

let value: u64 = 0;
let failure: IntegerFailure = IntegerFailure.INCOMPLETE;

/** What `readInteger` read last. */
// @ts-ignore: decorator
@inline
export function integerValue(): u64 {
  return value;
}

/** Why `readInteger` answered 0. */
export function integerFailure(): IntegerFailure {
  return failure;
}

/**
 * Reads the integer whose first byte lies at `at`, before `end`; `prefixMask` has the prefix's bits set. Answers the address
 * after it, or 0: see integerFailure.
 */
// @ts-ignore: decorator
@inline
export function readInteger(at: usize, end: usize, prefixMask: u32): usize {
  value = load<u8>(at) & prefixMask;
  return value < prefixMask ? at + 1 : readGroups(at + 1, end);
}

function readGroups(at: usize, end: usize): usize {
  for (let group: u32 = 0; group < GROUPS_MAX; group++) {
    if (at == end) {
      failure = IntegerFailure.INCOMPLETE;
      return 0;
    }
    const byte: u64 = load<u8>(at++);
    // Nine groups and a prefix stay below 2^64.
    value += (byte & 0x7f) << (group * 7);
    if (byte < 0x80) return value <= VALUE_MAX ? at : failTooLarge();
  }
  return failTooLarge();
}

function failTooLarge(): usize {
  failure = IntegerFailure.TOO_LARGE;
  return 0;
}
