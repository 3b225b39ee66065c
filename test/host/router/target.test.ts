import { posix, win32 } from "node:path";
import { describe, expect, test } from "vitest";
import { Router } from "../../../host/router/index.ts";
import { ask } from "./ask.ts";

// Ways to ask for `/secret` through `/files/`, in the spellings that have worked against some server.
const traversals = [
  "../secret",
  "..",
  "../",
  "./../secret",
  ".././secret",
  "a/../../secret",
  "a/b/../../../secret",
  "..//secret",
  "/../secret",
  "//../../secret",
  "....//secret",
  "..././secret",
  ".../secret",
  "..;/secret",
  "..;a=b/secret",
  "a/..;/..;/secret",
  "%2e%2e/secret",
  "%2E%2E/secret",
  "%2e./secret",
  ".%2e/secret",
  "%2e%2E/%2e/secret",
  "a/%2e%2e/%2e%2e/secret",
  "%2e%2e",
  "%2e",
  "%2e%2e%2fsecret",
  "%2E%2E%2Fsecret",
  "..%2fsecret",
  "..%2Fsecret",
  "a%2f..%2f..%2fsecret",
  "a%2f%2e%2e%2f%2e%2e%2fsecret",
  "%2fsecret",
  "%2f%2fsecret",
  "%2f..%2fsecret",
  "..%5csecret",
  "..%5Csecret",
  "%2e%2e%5csecret",
  "..\\secret",
  "..\\..\\secret",
  "a\\..\\..\\secret",
  "\\secret",
  "%5c%5chost%5cshare",
  "%5csecret",
  "%252e%252e/secret",
  "%252e%252e%252fsecret",
  "..%252fsecret",
  "..%255csecret",
  "%25%32%65%25%32%65/secret",
  "%c0%ae%c0%ae/secret",
  "%c0%ae%c0%ae%c0%afsecret",
  "..%c0%afsecret",
  "..%c1%9csecret",
  "%e0%80%ae%e0%80%ae/secret",
  "%f0%80%80%ae%f0%80%80%ae/secret",
  "%fc%80%80%80%80%ae/secret",
  "..%00/secret",
  "%00../secret",
  "%2e%2e%00/secret",
  "x%00.png",
  "%2e%2e%20/secret",
  "..%20/secret",
  "..%09/secret",
  "..%0d%0a/secret",
  "..?/secret",
  "..#/secret",
  "%u002e%u002e/secret",
  "%%32%65%%32%65/secret",
  "..%",
  "..%2",
  "..%zz/secret",
  "%ed%a0%80/secret",
  "%ff%fe/secret",
  "..\u00af\u00afsecret",
  "\u2025/secret",
  "%ef%bc%8e%ef%bc%8e/secret",
  "%e2%80%a5/secret",
  "C:/secret",
  "C%3a%5csecret",
  "file:///secret",
  ".git/../../secret",
  "%2e%2e/%2e%2e/%2e%2e/%2e%2e/secret",
  "../../../../../../../../etc/passwd",
];

describe("traversal", () => {
  const root = "/srv/files";
  const given: string[] = [];
  const router = new Router()
    .get("/files/*name", (request) => {
      given.push(request.params.name);
      return "file";
    })
    .get("/one/:name", (request) => {
      given.push(request.params.name);
      return "one";
    })
    .get("/secret", () => "secret");

  test("the list has at least sixty ways", () => {
    expect(new Set(traversals).size).toBeGreaterThanOrEqual(60);
  });

  test.each(traversals)("%j never leads a handler outside of its folder", async (way) => {
    for (const prefix of ["/files/", "/one/"]) {
      given.length = 0;
      const answer = await ask(router, `GET ${prefix}${way}`);
      // Dot segments that stay inside the root lead to `/secret` itself, which is that route's own business.
      expect(["file", "one", "secret", "404", "400"]).toContain(
        answer.status === 200 ? answer.text : `${answer.status}`,
      );
      for (const name of given) {
        expect(name).not.toMatch(/\0|\\/);
        expect(name.split("/")).not.toContain("..");
        expect(name.startsWith("/")).toBe(false);
        expect(posix.resolve(root, name)).toMatch(/^\/srv\/files(?:\/|$)/);
        if (!/^[A-Za-z]:/.test(name)) expect(win32.join("C:\\srv", name)).toMatch(/^C:\\srv(?:\\|$)/);
      }
    }
  });

  test("climbing above the root is refused, not clamped", async () => {
    for (const path of ["/..", "/../secret", "/a/../../secret", "/%2e%2e/secret", "/a/.%2E/%2e%2e/secret"]) {
      expect((await ask(router, `GET ${path}`)).status).toBe(400);
    }
  });

  test("each kind of malformed path is named", async () => {
    const problems: Array<[string, RegExp]> = [
      ["/a%", /percent-encoding/],
      ["/a%2", /percent-encoding/],
      ["/%zz", /percent-encoding/],
      ["/%c0%ae", /UTF-8/],
      ["/%00", /NUL/],
      ["/a\\b", /backslash/],
      ["/a%5Cb", /backslash/],
      ["/a#b", /fragment/],
      ["/\u00e9", /percent-encoded/],
      ["/a b", /percent-encoded/],
      ["/..%2f", /dot segment beside an encoded slash/],
    ];
    for (const [path, text] of problems) {
      const answer = await ask(router, path.includes(" ") ? `GET ${path}` : path);
      expect(answer.status).toBe(400);
      expect(answer.text).toMatch(text);
    }
  });
});

describe("treating a path", () => {
  const router = new Router()
    .get("/v/:a/:b", (request) => [request.params.a, request.params.b])
    .get("/café", () => "café");

  test("escapes are decoded once", async () => {
    expect((await ask(router, "/v/a%20b/%25%32%30")).text).toBe('["a b","%20"]');
    expect((await ask(router, "/v/%E2%82%AC/%2525")).text).toBe('["€","%25"]');
    expect((await ask(router, "/caf%C3%A9")).text).toBe("café");
    expect((await ask(router, "/%76/x/y")).text).toBe('["x","y"]');
  });

  test("an encoded slash is no separator and stays as written", async () => {
    expect((await ask(router, "/v/a%2Fb/c%2fd")).text).toBe('["a%2Fb","c%2fd"]');
    expect((await ask(router, "/v%2Fa/b")).status).toBe(404);
  });

  test("dot segments are removed", async () => {
    expect((await ask(router, "/v/./a/x/../b")).text).toBe('["a","b"]');
    expect((await ask(router, "/x/%2e%2e/v/a/b")).text).toBe('["a","b"]');
    expect((await ask(router, "/v/a/b/.")).status).toBe(404);
    expect((await ask(router, "/v/.a/..b")).text).toBe('[".a","..b"]');
  });

  test("an empty segment is kept and matches nothing, not even a wildcard", async () => {
    const all = new Router().get("/*", () => "all");
    expect((await ask(all, "/a/b")).text).toBe("all");
    for (const path of ["//", "//a", "/a//b", "/a//", "/a%2f/..//b"])
      expect((await ask(all, path)).status).toBe(404);
  });
});
