/**
 * Reading integers of HPACK, RFC 7541 §5.1: a prefix in the low bits of the first byte, then groups of seven bits, least
 * significant first. They are written by http/prefixed_integer.ts.
 *
 * RFC 7541 §5.1: integers that exceed implementation limits in value or octet length are decoding errors. Everything
 * counted here is bounded by 64 KiB, so four groups are plenty: values stay below 2^28 + 255 and sums of two never wrap.
 */
import { HpackStatus } from "./hpack_status.ts";

/** Groups after the prefix. */
const GROUPS_MAX: u32 = 4;

let value: u32 = 0;
let failure: i32 = 0;

/** What `readInteger` read last. */
// @ts-ignore: decorator
@inline
export function integerValue(): u32 {
  return value;
}

/** Why `readInteger` answered 0. */
export function integerFailure(): i32 {
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
      failure = HpackStatus.TRUNCATED;
      return 0;
    }
    const byte: u32 = load<u8>(at++);
    value += (byte & 0x7f) << (group * 7);
    if (byte < 0x80) return at;
  }
  failure = HpackStatus.INTEGER;
  return 0;
}
