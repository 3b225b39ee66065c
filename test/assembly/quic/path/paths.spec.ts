/** The three paths of a connection: moving, falling back, and what claims of many addresses can displace. */

import { drbgSeed } from "../../../../assembly/crypto/drbg.ts";
import { ADDRESS_BYTES, Address, AddressFamily, addressSet } from "../../../../assembly/quic/path/address.ts";
import {
  PathProof,
  pathOnChallenge,
  pathOpen,
  pathTakeChallenge,
  pathValidate,
} from "../../../../assembly/quic/path/path.ts";
import {
  NO_PATH,
  PATHS_BYTES,
  Paths,
  currentPath,
  pathAt,
  pathProof,
  pathsClose,
  pathsDeadlineMs,
  pathsFallBack,
  pathsFind,
  pathsMove,
  pathsOnResponse,
  pathsOnTimeout,
  pathsOpen,
  pathsOwingChallenge,
  pathsOwingResponse,
  pathsSlot,
} from "../../../../assembly/quic/path/paths.ts";

const paths = changetype<Paths>(heap.alloc(PATHS_BYTES));
const address = changetype<Address>(heap.alloc(ADDRESS_BYTES));
const host: usize = heap.alloc(16);
memory.fill(host, 1, 16);
drbgSeed(host, 16);

function at(port: u32): Address {
  addressSet(address, AddressFamily.IPV4, host, port);
  return address;
}

/** Opens a path as a packet from elsewhere does. */
function add(port: u32): u32 {
  const slot = pathsSlot(paths);
  if (pathAt(paths, slot).isOpen) pathsClose(paths, slot);
  pathOpen(pathAt(paths, slot), at(port), 0, false);
  return slot;
}

describe("the paths of a connection", () => {
  test("are found by both of their ends", () => {
    pathsOpen(paths, at(1), 7, true);
    expect(pathsFind(paths, at(1), 7)).toBe(0);
    expect(pathsFind(paths, at(1), 8)).toBe(NO_PATH);
    expect(pathsFind(paths, at(2), 7)).toBe(NO_PATH);
  });

  test("fall back to the last one that was validated", () => {
    pathsOpen(paths, at(1), 0, true);
    const second = add(2);
    pathsMove(paths, second);
    expect(paths.fallback).toBe(0);
    // On from one that was never validated: what is fallen back to stays.
    const third = add(3);
    pathsMove(paths, third);
    expect(paths.current).toBe(third);
    expect(paths.fallback).toBe(0);
    expect(pathsFallBack(paths)).toBe(true);
    expect(paths.current).toBe(0);
    expect(paths.fallback).toBe(NO_PATH);
    expect(pathsFind(paths, at(3), 0)).toBe(NO_PATH);
    expect(pathsFallBack(paths)).toBe(false);
  });

  test("move back to where they were", () => {
    pathsOpen(paths, at(1), 0, true);
    const second = add(2);
    pathsMove(paths, second);
    pathsMove(paths, 0);
    expect(paths.current).toBe(0);
    expect(paths.fallback).toBe(NO_PATH);
    pathsMove(paths, second);
    pathAt(paths, second).isValidated = true;
    pathsMove(paths, 0);
    expect(paths.fallback).toBe(second);
  });

  test("survive a thousand claimed addresses", () => {
    pathsOpen(paths, at(1), 0, true);
    const second = add(2);
    pathsMove(paths, second);
    for (let port: u32 = 10; port < 1010; port++) {
      const slot = add(port);
      assert(slot != paths.current && slot != paths.fallback, "displaced");
    }
    expect(pathsFind(paths, at(1), 0)).toBe(0);
    expect(pathsFind(paths, at(2), 0)).toBe(second);
    expect(pathsFind(paths, at(1009), 0)).not.toBe(NO_PATH);
  });

  test("keep what is fallen back to in any slot", () => {
    pathsOpen(paths, at(1), 0, true);
    add(2);
    const third = add(3);
    expect(third).toBe(2);
    pathAt(paths, third).isValidated = true;
    pathsMove(paths, third);
    pathsMove(paths, 0);
    expect(paths.fallback).toBe(third);
    expect(pathsSlot(paths)).toBe(1);
  });

  test("take responses for each other, and fail one by one", () => {
    pathsOpen(paths, at(1), 0, true);
    const second = add(2);
    pathsMove(paths, second);
    pathValidate(pathAt(paths, 0), 10, 0);
    pathValidate(pathAt(paths, second), 10, 1);
    expect(pathsOwingChallenge(paths)).toBe(second);
    const secondData = pathTakeChallenge(currentPath(paths), true, 1);
    expect(pathsOwingChallenge(paths)).toBe(0);
    const firstData = pathTakeChallenge(pathAt(paths, 0), true, 1);
    expect(pathsOwingChallenge(paths)).toBe(NO_PATH);
    expect(pathsOnResponse(paths, firstData, 5)).toBe(0);
    expect(pathProof).toBe(PathProof.COMPLETE);
    expect(pathsOnResponse(paths, firstData, 5)).toBe(NO_PATH);
    expect(pathsDeadlineMs(paths)).toBe(1000);
    expect(pathsOnTimeout(paths, 1000)).toBe(NO_PATH);
    expect(pathsOnTimeout(paths, 4000)).toBe(second);
    expect(pathsOnTimeout(paths, 4000)).toBe(NO_PATH);
    expect(pathsDeadlineMs(paths)).toBe(Infinity);
    expect(pathsOnResponse(paths, secondData, 5)).toBe(NO_PATH);
  });

  test("answer challenges where they came", () => {
    pathsOpen(paths, at(1), 0, true);
    const second = add(2);
    expect(pathsOwingResponse(paths)).toBe(NO_PATH);
    pathOnChallenge(pathAt(paths, second), 5);
    expect(pathsOwingResponse(paths)).toBe(second);
  });
});
