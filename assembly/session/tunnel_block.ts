/**
 * The block of a tunnel that the engine reads (tunnel.ts): what all of them begin with, and how it ends.
 *
 * Invariant: it is one slab block, and its exchange frees it.
 */
import { Counter } from "../abi/counter.ts";
import { timerDisarm, TimerNode } from "../core/timer_wheel.ts";
import { count } from "./counters.ts";
import { retireBlock } from "./retired.ts";

/** What TimerNode.owner says of the struct behind an expired node. */
export const enum TimerOwner {
  CONNECTION = 0,
  TUNNEL = 1,
}

/** The front of every tunnel's struct, which is one slab block. */
@unmanaged
export class Tunnel extends TimerNode {
  exchange: usize;
}

/** The exchange goes away. Events may point into the tunnel's block, so it is freed a call later. */
export function tunnelFree(tunnel: usize): void {
  timerDisarm(changetype<TimerNode>(tunnel));
  retireBlock(tunnel);
  count(Counter.WEB_SOCKETS_OPEN, -1);
}
