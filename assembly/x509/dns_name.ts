/**
 * Comparison of DNS names, RFC 9525 §6.3: without regard to case, and with a wildcard that is the whole leftmost label and stands
 * for exactly one.
 */

export function equalIgnoringCase(a: usize, aLen: u32, b: usize, bLen: u32): bool {
  if (aLen != bLen) return false;
  for (let index: u32 = 0; index < aLen; index++) {
    if (lowerCase(load<u8>(a + index)) != lowerCase(load<u8>(b + index))) return false;
  }
  return true;
}

/** Whether "*.rest" stands for the name. The rest must have two labels: nobody owns all of a top-level domain. */
export function isWildcardOf(pattern: usize, patternLen: u32, name: usize, len: u32): bool {
  if (patternLen < 3 || load<u16>(pattern) != 0x2e2a) return false;
  const second = firstDot(pattern + 2, patternLen - 2);
  if (second == 0 || second + 1 >= patternLen - 2) return false;
  const label = firstDot(name, len);
  if (label == 0 || label == len) return false;
  return equalIgnoringCase(pattern + 1, patternLen - 1, name + label, len - label);
}

/** RFC 5280 §4.2.1.10: whether the name is `base` or below it. An empty base has every name below it. */
export function isWithin(name: usize, len: u32, base: usize, baseLen: u32): bool {
  if (baseLen == 0) return true;
  // Some write the base with a dot before it, meaning only what is below.
  if (load<u8>(base) == 0x2e) {
    return len > baseLen && equalIgnoringCase(name + len - baseLen, baseLen, base, baseLen);
  }
  if (len < baseLen || !equalIgnoringCase(name + len - baseLen, baseLen, base, baseLen)) return false;
  return len == baseLen || load<u8>(name + len - baseLen - 1) == 0x2e;
}

/** Where the first dot is; `len` when there is none. */
function firstDot(name: usize, len: u32): u32 {
  let at: u32 = 0;
  while (at < len && load<u8>(name + at) != 0x2e) at++;
  return at;
}

// @ts-ignore: decorator
@inline
function lowerCase(byte: u32): u32 {
  return byte - 0x41 < 26 ? byte | 0x20 : byte;
}
