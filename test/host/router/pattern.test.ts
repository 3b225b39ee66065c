import { describe, expect, test } from "vitest";
import { PatternError, Router } from "../../../host/router/index.ts";
import { parsePattern } from "../../../host/router/pattern.ts";

describe("a pattern", () => {
  test("is split into segments, its names kept in order", () => {
    const pattern = parsePattern("/users/:id/files/*path");
    expect(pattern.segments.map((segment) => segment.kind)).toEqual([
      "static",
      "param",
      "static",
      "wildcard",
    ]);
    expect(pattern.names).toEqual(["id", "path"]);
  });

  test("may have a colon or a dot inside a static segment", () => {
    expect(parsePattern("/v1/users:batch").segments[1]).toEqual({ kind: "static", text: "users:batch" });
    expect(parsePattern("/.well-known/x").names).toEqual([]);
  });

  const malformed: Array<[pattern: string, position: number]> = [
    ["", 0],
    ["users", 0],
    ["/a//b", 3],
    ["//", 1],
    ["/:", 2],
    ["/:id/:id", 5],
    ["/:file.json", 6],
    ["/:id(\\d+)", 4],
    ["/:1st", 2],
    ["/*/a", 1],
    ["/*a-b", 3],
    ["/a*b", 2],
    ["/:id?/a", 4],
    ["/a?", 2],
    ["/a%20b", 2],
    ["/a\\b", 2],
    ["/a b", 2],
    ["/a#b", 2],
    ["/a/../b", 3],
    ["/./b", 1],
  ];
  test.each(malformed)("%j is refused at position %i", (source, position) => {
    let error: unknown;
    try {
      parsePattern(source);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(PatternError);
    expect((error as PatternError).position).toBe(position);
    expect((error as PatternError).message).toContain(`"${source}"`);
    expect((error as PatternError).message).toContain(`position ${position}`);
  });

  test("is refused by every way of registering", () => {
    const router = new Router();
    expect(() => router.get("x", () => "")).toThrow(PatternError);
    expect(() => router.use("x", (_request, next) => next())).toThrow(PatternError);
    expect(() => router.group("/a/*", () => {})).toThrow(PatternError);
    expect(() => router.mount("/:id?", new Router())).toThrow(PatternError);
    expect(() => router.get("*", () => "")).toThrow(/write "\/\*" for every path/);
  });
});

describe("a duplicate", () => {
  test("is an error naming both routes", () => {
    const router = new Router().get("/a", () => "").get("/users/:id", () => "");
    expect(() => router.get("/users/:name", () => "")).toThrow(
      /"\/users\/:name".*GET \/users\/:id.*number 2.*GET \/users\/:name/,
    );
  });

  test("may hide in an optional segment", () => {
    const router = new Router().get("/users", () => "");
    expect(() => router.get("/users/:id?", () => "")).toThrow(PatternError);
    expect(router.routes()).toHaveLength(1);
  });

  test("is found across mounted routers, and then nothing was added", () => {
    const outer = new Router().get("/api/users", () => "outer");
    const inner = new Router();
    outer.mount("/api", inner);
    expect(() => inner.get("/users", () => "inner")).toThrow(PatternError);
    expect(inner.routes()).toEqual([]);
    expect(outer.routes()).toHaveLength(1);
  });

  test("is none with another method", () => {
    const router = new Router()
      .get("/a", () => "")
      .post("/a", () => "")
      .all("/a", () => "");
    expect(router.routes()).toHaveLength(3);
  });
});
