// No file imports itself by way of others, so that each can be read, tested and moved with what lies below it and nothing else.
//
// Type-only imports count: they say no less who has to know whom. Where a lower file needs something of a higher one it declares what
// it needs, and the higher one is that (`SessionHost` in host/server/session.ts).

import { describe, expect, test } from "vitest";
import { arrowsOf, sourcesBelow, targetOf } from "./sources.ts";

/** What each file imports. */
type Imports = ReadonlyMap<string, readonly string[]>;

/** Groups of files in which each reaches every other, sorted; a file that imports itself is one, too (Tarjan, 1972). */
function circlesIn(imports: Imports): string[][] {
  const circles: string[][] = [];
  const numberOf = new Map<string, number>();
  const leastOf = new Map<string, number>();
  const open: string[] = [];

  function visit(file: string): number {
    const number = numberOf.size;
    numberOf.set(file, number);
    leastOf.set(file, number);
    open.push(file);
    for (const next of imports.get(file) ?? []) {
      // One that is closed lies in a circle of its own, or in none.
      const least = numberOf.has(next) ? (open.includes(next) ? numberOf.get(next)! : number) : visit(next);
      leastOf.set(file, Math.min(leastOf.get(file)!, least));
    }
    const least = leastOf.get(file)!;
    if (least === number) {
      const circle = open.splice(open.indexOf(file)).sort();
      if (circle.length > 1 || imports.get(file)?.includes(file)) circles.push(circle);
    }
    return least;
  }

  for (const file of imports.keys()) if (!numberOf.has(file)) visit(file);
  return circles.sort();
}

/** The imports that tie a circle. */
function tiesOf(circle: readonly string[], imports: Imports): string[] {
  return circle.flatMap((from) =>
    (imports.get(from) ?? []).filter((to) => circle.includes(to)).map((to) => `${from} → ${to}`),
  );
}

test("no files of assembly/, host/ and bench/ import each other in a circle", () => {
  const imports: Imports = new Map(
    ["assembly", "host", "bench"].flatMap(sourcesBelow).map((file) => {
      const targets = arrowsOf(file).map(targetOf);
      return [file, [...new Set(targets.filter((target) => target !== undefined))]];
    }),
  );
  // The search has what it is to search: a path that it cannot resolve would be an arrow less.
  expect(imports.get("assembly/h1/receive.ts")).toContain("assembly/h1/head.ts");
  expect(imports.get("host/server/engine_host.ts")).toContain("host/server/session.ts");
  expect(circlesIn(imports).map((circle) => tiesOf(circle, imports))).toEqual([]);
});

describe("the search", () => {
  const graph = (arrows: Record<string, string[]>): Imports => new Map(Object.entries(arrows));

  test("finds each circle whole, and leaves out what leads there and away", () => {
    const imports = graph({
      above: ["a"],
      a: ["b", "below"],
      b: ["c"],
      c: ["a", "x"],
      x: ["y"],
      y: ["x"],
      below: [],
    });
    expect(circlesIn(imports)).toEqual([
      ["a", "b", "c"],
      ["x", "y"],
    ]);
    expect(tiesOf(["x", "y"], imports)).toEqual(["x → y", "y → x"]);
  });

  test("takes two ways to the same file for no circle", () => {
    expect(circlesIn(graph({ top: ["left", "right"], left: ["foot"], right: ["foot"], foot: [] }))).toEqual(
      [],
    );
  });

  test("finds a file that imports itself", () => {
    expect(circlesIn(graph({ a: ["a"] }))).toEqual([["a"]]);
  });
});
