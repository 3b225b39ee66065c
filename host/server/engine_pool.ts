// The engine instances of a server: started together, replaced one by one when they fail, told the date once a second.

import { type CompiledModule, Engine, type Recorder } from "../engine/index.ts";
import type { Socket } from "../transport/transport.ts";
import { EngineHost, type HostContext } from "./engine_host.ts";
import { letGo } from "./platform.ts";

/** How instances are made. */
export interface PoolOptions {
  readonly module: CompiledModule;
  readonly limits: Float64Array;
  readonly memoryBytes: number;
  readonly instances: number;
  /** One for each instance that is to be recorded. */
  readonly recorder?: () => Recorder;
}

const SECOND_MS = 1000;
const RESEED_S = 3600;

export class EnginePool {
  readonly #options: PoolOptions;
  readonly #context: HostContext;
  #hosts: EngineHost[];
  #clock: NodeJS.Timeout | null = null;
  #seconds = 0;
  #isDraining = false;
  #isStopped = false;
  /** Totals of instances that are gone, so that counters never fall. */
  readonly #lostCounters = new Map<string, number>();
  readonly #lostHits = new Map<string, number>();
  /** Instances that failed and were replaced. */
  failureCount = 0;
  /** Connections that no instance had room for. */
  refusedCount = 0;

  constructor(options: PoolOptions, context: HostContext) {
    this.#options = options;
    this.#context = {
      ...context,
      onFailure: (host, error) => {
        this.failureCount++;
        this.#replace(host);
        context.onFailure(host, error);
      },
    };
    this.#hosts = Array.from({ length: options.instances }, () => this.#start());
    this.#tick();
  }

  /** Gives a connection to the instance with the fewest; refuses it by closing when none has room. */
  accept(socket: Socket): void {
    if (this.#isStopped) return socket.destroy();
    let best = this.#hosts[0] as EngineHost;
    if (this.#hosts.length > 1) {
      for (const host of this.#hosts) if (host.sessions.size < best.sessions.size) best = host;
    }
    const isLast = this.#isDraining;
    if (best.accept(socket, isLast)) return;
    for (const host of this.#hosts) if (host !== best && host.accept(socket, isLast)) return;
    if (this.#hosts.some((host) => host.isFailed)) {
      for (const host of this.#hosts) if (host.isFailed) this.#replace(host);
      for (const host of this.#hosts) if (host.accept(socket, isLast)) return;
    }
    this.refusedCount++;
    socket.destroy();
  }

  /** Connections that are open. */
  get connectionCount(): number {
    return this.#hosts.reduce((sum, host) => sum + host.sessions.size, 0);
  }

  /** Lets open exchanges finish and closes. Connections that still come learn that at once, so that they ask elsewhere. */
  drain(): void {
    this.#isDraining = true;
    for (const host of this.#hosts) host.drain();
  }

  /** Closes what is left; answers how many connections and exchanges that cut. */
  destroy(): { connections: number; exchanges: number } {
    const cut = this.#hosts.map((host) => host.destroy());
    this.stop();
    return {
      connections: cut.reduce((sum, { connections }) => sum + connections, 0),
      exchanges: cut.reduce((sum, { exchanges }) => sum + exchanges, 0),
    };
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#clock !== null) clearTimeout(this.#clock);
    this.#clock = null;
    for (const host of this.#hosts) host.stop();
  }

  /** The engines' counters, summed over instances, those that failed included. */
  counters(): Map<string, number> {
    return sum([this.#lostCounters, ...this.#hosts.map((host) => host.engine.counters())]);
  }

  /** How often each limit was hit, summed likewise. */
  limitHits(): Map<string, number> {
    return sum([this.#lostHits, ...this.#hosts.map((host) => host.engine.limitHits())]);
  }

  /** The live instances. */
  get hosts(): readonly EngineHost[] {
    return this.#hosts;
  }

  #start(): EngineHost {
    const { module, limits, memoryBytes, recorder } = this.#options;
    const recorded = recorder === undefined ? {} : { recorder: recorder() };
    const engine = Engine.create(module, { limits, memoryBytes, ...recorded, now: performance.now() });
    engine.doors.setDate(Date.now());
    return new EngineHost(engine, this.#context);
  }

  /** Puts a new instance in the place of a lost one; when there is no memory for it, the next connection tries again. */
  #replace(failed: EngineHost): void {
    let started: EngineHost;
    try {
      started = this.#start();
    } catch {
      return;
    }
    add(this.#lostCounters, failed.engine.counters());
    add(this.#lostHits, failed.engine.limitHits());
    for (const gauge of ["connections_open", "exchanges_open", "memory_bytes_in_use", "web_sockets_open"]) {
      this.#lostCounters.delete(gauge);
    }
    this.#hosts = this.#hosts.map((host) => (host === failed ? started : host));
  }

  /** Runs right after each full second, so that the date in responses is at most that late. */
  #tick(): void {
    const now = Date.now();
    this.#seconds++;
    for (const host of this.#hosts) {
      host.engine.doors.setDate(now);
      if (this.#seconds % RESEED_S === 0) host.engine.addEntropy();
    }
    this.#clock = setTimeout(() => this.#tick(), SECOND_MS - (now % SECOND_MS));
    letGo(this.#clock);
  }
}

function sum(maps: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const total = new Map<string, number>();
  for (const map of maps) add(total, map);
  return total;
}

function add(total: Map<string, number>, amounts: ReadonlyMap<string, number>): void {
  for (const [name, amount] of amounts) total.set(name, (total.get(name) ?? 0) + amount);
}
