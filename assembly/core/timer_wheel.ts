/**
 * Every deadline of the engine: a hierarchical timing wheel with a tick of one millisecond.
 *
 * Nine levels of 64 slots cover every tick below 2^54, so no deadline lies beyond the horizon. A node sits on the level of the
 * highest base-64 digit in which its tick differs from the wheel's own; when the wheel reaches that slot, its nodes move to
 * lower levels. Each level has a mask of occupied slots, so the next slot to act on is found by counting trailing zeros and
 * a clock that jumps over hours costs no more than the nodes that became due.
 *
 * Contract: `timerArm` and `timerDisarm` at any time; `timerPollDeadline` says when to call next; then `timerExpire(now)` in a
 * loop until it answers 0. A node armed during that loop for a time not after `now` is returned by the same loop.
 * Nodes expire in the order of their ticks, and within one tick in no promised order. A deadline is rounded up to a whole
 * millisecond, so none fires early. Time never runs backwards: a `now` before one already seen counts as that one.
 *
 * Cost: arm, disarm and poll O(1); a node moves down at most eight times in its life.
 */

/**
 * Embedded in the struct that waits, or pointed to by it. All bytes zero = not armed.
 *
 *   0      4      8            16
 *   ┌──────┬──────┬────────────┬───────┐
 *   │ next │ prev │ deadlineMs │ owner │
 *   └──────┴──────┴────────────┴───────┘
 */
@unmanaged
export class TimerNode {
  next: usize;
  prev: usize;
  /** As asked for, before rounding. Stays after the node expired. */
  deadlineMs: f64;
  /** What kind of struct the node is the front of: for whoever calls `timerExpire` to say. */
  owner: u32;
}

/**
 * A slot is the sentinel of a circular list; its first words are laid out as a node's.
 *
 *   0      4      8
 *   ┌──────┬──────┐
 *   │ next │ prev │   level 0: 64 slots, level 1: 64 slots, …
 *   └──────┴──────┘
 */
@unmanaged
class TimerSlot {
  next: usize;
  prev: usize;
}

const LEVEL_COUNT: u32 = 9;
const DIGIT_BITS: u32 = 6;
const SLOTS_PER_LEVEL: u32 = 1 << DIGIT_BITS;
const DIGIT_MASK: u64 = SLOTS_PER_LEVEL - 1;
const SLOT_COUNT: u32 = LEVEL_COUNT * SLOTS_PER_LEVEL;

/** The largest tick that an f64 counts exactly; a deadline at or after it, Infinity too, waits there for ever. */
const LAST_TICK: f64 = 9007199254740991.0;

const slots: usize = memory.data(SLOT_COUNT * offsetof<TimerSlot>(), sizeof<usize>());
/** One u64 per level: bit n is set while slot n holds a node. */
const occupiedSlots: usize = memory.data(LEVEL_COUNT * sizeof<u64>(), sizeof<u64>());
/** Bit n is set while level n holds a node. */
let occupiedLevels: u32 = 0;
/** The tick the wheel stands at. No armed node is filed under an earlier one. */
let wheelTick: u64 = 0;

/** Empties the wheel and sets it to `nowMs`. Nodes armed before are forgotten, not disarmed. */
export function timerInitialize(nowMs: f64): void {
  for (let index: u32 = 0; index < SLOT_COUNT; index++) {
    const slot = slots + index * offsetof<TimerSlot>();
    changetype<TimerSlot>(slot).next = slot;
    changetype<TimerSlot>(slot).prev = slot;
  }
  memory.fill(occupiedSlots, 0, LEVEL_COUNT * sizeof<u64>());
  occupiedLevels = 0;
  wheelTick = tickOf(floor(nowMs));
}

/** Arms the node, or moves it when it is armed already. A deadline in the past is due at once. */
export function timerArm(node: TimerNode, deadlineMs: f64): void {
  if (node.next != 0) unlink(node);
  node.deadlineMs = deadlineMs;
  link(node);
}

/** Takes the node out; nothing when it is not armed. */
export function timerDisarm(node: TimerNode): void {
  if (node.next == 0) return;
  unlink(node);
  node.next = 0;
  node.prev = 0;
}

export function timerIsArmed(node: TimerNode): bool {
  return node.next != 0;
}

/**
 * When to call `timerExpire` next: the earliest deadline, or earlier when that node has still to move down a level.
 * Infinity when nothing is armed.
 */
export function timerPollDeadline(): f64 {
  return occupiedLevels != 0 ? <f64>nextTick() : Infinity;
}

/** The next node due at `nowMs`, disarmed, or 0 when there is none left. */
export function timerExpire(nowMs: f64): usize {
  const nowTick = max(tickOf(floor(nowMs)), wheelTick);
  while (occupiedLevels != 0) {
    const tick = nextTick();
    if (tick > nowTick) break;
    wheelTick = tick;
    const level = ctz(occupiedLevels);
    const slot = slotAt(level, ctz(load<u64>(occupiedSlots + level * sizeof<u64>())));
    if (level == 0) {
      const due = changetype<TimerSlot>(slot).next;
      timerDisarm(changetype<TimerNode>(due));
      return due;
    }
    moveDown(slot);
  }
  // Nothing is filed before the next tick, so standing at now breaks no node's level.
  wheelTick = nowTick;
  return 0;
}

/** First tick of the first occupied slot. Lower levels always come before higher ones, and no slot lies behind the wheel. */
function nextTick(): u64 {
  const level = ctz(occupiedLevels);
  const slotIndex = ctz(load<u64>(occupiedSlots + level * sizeof<u64>()));
  const shift = level * DIGIT_BITS;
  const higherDigits = (wheelTick >> shift) & ~DIGIT_MASK;
  return (higherDigits | slotIndex) << shift;
}

/** Files the slot's nodes again, now that the wheel stands at its first tick: each lands on a lower level. */
function moveDown(slot: usize): void {
  let node = changetype<TimerSlot>(slot).next;
  while (node != slot) {
    const following = changetype<TimerNode>(node).next;
    unlink(changetype<TimerNode>(node));
    link(changetype<TimerNode>(node));
    node = following;
  }
}

function link(node: TimerNode): void {
  const tick = max(tickOf(ceil(node.deadlineMs)), wheelTick);
  // Or-ing the lowest digit in keeps equal ticks, whose difference has no highest bit, on level 0.
  const level = (63 - <u32>clz((tick ^ wheelTick) | DIGIT_MASK)) / DIGIT_BITS;
  const slotIndex = (tick >> (level * DIGIT_BITS)) & DIGIT_MASK;
  const slot = slotAt(level, slotIndex);
  const last = changetype<TimerSlot>(slot).prev;
  node.next = slot;
  node.prev = last;
  changetype<TimerSlot>(last).next = changetype<usize>(node);
  changetype<TimerSlot>(slot).prev = changetype<usize>(node);
  const mask = occupiedSlots + level * sizeof<u64>();
  store<u64>(mask, load<u64>(mask) | ((<u64>1) << slotIndex));
  occupiedLevels |= 1 << level;
}

/** Takes the node off its list; its own links are left as they were. */
function unlink(node: TimerNode): void {
  const next = node.next;
  const prev = node.prev;
  changetype<TimerSlot>(prev).next = next;
  changetype<TimerSlot>(next).prev = prev;
  // Both neighbours are one only when that one is the slot itself.
  if (next == prev) markEmpty(next);
}

function markEmpty(slot: usize): void {
  const index = <u32>((slot - slots) / offsetof<TimerSlot>());
  const level = index >> DIGIT_BITS;
  const mask = occupiedSlots + level * sizeof<u64>();
  const rest = load<u64>(mask) & ~((<u64>1) << (index & (<u32>DIGIT_MASK)));
  store<u64>(mask, rest);
  if (rest == 0) occupiedLevels &= ~(1 << level);
}

// @ts-ignore: decorator
@inline
function slotAt(level: u32, slotIndex: u64): usize {
  return slots + ((level << DIGIT_BITS) | (<u32>slotIndex)) * offsetof<TimerSlot>();
}

/** A whole number of milliseconds as a tick. Negative and NaN count as 0, so that no argument can trap. */
function tickOf(wholeMs: f64): u64 {
  if (!(wholeMs > 0)) return 0;
  return <u64>min(wholeMs, LAST_TICK);
}
