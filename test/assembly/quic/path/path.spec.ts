/** Paths: what may be sent before they are validated, how they are, and which one is sent on. */

import { drbgSeed } from "../../../../assembly/crypto/drbg.ts";
import { hashInitialize } from "../../../../assembly/core/hash.ts";
import {
  ADDRESS_BYTES,
  Address,
  AddressFamily,
  addressHostIs,
  addressIs,
  addressIsIpv4,
  addressIsValid,
  addressPort,
  addressPrefixHash,
  addressSet,
} from "../../../../assembly/quic/path/address.ts";
import {
  PATH_BYTES,
  Path,
  PathProof,
  PathValidation,
  amplificationBudget,
  pathOnChallenge,
  pathOnReceived,
  pathOnResponse,
  pathOnSent,
  pathOnTimeout,
  pathOpen,
  pathRemote,
  pathSetValidated,
  pathTakeChallenge,
  pathTakeResponse,
  pathValidate,
} from "../../../../assembly/quic/path/path.ts";

/** RFC 9002 §6.2.2: the PTO of a path without a sample. */
const PERIOD_MS: f64 = 999;

const path = changetype<Path>(heap.alloc(PATH_BYTES));
const a = changetype<Address>(heap.alloc(ADDRESS_BYTES));
const b = changetype<Address>(heap.alloc(ADDRESS_BYTES));
const host: usize = heap.alloc(16);
memory.fill(host, 0, 16);
drbgSeed(host, 16);

function open(): void {
  memory.fill(host, 1, 16);
  addressSet(a, AddressFamily.IPV6, host, 443);
  pathOpen(path, a, 3, false);
}

describe("addresses", () => {
  test("are twenty bytes, the port in network byte order", () => {
    expect(ADDRESS_BYTES).toBe(20);
    memory.fill(host, 0xee, 16);
    addressSet(a, AddressFamily.IPV4, host, 0x1234);
    expect(load<u32>(changetype<usize>(a))).toBe(0x34120004);
    expect(addressPort(a)).toBe(0x1234);
    expect(addressIsValid(a)).toBe(true);
    store<u8>(changetype<usize>(a), 1, 19);
    expect(addressIsValid(a)).toBe(false);
    addressSet(a, AddressFamily.IPV6, host, 1);
    expect(addressIsValid(a)).toBe(true);
    store<u8>(changetype<usize>(a), 1, 1);
    expect(addressIsValid(a)).toBe(false);
    memory.fill(changetype<usize>(a), 0, ADDRESS_BYTES);
    expect(addressIsValid(a)).toBe(false);
  });

  test("are the same with all bytes, or but for the port", () => {
    memory.fill(host, 1, 16);
    addressSet(a, AddressFamily.IPV6, host, 443);
    addressSet(b, AddressFamily.IPV6, host, 443);
    expect(addressIs(a, b)).toBe(true);
    addressSet(b, AddressFamily.IPV6, host, 444);
    expect(addressIs(a, b)).toBe(false);
    expect(addressHostIs(a, b)).toBe(true);
    store<u8>(host, 2, 15);
    addressSet(b, AddressFamily.IPV6, host, 443);
    expect(addressHostIs(a, b)).toBe(false);
  });

  test("are counted by /24 and /64, with IPv4 in IPv6 by its own", () => {
    hashInitialize(3, 4);
    store<u64>(host, 0);
    store<u32>(host, 0xffff0000, 8);
    store<u32>(host, 0x04030201, 12);
    addressSet(a, AddressFamily.IPV4, host + 12, 1);
    addressSet(b, AddressFamily.IPV6, host, 2);
    expect(addressIsIpv4(a)).toBe(true);
    expect(addressIsIpv4(b)).toBe(true);
    expect(addressPrefixHash(a)).toBe(addressPrefixHash(b));
    store<u8>(host, 99, 15);
    addressSet(b, AddressFamily.IPV6, host, 2);
    expect(addressPrefixHash(a)).toBe(addressPrefixHash(b));
    store<u8>(host, 99, 14);
    addressSet(b, AddressFamily.IPV6, host, 2);
    expect(addressPrefixHash(a)).not.toBe(addressPrefixHash(b));
    memory.fill(host, 5, 16);
    addressSet(a, AddressFamily.IPV6, host, 1);
    store<u8>(host, 6, 8);
    addressSet(b, AddressFamily.IPV6, host, 2);
    expect(addressIsIpv4(a)).toBe(false);
    expect(addressPrefixHash(a)).toBe(addressPrefixHash(b));
    store<u8>(host, 6, 7);
    addressSet(b, AddressFamily.IPV6, host, 2);
    expect(addressPrefixHash(a)).not.toBe(addressPrefixHash(b));
  });
});

describe("the threefold limit", () => {
  test("is three times what came, until the address is validated", () => {
    open();
    expect(addressIs(pathRemote(path), a)).toBe(true);
    expect(path.local).toBe(3);
    expect(amplificationBudget(path)).toBe(0);
    pathOnReceived(path, 1200);
    expect(amplificationBudget(path)).toBe(3600);
    pathOnSent(path, 3599);
    expect(amplificationBudget(path)).toBe(1);
    pathOnSent(path, 2);
    expect(amplificationBudget(path)).toBe(0);
    pathOnReceived(path, 1);
    expect(amplificationBudget(path)).toBe(2);
    for (let round = 0; round < 3; round++) pathOnReceived(path, u32.MAX_VALUE);
    expect(amplificationBudget(path)).toBe(u32.MAX_VALUE);
    pathSetValidated(path);
    pathOnSent(path, u32.MAX_VALUE);
    expect(amplificationBudget(path)).toBe(u32.MAX_VALUE);
  });
});

describe("validation", () => {
  test("is done with the response to any of its challenges", () => {
    for (let answered: u32 = 0; answered < 3; answered++) {
      open();
      pathValidate(path, 10, 0);
      let wanted: u64 = 0;
      for (let index: u32 = 0; index < 3; index++) {
        expect(path.owesChallenge).toBe(true);
        const data = pathTakeChallenge(path, true, PERIOD_MS * index);
        expect(path.owesChallenge).toBe(false);
        if (index == answered) wanted = data;
        expect(pathOnTimeout(path, PERIOD_MS * (index + 1) - 1)).toBe(false);
        if (index < 2) expect(pathOnTimeout(path, PERIOD_MS * (index + 1))).toBe(false);
      }
      expect(pathOnResponse(path, wanted ^ 1, 2100)).toBe(PathProof.NONE);
      expect(path.isValidated).toBe(false);
      expect(pathOnResponse(path, wanted, 2100)).toBe(PathProof.COMPLETE);
      expect(path.isValidated).toBe(true);
      expect(path.validation).toBe(PathValidation.IDLE);
      expect(path.deadlineMs).toBe(Infinity);
      expect(pathOnResponse(path, wanted, 2100)).toBe(PathProof.NONE);
    }
  });

  test("sends one challenge per period, and gives up after three", () => {
    open();
    pathValidate(path, 2000, 100);
    pathTakeChallenge(path, true, 100);
    expect(path.deadlineMs).toBe(2100);
    expect(pathOnTimeout(path, 2099)).toBe(false);
    expect(path.owesChallenge).toBe(false);
    expect(pathOnTimeout(path, 2100)).toBe(false);
    pathTakeChallenge(path, true, 2100);
    pathOnTimeout(path, 4100);
    const last = pathTakeChallenge(path, true, 4100);
    expect(path.deadlineMs).toBe(6100);
    expect(pathOnTimeout(path, 6099)).toBe(false);
    expect(pathOnTimeout(path, 6100)).toBe(true);
    expect(path.validation).toBe(PathValidation.FAILED);
    expect(pathOnTimeout(path, 9999)).toBe(false);
    expect(pathOnResponse(path, last, 9999)).toBe(PathProof.NONE);
    // It may begin anew.
    pathValidate(path, 10, 10_000);
    expect(pathOnResponse(path, pathTakeChallenge(path, true, 10_000), 10_001)).toBe(PathProof.COMPLETE);
  });

  test("ends too when its challenge could never be sent", () => {
    open();
    pathValidate(path, 10, 0);
    expect(pathOnTimeout(path, 3 * PERIOD_MS - 1)).toBe(false);
    expect(pathOnTimeout(path, 3 * PERIOD_MS)).toBe(true);
  });

  test("goes on for the size when the challenge went in a small datagram", () => {
    open();
    pathValidate(path, 10, 0);
    const small = pathTakeChallenge(path, false, 0);
    expect(pathOnResponse(path, small, 50)).toBe(PathProof.ADDRESS);
    expect(amplificationBudget(path)).toBe(u32.MAX_VALUE);
    expect(path.owesChallenge).toBe(true);
    expect(pathOnResponse(path, small, 60)).toBe(PathProof.NONE);
    const large = pathTakeChallenge(path, true, 60);
    expect(large).not.toBe(small);
    expect(pathOnResponse(path, large, 90)).toBe(PathProof.COMPLETE);
    // And where datagrams of 1200 bytes do not arrive, it is no path.
    pathValidate(path, 10, 100);
    expect(pathOnResponse(path, pathTakeChallenge(path, false, 100), 150)).toBe(PathProof.ADDRESS);
    expect(pathOnTimeout(path, 150 + 3 * PERIOD_MS)).toBe(true);
    expect(path.isValidated).toBe(false);
  });
});

describe("responses", () => {
  test("are sent once each and in order, and four wait at most", () => {
    open();
    for (let data: u64 = 1; data <= 4; data++) expect(pathOnChallenge(path, data)).toBe(true);
    for (let data: u64 = 5; data <= 100_000; data++) assert(!pathOnChallenge(path, data), "flood");
    expect(pathTakeResponse(path)).toBe(1);
    expect(pathTakeResponse(path)).toBe(2);
    expect(pathOnChallenge(path, 7)).toBe(true);
    expect(pathTakeResponse(path)).toBe(3);
    expect(pathTakeResponse(path)).toBe(4);
    expect(pathTakeResponse(path)).toBe(7);
    expect(path.responseCount).toBe(0);
  });
});
