// Where a path-scoped middleware applies: `use("/admin", guard)` covers `/admin` and everything below it.
//
// Whether a scope covers a route is decided once, when the route's chain is composed, if the pattern alone
// tells; a pattern such as `/:section/users` leaves it to each request's path. So a guard cannot be slipped
// past through a route that reaches the same path by a param. The path it sees is the treated one.

import { parsePrefix, parsePattern } from "./pattern.ts";
import type { Pattern, Segment } from "./pattern.ts";

/** A parsed scope: the segments a path must begin with. */
export interface Scope {
  readonly source: string;
  readonly segments: readonly Segment[];
}

/** How a scope relates to a pattern: covers every path of it, none, or some. */
export type Coverage = "all" | "none" | "some";

/** Parses a scope: a prefix, or the same followed by `/*`. Null when it covers every path. */
export function parseScope(source: string): Scope | null {
  const bare = source.endsWith("/*") ? source.slice(0, -2) || "/" : source;
  const prefix = parsePrefix(bare);
  return prefix === "/" ? null : { source, segments: parsePattern(prefix).segments };
}

/** Whether the scope covers a path that was treated for routing. */
export function scopeCovers(scope: Scope, path: string): boolean {
  let at = 0;
  for (const segment of scope.segments) {
    if (path[at] !== "/") return false;
    const start = at + 1;
    const slash = path.indexOf("/", start);
    const end = slash < 0 ? path.length : slash;
    if (end === start) return false;
    if (segment.kind === "static" && segment.text !== path.slice(start, end)) return false;
    at = end;
  }
  return true;
}

/** How the scope relates to all paths of a pattern. */
export function scopeCoverage(scope: Scope, pattern: Pattern): Coverage {
  let coverage: Coverage = "all";
  for (let i = 0; i < scope.segments.length; i++) {
    const own = scope.segments[i]!;
    const other = pattern.segments[i];
    if (other === undefined) return "none";
    if (other.kind === "wildcard") return "some";
    if (other.kind === "static") {
      if (other.text === "") return "none";
      if (own.kind === "static" && own.text !== other.text) return "none";
    } else if (own.kind === "static" || other.optional) {
      coverage = "some";
    }
  }
  return coverage;
}
