/**
 * The token of a stateless reset, RFC 9000 §10.3.2: a pseudorandom function of the connection ID under a key of the endpoint's,
 * so that it can be told again when nothing of the connection is left.
 *
 *   HMAC-SHA256(key, connection ID), the first 16 bytes
 *
 * Whoever knows the token of an ID can end its connection, so the key is for nothing else, and no token is ever given for an ID
 * that was not issued (§21.11): the endpoint answers only to IDs of the length it issues.
 */
import { HashId } from "../../crypto/hash.ts";
import { hmac } from "../../crypto/hmac.ts";
import { SHA256_BYTES } from "../../crypto/sha256.ts";
import { RESET_TOKEN_BYTES } from "../wire/new_connection_id.ts";
import { ENDPOINT_KEY_BYTES } from "./endpoint_secret.ts";

const digest: usize = memory.data(SHA256_BYTES, 16);

/** Writes the RESET_TOKEN_BYTES of the ID [ptr, ptr + len) to `dest`. `key` is EndpointKey.RESET. */
export function resetToken(key: usize, ptr: usize, len: u32, dest: usize): void {
  hmac(HashId.SHA_256, key, ENDPOINT_KEY_BYTES, ptr, len, digest);
  memory.copy(dest, digest, RESET_TOKEN_BYTES);
  memory.fill(digest, 0, SHA256_BYTES);
}
