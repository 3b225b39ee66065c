// The middlewares that come with the router: an access log and a bound on bodies.
//
// Both are synchronous, so a route that is stays so. The log waits for nothing: it is told of the final reply,
// the answers of errors included.

import type { Handler } from "./handler.ts";
import { consoleLogger } from "./logger.ts";
import type { Logger } from "./logger.ts";
import type { Reply } from "./reply.ts";
import type { HttpyRequest } from "./request.ts";

/** Options of the access log. */
export interface AccessLogOptions {
  /** Where records go; the console by default. */
  logger?: Logger;
  /** Requests that are not logged, such as health checks. */
  skip?: (request: HttpyRequest) => boolean;
  /** More fields for a record. */
  fields?: (request: HttpyRequest, reply: Reply) => object;
  /** Milliseconds from any fixed point. */
  now?: () => number;
}

/**
 * Logs each answer: method, path without query, pattern, status, duration until the reply was ready, peer and
 * protocol. At `error` from status 500 up, else at `info`.
 */
export function accessLog(options: AccessLogOptions = {}): Handler {
  const logger = options.logger ?? consoleLogger();
  const now = options.now ?? (() => performance.now());
  const { skip, fields } = options;
  return (request, next) => {
    if (skip !== undefined && skip(request)) return next();
    const startMs = now();
    request.onReply((reply) => {
      const record = {
        method: request.method,
        path: request.path,
        pattern: request.pattern,
        status: reply.status,
        durationMs: now() - startMs,
        ip: request.ip,
        protocol: request.protocol,
        ...fields?.(request, reply),
      };
      if (reply.status >= 500) logger.error(record, "request failed");
      else logger.info(record, "request answered");
    });
    return next();
  };
}

/** Bounds every way of reading the body, streams too; a body announced to be larger answers 413 unread. */
export function bodyLimit(limitBytes: number): Handler {
  if (!Number.isSafeInteger(limitBytes) || limitBytes < 0) {
    throw new TypeError(`bodyLimit: ${String(limitBytes)} is not a whole number of bytes, 0 or more`);
  }
  return (request, next) => {
    request.limitBody(limitBytes);
    return next();
  };
}
