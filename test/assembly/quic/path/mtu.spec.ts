/** The search for the largest datagram, on paths of every size, and black holes that come later. */

import {
  BASE_DATAGRAM_SIZE,
  PATH_MTU_BYTES,
  PathMtu,
  mtuOnAcked,
  mtuOnLost,
  mtuOnProbeAcked,
  mtuOnProbeLost,
  mtuOnProbeSent,
  mtuOpen,
  mtuProbeSize,
} from "../../../../assembly/quic/path/mtu.ts";

const mtu = changetype<PathMtu>(heap.alloc(PATH_MTU_BYTES));

/** Probes until there is nothing to probe, on a path that carries `real` bytes. Answers how many probes that took. */
function searchAll(real: u32, nowMs: f64): u32 {
  let probes: u32 = 0;
  for (let size = mtuProbeSize(mtu, nowMs); size != 0; size = mtuProbeSize(mtu, nowMs)) {
    assert(size > mtu.size && size <= mtu.mostSize, "between");
    mtuOnProbeSent(mtu, size);
    assert(mtuProbeSize(mtu, nowMs) == 0, "one at a time");
    if (size <= real) mtuOnProbeAcked(mtu);
    else mtuOnProbeLost(mtu);
    probes++;
    assert(probes < 100, "it ends");
  }
  return probes;
}

/** Loses three rounds of packets of `size` bytes. */
function loseRounds(size: u32): bool {
  let isFallen = false;
  for (let round: f64 = 0; round < 3; round++) {
    // The second of a round was sent before the first was known to be lost.
    isFallen = mtuOnLost(mtu, size, 1000 + round * 100, 1050 + round * 100);
    assert(!mtuOnLost(mtu, size, 1010 + round * 100, 1060 + round * 100), "the same round");
  }
  return isFallen;
}

describe("the search", () => {
  test("finds Ethernet's size with one probe", () => {
    mtuOpen(mtu, 65527, true);
    expect(mtu.size).toBe(BASE_DATAGRAM_SIZE);
    expect(searchAll(1472, 0)).toBe(1);
    expect(mtu.size).toBe(1472);
    mtuOpen(mtu, 65527, false);
    expect(searchAll(1472, 0)).toBe(1);
    expect(mtu.size).toBe(1452);
    expect(mtu.raiseAtMs).toBe(Infinity);
  });

  test("comes near to what any path carries, and never above it", () => {
    for (let real: u32 = 1200; real < 1472; real++) {
      mtuOpen(mtu, 65527, true);
      const probes = searchAll(real, 0);
      assert(mtu.size <= real && mtu.size + 12 > real, real.toString());
      assert(probes <= 18, "probes");
    }
  });

  test("goes no further than the peer takes", () => {
    mtuOpen(mtu, 1300, true);
    searchAll(1472, 0);
    expect(mtu.size).toBe(1300);
    mtuOpen(mtu, 1200, true);
    expect(searchAll(1472, 0)).toBe(0);
    mtuOpen(mtu, 0x3fffffffffffffff, true);
    expect(mtu.mostSize).toBe(1472);
    mtuOpen(mtu, 0, true);
    expect(mtu.mostSize).toBe(1200);
  });

  test("believes one lost probe by chance, and three not", () => {
    mtuOpen(mtu, 65527, true);
    for (let round = 0; round < 2; round++) {
      expect(mtuProbeSize(mtu, 0)).toBe(1472);
      mtuOnProbeSent(mtu, 1472);
      mtuOnProbeLost(mtu);
    }
    mtuOnProbeSent(mtu, mtuProbeSize(mtu, 0));
    mtuOnProbeAcked(mtu);
    expect(mtu.size).toBe(1472);
    // What was told twice changes nothing.
    mtuOnProbeAcked(mtu);
    mtuOnProbeLost(mtu);
    expect(mtu.size).toBe(1472);
  });

  test("is repeated after ten minutes", () => {
    mtuOpen(mtu, 65527, true);
    searchAll(1300, 5000);
    const found = mtu.size;
    expect(mtu.raiseAtMs).toBe(605_000);
    expect(mtuProbeSize(mtu, 604_999)).toBe(0);
    expect(searchAll(1472, 605_000)).toBe(1);
    expect(found).toBeLessThan(1301);
    expect(mtu.size).toBe(1472);
  });
});

describe("a black hole", () => {
  test("is three rounds of lost large packets, and leads back to 1200 bytes", () => {
    mtuOpen(mtu, 65527, true);
    searchAll(1472, 0);
    expect(loseRounds(1472)).toBe(true);
    expect(mtu.size).toBe(BASE_DATAGRAM_SIZE);
    searchAll(1400, 2000);
    expect(mtu.size).toBeGreaterThan(1388);
    expect(loseRounds(mtu.size)).toBe(true);
  });

  test("is none when a packet as large arrives, or when small ones are lost too", () => {
    mtuOpen(mtu, 65527, true);
    searchAll(1472, 0);
    mtuOnLost(mtu, 1472, 0, 10);
    mtuOnLost(mtu, 1472, 20, 30);
    mtuOnAcked(mtu, 1472);
    expect(mtuOnLost(mtu, 1472, 40, 50)).toBe(false);
    expect(mtuOnLost(mtu, 1472, 60, 70)).toBe(false);
    mtuOnAcked(mtu, 1300);
    expect(mtuOnLost(mtu, 1472, 80, 90)).toBe(true);
    for (let round: f64 = 0; round < 10; round++) {
      assert(!mtuOnLost(mtu, 1200, 100 + round * 10, 105 + round * 10), "1200 bytes are no sign");
    }
  });
});
