/**
 * SubjectPublicKeyInfo, RFC 5280 §4.1.2.7: which kind of key it is. The key itself only the host uses.
 */
import { Reader, readU8, readerIsExact, readerLeft, readerOpen } from "../core/reader.ts";
import { Tag, derNext, derRead } from "./der.ts";
import { Oid, oidOf } from "./oid.ts";

export const enum KeyKind {
  UNKNOWN = 0,
  RSA = 1,
  P256 = 2,
  P384 = 3,
  ED25519 = 4,
}

const whole = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const info = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const algorithm = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const inner = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const modulus = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const part = changetype<Reader>(memory.data(offsetof<Reader>(), 4));

/** CA/Browser Forum BR §6.1.5: a modulus of at least 2048 bits. */
const MODULUS_BYTES_MIN: u32 = 256;

/** The kind of the key in [ptr, ptr + len); UNKNOWN too when it is not well formed. */
export function keyKindOf(ptr: usize, len: u32): KeyKind {
  readerOpen(whole, ptr, len);
  derRead(whole, Tag.SEQUENCE, info);
  derRead(info, Tag.SEQUENCE, algorithm);
  derRead(algorithm, Tag.OBJECT_IDENTIFIER, part);
  if (algorithm.failed != 0) return KeyKind.UNKNOWN;
  const oid = oidOf(part);
  let kind = KeyKind.UNKNOWN;
  switch (oid) {
    case Oid.RSA_ENCRYPTION:
      kind = KeyKind.RSA;
      if (algorithm.at != algorithm.end) derNext(algorithm, part);
      break;
    case Oid.ED25519:
      kind = KeyKind.ED25519;
      break;
    case Oid.EC_PUBLIC_KEY:
      derRead(algorithm, Tag.OBJECT_IDENTIFIER, part);
      if (algorithm.failed != 0) return KeyKind.UNKNOWN;
      kind = curveOf(oidOf(part));
      break;
  }
  derRead(info, Tag.BIT_STRING, part);
  const isWhole = readU8(part) == 0 && part.failed == 0 && (kind != KeyKind.RSA || isLongModulus(part));
  return isWhole && readerIsExact(algorithm) && readerIsExact(info) && readerIsExact(whole)
    ? kind
    : KeyKind.UNKNOWN;
}

function curveOf(oid: Oid): KeyKind {
  if (oid == Oid.P256) return KeyKind.P256;
  return oid == Oid.P384 ? KeyKind.P384 : KeyKind.UNKNOWN;
}

/** RFC 8017 §A.1.1: the key is a SEQUENCE of modulus and exponent. Its first byte is zero where the next has its top bit set. */
function isLongModulus(key: Reader): bool {
  derRead(key, Tag.SEQUENCE, inner);
  derRead(inner, Tag.INTEGER, modulus);
  const len = readerLeft(modulus);
  return (
    inner.failed == 0 && len >= MODULUS_BYTES_MIN && (load<u8>(modulus.at) != 0 || len > MODULUS_BYTES_MIN)
  );
}
