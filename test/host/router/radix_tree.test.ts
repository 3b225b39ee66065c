// The tree against a matcher that tries every pattern segment by segment and ranks what matches.

import { describe, expect, test } from "vitest";
import { parsePattern } from "../../../host/router/pattern.ts";
import type { Pattern } from "../../../host/router/pattern.ts";
import { RadixTree } from "../../../host/router/radix_tree.ts";
import type { Captures } from "../../../host/router/radix_tree.ts";
import { Router } from "../../../host/router/index.ts";
import { ask, exchangeFor } from "./ask.ts";

const maxParamLength = 1024;

/** A small seeded generator (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const words = ["a", "ab", "abc", "b", "ba", "a-b", "users", "user", "x"];

function randomPattern(pick: (below: number) => number): string {
  let source = "";
  const count = 1 + pick(4);
  for (let i = 0; i < count; i++) {
    const kind = pick(10);
    if (kind < 6) source += `/${words[pick(words.length)]}`;
    else if (kind < 9) source += `/:p${i}`;
    else return `${source}/*`;
  }
  return pick(8) === 0 ? `${source}/` : source;
}

function randomPath(pick: (below: number) => number): string {
  let path = "";
  const count = 1 + pick(5);
  for (let i = 0; i < count; i++) path += `/${words[pick(words.length)]}`;
  return pick(6) === 0 ? `${path}/` : path;
}

/** Rank by segment: static 0, param 1, wildcard 2; null when the pattern does not match. */
function rankOf(pattern: Pattern, path: string): { rank: number[]; values: string[] } | null {
  const given = path.slice(1).split("/");
  const rank: number[] = [];
  const values: string[] = [];
  for (let i = 0; i < pattern.segments.length; i++) {
    const segment = pattern.segments[i]!;
    if (segment.kind === "wildcard") {
      if (i >= given.length) return null;
      return { rank: [...rank, 2], values: [...values, given.slice(i).join("/")] };
    }
    if (i >= given.length) return null;
    if (segment.kind === "static") {
      if (segment.text !== given[i]) return null;
      rank.push(0);
    } else {
      if (given[i] === "") return null;
      rank.push(1);
      values.push(given[i]!);
    }
  }
  return given.length === pattern.segments.length ? { rank, values } : null;
}

function naive(patterns: readonly Pattern[], path: string): { source: string; values: string[] } | null {
  let best: { source: string; rank: number[]; values: string[] } | null = null;
  for (const pattern of patterns) {
    const match = rankOf(pattern, path);
    if (match === null) continue;
    if (best === null || match.rank.join() < best.rank.join()) best = { source: pattern.source, ...match };
  }
  return best === null ? null : { source: best.source, values: best.values };
}

describe("the radix tree", () => {
  test("agrees with trying every pattern, on random patterns and paths", () => {
    let matched = 0;
    for (let seed = 1; seed <= 300; seed++) {
      const pick = random(seed);
      const patterns = new Map<string, Pattern>();
      for (let i = 0; i < 1 + pick(25); i++) {
        const pattern = parsePattern(randomPattern(pick));
        patterns.set(pattern.source, pattern);
      }
      const tree = new RadixTree<string>(maxParamLength);
      for (const pattern of patterns.values()) tree.leafOf(pattern.segments, () => pattern.source);
      for (let i = 0; i < 60; i++) {
        const path = randomPath(pick);
        const captures: Captures = [];
        const source = tree.find(path, captures, (leaf) => leaf, "");
        const expected = naive([...patterns.values()], path);
        expect(source, `seed ${seed}, ${path} in ${[...patterns.keys()].join(" ")}`).toBe(expected?.source);
        if (expected === null) continue;
        matched++;
        const values = expected.values.map((_value, k) => path.slice(captures[k * 2], captures[k * 2 + 1]));
        expect(values).toEqual(expected.values);
      }
    }
    expect(matched).toBeGreaterThan(3000);
  });

  test("enters no node twice, however the patterns tempt it to go back", () => {
    const tree = new RadixTree<string>(maxParamLength);
    // Each level offers a static and a param edge, and no leaf lies where the path ends.
    const depth = 10;
    for (let bits = 0; bits < 2 ** depth; bits++) {
      let source = "";
      for (let i = 0; i < depth; i++) source += (bits >> i) & 1 ? "/a" : `/:p${i}`;
      tree.leafOf(parsePattern(`${source}/end`).segments, () => source);
    }
    let chosen = 0;
    const refuse = (): undefined => void chosen++;
    tree.find(`${"/a".repeat(depth)}/end`, [], refuse, "");
    expect(chosen).toBe(2 ** depth);
    chosen = 0;
    tree.find("/a".repeat(5000), [], refuse, "");
    expect(chosen).toBe(0);
  });
});

describe("matching time", () => {
  const router = new Router()
    .get("/:a/:b/:c", () => "three")
    .get("/a-a/:x/a-a/*", () => "mixed")
    .get("/files/*rest", (request) => `${request.params.rest.length}`);

  function bestOf(target: string): number {
    const exchange = exchangeFor(target);
    let bestMs = Infinity;
    for (let round = 0; round < 15; round++) {
      const startMs = performance.now();
      for (let i = 0; i < 20; i++) void router.handle(exchange);
      bestMs = Math.min(bestMs, performance.now() - startMs);
    }
    return bestMs;
  }

  test.each([
    ["a single segment", (length: number) => `/${"a-".repeat(length / 2)}`],
    ["many segments", (length: number) => "/a-a".repeat(length / 4)],
    ["below a wildcard", (length: number) => `/files/${"a-".repeat(length / 2)}`],
    ["escapes", (length: number) => `/files/${"%61-".repeat(length / 4)}`],
  ])("grows no faster than twice linearly: %s", (_name, make) => {
    bestOf(make(10_000));
    const small = bestOf(make(50_000));
    const large = bestOf(make(100_000));
    // A few ticks of grace keep a busy machine from deciding.
    expect(large).toBeLessThan(2 * 2 * small + 0.5);
  });

  test("100 KB of a-a-a is answered", async () => {
    const path = "a-".repeat(50_000);
    expect((await ask(router, `/files/${path}`)).text).toBe(`${path.length}`);
    expect((await ask(router, `/${path}/b/c`)).status).toBe(404);
  });
});
