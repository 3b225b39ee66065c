// A network of datagrams with a clock of its own: seeded latency, loss, bursts, reordering, duplication, corruption, limits of size
// and blackouts. Nothing here knows QUIC.

import type { Random } from "../fuzz/random.ts";

/** What the network does to datagrams, in each direction alike. Times are milliseconds, rates 0 … 1. */
export interface Weather {
  readonly latencyMs: number;
  readonly jitterMs: number;
  readonly loss: number;
  /** Chance that a loss takes what is sent in the next 200 ms, or less, too. */
  readonly burst: number;
  readonly duplication: number;
  readonly corruption: number;
  /** Larger datagrams are dropped. */
  readonly mtu: number;
  /** From when to when nothing arrives. */
  readonly blackout?: readonly [fromMs: number, toMs: number];
}

export const CLEAR: Weather = {
  latencyMs: 10,
  jitterMs: 0,
  loss: 0,
  burst: 0,
  duplication: 0,
  corruption: 0,
  mtu: 1500,
};

interface Delivery {
  readonly atMs: number;
  readonly order: number;
  readonly deliver: () => void;
}

const BURST_MOST_MS = 200;

export class Network {
  readonly #random: Random;
  readonly weather: Weather;
  readonly #queue: Delivery[] = [];
  #order = 0;
  #burstEndMs = 0;
  /** Datagrams that were handed to the network, and that it lost. */
  sent = 0;
  lost = 0;

  constructor(random: Random, weather: Weather) {
    this.#random = random;
    this.weather = weather;
  }

  /** Takes a datagram; `deliver` is called with it, or with what is left of it, later, perhaps twice, perhaps never. */
  send(nowMs: number, payload: Uint8Array, deliver: (payload: Uint8Array) => void): void {
    this.sent++;
    if (this.#isLost(nowMs, payload.length)) {
      this.lost++;
      return;
    }
    const bytes = payload.slice();
    if (this.#chance(this.weather.corruption)) {
      const at = this.#random.below(bytes.length);
      bytes[at] = (bytes[at] as number) ^ (1 << this.#random.below(8));
    }
    this.#post(nowMs, () => deliver(bytes));
    // A copy of its own: the receiver decrypts in place.
    if (this.#chance(this.weather.duplication)) {
      const copy = bytes.slice();
      this.#post(nowMs, () => deliver(copy));
    }
  }

  /** When the next datagram arrives; Infinity when none is under way. */
  get nextMs(): number {
    return this.#queue[0]?.atMs ?? Infinity;
  }

  /** Delivers what has arrived by now. */
  deliver(nowMs: number): void {
    while ((this.#queue[0]?.atMs ?? Infinity) <= nowMs) (this.#queue.shift() as Delivery).deliver();
  }

  #isLost(nowMs: number, length: number): boolean {
    const { loss, burst, mtu, blackout } = this.weather;
    if (length > mtu) return true;
    if (blackout !== undefined && nowMs >= blackout[0] && nowMs < blackout[1]) return true;
    if (nowMs < this.#burstEndMs) return true;
    if (!this.#chance(loss)) return false;
    if (this.#chance(burst)) this.#burstEndMs = nowMs + this.#random.below(BURST_MOST_MS);
    return true;
  }

  #post(nowMs: number, deliver: () => void): void {
    const { latencyMs, jitterMs } = this.weather;
    const atMs = nowMs + latencyMs + (jitterMs === 0 ? 0 : (this.#random.below(1000) / 1000) * jitterMs);
    const order = this.#order++;
    let index = this.#queue.length;
    while (index > 0 && (this.#queue[index - 1] as Delivery).atMs > atMs) index--;
    this.#queue.splice(index, 0, { atMs, order, deliver });
  }

  #chance(rate: number): boolean {
    return rate > 0 && this.#random.below(1_000_000) < rate * 1_000_000;
  }
}
