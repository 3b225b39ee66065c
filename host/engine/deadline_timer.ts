// The one timer of an instance: set to the next of the engine's deadlines, which are all its own.
//
// A deadline that is put off sets nothing: that there is a later one is found once the timer has run.

import type { Engine } from "./engine.ts";

const MAX_TIMER_MS = 2_147_483_647;

/** Calls `onDeadline` when a deadline of the engine has come. It does not keep the process alive. */
export class DeadlineTimer {
  readonly #engine: Engine;
  readonly #onDeadline: () => void;
  #timer: NodeJS.Timeout | null = null;
  #deadline = Infinity;

  constructor(engine: Engine, onDeadline: () => void) {
    this.#engine = engine;
    this.#onDeadline = onDeadline;
  }

  /** Sets the timer to the engine's next deadline, if that is earlier than what it is set to. */
  arm(): void {
    const deadline = this.#engine.doors.pollDeadline();
    if (deadline >= this.#deadline) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#deadline = deadline;
    const delay = Math.min(Math.max(Math.ceil(deadline - performance.now()), 1), MAX_TIMER_MS);
    const timer = setTimeout(() => this.#run(), delay);
    this.#timer = timer;
    // A browser's timer is a number, and keeps nothing alive.
    if (typeof timer === "object") timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#deadline = Infinity;
  }

  #run(): void {
    this.#timer = null;
    this.#deadline = Infinity;
    this.#onDeadline();
  }
}
