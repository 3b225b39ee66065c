import { describe, expect, test } from "vitest";
import { Reply, Router } from "../../../host/router/index.ts";
import { ask } from "./ask.ts";

describe("finding a route", () => {
  test("static outranks param, param outranks wildcard", async () => {
    const router = new Router()
      .get("/users/*rest", (request) => `rest ${request.params.rest}`)
      .get("/users/:id", (request) => `id ${request.params.id}`)
      .get("/users/me", () => "me");
    expect((await ask(router, "/users/me")).text).toBe("me");
    expect((await ask(router, "/users/mee")).text).toBe("id mee");
    expect((await ask(router, "/users/m")).text).toBe("id m");
    expect((await ask(router, "/users/me/x")).text).toBe("rest me/x");
    expect((await ask(router, "/users/")).text).toBe("rest ");
    expect((await ask(router, "/users")).status).toBe(404);
  });

  test("goes back from a static branch that leads nowhere", async () => {
    const router = new Router()
      .get("/a/b/c", () => "abc")
      .get("/a/:x/d", (request) => `x=${request.params.x}`)
      .get("/:y/b/e", (request) => `y=${request.params.y}`);
    expect((await ask(router, "/a/b/d")).text).toBe("x=b");
    expect((await ask(router, "/a/b/e")).text).toBe("y=a");
    expect((await ask(router, "/a/b/f")).status).toBe(404);
  });

  test("passes over a more specific path that lacks the method", async () => {
    const router = new Router()
      .get("/users/me", () => "me")
      .delete("/users/:id", (r) => `gone ${r.params.id}`);
    expect((await ask(router, "DELETE /users/me")).text).toBe("gone me");
  });

  test("an optional last segment may be absent", async () => {
    const router = new Router()
      .get("/users/:id?", (request) => ({ has: "id" in request.params, id: request.params.id }))
      .get("/o/:org/:repo?", (request) => ({ ...request.params }));
    expect((await ask(router, "/users")).text).toBe('{"has":false}');
    expect((await ask(router, "/users/7")).text).toBe('{"has":true,"id":"7"}');
    expect((await ask(router, "/users/")).status).toBe(404);
    expect((await ask(router, "/o/x")).text).toBe('{"org":"x"}');
    expect((await ask(router, "/o/x/y")).text).toBe('{"org":"x","repo":"y"}');
    const root = new Router().get("/:page?", (request) => request.params.page ?? "home");
    expect((await ask(root, "/")).text).toBe("home");
    expect((await ask(root, "/a")).text).toBe("a");
  });

  test("is case-sensitive, and a trailing slash counts", async () => {
    const router = new Router().get("/a", () => "a").get("/:p/x/", () => "x");
    expect((await ask(router, "/A")).status).toBe(404);
    expect((await ask(router, "/a/")).status).toBe(404);
    expect((await ask(router, "/q/x")).status).toBe(404);
    expect((await ask(router, "/q/x/")).text).toBe("x");
  });

  test("with strict off a trailing slash does not count, unless both exist", async () => {
    const router = new Router({ strict: false })
      .get("/a", () => "a")
      .get("/b/", () => "b")
      .get("/a/:p", (r) => r.params.p);
    expect((await ask(router, "/a/")).text).toBe("a");
    expect((await ask(router, "/b")).text).toBe("b");
    expect((await ask(router, "/a/7/")).text).toBe("7");
    expect((await ask(router, "POST /a/")).header("allow")).toBe("GET, HEAD, OPTIONS");
    router.get("/a/", () => "a with slash");
    expect((await ask(router, "/a/")).text).toBe("a with slash");
  });

  test("a query is no part of the path", async () => {
    const router = new Router()
      .get("/a", (request) => request.path)
      .get("/b/:id", (request) => request.params.id);
    expect((await ask(router, "/a?x=/b")).text).toBe("/a");
    expect((await ask(router, "/b/1?x")).text).toBe("1");
  });

  test("a param matches a whole, non-empty segment of bounded length", async () => {
    const router = new Router({ maxParamLength: 8 }).get("/p/:v/end", (request) => request.params.v);
    expect((await ask(router, "/p/12345678/end")).text).toBe("12345678");
    expect((await ask(router, "/p/123456789/end")).status).toBe(404);
    expect((await ask(router, "/p//end")).status).toBe(404);
  });

  test("params may have any name and inherit none", async () => {
    const router = new Router().get("/:__proto__/:constructor", (request) => [
      request.params.__proto__,
      request.params.constructor,
      (request.params as Record<string, unknown>).toString === undefined,
    ]);
    expect((await ask(router, "/a/b")).text).toBe('["a","b",true]');
  });
});

describe("methods", () => {
  test("each has its own registration", async () => {
    const router = new Router()
      .get("/m", () => "get")
      .post("/m", () => "post")
      .put("/m", () => "put")
      .patch("/m", () => "patch")
      .delete("/m", () => "delete")
      .options("/m", () => "options")
      .on(["PROPFIND", "REPORT"], "/m", (request) => request.method);
    for (const method of ["get", "post", "put", "patch", "delete", "options"]) {
      expect((await ask(router, `${method.toUpperCase()} /m`)).text).toBe(method);
    }
    expect((await ask(router, "REPORT /m")).text).toBe("REPORT");
    expect(() => router.on("get", "/n", () => "")).toThrow(/"GET"/);
    expect(() => router.on("G T", "/n", () => "")).toThrow(/not a token/);
  });

  test("all answers those without a route of their own", async () => {
    const router = new Router().all("/m", (request) => `all ${request.method}`).get("/m", () => "get");
    expect((await ask(router, "/m")).text).toBe("get");
    expect((await ask(router, "POST /m")).text).toBe("all POST");
    expect((await ask(router, "OPTIONS /m")).text).toBe("all OPTIONS");
  });

  test("a known path with another method answers 405 with allow", async () => {
    const router = new Router()
      .get("/users/:id", () => "")
      .delete("/users/:x", () => "")
      .put("/users/*", () => "");
    const answer = await ask(router, "POST /users/1");
    expect(answer.status).toBe(405);
    expect(answer.header("allow")).toBe("DELETE, GET, HEAD, OPTIONS, PUT");
  });

  test("HEAD is answered from GET, without body, with the length where it is known", async () => {
    const router = new Router()
      .get("/text", () => "grüße")
      .get("/bytes", () => new Uint8Array(5))
      .get("/none", () => null)
      .get("/told", () => Reply.text("x").set("content-length", 99))
      .get("/p/:id", (request) => request.method);
    expect(await ask(router, "HEAD /text")).toMatchObject({
      status: 200,
      text: "",
      headers: [["content-length", "7"]],
    });
    expect((await ask(router, "HEAD /bytes")).header("content-length")).toBe("5");
    expect((await ask(router, "HEAD /none")).headers).toEqual([]);
    expect((await ask(router, "HEAD /told")).header("content-length")).toBe("99");
    expect((await ask(router, "HEAD /p/1")).header("content-length")).toBe("4");
  });

  test("HEAD gives up a stream without reading it", async () => {
    let closed = "";
    const router = new Router()
      .get("/web", () => new ReadableStream({ cancel: () => void (closed += "web") }, { highWaterMark: 0 }))
      .get("/iterable", () => ({
        [Symbol.asyncIterator]: () => ({
          next: () => Promise.reject(new Error("must not be read")),
          return: () => Promise.resolve({ done: true as const, value: void (closed += " iterable") }),
        }),
      }));
    expect(await ask(router, "HEAD /web")).toMatchObject({ text: "", headers: [] });
    expect(await ask(router, "HEAD /iterable")).toMatchObject({ text: "", headers: [] });
    expect(closed).toBe("web iterable");
  });

  test("HEAD leaves a reply whole that a handler gives every time", async () => {
    const shared = Reply.text("same").set("x-a", "1");
    const router = new Router().get("/", () => shared);
    expect((await ask(router, "HEAD /")).headers).toEqual([
      ["x-a", "1"],
      ["content-length", "4"],
    ]);
    expect(await ask(router, "/")).toMatchObject({ text: "same", headers: [["x-a", "1"]] });
  });

  test("a route for HEAD outranks the one for GET", async () => {
    const router = new Router().get("/a", () => "body").head("/a", () => Reply.empty(200).set("x-own", "1"));
    expect((await ask(router, "HEAD /a")).header("x-own")).toBe("1");
  });

  test("OPTIONS is answered with 204 and allow", async () => {
    const router = new Router()
      .get("/a", () => "")
      .post("/a", () => "")
      .get("/b", () => "");
    const answer = await ask(router, "OPTIONS /a");
    expect(answer).toMatchObject({ status: 204, text: "" });
    expect(answer.header("allow")).toBe("GET, HEAD, OPTIONS, POST");
    expect((await ask(router, "OPTIONS /c")).status).toBe(404);
  });

  test("OPTIONS * is answered for the whole server, or by a route of its own", async () => {
    const router = new Router().get("/a", () => "").put("/b/:x", () => "");
    expect(await ask(router, "OPTIONS *")).toMatchObject({ status: 204 });
    expect((await ask(router, "OPTIONS *")).header("allow")).toBe("GET, HEAD, OPTIONS, PUT");
    expect((await ask(router, "OPTIONS http://example.test")).status).toBe(204);
    expect((await ask(router, "GET *")).status).toBe(400);
    router.options("*", () => "mine");
    expect((await ask(router, "OPTIONS *")).text).toBe("mine");
  });

  test("CONNECT to an authority is refused unless routed", async () => {
    const router = new Router().get("/*", () => "never");
    expect((await ask(router, "CONNECT example.test:443")).status).toBe(405);
    expect((await ask(router, "CONNECT a/b")).status).toBe(400);
    router.connect("*", (request) => `to ${request.host}`);
    expect((await ask(router, "CONNECT example.test:443")).text).toBe("to example.test:443");
    expect((await ask(router, "GET *")).status).toBe(400);
  });

  test("an absolute-form target gives path and authority", async () => {
    const router = new Router().get(
      "/a/:id",
      (request) => `${request.host} ${request.params.id} ${request.url}`,
    );
    expect((await ask(router, "http://Other.test:81/a/7?x=1")).text).toBe(
      "Other.test:81 7 http://other.test:81/a/7?x=1",
    );
    expect((await ask(router, "http://user@other.test/a/7")).status).toBe(400);
    expect((await ask(router, "ftp://other.test/a/7")).status).toBe(400);
    expect((await ask(router, "other.test/a/7")).status).toBe(400);
  });
});

describe("groups and mounting", () => {
  test("a group puts its routes below a prefix and hands on the prefix's params", async () => {
    const router = new Router().group("/orgs/:org", (group) => {
      group.get("/", (request) => request.params.org);
      group.get("/users/:user", (request) => `${request.params.org}/${request.params.user}`);
    });
    expect((await ask(router, "/orgs/acme")).text).toBe("acme");
    expect((await ask(router, "/orgs/acme/users/ann")).text).toBe("acme/ann");
    expect(router.routes()).toEqual([
      { method: "GET", pattern: "/orgs/:org" },
      { method: "GET", pattern: "/orgs/:org/users/:user" },
    ]);
  });

  test("routes added to a mounted router later are found, however deep", async () => {
    const inner = new Router();
    const middle = new Router().mount("/inner", inner);
    const outer = new Router().group("/middle/", middle);
    inner.get("/late/:x", (request) => request.params.x);
    expect((await ask(outer, "/middle/inner/late/1")).text).toBe("1");
    expect((await ask(inner, "/late/2")).text).toBe("2");
  });

  test("one router may be mounted twice, never in itself", async () => {
    const shared = new Router().get("/x", (request) => request.path);
    const router = new Router().mount("/a", shared).mount("/b", shared);
    expect((await ask(router, "/a/x")).text).toBe("/a/x");
    expect((await ask(router, "/b/x")).text).toBe("/b/x");
    expect(() => router.mount("/c", router)).toThrow(/in itself/);
    expect(() => shared.mount("/c", router)).toThrow(/in itself/);
  });

  test("notFound of the deepest router that covers the path answers", async () => {
    const admin = new Router().get("/x", () => "").notFound(() => Reply.text("no such admin page", 404));
    const router = new Router()
      .mount("/admin", admin)
      .notFound((request) => Reply.text(`nothing at ${request.path}`, 404));
    expect((await ask(router, "/admin/y")).text).toBe("no such admin page");
    expect((await ask(router, "/administration")).text).toBe("nothing at /administration");
  });
});
