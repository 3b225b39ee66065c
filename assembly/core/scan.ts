/**
 * Scans over raw bytes, sixteen at a time, each with a scalar twin that defines what it means.
 *
 * The SIMD forms may load up to 15 bytes past the end; those bytes never change a result, but the memory must exist, so every
 * region that is scanned ends with SCAN_SLACK bytes of slack. Nothing is ever written past the end. The scalar forms touch
 * no byte outside.
 *
 * The byte classes are those of RFC 9110 §5.5 (field values) and §5.6.2 (tokens); which element of a message has to be of
 * which class is decided elsewhere. A scan only finds bytes: it decides nothing about the message.
 *
 * Invariant: twins give the same answer for every input. The test holds them against each other at every alignment.
 */

/** Bytes that must exist after the end of whatever is scanned. */
export const SCAN_SLACK: u32 = 15;

const BLOCK: u32 = 16;
const HTAB: u8 = 0x09;
/** Sixteen times the last control byte, sixteen times DEL. */
const controlVectors: usize = memory.data<u8>(
  [
    0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x1f, 0x7f,
    0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f,
  ],
  16,
);
const FIRST_VISIBLE: u8 = 0x20;
const DEL: u8 = 0x7f;

/** Address of the first `byte` in [ptr, end), or `end`. */
export function findByte(ptr: usize, end: usize, byte: u8): usize {
  const wanted = i8x16.splat(byte);
  for (let at = ptr; at < end; at += BLOCK) {
    const hits = i8x16.bitmask(i8x16.eq(v128.load(at), wanted));
    if (hits != 0) return min(at + ctz(hits), end);
  }
  return end;
}

export function findByteScalar(ptr: usize, end: usize, byte: u8): usize {
  for (let at = ptr; at < end; at++) if (load<u8>(at) == byte) return at;
  return end;
}

/**
 * Address of the first byte in [ptr, end) that no field value may hold, or `end`: controls other than HTAB, and DEL.
 * RFC 9110 §5.5: field-content is VCHAR, obs-text, SP and HTAB; CR, LF and NUL are dangerous.
 */
export function findControl(ptr: usize, end: usize): usize {
  // Loaded rather than written as constants: engines make a vector constant anew in each round of a loop.
  const lastControl = v128.load(controlVectors);
  const del = v128.load(controlVectors, BLOCK);
  let at = ptr;
  while (at < end) {
    const bytes = v128.load(at);
    // The larger of byte and limit is the limit where the byte is below it: cheaper than comparing unsigned bytes.
    const low = i8x16.eq(i8x16.max_u(bytes, lastControl), lastControl);
    const hits = i8x16.bitmask(v128.or(low, i8x16.eq(bytes, del)));
    if (hits == 0) {
      at += BLOCK;
      continue;
    }
    at += ctz(hits);
    if (at >= end) return end;
    // A tab is text; it is rare enough to be stepped over one at a time.
    if (load<u8>(at) != HTAB) return at;
    at++;
  }
  return end;
}
export function findControlScalar(ptr: usize, end: usize): usize {
  for (let at = ptr; at < end; at++) {
    const byte = load<u8>(at);
    if ((byte < FIRST_VISIBLE && byte != HTAB) || byte == DEL) return at;
  }
  return end;
}

/** Whether every byte may stand in a field value. The empty value may. */
export function isFieldText(ptr: usize, len: u32): bool {
  return findControl(ptr, ptr + len) == ptr + len;
}

export function isFieldTextScalar(ptr: usize, len: u32): bool {
  return findControlScalar(ptr, ptr + len) == ptr + len;
}

/*
 * A class of ASCII bytes is a table of sixteen: bit h of entry l says that the byte 0xhl belongs to it. A byte is looked up by
 * its halves: the entry of the low one and the bit of the high one, which is no bit at all from 0x80 on.
 */
const classRows: usize = memory.data<u8>([1, 2, 4, 8, 16, 32, 64, 128, 0, 0, 0, 0, 0, 0, 0, 0], 16);
/**
 * RFC 9110 §5.6.2: tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|" / "~" /
 * DIGIT / ALPHA
 */
// prettier-ignore
const tokenClass: usize = memory.data<u8>(
  [
    0xe8, // 0  0 P p `
    0xfc, // 1  ! 1 A Q a q
    0xf8, // 2  2 B R b r
    0xfc, // 3  # 3 C S c s
    0xfc, // 4  $ 4 D T d t
    0xfc, // 5  % 5 E U e u
    0xfc, // 6  & 6 F V f v
    0xfc, // 7  ' 7 G W g w
    0xf8, // 8  8 H X h x
    0xf8, // 9  9 I Y i y
    0xf4, // a  * J Z j z
    0x54, // b  + K k
    0xd0, // c  L l |
    0x54, // d  - M m
    0xf4, // e  . N ^ n ~
    0x70, // f  O _ o
  ],
  16,
);

/** Address of the first byte in [ptr, end) outside the class whose table is at `byteClass`, or `end`. */
export function findOutside(ptr: usize, end: usize, byteClass: usize): usize {
  const columns = v128.load(byteClass);
  const rows = v128.load(classRows);
  const zero = i64x2.splat(0);
  for (let at = ptr; at < end; at += BLOCK) {
    const bytes = v128.load(at);
    const column = i8x16.swizzle(columns, v128.and(bytes, i8x16.splat(0x0f)));
    const row = i8x16.swizzle(rows, i8x16.shr_u(bytes, 4));
    const hits = i8x16.bitmask(i8x16.eq(v128.and(column, row), zero));
    if (hits != 0) return min(at + ctz(hits), end);
  }
  return end;
}

/** Address of the first byte in [ptr, end) that is no tchar, or `end`. */
export function findNonToken(ptr: usize, end: usize): usize {
  return findOutside(ptr, end, tokenClass);
}

export function findNonTokenScalar(ptr: usize, end: usize): usize {
  for (let at = ptr; at < end; at++) if (!isTokenByte(load<u8>(at))) return at;
  return end;
}

/** Whether [ptr, ptr + len) is a token: at least one byte, and tchar alone. */
export function isToken(ptr: usize, len: u32): bool {
  return len != 0 && findNonToken(ptr, ptr + len) == ptr + len;
}

export function isTokenScalar(ptr: usize, len: u32): bool {
  return len != 0 && findNonTokenScalar(ptr, ptr + len) == ptr + len;
}

/** Whether the byte is a tchar. */
export function isTokenByte(byte: u8): bool {
  const letter = byte | 0x20;
  if ((letter >= 0x61 && letter <= 0x7a) || (byte >= 0x30 && byte <= 0x39)) return true;
  switch (byte) {
    case 0x21: // !
    case 0x23: // #
    case 0x24: // $
    case 0x25: // %
    case 0x26: // &
    case 0x27: // '
    case 0x2a: // *
    case 0x2b: // +
    case 0x2d: // -
    case 0x2e: // .
    case 0x5e: // ^
    case 0x5f: // _
    case 0x60: // `
    case 0x7c: // |
    case 0x7e: // ~
      return true;
    default:
      return false;
  }
}

/** Whether two runs of public bytes are equal. Stops at the first difference: not for secrets. */
export function equalBytes(a: usize, b: usize, len: u32): bool {
  let offset: u32 = 0;
  for (; offset + BLOCK <= len; offset += BLOCK) {
    if (v128.any_true(v128.xor(v128.load(a + offset), v128.load(b + offset)))) return false;
  }
  const rest = len - offset;
  if (rest == 0) return true;
  const equal = i8x16.bitmask(i8x16.eq(v128.load(a + offset), v128.load(b + offset)));
  // Every one of the low `rest` bits has to be set.
  return <u32>ctz(~equal) >= rest;
}

export function equalBytesScalar(a: usize, b: usize, len: u32): bool {
  for (let offset: u32 = 0; offset < len; offset++) {
    if (load<u8>(a + offset) != load<u8>(b + offset)) return false;
  }
  return true;
}

/**
 * Whether the bytes, with A to Z as a to z, are the `len` UTF-16 units at `units`: ASCII as string literals have it. The units
 * too are loaded up to 31 bytes past their end.
 */
export function equalsLowerCase(ptr: usize, units: usize, len: u32): bool {
  for (let offset: u32 = 0; offset < len; offset += BLOCK) {
    const from = units + (offset << 1);
    const wanted = i8x16.narrow_i16x8_u(v128.load(from), v128.load(from, 16));
    const equal = i8x16.bitmask(i8x16.eq(lowerCaseBlock(v128.load(ptr + offset)), wanted));
    // The bits above the sixteen are clear, so that a difference is found behind them at the latest.
    if (offset + <u32>ctz(~equal) < min(offset + BLOCK, len)) return false;
  }
  return true;
}

export function equalsLowerCaseScalar(ptr: usize, units: usize, len: u32): bool {
  for (let index: u32 = 0; index < len; index++) {
    let byte: u32 = load<u8>(ptr + index);
    if (byte - 0x41 < 26) byte |= 0x20;
    if (byte != load<u16>(units + (index << 1))) return false;
  }
  return true;
}

/** Turns A to Z into a to z in place; every other byte stays. */
export function lowerCaseAscii(ptr: usize, len: u32): void {
  const end = ptr + len;
  let at = ptr;
  for (; at + BLOCK <= end; at += BLOCK) v128.store(at, lowerCaseBlock(v128.load(at)));
  if (at == end) return;
  if (len >= BLOCK) {
    // The last sixteen bytes, some for the second time, which changes nothing.
    at = end - BLOCK;
    v128.store(at, lowerCaseBlock(v128.load(at)));
    return;
  }
  const block = lowerCaseBlock(v128.load(ptr));
  storeFront(ptr, block, len);
}

export function lowerCaseAsciiScalar(ptr: usize, len: u32): void {
  for (let at = ptr; at < ptr + len; at++) {
    const byte = load<u8>(at);
    if (byte >= 0x41 && byte <= 0x5a) store<u8>(at, byte | 0x20);
  }
}

// @ts-ignore: decorator
@inline
function lowerCaseBlock(bytes: v128): v128 {
  const fromA = i8x16.sub(bytes, i8x16.splat(0x41));
  const isUpper = i8x16.lt_u(fromA, i8x16.splat(26));
  return v128.or(bytes, v128.and(isUpper, i8x16.splat(0x20)));
}

/** Stores the first `len` < 16 bytes of the block, by the binary digits of `len`. */
function storeFront(ptr: usize, block: v128, len: u32): void {
  let at = ptr;
  let low = i64x2.extract_lane(block, 0);
  if (len & 8) {
    store<u64>(at, low);
    low = i64x2.extract_lane(block, 1);
    at += 8;
  }
  if (len & 4) {
    store<u32>(at, <u32>low);
    low >>>= 32;
    at += 4;
  }
  if (len & 2) {
    store<u16>(at, <u16>low);
    low >>>= 16;
    at += 2;
  }
  if (len & 1) store<u8>(at, <u8>low);
}
