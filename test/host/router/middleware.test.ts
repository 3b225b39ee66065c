import { describe, expect, test } from "vitest";
import { Reply, Router } from "../../../host/router/index.ts";
import type { Handler } from "../../../host/router/index.ts";
import { ask, exchangeFor } from "./ask.ts";

function tracing(trace: string[]): (name: string) => Handler {
  return (name) => async (_request, next) => {
    trace.push(`${name}(`);
    const reply = await next();
    trace.push(`)${name}`);
    return reply;
  };
}

describe("middlewares", () => {
  test("run from the outside in: router, group, route, handler", async () => {
    const trace: string[] = [];
    const mark = tracing(trace);
    const router = new Router().use(mark("a"), mark("b")).group("/g", (group) => {
      group.get("/x", mark("r"), () => void trace.push("handler"));
      group.use(mark("g"));
    });
    expect((await ask(router, "/g/x")).status).toBe(204);
    expect(trace.join(" ")).toBe("a( b( g( r( handler )r )g )b )a");
  });

  test("surround routes registered before them, and after the first request", async () => {
    const router = new Router().get("/", () => "x");
    expect((await ask(router, "/")).header("x-late")).toBeUndefined();
    router.use(async (_request, next) => (await next()).set("x-late", "1"));
    expect((await ask(router, "/")).header("x-late")).toBe("1");
  });

  test("reach routes through routers above, also when those have answered before", async () => {
    const inner = new Router().get("/x", () => "x");
    const router = new Router().mount("/in", inner);
    expect((await ask(router, "/in/x")).text).toBe("x");
    inner.use(() => "mine");
    expect((await ask(router, "/in/x")).text).toBe("mine");
    expect((await ask(router, "/in/missing")).text).toBe("mine");
  });

  test("surround misses of every kind", async () => {
    const seen: string[] = [];
    const router = new Router()
      .use((request, next) => {
        request.onReply((reply) => seen.push(`${request.method} ${reply.status}`));
        return next();
      })
      .get("/a", () => "");
    await ask(router, "/b");
    await ask(router, "POST /a");
    await ask(router, "OPTIONS /a");
    await ask(router, "GET /%00");
    expect(seen).toEqual(["GET 404", "POST 405", "OPTIONS 204", "GET 400"]);
  });

  test("may answer in place of the handler", async () => {
    const router = new Router().use(() => Reply.text("stop", 403)).get("/", () => "never");
    expect(await ask(router, "/")).toMatchObject({ status: 403, text: "stop" });
  });

  test("that give nothing after next() pass on the reply of what follows", async () => {
    const router = new Router()
      .use((_request, next) => {
        void next();
      })
      .use(async (_request, next) => {
        await next();
      })
      .get("/", () => "inner");
    expect((await ask(router, "/")).text).toBe("inner");
  });

  test("that neither call next nor answer are an error naming the route", async () => {
    const errors: unknown[] = [];
    const router = new Router({ onUnhandled: (error) => errors.push(error) }).get(
      "/u/:id",
      () => {},
      () => "never",
    );
    const asynchronous = new Router({ onUnhandled: (error) => errors.push(error) }).get(
      "/u/:id",
      async () => {},
      () => "",
    );
    expect((await ask(router, "/u/1")).status).toBe(500);
    expect((await ask(asynchronous, "/u/1")).status).toBe(500);
    for (const error of errors) {
      expect(String(error)).toMatch(/GET \/u\/:id: a middleware neither called next\(\) nor gave an answer/);
    }
    expect(errors).toHaveLength(2);
  });

  test("that call next twice are an error, whether they wait or not", async () => {
    const errors: string[] = [];
    const router = new Router({ onUnhandled: (error) => errors.push(String(error)) })
      .get(
        "/sync",
        (_request, next) => (void next(), next()),
        () => "x",
      )
      .get(
        "/async",
        async (_request, next) => (await next(), next()),
        async () => "x",
      );
    expect((await ask(router, "/sync")).status).toBe(500);
    expect((await ask(router, "/async")).status).toBe(500);
    expect(errors).toEqual([
      "Error: GET /sync: a middleware called next() twice",
      "Error: GET /async: a middleware called next() twice",
    ]);
  });

  test("the last handler has no next", async () => {
    const errors: string[] = [];
    const router = new Router({ onUnhandled: (error) => errors.push(String(error)) }).get(
      "/",
      (_request, next) => next(),
    );
    expect((await ask(router, "/")).status).toBe(500);
    expect(errors[0]).toMatch(/GET \/: next\(\) was called by the last handler/);
  });

  test("an inner failure that nobody waits for is no unhandled rejection", async () => {
    const router = new Router().get(
      "/",
      (_request, next) => {
        void next();
        return "done";
      },
      async () => {
        throw new Error("late");
      },
    );
    expect((await ask(router, "/")).text).toBe("done");
    await new Promise((resolve) => setTimeout(resolve, 5));
  });

  test("see errors as exceptions, and may answer them", async () => {
    const router = new Router()
      .use(async (_request, next) => {
        try {
          return await next();
        } catch (error) {
          return `caught ${(error as Error).message}`;
        }
      })
      .get("/sync", () => {
        throw new Error("s");
      })
      .get("/async", async () => {
        throw new Error("a");
      });
    expect((await ask(router, "/sync")).text).toBe("caught s");
    expect((await ask(router, "/async")).text).toBe("caught a");
  });

  test("what is missing or no function is an error when registered", () => {
    const router = new Router();
    const none = [] as unknown as [Handler];
    expect(() => router.get("/", ...none)).toThrow("GET /: a handler is missing");
    expect(() => router.get("/", () => "", "x" as unknown as Handler)).toThrow(
      "GET /: handler 2 of 2 is string, not a function",
    );
    expect(() => router.use("/a", ...none)).toThrow('use "/a": a handler is missing');
    expect(() => router.notFound(1 as unknown as Handler)).toThrow("notFound: handler 1 of 1 is number");
  });

  test("share state within one request only", async () => {
    const router = new Router()
      .use((request, next) => {
        request.state["n"] = ((request.state["n"] as number | undefined) ?? 0) + 1;
        return next();
      })
      .get("/", (request) => ({ ...request.state }));
    expect((await ask(router, "/")).text).toBe('{"n":1}');
    expect((await ask(router, "/")).text).toBe('{"n":1}');
  });
});

describe("a path-scoped middleware", () => {
  const guarded = (scope: string): Router =>
    new Router()
      .use(scope, () => Reply.text("guarded", 401))
      .get("/admin", () => "open")
      .get("/admin/users", () => "open")
      .get("/administration", () => "open")
      .get("/:section/list", () => "open")
      .get("/files/*", () => "open")
      .get("/:a/:b?", () => "open");

  test.each(["/admin", "/admin/", "/admin/*"])("use(%j) covers the path and all below it", async (scope) => {
    const router = guarded(scope);
    for (const path of ["/admin", "/admin/users", "/admin/list", "/admin/other", "/admin/a/b/c", "/admin/"]) {
      expect((await ask(router, path)).status, path).toBe(401);
    }
    for (const path of ["/administration", "/x/list", "/files/admin", "/x"]) {
      expect((await ask(router, path)).text, path).toBe("open");
    }
  });

  test("cannot be slipped past by spelling the path another way", async () => {
    const router = guarded("/admin");
    for (const path of [
      "/%61dmin/users",
      "/x/../admin/users",
      "/./admin/list",
      "/admin/%75sers",
      "/admin?x",
      "/x/%2e%2e/admin",
    ]) {
      expect((await ask(router, path)).status, path).toBe(401);
    }
  });

  test("may have params, and is seen from its own router", async () => {
    const inner = new Router()
      .use("/:id/private", () => Reply.text("no", 403))
      .get("/:id/:page", () => "open");
    const router = new Router().mount("/users", inner);
    expect((await ask(router, "/users/1/private")).status).toBe(403);
    expect((await ask(router, "/users/1/public")).text).toBe("open");
    expect((await ask(inner, "/1/private")).status).toBe(403);
  });
});

describe("onReply", () => {
  test("sees every final reply, once, and may add to it without making a route wait", async () => {
    const router = new Router({ onUnhandled: () => {} })
      .use((request, next) => {
        request.onReply((reply) => reply.set("x-id", "7"));
        return next();
      })
      .get("/ok", () => "x")
      .get("/broken", () => {
        throw new Error("x");
      });
    expect(router.handle(exchangeFor("/ok"))).not.toBeInstanceOf(Promise);
    for (const path of ["/ok", "/broken", "/missing"])
      expect((await ask(router, path)).header("x-id")).toBe("7");
  });

  test("a hook that throws is reported and does not cost the answer", async () => {
    const errors: unknown[] = [];
    const router = new Router({ onUnhandled: (error) => errors.push(error) }).get("/", (request) => {
      request.onReply(() => {
        throw new Error("hook");
      });
      return "x";
    });
    expect((await ask(router, "/")).text).toBe("x");
    expect(errors).toHaveLength(1);
  });
});
