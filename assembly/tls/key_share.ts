/**
 * Key shares, RFC 8446 §4.2.8: those a client offers, and the questions that the host is asked about them.
 *
 * KEY_EXCHANGE questions, numbers in network byte order:
 *
 *     GENERATE  u8 1, u8 count, u16 group × count         → (u16 length, public share) × count, in the same order
 *     DERIVE    u8 2, u16 group, u16 length, peer's share → shared secret
 *     RESPOND   u8 3, u16 group, u16 length, peer's share → u16 length, public share, then the shared secret
 *
 * A client asks GENERATE first, the host keeps the private keys of the connection, and DERIVE uses the one of its group. A
 * server needs only RESPOND, once. For X25519MLKEM768 shares and secrets are those of draft-ietf-tls-ecdhe-mlkem: ML-KEM
 * first.
 */
import { Status } from "../abi/status.ts";
import { Reader, readU16, readerIsExact, readerLeft } from "../core/reader.ts";
import { slabAllocate } from "../core/slab.ts";
import { clientShareBytes } from "./algorithm.ts";
import { TlsConfig, configGroup } from "./config.ts";
import { ExtensionType, extensionOpen } from "./extension.ts";
import { TlsSession, Wanted, want } from "./handshake.ts";
import { TlsStatus } from "./tls_status.ts";
import { readVector16 } from "./vector.ts";

export const enum KeyExchange {
  GENERATE = 1,
  DERIVE = 2,
  RESPOND = 3,
}

/** A client that offers more shares than this is not looked at further: honest ones send three. */
const SHARE_COUNT_MAX: u32 = 16;

const shares = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const share = changetype<Reader>(memory.data(offsetof<Reader>(), 4));

export let sharePtr: usize = 0;
export let shareLen: u32 = 0;
export let shareGroup: u32 = 0;

/** Whether the client's shares are well formed, no group twice (§4.2.8). Sets the span to the first share. */
export function readClientShares(): i32 {
  const seen: u32 = openShares();
  if (seen == 0) return TlsStatus.DECODE;
  const start = shares.at;
  let count: u32 = 0;
  while (readerLeft(shares) != 0) {
    const group = readU16(shares);
    readVector16(shares, share);
    if (shares.failed != 0 || readerLeft(share) == 0) return TlsStatus.DECODE;
    if (count == SHARE_COUNT_MAX) return TlsStatus.ILLEGAL_PARAMETER;
    if (countOf(start, group) != 1) return TlsStatus.ILLEGAL_PARAMETER;
    count++;
  }
  return count;
}

/** Finds the client's share of `group`. The shares must have been read. */
export function findClientShare(group: u32): bool {
  openShares();
  while (readerLeft(shares) != 0) {
    const offered = readU16(shares);
    readVector16(shares, share);
    if (offered != group) continue;
    shareGroup = group;
    sharePtr = share.at;
    shareLen = readerLeft(share);
    return true;
  }
  return false;
}

/** Opens `shares`. 0 when the extension is not exactly one vector. */
function openShares(): u32 {
  const reader = extensionOpen(ExtensionType.KEY_SHARE);
  readVector16(reader, shares);
  return readerIsExact(reader) ? 1 : 0;
}

/** How many of the shares from `at` on are of `group`; those that are cut off do not count. */
function countOf(at: usize, group: u32): u32 {
  let count: u32 = 0;
  while (at + 4 <= shares.end) {
    if (<u32>bswap<u16>(load<u16>(at)) == group) count++;
    at += 4 + <u32>bswap<u16>(load<u16>(at, 2));
  }
  return count;
}

/** The client wants shares of its first `shareCount` groups, or only of the one that a retry asked for. */
export function wantShares(session: TlsSession, config: TlsConfig, retryGroup: u32): i32 {
  const count: u32 = retryGroup != 0 ? 1 : config.shareCount;
  const len = 2 + (count << 1);
  const ptr = slabAllocate(len);
  if (ptr == 0) return TlsStatus.INTERNAL;
  store<u8>(ptr, KeyExchange.GENERATE);
  store<u8>(ptr, <u8>count, 1);
  for (let index: u32 = 0; index < count; index++) {
    const group = retryGroup != 0 ? retryGroup : configGroup(config, index);
    store<u16>(ptr + 2 + (index << 1), bswap<u16>(<u16>group));
  }
  want(session, Wanted.KEY_EXCHANGE, ptr, len);
  return Status.OK;
}

/** Either side wants its secret with the peer's share. */
export function wantSecret(session: TlsSession, kind: KeyExchange, group: u32, peer: usize, len: u32): i32 {
  const ptr = slabAllocate(5 + len);
  if (ptr == 0) return TlsStatus.INTERNAL;
  store<u8>(ptr, kind);
  store<u16>(ptr, bswap<u16>(<u16>group), 1);
  store<u16>(ptr, bswap<u16>(<u16>len), 3);
  memory.copy(ptr + 5, peer, len);
  want(session, Wanted.KEY_EXCHANGE, ptr, 5 + len);
  return Status.OK;
}

/** RFC 8446 §4.2.8.2 and kin: whether a client's share has the length of its group. The rest the host checks. */
export function isClientShareLength(group: u32, len: u32): bool {
  return len != 0 && clientShareBytes(group) == len;
}
