import { describe, expect, test } from "vitest";
import { HttpError, Reply, Router, Status, statusPhrase } from "../../../host/router/index.ts";
import { ask } from "./ask.ts";

class StorageError extends Error {}
class MissingRow extends StorageError {}

describe("onError", () => {
  test("the most specific class answers, then its base, then the plain handler", async () => {
    const router = new Router()
      .onError((error) => Reply.text(`any ${error.message}`, 500))
      .onError(StorageError, (error) => Reply.text(`storage ${error.message}`, 503))
      .onError(MissingRow, async (error) => Reply.text(`row ${error.message}`, 404))
      .get("/row", () => {
        throw new MissingRow("1");
      })
      .get("/storage", async () => {
        throw new StorageError("2");
      })
      .get("/derived", () => {
        throw new (class extends StorageError {})("5");
      })
      .get("/other", () => {
        throw new RangeError("3");
      })
      .get("/text", () => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- what a careless handler may throw
        throw "4";
      });
    expect(await ask(router, "/row")).toMatchObject({ status: 404, text: "row 1" });
    expect(await ask(router, "/storage")).toMatchObject({ status: 503, text: "storage 2" });
    expect((await ask(router, "/derived")).text).toBe("storage 5");
    expect(await ask(router, "/other")).toMatchObject({ status: 500, text: "any 3" });
    expect((await ask(router, "/text")).text).toBe("any 4");
  });

  test("of a mounted router comes first, and what it does not take goes outward", async () => {
    const inner = new Router()
      .onError(MissingRow, () => "inner")
      .get("/row", () => {
        throw new MissingRow();
      })
      .get("/storage", () => {
        throw new StorageError();
      });
    const router = new Router().mount("/in", inner).onError(StorageError, () => "outer");
    expect((await ask(router, "/in/row")).text).toBe("inner");
    expect((await ask(router, "/in/storage")).text).toBe("outer");
  });

  test("takes what a middleware throws, and a web Response for an answer", async () => {
    const router = new Router()
      .use(() => {
        throw new Error("mw");
      })
      .get("/", () => "x")
      .onError((error, request) =>
        Response.json({ error: error.message, path: request.path }, { status: 500 }),
      );
    expect(await ask(router, "/")).toMatchObject({ status: 500, text: '{"error":"mw","path":"/"}' });
  });

  test("that throws itself answers 500, and is reported", async () => {
    const errors: unknown[] = [];
    const router = new Router({ onUnhandled: (error) => errors.push(error) })
      .get("/", () => {
        throw new Error("first");
      })
      .onError(() => {
        throw new Error("second");
      });
    expect((await ask(router, "/")).status).toBe(500);
    expect(String(errors[0])).toBe("Error: second");
  });

  test("may be set once for each class", () => {
    const router = new Router().onError(() => "").onError(StorageError, () => "");
    expect(() => router.onError(() => "")).toThrow("a handler for all errors is already set");
    expect(() => router.onError(StorageError, () => "")).toThrow("a handler for StorageError is already set");
  });

  test("is not asked about paths without a route", async () => {
    const router = new Router().get("/a", () => "").onError(() => Reply.text("error", 500));
    expect((await ask(router, "/b")).status).toBe(404);
    expect((await ask(router, "POST /a")).status).toBe(405);
    expect((await ask(router, "/%00")).status).toBe(400);
  });
});

describe("an error without a handler", () => {
  test("answers 500, shows nothing of itself and is handed to onUnhandled", async () => {
    const seen: Array<[unknown, string]> = [];
    const router = new Router({ onUnhandled: (error, request) => seen.push([error, request.path]) });
    const thrown = new Error("password is hunter2");
    router.get("/s", () => {
      throw thrown;
    });
    router.get("/a", () => Promise.reject(thrown));
    for (const path of ["/s", "/a"]) {
      const answer = await ask(router, path);
      expect(answer).toMatchObject({ status: 500, text: "Internal Server Error", headers: [] });
    }
    expect(seen).toEqual([
      [thrown, "/s"],
      [thrown, "/a"],
    ]);
  });

  test("does not matter less because onUnhandled throws as well", async () => {
    const router = new Router({
      onUnhandled: () => {
        throw new Error("hook");
      },
    }).get("/", () => {
      throw new Error("x");
    });
    expect((await ask(router, "/")).status).toBe(500);
  });
});

describe("HttpError", () => {
  test("answers with its status, headers and, below 500, its message", async () => {
    const errors: unknown[] = [];
    const router = new Router({ onUnhandled: (error) => errors.push(error) })
      .get("/auth", () => {
        throw new HttpError(Status.UNAUTHORIZED, "log in first", {
          headers: { "WWW-Authenticate": "Basic" },
        });
      })
      .get("/down", async () => {
        throw new HttpError(503, "database db-7 is down", { headers: [["retry-after", "5"]] });
      })
      .get("/told", () => {
        throw new HttpError(503, "back at noon", { expose: true });
      });
    expect(await ask(router, "/auth")).toMatchObject({
      status: 401,
      text: "log in first",
      headers: [["www-authenticate", "Basic"]],
    });
    expect(await ask(router, "/down")).toMatchObject({
      status: 503,
      text: "Service Unavailable",
      headers: [["retry-after", "5"]],
    });
    expect((await ask(router, "/told")).text).toBe("back at noon");
    expect(errors).toEqual([]);
  });

  test("has a status between 400 and 599 and headers that can be sent", () => {
    expect(() => new HttpError(200)).toThrow("status 200 is not between 400 and 599");
    expect(() => new HttpError(400, "x", { headers: { a: "b\r\nc" } })).toThrow(/Header "a"/);
    expect(new HttpError(404).message).toBe("Not Found");
  });
});

describe("a wrong option", () => {
  test("is an error naming it, the value and what is allowed", () => {
    expect(() => new Router({ bodyLimitBytes: -1 })).toThrow(
      'Router option "bodyLimitBytes" is -1, but must be a whole number of bytes, 0 or more',
    );
    expect(() => new Router({ strict: "no" as unknown as boolean })).toThrow(
      '"strict" is no, but must be true or false',
    );
    expect(() => new Router({ limit: 1 } as object)).toThrow(
      'Router option "limit" is unknown; there are bodyLimitBytes',
    );
  });
});

test("statuses have their registered phrases", () => {
  expect([200, 404, 414, 505, 499].map(statusPhrase)).toEqual([
    "OK",
    "Not Found",
    "URI Too Long",
    "HTTP Version Not Supported",
    "Status 499",
  ]);
});
