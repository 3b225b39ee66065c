import { describe, expect, test } from "vitest";
import { Reply, Router, reply, setCookie } from "../../../host/router/index.ts";
import type { HandlerResult } from "../../../host/router/index.ts";
import { ask, readAnswer } from "./ask.ts";

function answerTo(result: unknown): ReturnType<typeof ask> {
  const errors: unknown[] = [];
  const router = new Router({ onUnhandled: (error) => errors.push(error) }).get(
    "/r/:x",
    () => result as HandlerResult,
  );
  return ask(router, "/r/1").then((answer) =>
    errors.length === 0 ? answer : { ...answer, text: String(errors[0]) },
  );
}

async function* pieces(): AsyncGenerator<string | Uint8Array> {
  yield "a";
  yield new TextEncoder().encode("b");
}

describe("what a handler gives", () => {
  test.each<[string, unknown, number, string | null, string]>([
    ["a string", "hä", 200, "text/plain; charset=utf-8", "hä"],
    ["bytes", new TextEncoder().encode("b"), 200, "application/octet-stream", "b"],
    ["an ArrayBuffer", new TextEncoder().encode("ab").buffer, 200, "application/octet-stream", "ab"],
    ["another view", new Uint16Array([0x6261]), 200, "application/octet-stream", "ab"],
    ["an object", { a: 1 }, 200, "application/json", '{"a":1}'],
    ["an array", [1, "2"], 200, "application/json", '[1,"2"]'],
    [
      "an object without prototype",
      Object.assign(Object.create(null) as object, { a: 1 }),
      200,
      "application/json",
      '{"a":1}',
    ],
    ["a number", 7, 200, "application/json", "7"],
    ["a boolean", false, 200, "application/json", "false"],
    ["null", null, 204, null, ""],
    ["undefined", undefined, 204, null, ""],
    ["a web stream", new Blob(["s"]).stream(), 200, "application/octet-stream", "s"],
    ["an async iterable", pieces(), 200, "application/octet-stream", "ab"],
    ["a promise", Promise.resolve("later"), 200, "text/plain; charset=utf-8", "later"],
    [
      "a thenable",
      { then: (done: (value: string) => void) => done("then") },
      200,
      "text/plain; charset=utf-8",
      "then",
    ],
  ])("%s", async (_name, result, status, contentType, text) => {
    expect(await answerTo(result)).toMatchObject({ status, contentType, text });
  });

  test("a web Response is taken apart, framing left behind", async () => {
    const headers = new Headers({
      "content-type": "text/css",
      "x-a": "1",
      connection: "close",
      "transfer-encoding": "chunked",
    });
    headers.append("set-cookie", "a=1");
    headers.append("set-cookie", "b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT");
    const answer = await answerTo(new Response("body", { status: 201, headers }));
    expect(answer).toMatchObject({ status: 201, contentType: "text/css", text: "body" });
    expect(answer.headers).toEqual([
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT"],
      ["x-a", "1"],
    ]);
    expect(await answerTo(new Response(null, { status: 304 }))).toMatchObject({
      status: 304,
      contentType: null,
      text: "",
    });
    const used = new Response("x");
    await used.text();
    expect((await answerTo(used)).text).toMatch(/already read/);
    expect((await answerTo(Response.error())).status).toBe(500);
  });

  test("what cannot be answered is a 500 whose error names the route", async () => {
    const circular: Record<string, unknown> = {};
    circular["self"] = circular;
    for (const [result, text] of [
      [Symbol("x"), "GET /r/:x: the handler gave a symbol, which cannot be answered"],
      [() => "", "GET /r/:x: the handler gave a function"],
      [1n, "GET /r/:x: the handler gave a bigint"],
      [circular, "GET /r/:x: the handler's result cannot be sent as JSON"],
      [{ toJSON: () => undefined }, "GET /r/:x: the handler's result cannot be sent as JSON"],
    ] as const) {
      const answer = await answerTo(result);
      expect(answer.status).toBe(500);
      expect(answer.text).toContain(text);
    }
  });
});

describe("Reply", () => {
  test("its makers set status, type and body", async () => {
    expect(Reply.text("a", 201)).toMatchObject({
      status: 201,
      contentType: "text/plain; charset=utf-8",
      body: "a",
      headers: null,
    });
    expect(Reply.html("<p>")).toMatchObject({ status: 200, contentType: "text/html; charset=utf-8" });
    expect(Reply.json([1])).toMatchObject({ contentType: "application/json", body: "[1]" });
    expect(Reply.bytes(new Uint8Array(2), "image/png")).toMatchObject({ contentType: "image/png" });
    expect(Reply.empty()).toMatchObject({ status: 204, contentType: null, body: null });
    expect((await readAnswer(Reply.stream(pieces(), "text/plain"))).text).toBe("ab");
    expect(() => Reply.json(undefined)).toThrow("no JSON form");
    expect(() => Reply.text("x", 99)).toThrow("status 99 is not between 200 and 599");
    expect(() => Reply.bytes(new Uint8Array(), "a/b\r\nx: y")).toThrow(/"content-type"/);
  });

  test("reply() takes a body and what goes with it", async () => {
    const made = reply("x", { status: 418, headers: { "X-A": ["1", "2"], "content-type": "text/css" } });
    expect(await readAnswer(made)).toMatchObject({
      status: 418,
      contentType: "text/css",
      headers: [
        ["x-a", "1"],
        ["x-a", "2"],
      ],
    });
    expect(reply()).toMatchObject({ status: 200, contentType: null, body: null });
    expect(reply(new Uint8Array(1), { contentType: "a/b" }).contentType).toBe("a/b");
  });

  test("redirects, to a location that can be sent", () => {
    expect(Reply.redirect("/login").get("location")).toBe("/login");
    expect(Reply.redirect("/é?q=a b", 303)).toMatchObject({ status: 303 });
    expect(Reply.redirect("/é?q=a b").get("location")).toBe("/%C3%A9?q=a%20b");
    expect(Reply.redirect("/x\r\nset-cookie: a=b").get("location")).toBe("/x%0D%0Aset-cookie:%20a=b");
    expect(() => Reply.redirect("/", 200)).toThrow("status 200 is not one of 300, 301, 302, 303, 307, 308");
  });

  test("carries trailers, known or asked for later", async () => {
    expect(await Reply.text("x").withTrailers({ "X-Sum": "7" }).trailers!()).toEqual([["x-sum", "7"]]);
    expect(await Reply.text("x").withTrailers(async () => [["a", "b"]]).trailers!()).toEqual([["a", "b"]]);
  });
});

describe("reply headers", () => {
  test("keep order and several lines, names in lower case", () => {
    const headers = new Reply().append("X-B", "1").append("x-a", 2).append("x-b", "3").headers!;
    expect([...headers]).toEqual([
      ["x-b", "1"],
      ["x-a", "2"],
      ["x-b", "3"],
    ]);
    expect(headers.get("X-B")).toBe("1, 3");
    expect(headers.getAll("x-b")).toEqual(["1", "3"]);
    expect([headers.size, headers.nameAt(1), headers.valueAt(2)]).toEqual([3, "x-a", "3"]);
    headers.set("x-b", "4");
    expect([...headers]).toEqual([
      ["x-b", "4"],
      ["x-a", "2"],
    ]);
    expect([headers.has("x-a"), headers.delete("X-A"), headers.delete("x-a"), headers.has("x-a")]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(headers.get("x-a")).toBeNull();
  });

  test("lead content-type to the reply, and iterate without it", () => {
    const made = Reply.text("x").set("Content-Type", "text/css").set("x-a", "1");
    expect(made.contentType).toBe("text/css");
    expect([...made.headers!]).toEqual([["x-a", "1"]]);
    expect(made.headers!.get("content-type")).toBe("text/css");
    expect(made.headers!.append("content-type", "a/b").has("content-type")).toBe(true);
    expect(made.get("Content-Type")).toBe("a/b");
    made.headers!.delete("content-type");
    expect(made.contentType).toBeNull();
  });

  test("refuse every name that is no token and every value with a control or beyond latin1", () => {
    const made = new Reply();
    for (let code = 0; code < 256; code++) {
      const char = String.fromCharCode(code);
      if (/[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(char)) made.set(`a${char}`, "x");
      else expect(() => made.set(`a${char}`, "x"), `name ${code}`).toThrow(/Header name/);
      const isText = code === 9 || (code >= 32 && code !== 127 && (code < 128 || code >= 128));
      if (isText) made.set("v", `a${char}b`);
      else expect(() => made.set("v", `a${char}b`), `value ${code}`).toThrow(/Header "v".*at 1/);
    }
    expect(() => made.set("", "x")).toThrow(/Header name ""/);
    expect(() => made.set("v", "€")).toThrow(/Header "v"/);
    expect(() => made.append("v", "a\r\nset-cookie: b")).toThrow(/Header "v"/);
  });

  test("drop blanks around a value", () => {
    expect(new Reply().set("a", " \tb c\t ").get("a")).toBe("b c");
  });
});

describe("setCookie", () => {
  test("writes every attribute", () => {
    const line = setCookie("id", "a b;c", {
      domain: "example.test",
      path: "/x",
      expires: new Date(0),
      maxAgeSeconds: 60,
      httpOnly: true,
      secure: true,
      sameSite: "none",
      partitioned: true,
    });
    expect(line).toBe(
      "id=a%20b%3Bc; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Domain=example.test; Path=/x; Secure; HttpOnly; SameSite=None; Partitioned",
    );
    expect(setCookie("__Host-a", "1", { secure: true, path: "/" })).toBe("__Host-a=1; Path=/; Secure");
  });

  test("refuses what a browser would drop or misread, naming it", () => {
    const wrong: Array<[string, Parameters<typeof setCookie>[2], RegExp]> = [
      ["a b", {}, /Header name/],
      ["a", { path: "x" }, /path is "x"/],
      ["a", { path: "/;Secure" }, /path/],
      ["a", { domain: "a\r\nb" }, /domain/],
      ["a", { maxAgeSeconds: 1.5 }, /maxAgeSeconds is 1.5/],
      ["a", { expires: new Date(NaN) }, /expires/],
      ["a", { sameSite: "none" }, /sameSite is "none", but must be secure/],
      ["a", { sameSite: "Lax" as "lax" }, /strict, lax or none/],
      ["a", { partitioned: true }, /partitioned/],
      ["__Secure-a", {}, /secure is undefined/],
      ["__Host-a", { secure: true, path: "/x" }, /path/],
    ];
    for (const [name, options, error] of wrong) expect(() => setCookie(name, "1", options)).toThrow(error);
  });
});
