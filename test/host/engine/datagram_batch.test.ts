// Batches of datagrams: what is visited is what was added, and buffers are used again only once they were given back.

import { expect, test } from "vitest";
import {
  encodeAddress,
  ReceiveBatch,
  recordsEnd,
  TransmitBuffers,
  visitBatch,
} from "../../../host/engine/datagram_batch.ts";

const ONE = encodeAddress("192.0.2.1", 4433);
const OTHER = encodeAddress("192.0.2.1", 4434);
const REGION_BYTES = 64 * 1024;

function batchOf(...datagrams: (readonly [payload: Uint8Array, address: Uint8Array, local: number])[]) {
  const region = new Uint8Array(REGION_BYTES);
  const batch = new ReceiveBatch(region);
  for (const [payload, address, local] of datagrams) batch.add(payload, address, local);
  return region.subarray(0, batch.length);
}

test("each datagram is visited with its address, and the last one is told", () => {
  const batch = batchOf(
    [Uint8Array.of(1, 2, 3), ONE, 0],
    [new Uint8Array(0), ONE, 0],
    [Uint8Array.of(4), OTHER, 2],
  );
  const seen: unknown[] = [];
  visitBatch(batch, 0, batch.length, (payload, address, local, isLast) =>
    seen.push([[...payload], [...address], local, isLast]),
  );
  expect(seen).toEqual([
    [[1, 2, 3], [...ONE], 0, false],
    [[], [...ONE], 0, false],
    [[4], [...OTHER], 2, true],
  ]);
});

test("a part of a batch ends where a datagram does", () => {
  const payload = new Uint8Array(300);
  const one = batchOf([payload, ONE, 0]).length;
  const two = batchOf([payload, ONE, 0], [Uint8Array.of(1), OTHER, 0]).length;
  const batch = batchOf([payload, ONE, 0], [Uint8Array.of(1), OTHER, 0], [payload, ONE, 0]);
  const { length } = batch;
  expect(recordsEnd(batch, 0, length, 1)).toBe(one);
  expect(recordsEnd(batch, 0, length, 2)).toBe(two);
  expect(recordsEnd(batch, one, length, 1)).toBe(two);
  expect(recordsEnd(batch, two, length, 5)).toBe(length);
});

test("an address is the same object only while it has the same bytes", () => {
  const payload = Uint8Array.of(1);
  const batch = batchOf([payload, ONE, 0], [payload, ONE, 0], [payload, OTHER, 0], [payload, ONE, 0]);
  const addresses: Uint8Array[] = [];
  visitBatch(batch, 0, batch.length, (_payload, address) => addresses.push(address));
  expect(addresses[1]).toBe(addresses[0]);
  expect(addresses[2]).not.toBe(addresses[1]);
  expect(addresses[3]).not.toBe(addresses[0]);
  expect(addresses[3]).toEqual(addresses[0]);
});

test("a buffer is used again once its batch was given back, and not before", () => {
  const buffers = new TransmitBuffers(REGION_BYTES);
  const large = new Uint8Array(REGION_BYTES / 2).fill(7);
  const first = buffers.copy(large);
  const second = buffers.copy(large);
  expect(second.bytes).not.toBe(first.bytes);
  buffers.release(first);
  expect(buffers.copy(large).bytes).toBe(first.bytes);
});

test("a batch in a buffer that was used before ends where it ends", () => {
  const buffers = new TransmitBuffers(REGION_BYTES);
  const payload = new Uint8Array(1200);
  const many = batchOf(...Array.from({ length: 40 }, () => [payload, ONE, 0] as const));
  buffers.release(buffers.copy(many));
  const fewer = batchOf(...Array.from({ length: 20 }, () => [payload, OTHER, 0] as const));
  let count = 0;
  buffers.copy(fewer).visit((_payload, address) => {
    expect(address).toEqual(OTHER);
    count++;
  });
  expect(count).toBe(20);
});
