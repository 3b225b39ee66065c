/** The wheel against a plain array of deadlines: nothing early, nothing lost, in order, however far the clock jumps. */

import {
  TimerNode,
  timerArm,
  timerDisarm,
  timerExpire,
  timerInitialize,
  timerIsArmed,
  timerPollDeadline,
} from "../../../assembly/core/timer_wheel.ts";
import { randomBelow, seedRandom } from "./random.ts";

const NODE_COUNT: u32 = 300;
const nodes: usize = heap.alloc(NODE_COUNT * offsetof<TimerNode>());
/** The model: each node's deadline, or -1 when it is not armed. */
const deadlines = new StaticArray<f64>(NODE_COUNT);

function nodeAt(index: u32): TimerNode {
  return changetype<TimerNode>(nodes + index * offsetof<TimerNode>());
}

function indexOf(node: usize): u32 {
  return <u32>((node - nodes) / offsetof<TimerNode>());
}

function earliestModelTick(): f64 {
  let earliest = Infinity;
  for (let index: u32 = 0; index < NODE_COUNT; index++) {
    if (deadlines[index] >= 0) earliest = min(earliest, ceil(deadlines[index]));
  }
  return earliest;
}

/** Delays on every level of the wheel, zero and the past among them. */
function drawDelay(): f64 {
  const kind = randomBelow(10);
  if (kind == 0) return 0;
  if (kind == 1) return -(<f64>randomBelow(5000));
  const magnitude = 1 + randomBelow(44);
  return (<f64>randomBelow(u32.MAX_VALUE) / <f64>u32.MAX_VALUE) * <f64>((<u64>1) << magnitude);
}

/** Runs 20,000 steps of arms, disarms and time and answers how often the wheel and the model disagreed. */
function countFaults(seed: u64, startMs: f64, largestJumpBits: u32): u32 {
  seedRandom(seed);
  let now = startMs;
  let faults: u32 = 0;
  timerInitialize(now);
  for (let step = 0; step < 20000; step++) {
    const index = randomBelow(NODE_COUNT);
    const kind = randomBelow(10);
    if (kind < 5) {
      deadlines[index] = max(now + drawDelay(), 0);
      timerArm(nodeAt(index), deadlines[index]);
    } else if (kind < 7) {
      timerDisarm(nodeAt(index));
      deadlines[index] = -1;
    } else {
      const polled = timerPollDeadline();
      const earliest = earliestModelTick();
      // A node whose deadline has passed is due now: being polled for any time up to now is right.
      if (polled > max(earliest, floor(now))) faults++;
      if (kind == 9 && polled != Infinity) now = max(now, polled);
      else now += <f64>randomBelow((<u32>1) << randomBelow(largestJumpBits)) * 0.75;
      for (let due = timerExpire(now); due != 0; due = timerExpire(now)) {
        const dueIndex = indexOf(due);
        const deadline = deadlines[dueIndex];
        if (deadline < 0 || deadline > now || timerIsArmed(nodeAt(dueIndex))) faults++;
        if (changetype<TimerNode>(due).deadlineMs != deadline) faults++;
        deadlines[dueIndex] = -1;
      }
      if (earliestModelTick() <= floor(now)) faults++;
    }
    if (timerIsArmed(nodeAt(index)) != deadlines[index] >= 0) faults++;
  }
  return faults;
}

describe("timer wheel", () => {
  beforeEach(() => {
    memory.fill(nodes, 0, NODE_COUNT * offsetof<TimerNode>());
    for (let index: u32 = 0; index < NODE_COUNT; index++) deadlines[index] = -1;
    timerInitialize(0);
  });

  test("a zeroed node is not armed, and disarming it changes nothing", () => {
    expect(timerIsArmed(nodeAt(0))).toBe(false);
    timerDisarm(nodeAt(0));
    expect(timerIsArmed(nodeAt(0))).toBe(false);
    expect(timerPollDeadline()).toBe(Infinity);
    expect(timerExpire(1e9)).toBe(0);
  });

  test("agrees with the model in small steps", () => {
    expect(countFaults(1, 0, 6)).toBe(0);
  });

  test("agrees with the model in jumps up to weeks", () => {
    expect(countFaults(2, 12345.678, 31)).toBe(0);
  });

  test("agrees with the model when the clock counts from 1970", () => {
    expect(countFaults(3, 1785542400123.5, 12)).toBe(0);
  });

  test("agrees with the model across the edge of a level that takes two years to turn", () => {
    expect(countFaults(4, 68719476736.0 - 4000, 8)).toBe(0);
  });

  test("a deadline on every power of two expires at its tick and not a tick before", () => {
    let faults = 0;
    for (let bit = 0; bit < 53; bit++) {
      const deadline = <f64>((<u64>1) << bit);
      timerInitialize(0);
      timerArm(nodeAt(0), deadline);
      if (timerExpire(deadline - 1) != 0) faults++;
      if (timerPollDeadline() != deadline) faults++;
      if (timerExpire(deadline) != nodes) faults++;
      if (timerPollDeadline() != Infinity) faults++;
    }
    expect(faults).toBe(0);
  });

  test("after a jump, a near deadline is polled exactly", () => {
    timerExpire(64000000);
    timerArm(nodeAt(0), 64000005);
    expect(timerPollDeadline()).toBe(64000005);
  });

  test("following the polled deadline reaches a node in at most one wake per level", () => {
    timerArm(nodeAt(0), 4503599627370495);
    let wakes = 0;
    let due: usize = 0;
    while (due == 0 && wakes < 100) {
      due = timerExpire(timerPollDeadline());
      wakes++;
    }
    expect(due).toBe(nodes);
    expect(wakes).toBeLessThanOrEqual(9);
  });

  test("a fraction of a millisecond is rounded up, never down", () => {
    timerArm(nodeAt(0), 10.25);
    expect(timerExpire(10.9)).toBe(0);
    expect(timerPollDeadline()).toBe(11);
    expect(timerExpire(11)).toBe(nodes);
  });

  test("the past, now, and an armed node moved earlier are due at once", () => {
    timerExpire(1000);
    timerArm(nodeAt(0), 3);
    timerArm(nodeAt(1), 1000);
    timerArm(nodeAt(2), 99999);
    timerArm(nodeAt(2), 500);
    expect(timerPollDeadline()).toBeLessThanOrEqual(1000);
    let count = 0;
    while (timerExpire(1000) != 0) count++;
    expect(count).toBe(3);
  });

  test("nodes of one jump come in the order of their deadlines", () => {
    seedRandom(5);
    for (let index: u32 = 0; index < NODE_COUNT; index++) timerArm(nodeAt(index), <f64>randomBelow(10000000));
    let last: f64 = -1;
    let count: u32 = 0;
    let disorder = 0;
    for (let due = timerExpire(1e8); due != 0; due = timerExpire(1e8)) {
      if (changetype<TimerNode>(due).deadlineMs < last) disorder++;
      last = changetype<TimerNode>(due).deadlineMs;
      count++;
    }
    expect(disorder).toBe(0);
    expect(count).toBe(NODE_COUNT);
  });

  test("arming and disarming others inside the expiry loop is safe", () => {
    for (let index: u32 = 0; index < 100; index++) timerArm(nodeAt(index), 50 + <f64>(index / 10));
    let seen = 0;
    for (let due = timerExpire(1000); due != 0; due = timerExpire(1000)) {
      const index = indexOf(due);
      seen++;
      if (index % 2 == 0) timerDisarm(nodeAt(index + 1));
      if (index == 98) timerArm(nodeAt(200), 400);
      if (index == 200) timerArm(nodeAt(201), 5000);
    }
    expect(seen).toBe(51);
    expect(timerIsArmed(nodeAt(201))).toBe(true);
    expect(timerExpire(4999)).toBe(0);
    expect(timerExpire(5000)).toBe(nodes + 201 * offsetof<TimerNode>());
  });

  test("Infinity, NaN, negative and huge deadlines neither trap nor fire wrongly", () => {
    timerArm(nodeAt(0), Infinity);
    timerArm(nodeAt(1), 1e300);
    expect(timerExpire(1e12)).toBe(0);
    expect(timerPollDeadline()).toBeLessThanOrEqual(9007199254740991, "filed beyond the last tick");
    timerArm(nodeAt(2), NaN);
    expect(timerExpire(1e12)).toBe(nodes + 2 * offsetof<TimerNode>());
    timerArm(nodeAt(2), -1);
    expect(timerExpire(1e12)).toBe(nodes + 2 * offsetof<TimerNode>());
    expect(timerExpire(1e12)).toBe(0);
  });

  test("a clock that steps back expires nothing new", () => {
    timerExpire(1000);
    timerArm(nodeAt(0), 1001);
    expect(timerExpire(10)).toBe(0);
    expect(timerExpire(1000)).toBe(0);
    expect(timerExpire(1001)).toBe(nodes);
  });
});
