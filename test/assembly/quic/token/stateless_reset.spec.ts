/** Stateless resets: their shape and length, that only their receiver knows them, and that none of them goes on for ever. */

import { drbgSeed } from "../../../../assembly/crypto/drbg.ts";
import { HashId } from "../../../../assembly/crypto/hash.ts";
import { hmac } from "../../../../assembly/crypto/hmac.ts";
import { TokenBucket, bucketOpen } from "../../../../assembly/core/token_bucket.ts";
import {
  REMOTE_IDS_BYTES,
  RemoteIds,
  remoteIdsOnNew,
  remoteIdsOpen,
  remoteIdsTake,
} from "../../../../assembly/quic/ids/remote_ids.ts";
import { EndpointKey, endpointKey } from "../../../../assembly/quic/token/endpoint_secret.ts";
import { resetToken } from "../../../../assembly/quic/token/reset_token.ts";
import {
  RESET_BYTES_MAX,
  RESET_BYTES_MIN,
  isStatelessReset,
  statelessResetIsAllowed,
  writeStatelessReset,
} from "../../../../assembly/quic/token/stateless_reset.ts";
import { limitsReset } from "../../../../assembly/session/limits.ts";

const key: usize = heap.alloc(32);
const routingKey: usize = heap.alloc(32);
const secret: usize = heap.alloc(32);
const id: usize = heap.alloc(20);
const token: usize = heap.alloc(16);
const digest: usize = heap.alloc(32);
const packet: usize = heap.alloc(RESET_BYTES_MAX + 1);
const ids = changetype<RemoteIds>(heap.alloc(REMOTE_IDS_BYTES));
const bucket = changetype<TokenBucket>(heap.alloc(offsetof<TokenBucket>()));

function start(): void {
  limitsReset();
  memory.fill(secret, 5, 32);
  drbgSeed(secret, 32);
  endpointKey(secret, EndpointKey.RESET, key);
  endpointKey(secret, EndpointKey.ROUTING, routingKey);
  memory.fill(id, 6, 20);
}

describe("reset tokens", () => {
  test("are the first half of an HMAC of the ID", () => {
    start();
    resetToken(key, id, 8, token);
    hmac(HashId.SHA_256, key, 32, id, 8, digest);
    expect(memory.compare(token, digest, 16)).toBe(0);
    store<u8>(id, 7);
    resetToken(key, id, 8, digest);
    expect(memory.compare(token, digest, 16)).not.toBe(0);
    expect(memory.compare(key, routingKey, 32)).not.toBe(0);
  });
});

describe("stateless resets", () => {
  test("are shorter than what they answer, look like short headers, and end with the token", () => {
    start();
    resetToken(key, id, 8, token);
    let ones: u32 = 0;
    let zeros: u32 = 0;
    for (let triggerLen: u32 = 0; triggerLen < 1500; triggerLen++) {
      store<u8>(packet + RESET_BYTES_MAX, 0xa5);
      const len = writeStatelessReset(key, id, 8, triggerLen, packet);
      assert(load<u8>(packet + RESET_BYTES_MAX) == 0xa5, "behind its room");
      if (triggerLen <= RESET_BYTES_MIN) {
        assert(len == 0, "too short to answer");
        continue;
      }
      assert(len >= RESET_BYTES_MIN && len < triggerLen && len <= RESET_BYTES_MAX, "length");
      if (triggerLen <= 43) assert(len == triggerLen - 1, "one byte less");
      assert((load<u8>(packet) & 0xc0) == 0x40, "short header");
      assert(memory.compare(packet + len - 16, token, 16) == 0, "token");
      ones |= load<u8>(packet);
      zeros |= ~(<u32>load<u8>(packet));
    }
    // Each of the other bits of the first byte was seen as 1 and as 0.
    expect(ones & 0x3f).toBe(0x3f);
    expect(zeros & 0x3f).toBe(0x3f);
  });

  test("of two endpoints to each other come to an end", () => {
    start();
    let len: u32 = 1200;
    let rounds = 0;
    while (len != 0) {
      len = writeStatelessReset(key, packet + 1, 8, len, packet);
      rounds++;
    }
    expect(rounds).toBeLessThan(45);
  });

  test("are known to whoever has the ID in use", () => {
    start();
    resetToken(key, id, 8, token);
    remoteIdsOpen(ids, secret, 8, 0);
    remoteIdsOnNew(ids, 1, 0, id, 8, token);
    const len = writeStatelessReset(key, id, 8, 1200, packet);
    expect(isStatelessReset(ids, packet, len)).toBe(false);
    remoteIdsTake(ids, 1);
    expect(isStatelessReset(ids, packet, len)).toBe(true);
    expect(isStatelessReset(ids, packet, len - 1)).toBe(false);
    expect(isStatelessReset(ids, packet + len - 20, 20)).toBe(false);
    expect(isStatelessReset(ids, packet + len - 21, 21)).toBe(true);
    expect(isStatelessReset(ids, packet, 0)).toBe(false);
  });

  test("are sent at a limited rate", () => {
    start();
    bucketOpen(bucket, 100, 0);
    let sent = 0;
    for (let round = 0; round < 1000; round++) if (statelessResetIsAllowed(bucket, 0)) sent++;
    expect(sent).toBe(100);
    expect(statelessResetIsAllowed(bucket, 9)).toBe(false);
    expect(statelessResetIsAllowed(bucket, 11)).toBe(true);
    // Time that runs back gives nothing.
    expect(statelessResetIsAllowed(bucket, -100_000)).toBe(false);
    expect(statelessResetIsAllowed(bucket, 12)).toBe(false);
  });
});
