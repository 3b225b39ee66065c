/**
 * Which handler answers which request: a list of routes, asked in the order in which they were added.
 *
 * A pattern is a path whose segments are literal or, with a colon before its name, a parameter that takes one segment that
 * is not empty. The query is no part of it. HEAD is answered by the routes of GET (RFC 9110 §9.3.2); a path that exists with
 * other methods only is answered 405 with `allow` (§15.5.6), any other 404.
 */
import { Exchange, PARAM_COUNT_MAX } from "./exchange.ts";

export type Handler = (exchange: Exchange) => void;

const SLASH: u32 = 0x2f;
const COLON: u32 = 0x3a;
const QUESTION_MARK: u32 = 0x3f;

class Route {
  readonly paramNames: string[] = [];

  constructor(
    readonly method: string,
    readonly pattern: string,
    readonly handler: Handler,
  ) {
    const segments = pattern.split("/");
    for (let i = 0; i < segments.length; i++) {
      if (segments[i].startsWith(":")) this.paramNames.push(segments[i].substring(1));
    }
    assert(<u32>this.paramNames.length <= PARAM_COUNT_MAX, "too many parameters");
  }
}

const routes: Route[] = [];

/** Adds a route. The method `*` is every method. */
export function route(method: string, pattern: string, handler: Handler): void {
  routes.push(new Route(method, pattern, handler));
}

/** Sends a request to its handler. */
export function dispatch(exchange: Exchange): void {
  const ptr = exchange.targetPtr;
  const len = pathLength(ptr, exchange.targetLen);
  const method = exchange.method;
  let allowed = "";
  for (let i = 0; i < routes.length; i++) {
    const candidate = unchecked(routes[i]);
    if (!matches(candidate.pattern, ptr, len, exchange.params)) continue;
    if (candidate.method != "*" && candidate.method != method) {
      if (candidate.method != "GET" || method != "HEAD") {
        allowed += allowed == "" ? candidate.method : ", " + candidate.method;
        continue;
      }
    }
    exchange.paramNames = candidate.paramNames;
    candidate.handler(exchange);
    return;
  }
  if (allowed == "") return exchange.text("404 Not Found\n", 404);
  exchange.setHeader("allow", allowed);
  exchange.text("405 Method Not Allowed\n", 405);
}

/** Length of a target's path: up to its query. */
function pathLength(ptr: usize, len: u32): u32 {
  for (let at: u32 = 0; at < len; at++) if (load<u8>(ptr + at) == QUESTION_MARK) return at;
  return len;
}

/** Whether a path is one of the pattern's; fills in offset and length of each parameter. */
function matches(pattern: string, ptr: usize, len: u32, params: StaticArray<u32>): bool {
  const patternLen = pattern.length;
  let at: u32 = 0;
  let paramCount = 0;
  for (let i = 0; i < patternLen; i++) {
    const unit = pattern.charCodeAt(i);
    if (unit == COLON && i > 0 && pattern.charCodeAt(i - 1) == SLASH) {
      const start = at;
      while (at < len && load<u8>(ptr + at) != SLASH) at++;
      if (at == start) return false;
      params[paramCount++] = start;
      params[paramCount++] = at - start;
      while (i + 1 < patternLen && pattern.charCodeAt(i + 1) != SLASH) i++;
    } else {
      if (at == len || load<u8>(ptr + at) != unit) return false;
      at++;
    }
  }
  return at == len;
}
