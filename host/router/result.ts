// From what a handler gave to a reply.
//
// The usual results come first and cost one type test each. A web `Response` is taken apart, never wrapped; its
// framing headers stay behind, because framing is the engine's. What has no meaning as an answer is an error
// that names the route.

import type { HandlerResult } from "./handler.ts";
import { Reply } from "./reply.ts";

const framing = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
  "te",
]);

/** A settled result as a reply. `label` names the route in errors. */
export function toReply(value: HandlerResult, label: string): Reply {
  if (typeof value === "string") return new Reply(200, "text/plain; charset=utf-8", value);
  if (value instanceof Reply) return value;
  if (value === undefined || value === null) return new Reply(204);
  if (typeof value === "object") return fromObject(value, label);
  if (typeof value === "number" || typeof value === "boolean") return json(value, label);
  throw unanswerable(value, label);
}

/** Whether a result has to be waited for. */
export function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return (
    typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"
  );
}

/** A web `Response` as a reply. */
export function fromResponse(response: Response): Reply {
  if (response.bodyUsed) throw new TypeError("The body of the Response was already read");
  if (response.status < 200) throw new RangeError(`A Response of status ${response.status} is not an answer`);
  const reply = new Reply(response.status, null, response.body as Reply["body"]);
  for (const [name, value] of response.headers) {
    if (name === "content-type") reply.contentType = value;
    else if (!framing.has(name)) reply.append(name, value);
  }
  return reply;
}

function fromObject(value: object, label: string): Reply {
  if (Object.getPrototypeOf(value) === Object.prototype && !isAsyncIterable(value)) return json(value, label);
  if (value instanceof Uint8Array || value instanceof ArrayBuffer) return Reply.bytes(value);
  if (isResponse(value)) return fromResponse(value);
  if (isAsyncIterable(value)) return Reply.stream(value);
  if (value instanceof ReadableStream) return Reply.stream(value as ReadableStream<Uint8Array>);
  if (ArrayBuffer.isView(value)) {
    return Reply.bytes(new Uint8Array(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength));
  }
  return json(value, label);
}

function json(value: unknown, label: string): Reply {
  try {
    return Reply.json(value);
  } catch (cause) {
    throw new TypeError(`${label}: the handler's result cannot be sent as JSON`, { cause });
  }
}

function isResponse(value: object): value is Response {
  // Some fetch-style apps bring a Response class of their own.
  return (
    value instanceof Response || (Symbol.toStringTag in value && value[Symbol.toStringTag] === "Response")
  );
}

function isAsyncIterable(value: object): value is AsyncIterable<Uint8Array | string> {
  return typeof (value as { [Symbol.asyncIterator]?: unknown })[Symbol.asyncIterator] === "function";
}

function unanswerable(value: unknown, label: string): TypeError {
  return new TypeError(`${label}: the handler gave a ${typeof value}, which cannot be answered`);
}
