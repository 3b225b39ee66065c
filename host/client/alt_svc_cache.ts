// What origins have said of their alternative services, RFC 7838 §2.2, §3.1, and which of those did not work.
//
// A field replaces what was known of its origin (§3.1). Entries are used until they are stale; those that do not persist are
// dropped when the network changes. A service that could not be reached is left alone for a while, longer each time (§2.4 lets a
// client fall back at any time).
//
// Invariant: bounded. The origin heard of longest ago makes room for a new one.

import { parseAltSvc } from "./alt_svc.ts";

/** Where an origin can be reached, with a protocol that was asked for. */
export interface Alternative {
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
}

interface Entry extends Alternative {
  readonly staleAtMs: number;
  readonly persists: boolean;
}

interface Failure {
  count: number;
  untilMs: number;
}

const ORIGINS_MOST = 1000;
const FAILURES_MOST = 1000;
const FAILURE_FIRST_MS = 60_000;
const FAILURE_MOST_MS = 3_600_000;
const MS_PER_S = 1000;

export class AltSvcCache {
  readonly #entries = new Map<string, readonly Entry[]>();
  readonly #failures = new Map<string, Failure>();
  readonly #now: () => number;

  /** `now` is a clock in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Origins that something is known of. */
  get size(): number {
    return this.#entries.size;
  }

  /** A response of `origin` had this field; `ageS` is its Age, by which it is less fresh (§3.1). */
  heard(origin: string, value: string, ageS = 0): void {
    const services = parseAltSvc(value);
    if (services === null) return;
    this.#entries.delete(origin);
    if (services === "clear") return;
    const { hostname } = new URL(origin);
    const entries = services
      .filter(({ maxAgeS }) => maxAgeS > ageS)
      .map(({ protocol, host, port, maxAgeS, persists }) => ({
        protocol,
        host: host === "" ? hostname : host,
        port,
        persists,
        staleAtMs: this.#now() + (maxAgeS - ageS) * MS_PER_S,
      }));
    if (entries.length === 0) return;
    this.#entries.set(origin, entries);
    forgetOldest(this.#entries, ORIGINS_MOST);
  }

  /** The first fresh service of the origin, in its own order, that speaks one of these and is not left alone; or null. */
  find(origin: string, protocols: readonly string[]): Alternative | null {
    const entries = this.#entries.get(origin);
    if (entries === undefined) return null;
    const now = this.#now();
    for (const entry of entries) {
      if (entry.staleAtMs <= now || !protocols.includes(entry.protocol)) continue;
      const failure = this.#failures.get(keyOf(entry));
      if (failure === undefined || failure.untilMs <= now) return entry;
    }
    if (entries.every(({ staleAtMs }) => staleAtMs <= now)) this.#entries.delete(origin);
    return null;
  }

  /** The service could not be reached, or does not speak for the origin. */
  failed(alternative: Alternative): void {
    const key = keyOf(alternative);
    const failure = this.#failures.get(key) ?? { count: 0, untilMs: 0 };
    this.#failures.delete(key);
    const waitMs = Math.min(FAILURE_FIRST_MS * 2 ** failure.count, FAILURE_MOST_MS);
    this.#failures.set(key, { count: failure.count + 1, untilMs: this.#now() + waitMs });
    forgetOldest(this.#failures, FAILURES_MOST);
  }

  /** The service was reached. */
  worked(alternative: Alternative): void {
    this.#failures.delete(keyOf(alternative));
  }

  /** The network is another one: what does not persist is dropped, and nothing is known any more of what does not work. */
  networkChanged(): void {
    this.#failures.clear();
    for (const [origin, entries] of this.#entries) {
      const left = entries.filter(({ persists }) => persists);
      if (left.length === 0) this.#entries.delete(origin);
      else this.#entries.set(origin, left);
    }
  }
}

function keyOf({ protocol, host, port }: Alternative): string {
  return `${protocol} ${host}:${port}`;
}

/** Maps keep the order of insertion. */
function forgetOldest(map: Map<string, unknown>, most: number): void {
  for (const key of map.keys()) {
    if (map.size <= most) return;
    map.delete(key);
  }
}
