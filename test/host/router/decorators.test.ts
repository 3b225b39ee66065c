import { describe, expect, test } from "vitest";
import { all, controller, del, get, on, post, Reply, Router, use } from "../../../host/router/index.ts";
import type { Handler, HttpyRequest } from "../../../host/router/index.ts";
import { ask } from "./ask.ts";

function mark(name: string): Handler {
  return async (request, next) => {
    request.state["trace"] = `${(request.state["trace"] as string | undefined) ?? ""}${name}`;
    return next();
  };
}

@controller("/users")
@use(mark("a"))
@use(mark("b"))
class Users {
  readonly #greeting: string;

  constructor(greeting = "hello") {
    this.#greeting = greeting;
  }

  @get("/:id")
  show(request: HttpyRequest<{ id: string }>): string {
    return `${this.#greeting} ${request.params.id} ${String(request.state["trace"])}`;
  }

  @use(mark("c"))
  @use(mark("d"))
  @post("/")
  async create(request: HttpyRequest): Promise<Reply> {
    return Reply.text(`${await request.text()} ${String(request.state["trace"])}`, 201);
  }

  @del("/:id")
  @on(["PUT", "REPORT"], "/:id/x")
  @all("/any")
  several(request: HttpyRequest): string {
    return request.method;
  }
}

describe("controllers", () => {
  test("put decorated methods below the prefix, called on their instance", async () => {
    const router = new Router().register(Users);
    expect((await ask(router, "/users/7")).text).toBe("hello 7 ab");
    expect((await ask(router, "DELETE /users/7")).text).toBe("DELETE");
    expect((await ask(router, "REPORT /users/7/x")).text).toBe("REPORT");
    expect((await ask(router, "PATCH /users/any")).text).toBe("PATCH");
    expect(router.routes()).toContainEqual({ method: "POST", pattern: "/users" });
  });

  test("run middlewares in the order they are written: class, then method", async () => {
    const router = new Router().register(Users);
    expect(await ask(router, "POST /users", { body: ["new"] })).toMatchObject({
      status: 201,
      text: "new abcd",
    });
  });

  test("may be registered as instances", async () => {
    const router = new Router().register(new Users("good day"));
    expect((await ask(router, "/users/7")).text).toBe("good day 7 ab");
  });

  test("hand their routes, prefix and middlewares on to subclasses", async () => {
    class Admins extends Users {
      override show(request: HttpyRequest<{ id: string }>): string {
        return `admin ${request.params.id}`;
      }
      @get("/:id/rights")
      rights(): string {
        return "all";
      }
    }
    const router = new Router().register(Admins);
    expect((await ask(router, "/users/7")).text).toBe("admin 7");
    expect((await ask(router, "/users/7/rights")).text).toBe("all");
  });

  test("without a prefix stand at the root", async () => {
    class Plain {
      @get("/plain")
      plain(): string {
        return "plain";
      }
    }
    expect((await ask(new Router().register(Plain), "/plain")).text).toBe("plain");
  });

  test("that declare nothing, or decorate what is no public method, are an error", () => {
    class Empty {}
    expect(() => new Router().register(Empty)).toThrow("Empty has no method decorated with a route");
    class OnlyUse {
      @use(mark("x"))
      method(): void {}
    }
    expect(() => new Router().register(OnlyUse)).toThrow("OnlyUse.method has @use but no route");
    expect(() => {
      class Static {
        @get("/")
        static method(): void {}
      }
      return Static;
    }).toThrow("@get: method must be a public method of instances");
    const legacy = get("/") as unknown as (target: object, key: string) => void;
    expect(() => legacy({}, "method")).toThrow(/standard decorators are needed/);
  });
});
