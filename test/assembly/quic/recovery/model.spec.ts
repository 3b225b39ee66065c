/**
 * The recovery against a naive reference: the pseudocode of RFC 9002, Appendices A and B, over arrays that are scanned whole,
 * driven by the same random sends, acknowledgements and timeouts. And what an acknowledgement costs.
 */

import { ackBegin, ackEnd, ackRange } from "../../../../assembly/quic/recovery/acknowledgement.ts";
import { recoveryTakeAcked, recoveryTakeLost } from "../../../../assembly/quic/recovery/recovery.ts";
import { congestionOf, rttOf } from "../../../../assembly/quic/recovery/recovery_state.ts";
import { SentPacket, sentPacketFree } from "../../../../assembly/quic/recovery/sent_packet.ts";
import { recoveryOnTimeout, RecoveryTimeout } from "../../../../assembly/quic/recovery/timer.ts";
import { slabBytesInUse } from "../../../../assembly/core/slab.ts";
import { randomBelow, seedRandom } from "../../core/random.ts";
import { APPLICATION, confirmed, DATA, DATAGRAM, receiveWithGap, recovery, send } from "./driver.ts";

/** Packets of one life: below the first number that may be skipped. */
const MOST: u32 = 120;
const OPEN: u8 = 1;
const ACKED: u8 = 2;
const LOST: u8 = 3;

/** The reference: everything by packet number. */
const state = new StaticArray<u8>(MOST);
const sentAt = new StaticArray<f64>(MOST);
const isEliciting = new StaticArray<bool>(MOST);
const isNew = new StaticArray<bool>(MOST);
/** What the recovery said became of each packet. */
const told = new StaticArray<u8>(MOST);
let next: u32 = 0;
let largestAcked: i32 = -1;
let smoothed: f64 = 333;
let variation: f64 = 166.5;
let least: f64 = 0;
let latest: f64 = 0;
let firstSampleAt: f64 = Infinity;
let window: f64 = 12000;
let threshold: f64 = Infinity;
let recoveryStart: f64 = -Infinity;
let runStart: f64 = Infinity;
let lossAt: f64 = Infinity;

function reset(): void {
  state.fill(0);
  told.fill(0);
  next = 0;
  largestAcked = -1;
  smoothed = 333;
  variation = 166.5;
  least = 0;
  latest = 0;
  firstSampleAt = Infinity;
  window = 12000;
  threshold = Infinity;
  recoveryStart = -Infinity;
  runStart = Infinity;
  lossAt = Infinity;
}

function inFlight(): u32 {
  let bytes: u32 = 0;
  for (let i: u32 = 0; i < next; i++) if (state[i] == OPEN && isEliciting[i]) bytes += DATAGRAM;
  return bytes;
}

function isUsed(bytes: u32): bool {
  return <f64>bytes + 3 * DATAGRAM > window || (window < threshold && <f64>bytes > window / 2);
}

/** A.10, B.8: every packet up to the largest acknowledged one is looked at, in order. */
function detect(now: f64): void {
  const delay = max(1.125 * max(latest, smoothed), 1);
  let lastLoss = -Infinity;
  let isPersistent = false;
  lossAt = Infinity;
  for (let i = 0; i <= largestAcked; i++) {
    if (isNew[i]) runStart = Infinity;
    if (state[i] != OPEN) continue;
    if (sentAt[i] + delay > now && largestAcked < i + 3) {
      lossAt = min(lossAt, sentAt[i] + delay);
      continue;
    }
    state[i] = LOST;
    if (!isEliciting[i]) continue;
    lastLoss = max(lastLoss, sentAt[i]);
    if (sentAt[i] <= firstSampleAt) continue;
    if (runStart == Infinity) runStart = sentAt[i];
    else if (sentAt[i] - runStart > 3 * (smoothed + max(4 * variation, 1) + 25)) isPersistent = true;
  }
  if (lastLoss > recoveryStart) {
    recoveryStart = now;
    threshold = max(window / 2, 2 * DATAGRAM);
    window = threshold;
  }
  if (!isPersistent) return;
  window = 2 * DATAGRAM;
  recoveryStart = -Infinity;
  runStart = Infinity;
  least = latest;
}

/** A.7, B.5, for the packets that `isNew` marks. */
function acknowledge(largest: i32, delay: f64, now: f64): void {
  let anyNew = false;
  let anyEliciting = false;
  const used = isUsed(inFlight());
  for (let i: u32 = 0; i < next; i++) {
    if (!isNew[i]) continue;
    anyNew = true;
    if (isEliciting[i]) anyEliciting = true;
    state[i] = ACKED;
  }
  largestAcked = max(largestAcked, largest);
  if (!anyNew) return;
  if (isNew[largest] && anyEliciting) {
    latest = now - sentAt[largest];
    if (firstSampleAt == Infinity) {
      firstSampleAt = now;
      least = latest;
      smoothed = latest;
      variation = latest / 2;
    } else {
      least = min(least, latest);
      const bounded = min(delay, 25);
      const adjusted = latest >= least + bounded ? latest - bounded : latest;
      variation = 0.75 * variation + 0.25 * abs(smoothed - adjusted);
      smoothed = 0.875 * smoothed + 0.125 * adjusted;
    }
  }
  detect(now);
  for (let i: u32 = 0; i < next; i++) {
    if (!isNew[i] || !isEliciting[i] || !used || sentAt[i] <= recoveryStart) continue;
    window += window < threshold ? <f64>DATAGRAM : (<f64>DATAGRAM * DATAGRAM) / window;
  }
}

function drain(): void {
  for (let ptr = recoveryTakeAcked(recovery); ptr != 0; ptr = recoveryTakeAcked(recovery)) {
    told[<i32>changetype<SentPacket>(ptr).number] += ACKED;
    sentPacketFree(ptr);
  }
  for (let ptr = recoveryTakeLost(recovery); ptr != 0; ptr = recoveryTakeLost(recovery)) {
    told[<i32>changetype<SentPacket>(ptr).number] += LOST;
    sentPacketFree(ptr);
  }
}

function isNear(a: f64, b: f64): bool {
  return a == b || abs(a - b) <= 1e-9 * max(abs(a), abs(b));
}

function faults(): i32 {
  let count = 0;
  for (let i: u32 = 0; i < next; i++) if (told[i] != (state[i] == OPEN ? 0 : state[i])) count++;
  if (congestionOf(recovery).bytesInFlight != inFlight()) count++;
  if (!isNear(congestionOf(recovery).window, window)) count++;
  if (!isNear(rttOf(recovery).smoothedMs, smoothed) || !isNear(rttOf(recovery).variationMs, variation))
    count++;
  if (lossAt != Infinity && !isNear(recovery.deadlineMs, lossAt)) count++;
  return count;
}

/** Random ranges among what was sent, to both; the reference learns them one number at a time. */
function randomAck(now: f64): void {
  const largest = <i32>(next - 1 - randomBelow(min(next, 12)));
  const delay = <f64>randomBelow(40);
  isNew.fill(false);
  assert(ackBegin(recovery, APPLICATION, largest) == 0);
  let last = largest;
  while (last >= 0) {
    const first = max(0, last - <i32>randomBelow(5));
    assert(ackRange(first, last) == 0);
    for (let i = first; i <= last; i++) isNew[i] = state[i] == OPEN;
    if (randomBelow(4) == 0) break;
    last = first - 2 - <i32>randomBelow(4);
  }
  ackEnd(recovery, delay, false, 0, 0, 0, now);
  acknowledge(largest, delay, now);
}

/** Steps of one life; answers the faults found, and counts what happened. */
let losses = 0;
let timeouts = 0;

function live(seed: u64): i32 {
  confirmed();
  receiveWithGap(APPLICATION);
  reset();
  seedRandom(seed);
  const pace = 1 + randomBelow(60);
  let now: f64 = 1;
  let found = 0;
  while (next < MOST && found == 0) {
    now += <f64>randomBelow(pace) + <f64>randomBelow(8) / 8;
    const kind = randomBelow(10);
    if (kind < 6) {
      const eliciting = randomBelow(6) != 0;
      sentAt[next] = now;
      isEliciting[next] = eliciting;
      state[next] = OPEN;
      next++;
      send(APPLICATION, now, eliciting ? DATA : 0);
    } else if (kind < 9) {
      if (next != 0) randomAck(now);
    } else if (recovery.deadlineMs <= now || recovery.deadlineMs < now + 100) {
      now = max(now, recovery.deadlineMs);
      isNew.fill(false);
      if (recoveryOnTimeout(recovery, now) == RecoveryTimeout.LOSS) {
        detect(now);
        timeouts++;
      } else if (lossAt <= now) {
        found++;
      }
    }
    drain();
    found += faults();
  }
  for (let i: u32 = 0; i < next; i++) if (state[i] == LOST) losses++;
  return found;
}

describe("the recovery", () => {
  test("does what the RFC's pseudocode does, over 800 random lives", () => {
    for (let seed: u64 = 1; seed <= 800; seed++) expect(live(seed)).toBe(0, `seed ${seed}`);
    expect(losses).toBeGreaterThan(1000);
    expect(timeouts).toBeGreaterThan(100);
  });

  test("settles 100,000 packets of which every other is acknowledged in time linear in them", () => {
    confirmed();
    const before = slabBytesInUse();
    const flight: u64 = 4000;
    let sent: u64 = 0;
    let settled: u64 = 0;
    for (let round = 0; round < 25; round++) {
      const start = sent;
      // Numbers that are skipped must not be acknowledged, so ranges are of what was sent alone.
      const numbers = new StaticArray<u64>(<i32>flight);
      for (let i: u64 = 0; i < flight; i++) numbers[<i32>i] = send(APPLICATION, round);
      sent += flight;
      assert(ackBegin(recovery, APPLICATION, numbers[<i32>flight - 1]) == 0);
      for (let i = <i32>flight - 1; i >= 0; i -= 2) assert(ackRange(numbers[i], numbers[i]) == 0);
      ackEnd(recovery, 0, false, 0, 0, 0, round);
      for (let ptr = recoveryTakeAcked(recovery); ptr != 0; ptr = recoveryTakeAcked(recovery)) {
        settled++;
        sentPacketFree(ptr);
      }
      for (let ptr = recoveryTakeLost(recovery); ptr != 0; ptr = recoveryTakeLost(recovery)) {
        settled++;
        sentPacketFree(ptr);
      }
      expect(sent - start).toBe(flight);
    }
    // Each flight leaves at most the packet just below its largest, for the next one to settle.
    expect(sent - settled).toBeLessThanOrEqual(2);
    expect(slabBytesInUse() - before).toBeLessThanOrEqual(2 * 64);
  });

  test("looks at no open packet above the largest acknowledged one", () => {
    confirmed();
    // Quadratic work would be 8,000 × 8,000 / 2 steps here.
    const numbers = new StaticArray<u64>(8000);
    for (let i = 0; i < 8000; i++) numbers[i] = send(APPLICATION, 1);
    for (let i = 0; i < 8000; i++) {
      assert(ackBegin(recovery, APPLICATION, numbers[i]) == 0);
      assert(ackRange(numbers[i], numbers[i]) == 0);
      ackEnd(recovery, 0, false, 0, 0, 0, 1.5);
      const ptr = recoveryTakeAcked(recovery);
      assert(ptr != 0 && recoveryTakeAcked(recovery) == 0);
      sentPacketFree(ptr);
    }
    expect(recovery.sentCount).toBe(0);
  });
});
