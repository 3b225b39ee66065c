/** Tokens that prove an address: what they are bound to, how long, how often, and what else is no token. */

import { QuicStatus } from "../../../../assembly/abi/quic_status.ts";
import { drbgSeed } from "../../../../assembly/crypto/drbg.ts";
import { ADDRESS_BYTES, Address, AddressFamily, addressSet } from "../../../../assembly/quic/path/address.ts";
import {
  ADDRESS_TOKEN_BYTES_MAX,
  ADDRESS_TOKEN_KEYS_BYTES,
  AddressToken,
  AddressTokenKeys,
  NEW_TOKEN_BYTES,
  addressTokenKeysOpen,
  addressTokenKeysRotate,
  openAddressToken,
  retryOriginalId,
  retryOriginalIdLen,
  sealNewToken,
  sealRetryToken,
} from "../../../../assembly/quic/token/address_token.ts";
import { TokenFilter, tokenFilterOpen } from "../../../../assembly/quic/token/token_filter.ts";
import { limitsReset } from "../../../../assembly/session/limits.ts";

const FILTER_BYTES: u32 = 4096;
const START_MS: f64 = 1_800_000_000_000;
const DAY_MS: f64 = 86_400_000;

const keys = changetype<AddressTokenKeys>(heap.alloc(ADDRESS_TOKEN_KEYS_BYTES));
const filter = changetype<TokenFilter>(heap.alloc(offsetof<TokenFilter>()));
const filterRegion: usize = heap.alloc(FILTER_BYTES);
const address = changetype<Address>(heap.alloc(ADDRESS_BYTES));
const host: usize = heap.alloc(16);
const secret: usize = heap.alloc(32);
const original: usize = heap.alloc(20);
const source: usize = heap.alloc(20);
const token: usize = heap.alloc(ADDRESS_TOKEN_BYTES_MAX + 1);

function setAddress(lastByte: u8, port: u32): void {
  memory.fill(host, 9, 16);
  store<u8>(host, lastByte, 3);
  addressSet(address, AddressFamily.IPV4, host, port);
}

function rotate(generation: u8): void {
  memory.fill(secret, generation, 32);
  addressTokenKeysRotate(keys, secret);
}

function start(): void {
  limitsReset();
  memory.fill(original, 0x33, 20);
  memory.fill(source, 0x44, 20);
  memory.fill(secret, 0, 32);
  drbgSeed(secret, 32);
  addressTokenKeysOpen(keys);
  rotate(1);
  tokenFilterOpen(filter, filterRegion, FILTER_BYTES);
  setAddress(1, 4433);
}

function open(len: u32, nowMs: f64): i32 {
  return openAddressToken(keys, filter, address, source, 8, token, len, nowMs);
}

function sealRetry(originalLen: u32): u32 {
  return sealRetryToken(keys, address, original, originalLen, source, 8, START_MS, token);
}

describe("Retry tokens", () => {
  test("tell where the first Initial went to", () => {
    start();
    for (let originalLen: u32 = 0; originalLen <= 20; originalLen++) {
      const len = sealRetry(originalLen);
      expect(len).toBe(NEW_TOKEN_BYTES + originalLen);
      memory.fill(retryOriginalId, 0, 20);
      expect(open(len, START_MS + 10)).toBe(AddressToken.RETRY);
      expect(retryOriginalIdLen).toBe(originalLen);
      expect(memory.compare(retryOriginalId, original, originalLen)).toBe(0);
    }
    expect(ADDRESS_TOKEN_BYTES_MAX).toBe(NEW_TOKEN_BYTES + 20);
  });

  test("hold for fifteen seconds, from the same address, to the same ID", () => {
    start();
    const len = sealRetry(8);
    expect(open(len, START_MS + 15_000)).toBe(AddressToken.RETRY);
    expect(open(len, START_MS + 15_001)).toBe(QuicStatus.TOKEN_INVALID);
    expect(open(len, START_MS - 1000)).toBe(AddressToken.RETRY);
    expect(open(len, START_MS - 1001)).toBe(QuicStatus.TOKEN_INVALID);
    setAddress(1, 4434);
    expect(open(len, START_MS)).toBe(QuicStatus.TOKEN_INVALID);
    setAddress(2, 4433);
    expect(open(len, START_MS)).toBe(QuicStatus.TOKEN_INVALID);
    setAddress(1, 4433);
    store<u8>(source, 0x45, 7);
    expect(open(len, START_MS)).toBe(QuicStatus.TOKEN_INVALID);
    store<u8>(source, 0x44, 7);
    expect(openAddressToken(keys, filter, address, source, 9, token, len, START_MS)).toBe(
      QuicStatus.TOKEN_INVALID,
    );
    expect(openAddressToken(keys, filter, address, source, 255, token, len, START_MS)).toBe(
      AddressToken.ABSENT,
    );
    expect(open(len, START_MS)).toBe(AddressToken.RETRY);
  });

  test("are invalid with any bit changed, or none at all when their kind or key is not known", () => {
    start();
    const len = sealRetry(8);
    for (let bit: u32 = 0; bit < len * 8; bit++) {
      const at = token + (bit >> 3);
      const byte: u32 = load<u8>(at);
      store<u8>(at, byte ^ (1 << (bit & 7)));
      const isNamed = bit < 9 * 8;
      assert(
        open(len, START_MS) == (isNamed ? AddressToken.ABSENT : QuicStatus.TOKEN_INVALID),
        bit.toString(),
      );
      store<u8>(at, byte);
    }
    expect(open(len, START_MS)).toBe(AddressToken.RETRY);
  });

  test("of any other length are not accepted", () => {
    start();
    const full = sealRetry(8);
    for (let len: u32 = 0; len < full; len++)
      assert(open(len, START_MS) != AddressToken.RETRY, len.toString());
    expect(open(full + 1, START_MS)).toBe(QuicStatus.TOKEN_INVALID);
    expect(open(ADDRESS_TOKEN_BYTES_MAX + 1, START_MS)).toBe(AddressToken.ABSENT);
  });
});

describe("tokens of NEW_TOKEN", () => {
  test("work once, from any port of their host", () => {
    start();
    expect(sealNewToken(keys, address, START_MS, token)).toBe(NEW_TOKEN_BYTES);
    setAddress(1, 50000);
    expect(open(NEW_TOKEN_BYTES, START_MS + 5)).toBe(AddressToken.NEW_TOKEN);
    expect(open(NEW_TOKEN_BYTES, START_MS + 6)).toBe(AddressToken.ABSENT);
    expect(open(NEW_TOKEN_BYTES, START_MS + DAY_MS)).toBe(AddressToken.ABSENT);
  });

  test("are as none from another host, after a day, or damaged, and are not used up by that", () => {
    start();
    sealNewToken(keys, address, START_MS, token);
    setAddress(2, 4433);
    expect(open(NEW_TOKEN_BYTES, START_MS)).toBe(AddressToken.ABSENT);
    setAddress(1, 4433);
    expect(open(NEW_TOKEN_BYTES, START_MS + DAY_MS + 1)).toBe(AddressToken.ABSENT);
    expect(open(NEW_TOKEN_BYTES, START_MS - 1001)).toBe(AddressToken.ABSENT);
    for (let offset: u32 = 1; offset < NEW_TOKEN_BYTES; offset++) {
      const byte = load<u8>(token + offset);
      store<u8>(token + offset, byte ^ 0x80);
      expect(open(NEW_TOKEN_BYTES, START_MS)).toBe(AddressToken.ABSENT);
      store<u8>(token + offset, byte);
    }
    // As a Retry's, whose kind it names then, it is invalid: the kind is a part of what is sealed.
    store<u8>(token, AddressToken.RETRY);
    expect(open(NEW_TOKEN_BYTES, START_MS)).toBe(QuicStatus.TOKEN_INVALID);
    store<u8>(token, AddressToken.NEW_TOKEN);
    expect(open(NEW_TOKEN_BYTES, START_MS + DAY_MS)).toBe(AddressToken.NEW_TOKEN);
  });

  test("are all different", () => {
    start();
    const seen = new Set<u64>();
    for (let round = 0; round < 100; round++) {
      sealNewToken(keys, address, START_MS, token);
      seen.add(load<u64>(token + 9));
    }
    expect(seen.size).toBe(100);
  });
});

describe("keys of tokens", () => {
  test("rotate: the newest seals, the last three open", () => {
    start();
    const len = sealRetry(8);
    rotate(2);
    rotate(3);
    expect(open(len, START_MS)).toBe(AddressToken.RETRY);
    rotate(4);
    expect(open(len, START_MS)).toBe(AddressToken.ABSENT);
  });

  test("made of one secret are the same in every process", () => {
    start();
    const len = sealRetry(8);
    addressTokenKeysOpen(keys);
    expect(open(len, START_MS)).toBe(AddressToken.ABSENT);
    rotate(1);
    expect(open(len, START_MS)).toBe(AddressToken.RETRY);
  });
});
