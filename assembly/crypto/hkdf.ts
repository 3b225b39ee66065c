/**
 * HKDF (RFC 5869) and the labelled expansion of TLS 1.3 (RFC 8446 §7.1), from which every key of a connection comes.
 *
 * Lengths are the caller's own, never a peer's; one that the RFCs do not allow is answered with false, and nothing is written.
 */
import { HASH_LENGTH_MAX, HashId, hashLength } from "./hash.ts";
import { hmac, hmacBegin, hmacDigest, hmacForget, hmacKey, hmacUpdate } from "./hmac.ts";

/** RFC 5869 §2.3: a counter of one byte numbers the digests. */
const EXPANDED_COUNT_MAX: u32 = 255;
const LABEL_PREFIX_BYTES: u32 = 6;
/** RFC 8446 §7.1: label and context are each a vector with a length of one byte. */
const VECTOR_BYTES_MAX: u32 = 255;
/** struct HkdfLabel at its longest: uint16 length, label<7..255>, context<0..255>. */
const HKDF_LABEL_BYTES_MAX: u32 = 2 + 1 + VECTOR_BYTES_MAX + 1 + VECTOR_BYTES_MAX;

const digest: usize = memory.data(HASH_LENGTH_MAX, 16);
const counter: usize = memory.data(1);
const hkdfLabel: usize = memory.data(HKDF_LABEL_BYTES_MAX, 16);
const asciiLabel: usize = memory.data(VECTOR_BYTES_MAX, 16);
const labelPrefix: usize = memory.data<u8>([0x74, 0x6c, 0x73, 0x31, 0x33, 0x20]); // "tls13 "
const zeroSalt: usize = memory.data(HASH_LENGTH_MAX, 16);

/** RFC 5869 §2.2. Writes a pseudorandom key of hashLength(id) bytes to `dest`. No salt (saltLen 0) is a salt of zeros. */
export function hkdfExtract(
  id: HashId,
  salt: usize,
  saltLen: u32,
  ikm: usize,
  ikmLen: u32,
  dest: usize,
): void {
  if (saltLen == 0) hmac(id, zeroSalt, hashLength(id), ikm, ikmLen, dest);
  else hmac(id, salt, saltLen, ikm, ikmLen, dest);
}

/**
 * RFC 5869 §2.3. Writes `len` bytes to `dest`, which may overlap `prk` (hashLength(id) bytes) but not `info`. False when
 * `len` is more than 255 digests.
 */
export function hkdfExpand(id: HashId, prk: usize, info: usize, infoLen: u32, dest: usize, len: u32): bool {
  const digestLen = hashLength(id);
  if (len > EXPANDED_COUNT_MAX * digestLen) return false;
  hmacKey(id, prk, digestLen);
  for (let offset: u32 = 0; offset < len; offset += digestLen) {
    hmacBegin();
    if (offset > 0) hmacUpdate(digest, digestLen);
    hmacUpdate(info, infoLen);
    store<u8>(counter, <u8>(offset / digestLen + 1));
    hmacUpdate(counter, 1);
    hmacDigest(digest);
    memory.copy(dest + offset, digest, min(digestLen, len - offset));
  }
  hmacForget();
  memory.fill(digest, 0, HASH_LENGTH_MAX);
  return true;
}

/**
 * HKDF-Expand-Label of RFC 8446 §7.1. `label` goes without its "tls13 ". `dest` may overlap every input. False when `label`,
 * `context` or `len` is longer than the RFCs allow.
 */
export function hkdfExpandLabel(
  id: HashId,
  secret: usize,
  label: usize,
  labelLen: u32,
  context: usize,
  contextLen: u32,
  dest: usize,
  len: u32,
): bool {
  if (labelLen > VECTOR_BYTES_MAX - LABEL_PREFIX_BYTES || contextLen > VECTOR_BYTES_MAX) return false;
  let at = hkdfLabel;
  store<u16>(at, bswap<u16>(<u16>len));
  store<u8>(at, LABEL_PREFIX_BYTES + labelLen, 2);
  at += 3;
  memory.copy(at, labelPrefix, LABEL_PREFIX_BYTES);
  at += LABEL_PREFIX_BYTES;
  memory.copy(at, label, labelLen);
  at += labelLen;
  store<u8>(at, contextLen);
  memory.copy(at + 1, context, contextLen);
  at += 1 + contextLen;
  return hkdfExpand(id, secret, hkdfLabel, <u32>(at - hkdfLabel), dest, len);
}

/** The same with the label as a literal in ASCII ("quic key"), which lies in linear memory as UTF-16: nothing is allocated. */
export function hkdfExpandAscii(
  id: HashId,
  secret: usize,
  label: string,
  context: usize,
  contextLen: u32,
  dest: usize,
  len: u32,
): bool {
  const labelLen = <u32>label.length;
  if (labelLen > VECTOR_BYTES_MAX) return false;
  const units = changetype<usize>(label);
  for (let index: u32 = 0; index < labelLen; index++) {
    store<u8>(asciiLabel + index, load<u8>(units + (index << 1)));
  }
  return hkdfExpandLabel(id, secret, asciiLabel, labelLen, context, contextLen, dest, len);
}
