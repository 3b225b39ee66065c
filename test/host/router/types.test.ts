// What the compiler infers; `tsc` checks this file, running it only proves that it loads.

import { pino } from "pino";
import { describe, expectTypeOf, test } from "vitest";
import { Router } from "../../../host/router/index.ts";
import type { Handler, HttpyRequest, Logger, Params, ParamsOf, Reply } from "../../../host/router/index.ts";

describe("params", () => {
  test("are inferred from a pattern", () => {
    expectTypeOf<ParamsOf<"/users/:id">>().toEqualTypeOf<{ readonly id: string }>();
    expectTypeOf<ParamsOf<"/a/:x/b/:y">>().toEqualTypeOf<{ readonly x: string; readonly y: string }>();
    expectTypeOf<ParamsOf<"/users/:id?">>().toEqualTypeOf<{ readonly id?: string }>();
    expectTypeOf<ParamsOf<"/files/*">>().toEqualTypeOf<{ readonly "*": string }>();
    expectTypeOf<ParamsOf<"/u/:id/files/*path">>().toEqualTypeOf<{
      readonly id: string;
      readonly path: string;
    }>();
    expectTypeOf<keyof ParamsOf<"/static">>().toEqualTypeOf<never>();
    expectTypeOf<ParamsOf<string>>().toEqualTypeOf<Readonly<Record<string, string>>>();
  });

  test("reach handlers, middlewares and groups", () => {
    const router = new Router();
    router.get("/users/:id", (request) => {
      expectTypeOf(request.params.id).toEqualTypeOf<string>();
      // @ts-expect-error -- the pattern has no such param
      void request.params.name;
      return "";
    });
    router.get("/opt/:id?", (request) => {
      expectTypeOf(request.params.id).toEqualTypeOf<string | undefined>();
      return "";
    });
    const general: Handler = (request, next) => {
      expectTypeOf(request.params).toEqualTypeOf<Params>();
      return next();
    };
    router.post(
      "/users/:id/*rest",
      general,
      (request, next) => {
        expectTypeOf(request.params.rest).toEqualTypeOf<string>();
        return next();
      },
      (request) => request.params.id,
    );
    router.group("/orgs/:org", (group) => {
      group.get("/users/:user", (request) => {
        expectTypeOf(request.params).toEqualTypeOf<{ readonly org: string; readonly user: string }>();
        return "";
      });
    });
  });
});

test("a router answers with a reply or a promise of one", () => {
  expectTypeOf<ReturnType<Router["handle"]>>().toEqualTypeOf<Reply | Promise<Reply>>();
  expectTypeOf<Router>().toExtend<{ fetch(request: Request): Promise<Response> }>();
});

test("error handlers know their class", () => {
  class Own extends Error {
    readonly code = 7;
  }
  new Router().onError(Own, (error, request) => {
    expectTypeOf(error).toEqualTypeOf<Own>();
    expectTypeOf(request).toEqualTypeOf<HttpyRequest>();
    return error.code;
  });
});

test("handlers may not give what cannot be answered", () => {
  // @ts-expect-error -- a symbol is no answer
  new Router().get("/", () => Symbol("x"));
});

test("pino is a Logger", () => {
  expectTypeOf(pino({ enabled: false })).toExtend<Logger>();
});
