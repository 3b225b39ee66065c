// The arguments of `HttpClient.fetch` as a request that can be sent: Fetch's "new Request", with the errors that it has.

import type { CarriedRequest } from "./dialer.ts";
import { ACCEPTED_CODINGS } from "./content_decoding.ts";
import {
  extractBody,
  isStreamed,
  type RequestBody,
  type RequestContent,
  type RequestTrailers,
} from "./request_body.ts";

/** What `fetch` takes beside the URL. What a browser knows of its page (mode, credentials, cache, referrer) does not exist here. */
export interface ClientRequestInit {
  readonly method?: string;
  readonly headers?: ConstructorParameters<typeof Headers>[0];
  readonly body?: RequestContent | null;
  /** To be given with a body that is a stream, which may still be sent while the response arrives. */
  readonly duplex?: "half";
  readonly signal?: AbortSignal | null;
  /** Default "follow". With "manual" the redirect itself is the response. */
  readonly redirect?: "follow" | "manual" | "error";
  /** Trailer fields, asked for once the body was sent. */
  readonly trailers?: RequestTrailers;
  /** Told of interim responses, such as 103. */
  readonly onInformation?: (status: number, headers: Headers) => void;
}

/** A request on its way from one URL to the next. */
export interface ClientRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: RequestBody | null;
  readonly isStreamed: boolean;
  readonly signal: AbortSignal | null;
  readonly redirect: "follow" | "manual" | "error";
  readonly onInformation: ((status: number, headers: Headers) => void) | null;
}

/** Fetch: these are written in upper case whatever their case is; others are sent as they are. */
const NORMALIZED = new Set(["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"]);
const REFUSED = new Set(["CONNECT", "TRACE", "TRACK"]);
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/u;
/** Fields that the connection's owner writes, not the message's. */
const OWN_FIELDS = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/** Checks the arguments and reads the body as far as it is there. Throws TypeError. */
export async function readRequest(
  input: string | URL | Request,
  init: ClientRequestInit,
): Promise<ClientRequest> {
  const from = input instanceof Request ? input : null;
  const url = urlOf(input instanceof Request ? input.url : input);
  const method = methodOf(init.method ?? from?.method ?? "GET");
  const headers = new Headers(init.headers ?? from?.headers);
  const content = init.body === undefined ? ((from?.body as RequestContent | null) ?? null) : init.body;
  const { redirect = from?.redirect ?? "follow", trailers = null, onInformation = null } = init;
  if (redirect !== "follow" && redirect !== "manual" && redirect !== "error") {
    throw new TypeError(`redirect is ${String(redirect)}; it must be "follow", "manual" or "error"`);
  }
  const signal = init.signal === undefined ? (from?.signal ?? null) : init.signal;
  if (signal !== null && !(signal instanceof AbortSignal)) {
    throw new TypeError("signal is not an AbortSignal");
  }
  let body: RequestBody | null = null;
  if (content !== null) {
    if (method === "GET" || method === "HEAD")
      throw new TypeError(`a request with ${method} cannot have a body`);
    if (isStreamed(content) && init.duplex !== "half" && from === null) {
      throw new TypeError('duplex is not given; it must be "half" where the body is a stream');
    }
    const extracted = await extractBody(content, lengthOf(headers), trailers);
    body = extracted.body;
    if (extracted.type !== null && !headers.has("content-type")) headers.set("content-type", extracted.type);
  } else if (trailers !== null) {
    throw new TypeError("trailers are given without a body; they follow one");
  }
  const isStream = content !== null && isStreamed(content);
  return { url, method, headers, body, isStreamed: isStream, signal, redirect, onInformation };
}

/** The request as a connection takes it. */
export function carried(request: ClientRequest, decompress: boolean): CarriedRequest {
  const { url, method, headers, body } = request;
  const fields: [string, string][] = [];
  for (const [name, value] of headers) if (!OWN_FIELDS.has(name)) fields.push([name, value]);
  if (!headers.has("accept")) fields.push(["accept", "*/*"]);
  if (decompress && !headers.has("accept-encoding")) fields.push(["accept-encoding", ACCEPTED_CODINGS]);
  const expectsContinue = body !== null && /^100-continue$/iu.test(headers.get("expect") ?? "");
  if (expectsContinue) fields.push(["expect", "100-continue"]);
  return {
    method,
    target: url.pathname + url.search,
    authority: headers.get("host") ?? url.host,
    fields: fields,
    body,
    expectsContinue,
    closesConnection: /(?:^|,)\s*close\s*(?:,|$)/iu.test(headers.get("connection") ?? ""),
  };
}

/** An absolute URL of http or https without credentials. */
export function urlOf(input: string | URL): URL {
  const url = new URL(input);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new TypeError(`the URL's scheme is ${url.protocol}; it must be http: or https:`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new TypeError("the URL has credentials; they belong into the field authorization");
  }
  return url;
}

function methodOf(method: string): string {
  if (typeof method !== "string" || !TOKEN.test(method)) {
    throw new TypeError(`the method is ${JSON.stringify(method)}; it must be a token`);
  }
  const upper = method.toUpperCase();
  if (REFUSED.has(upper)) throw new TypeError(`the method is ${method}, which this client does not send`);
  return NORMALIZED.has(upper) ? upper : method;
}

/** What the caller says of a stream's length. */
function lengthOf(headers: Headers): number {
  const value = headers.get("content-length");
  return value !== null && /^\d{1,15}$/u.test(value) ? Number(value) : -1;
}
