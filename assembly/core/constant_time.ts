/**
 * Comparison of secrets: tags, tokens, MACs. How long it takes depends on the length alone, never on where the bytes differ,
 * so a peer cannot guess a secret byte by byte. For public bytes use `equalBytes` of scan.ts, which stops early.
 */

/** Whether [a, a + len) and [b, b + len) hold the same bytes. */
export function equalConstantTime(a: usize, b: usize, len: u32): bool {
  let difference: u64 = 0;
  const wordsLen = len & ~7;
  for (let offset: u32 = 0; offset < wordsLen; offset += 8) {
    difference |= load<u64>(a + offset) ^ load<u64>(b + offset);
  }
  for (let offset = wordsLen; offset < len; offset++) {
    difference |= <u64>(load<u8>(a + offset) ^ load<u8>(b + offset));
  }
  return difference == 0;
}
