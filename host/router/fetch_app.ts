// Fetch-style apps (Hono, Elysia, h3 …) behind an exchange.
//
// Such an app gets a web `Request` with a body that is pulled and a signal that aborts when the peer goes away;
// its `Response` becomes a reply whose body is pulled in turn. CONNECT and TRACE have no web request and answer
// 501. Mounted below a prefix, an app sees its URL without that prefix.

import type { Exchange } from "./exchange.ts";
import { httpErrorReply, unknownErrorReply } from "./failure.ts";
import type { Handler } from "./handler.ts";
import { HttpError } from "./http_error.ts";
import type { Reply } from "./reply.ts";
import { absoluteUrl, webHeaders } from "./request.ts";
import { RequestBody } from "./request_body.ts";
import { fromResponse } from "./result.ts";
import { Status } from "./status.ts";

/** Anything with a `fetch` in the style of service workers. */
export interface FetchApp {
  fetch(request: Request): Response | Promise<Response>;
}

/** How the errors of a fetch-style app are told. */
export interface FromFetchOptions {
  /** Told of what `fetch` threw; the answer is 500. Writes to the console by default. */
  onUnhandled?: (error: unknown) => void;
}

const withoutWebRequest = new Set(["CONNECT", "TRACE", "TRACK"]);

/** Puts a fetch-style app behind exchanges. The function never rejects. */
export function fromFetch(
  app: FetchApp,
  options: FromFetchOptions = {},
): (exchange: Exchange) => Promise<Reply> {
  demandApp(app);
  const report = options.onUnhandled ?? ((error) => console.error("Unhandled error in fetch:", error));
  return async (exchange) => {
    try {
      return await answer(app, exchange, absoluteUrl(exchange.scheme, exchange.authority, exchange.target));
    } catch (error) {
      if (error instanceof HttpError) return httpErrorReply(error);
      report(error);
      return unknownErrorReply();
    }
  };
}

/** A fetch-style app as a handler of `prefix` and all below it; the app sees its URL without the prefix. */
export function mountedFetch(app: FetchApp): Handler {
  demandApp(app);
  return (request) => {
    const url = new URL(request.url);
    const prefix = (request.pattern ?? "/").replace(/\/\*$/, "");
    const segmentCount = prefix.split("/").length - 1;
    url.pathname = `/${url.pathname
      .split("/")
      .slice(segmentCount + 1)
      .join("/")}`;
    return answer(app, request.exchange, url.href);
  };
}

function demandApp(app: FetchApp): void {
  const found = app === null || app === undefined ? String(app) : typeof app.fetch;
  if (found !== "function")
    throw new TypeError(`A fetch-style app must have a function "fetch"; found ${found}`);
}

async function answer(app: FetchApp, exchange: Exchange, url: string): Promise<Reply> {
  const method = exchange.method;
  if (withoutWebRequest.has(method)) throw new HttpError(Status.NOT_IMPLEMENTED);
  if (!URL.canParse(url)) throw new HttpError(Status.BAD_REQUEST, "The request target is not a URL");
  const controller = new AbortController();
  exchange.onAbort((reason) => controller.abort(reason));
  const hasBody = exchange.hasBody && method !== "GET" && method !== "HEAD";
  const request = new Request(url, {
    method,
    headers: webHeaders(exchange),
    body: hasBody ? new RequestBody(exchange, Infinity).stream() : null,
    signal: controller.signal,
    duplex: "half",
  });
  return fromResponse(await app.fetch(request));
}
