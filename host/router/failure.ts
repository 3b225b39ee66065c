// The answers nobody wrote: errors without a handler, paths without a route, and HEAD without a body.
//
// An error shows its message only where it says so; anything unknown answers 500 with the phrase alone.

import type { HttpError } from "./http_error.ts";
import { Reply } from "./reply.ts";
import { Status, statusPhrase } from "./status.ts";

const bodilessStatuses = new Set<number>([Status.NO_CONTENT, Status.RESET_CONTENT, Status.NOT_MODIFIED]);

/** The reply of an error that says how it is answered. */
export function httpErrorReply(error: HttpError): Reply {
  const reply = Reply.text(error.expose ? error.message : statusPhrase(error.status), error.status);
  for (const [name, value] of error.headers) reply.append(name, value);
  return reply;
}

/** The reply of a status by itself, its text the phrase unless one is given. */
export function statusReply(status: number, text: string = statusPhrase(status)): Reply {
  return Reply.text(text, status);
}

/** The reply of an unknown error; nothing of it is shown. */
export function unknownErrorReply(): Reply {
  return statusReply(Status.INTERNAL_SERVER_ERROR);
}

/** 204 to OPTIONS, 405 to another method, where `methods` are answered at the path. */
export function otherMethodsReply(method: string, methods: readonly string[]): Reply {
  const allow = [...new Set([...methods, "OPTIONS"])].sort().join(", ");
  if (method === "OPTIONS") return Reply.empty().set("allow", allow);
  const message = `${statusPhrase(Status.METHOD_NOT_ALLOWED)}; allowed: ${allow}`;
  return Reply.text(message, Status.METHOD_NOT_ALLOWED).set("allow", allow);
}

/**
 * The answer to HEAD: the same reply without its body, its length kept where that is known (RFC 9110 §9.3.2).
 * A new reply, because a handler may answer every request with one and the same.
 */
export function withoutBody(reply: Reply): Reply {
  const { body, status } = reply;
  if (body === null) return reply;
  const bare = new Reply(status, reply.contentType);
  if (reply.headers !== null) for (const [name, value] of reply.headers) bare.append(name, value);
  if (typeof body === "string" || body instanceof Uint8Array) {
    if (bodilessStatuses.has(status) || bare.get("content-length") !== null) return bare;
    return bare.set("content-length", typeof body === "string" ? utf8Length(body) : body.byteLength);
  }
  abandon(body);
  return bare;
}

/** Tells a stream that nobody will read it. */
function abandon(body: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array | string>): void {
  const ended =
    body instanceof ReadableStream ? body.cancel() : Promise.resolve(body[Symbol.asyncIterator]().return?.());
  // The stream's own trouble with being given up concerns nobody any more.
  ended.catch(() => {});
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}
