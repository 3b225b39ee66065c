// The light reply: what a handler answers with, and what a server writes.
//
// A reply is a plain object of five fields with one shape for every route, because it is made for each request:
// no web `Response`, no headers object and no closure until one is asked for. `headers === null` means that
// there is nothing to send besides `contentType`, which is the hot path of a writer.
//
// It decides no framing: length, chunks, `date` and `connection` are the engine's. A `content-length` among the
// headers is a statement about the body (that of a HEAD answer, of which the body was dropped).

import { eventStreamText } from "./event_stream.ts";
import type { EventSourceInput } from "./event_stream.ts";
import type { HeaderPairs } from "./exchange.ts";
import { headerLines, valueOfField } from "./field.ts";
import type { HeadersInput } from "./field.ts";
import { ReplyHeaders } from "./reply_headers.ts";

/** What a reply can carry: nothing, text to be sent as UTF-8, bytes, or chunks pulled as the peer takes them. */
export type ReplyBody =
  null | string | Uint8Array | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array | string>;

/** What may accompany a body. */
export interface ReplyInit {
  status?: number;
  headers?: HeadersInput;
  contentType?: string;
}

const TEXT = "text/plain; charset=utf-8";
const HTML = "text/html; charset=utf-8";
const JSON_TYPE = "application/json";
const BYTES = "application/octet-stream";
const EVENTS = "text/event-stream";
const redirectStatuses: readonly number[] = [300, 301, 302, 303, 307, 308];

/** The project's light response. */
export class Reply {
  // `declare`: the constructor's assignments are the only writes, so an instance gets its shape once.
  declare status: number;
  declare contentType: string | null;
  /** Null: none besides `contentType`. Use `set` and `append` to add lines. */
  declare headers: ReplyHeaders | null;
  declare body: ReplyBody;
  /** Asked once the body has been sent; sent only where the protocol and the framing allow trailers. */
  declare trailers: (() => HeaderPairs | Promise<HeaderPairs>) | null;

  constructor(status = 200, contentType: string | null = null, body: ReplyBody = null) {
    this.status = status;
    this.contentType = contentType;
    this.headers = null;
    this.body = body;
    this.trailers = null;
  }

  /** Replaces every line of this name by one. */
  set(name: string, value: string | number): this {
    (this.headers ??= new ReplyHeaders(this)).set(name, value);
    return this;
  }

  /** Adds a line, keeping those of the same name. */
  append(name: string, value: string | number): this {
    (this.headers ??= new ReplyHeaders(this)).append(name, value);
    return this;
  }

  /** The lines of this name joined by `, `, or null. */
  get(name: string): string | null {
    if (this.headers !== null) return this.headers.get(name);
    return name.toLowerCase() === "content-type" ? this.contentType : null;
  }

  /** Sets the trailers: lines known now, or a function asked once the body has been sent. */
  withTrailers(trailers: HeadersInput | (() => HeaderPairs | Promise<HeaderPairs>)): this {
    if (typeof trailers === "function") {
      this.trailers = trailers;
    } else {
      const lines = headerLines(trailers);
      this.trailers = () => lines;
    }
    return this;
  }

  static text(body: string, status = 200): Reply {
    return new Reply(checkedStatus(status), TEXT, body);
  }

  static html(body: string, status = 200): Reply {
    return new Reply(checkedStatus(status), HTML, body);
  }

  /** The value as JSON; a TypeError when it has no JSON form. */
  static json(value: unknown, status = 200): Reply {
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined) throw new TypeError(`A value of type ${typeof value} has no JSON form`);
    return new Reply(checkedStatus(status), JSON_TYPE, text);
  }

  static bytes(body: Uint8Array | ArrayBuffer, contentType: string = BYTES, status = 200): Reply {
    const bytes = body instanceof Uint8Array ? body : new Uint8Array(body);
    return new Reply(checkedStatus(status), valueOfField("content-type", contentType), bytes);
  }

  /** Chunks, pulled no faster than the peer takes them. */
  static stream(
    body: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array | string>,
    contentType: string = BYTES,
    status = 200,
  ): Reply {
    return new Reply(checkedStatus(status), valueOfField("content-type", contentType), body);
  }

  /** Characters that a field cannot carry are percent-encoded. */
  static redirect(location: string, status = 302): Reply {
    if (!redirectStatuses.includes(status)) {
      throw new RangeError(
        `Reply.redirect: status ${String(status)} is not one of ${redirectStatuses.join(", ")}`,
      );
    }
    const target = location.replace(/[^\x21-\x7e]+/gu, encodeURIComponent);
    return new Reply(status).set("location", target);
  }

  static empty(status = 204): Reply {
    return new Reply(checkedStatus(status));
  }

  /** Server-sent events from an iterable, or from a function that is given the stream. */
  static sse(source: EventSourceInput): Reply {
    return new Reply(200, EVENTS, eventStreamText(source)).set("cache-control", "no-cache");
  }
}

/** A reply with this body: text and bytes get their usual content type unless one is given. */
export function reply(body: ReplyBody = null, init: ReplyInit = {}): Reply {
  const made = new Reply(checkedStatus(init.status ?? 200), usualType(body), body);
  if (init.headers !== undefined)
    for (const [name, value] of headerLines(init.headers)) made.append(name, value);
  if (init.contentType !== undefined) made.contentType = valueOfField("content-type", init.contentType);
  return made;
}

/** Server-sent events from an iterable, or from a function that is given the stream. */
export function sse(source: EventSourceInput): Reply {
  return Reply.sse(source);
}

function usualType(body: ReplyBody): string | null {
  if (body === null) return null;
  return typeof body === "string" ? TEXT : BYTES;
}

function checkedStatus(status: number): number {
  if (status >= 200 && status <= 599 && Number.isInteger(status)) return status;
  throw new RangeError(`Reply: status ${String(status)} is not between 200 and 599`);
}
