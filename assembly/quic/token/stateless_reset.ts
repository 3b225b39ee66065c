/**
 * Stateless resets, RFC 9000 §10.3: the answer to a packet of a connection that this endpoint does not know any more, which looks
 * like any packet with a short header, and only its receiver sees that it is none.
 *
 *   Fixed Bits (2) = 1, Unpredictable Bits (38..), Stateless Reset Token (128)
 *
 * Each is shorter than what it answers (§10.3.3), so two endpoints that reset each other fall silent, and a budget bounds how many
 * are sent at all. Which packets may be answered is the endpoint's to decide: short headers, to an ID of the length that is
 * issued here, whose process is this one.
 */
import { Limit } from "../../abi/limit.ts";
import { TokenBucket, bucketTake } from "../../core/token_bucket.ts";
import { randomFill } from "../../crypto/drbg.ts";
import { limitHit, limitOf } from "../../session/limits.ts";
import { RemoteIds, remoteIdsHasToken } from "../ids/remote_ids.ts";
import { RESET_TOKEN_BYTES } from "../wire/new_connection_id.ts";
import { FIXED_BIT, LONG_HEADER_BIT } from "../wire/packet_type.ts";
import { resetToken } from "./reset_token.ts";

/** RFC 9000 §10.3: five bytes and the token. */
export const RESET_BYTES_MIN: u32 = 21;
/** §10.3.3: packets of at most 43 bytes are answered with one byte less; longer ones need no more than looks like a packet. */
const RESET_BYTES_USUAL: u32 = 42;
/** Lengths vary, for a constant one would give it away. */
const LENGTH_MASK: u32 = 15;
export const RESET_BYTES_MAX: u32 = RESET_BYTES_USUAL + LENGTH_MASK;

/** Whether the budget allows one more reset. `bucket` is the endpoint's. */
export function statelessResetIsAllowed(bucket: TokenBucket, nowMs: f64): bool {
  if (bucketTake(bucket, limitOf(Limit.QUIC_RESET_BURST), limitOf(Limit.QUIC_RESET_RATE_PER_S), nowMs))
    return true;
  limitHit(Limit.QUIC_RESET_BURST);
  return false;
}

/**
 * Writes a reset for the ID [ptr, ptr + len), which a packet of `triggerLen` bytes was sent to, to `dest`, which has room for
 * RESET_BYTES_MAX. Answers its length, or 0 when the packet is too short to be answered. `key` is EndpointKey.RESET.
 */
export function writeStatelessReset(key: usize, ptr: usize, len: u32, triggerLen: u32, dest: usize): u32 {
  if (triggerLen <= RESET_BYTES_MIN) return 0;
  randomFill(dest, 1);
  const resetLen = min(triggerLen - 1, RESET_BYTES_USUAL + (load<u8>(dest) & LENGTH_MASK));
  const tokenAt = resetLen - RESET_TOKEN_BYTES;
  randomFill(dest, tokenAt);
  store<u8>(dest, (load<u8>(dest) & ~LONG_HEADER_BIT) | FIXED_BIT);
  resetToken(key, ptr, len, dest + tokenAt);
  return resetLen;
}

/**
 * RFC 9000 §10.3.1: whether the datagram [ptr, ptr + len), whose first packet was not for this connection or could not be opened,
 * is a reset by the peer. `ids` is the connection's.
 */
export function isStatelessReset(ids: RemoteIds, ptr: usize, len: u32): bool {
  return len >= RESET_BYTES_MIN && remoteIdsHasToken(ids, ptr + len - RESET_TOKEN_BYTES);
}
