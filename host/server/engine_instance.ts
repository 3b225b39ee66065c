// One instance of the engine behind its guard: the fault domain of the server.
//
// Every entry from outside goes through `run`: the call, the events it caused, the output, the timer. When the module traps, the
// instance is lost, and nothing is asked of it any more. Which connections it has, and what becomes of them then, is for who
// is above (engine_host.ts); sessions, exchanges and WebSockets see of it what they need.

import { type Engine, MessageKind } from "../engine/index.ts";
import { DeadlineTimer } from "../engine/deadline_timer.ts";
import { afterTurn } from "../transport/after_turn.ts";
import { UsualFields } from "./usual_fields.ts";
import { WriteBlocks } from "./write_blocks.ts";

/** What has output that leaves once a turn. */
export interface Flushable {
  flush(): void;
}

export abstract class EngineInstance {
  readonly engine: Engine;
  readonly usualFields: UsualFields;
  readonly blocks = new WriteBlocks();
  /** Length of a message where a route does not say its own. */
  readonly messageBytesMax: number;
  readonly #timer: DeadlineTimer;
  #dirty: Flushable[] = [];
  #dirtyScheduled = false;
  #isFailed = false;

  constructor(engine: Engine) {
    this.engine = engine;
    this.usualFields = new UsualFields(engine);
    this.messageBytesMax = engine.limit("webSocketMessageBytes");
    this.#timer = new DeadlineTimer(engine, () => this.#handleTimeout());
  }

  /** Acts on what the engine has to tell. */
  abstract readEvents(): void;

  /** Deadlines have passed, and what that caused has been told. */
  protected abstract timedOut(): void;

  /** The instance is lost with all that is on it. */
  protected abstract lost(error: unknown): void;

  get isFailed(): boolean {
    return this.#isFailed;
  }

  now(): number {
    return performance.now();
  }

  /** Runs one entry from outside on behalf of what then has something to send. */
  run(entered: Flushable, enter: () => void): void {
    if (this.#isFailed) return;
    try {
      enter();
      this.readEvents();
      entered.flush();
      this.armTimer();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Runs a call into the engine on behalf of a handler, which must not take a trap for an error of its own. */
  trapped<T>(call: () => T): T {
    try {
      return call();
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) this.fail(error);
      throw error;
    }
  }

  /** Sends a text on a WebSocket, as `trapped` would, without a closure for each. */
  sendText(handle: number, text: string): number {
    try {
      return this.engine.sockets.sendText(handle, text);
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }

  /** The same for a binary message. */
  sendBytes(handle: number, bytes: Uint8Array): number {
    try {
      return this.engine.sockets.sendBytes(handle, MessageKind.BINARY, bytes);
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }

  /** Gives an exchange that was cut back to the engine. */
  release(handle: number): void {
    if (!this.#isFailed) this.trapped(() => this.engine.doors.releaseExchange(handle));
  }

  /** Flushes once the code that is running has finished. */
  flushLater(dirty: Flushable): void {
    this.#dirty.push(dirty);
    if (this.#dirtyScheduled) return;
    this.#dirtyScheduled = true;
    afterTurn(() => this.#flushDirty());
  }

  #flushDirty(): void {
    this.#dirtyScheduled = false;
    const dirty = this.#dirty;
    this.#dirty = [];
    if (this.#isFailed) return;
    try {
      for (const one of dirty) one.flush();
      this.readEvents();
      this.armTimer();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Sets the timer to the engine's next deadline. */
  armTimer(): void {
    this.#timer.arm();
  }

  #handleTimeout(): void {
    if (this.#isFailed) return;
    try {
      this.engine.doors.handleTimeout(this.now());
      this.readEvents();
      this.timedOut();
      this.armTimer();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Stops the timer of an instance that is no longer needed. */
  stop(): void {
    this.#timer.stop();
  }

  /** The module trapped, or the host itself has a fault: nothing of this instance can be trusted any more. */
  fail(error: unknown): void {
    if (this.#isFailed) return;
    this.#isFailed = true;
    this.stop();
    this.lost(error);
  }
}
