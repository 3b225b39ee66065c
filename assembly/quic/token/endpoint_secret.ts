/**
 * Keys that an endpoint needs before and beside any connection, all made from one secret of its operator's.
 *
 * Processes that share a port are given the same secret, and so is an endpoint that comes back after a crash: then it can reset
 * connections it no longer knows (RFC 9000 §10.3.2), and tokens it gave out still hold.
 */
import { HashId } from "../../crypto/hash.ts";
import { hkdfExpandAscii } from "../../crypto/hkdf.ts";

export const ENDPOINT_SECRET_BYTES: u32 = 32;
export const ENDPOINT_KEY_BYTES: u32 = 32;

export const enum EndpointKey {
  /** For token/reset_token.ts. */
  RESET = 0,
  /** For ids/id_generator.ts. */
  ROUTING = 1,
}

/** Writes one of the keys, of ENDPOINT_KEY_BYTES, to `dest`. `secret` has ENDPOINT_SECRET_BYTES. */
export function endpointKey(secret: usize, key: EndpointKey, dest: usize): void {
  const label = key == EndpointKey.RESET ? "quic reset" : "quic routing";
  hkdfExpandAscii(HashId.SHA_256, secret, label, 0, 0, dest, ENDPOINT_KEY_BYTES);
}
