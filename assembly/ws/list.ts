/** The gaps in comma-separated lists, RFC 9110 §5.6.1: empty elements are allowed, so that ", ,a" is a list of one. */

/** Address of the first byte in [at, end) that is no space or tab, or `end`. */
export function skipBlanks(at: usize, end: usize): usize {
  while (at < end && isBlank(load<u8>(at))) at++;
  return at;
}

/** Address of the first byte in [at, end) that is no space, tab or comma, or `end`. */
export function skipEmptyElements(at: usize, end: usize): usize {
  while (at < end && (isBlank(load<u8>(at)) || load<u8>(at) == 0x2c)) at++;
  return at;
}

// @ts-ignore: decorator
@inline
function isBlank(byte: u32): bool {
  return byte == 0x20 || byte == 0x09;
}
