// Redirects as Fetch follows them ("HTTP-redirect fetch"): where to, with which method, and what is left behind on the way.

import type { ClientRequest } from "./client_request.ts";
import { urlOf } from "./client_request.ts";
import { HttpClientError } from "./http_client_error.ts";

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** What describes a body goes with it. */
const BODY_FIELDS = [
  "content-encoding",
  "content-language",
  "content-location",
  "content-type",
  "content-length",
];
/** What is meant for one origin is not shown to another. */
const ORIGIN_FIELDS = ["authorization", "cookie", "host", "proxy-authorization"];

/** Whether a response sends its client elsewhere. */
export function isRedirect(status: number, location: string | null): location is string {
  return location !== null && REDIRECTS.has(status);
}

/** The request that follows a redirect. Throws an HttpClientError where it cannot be followed. */
export function redirected(request: ClientRequest, status: number, location: string): ClientRequest {
  let url: URL;
  try {
    url = urlOf(new URL(location, request.url));
  } catch (cause) {
    throw new HttpClientError("ERR_HTTPY_CLIENT_REDIRECT", { cause });
  }
  // RFC 9110 §10.2.2: a fragment is kept where the new location has none.
  if (url.hash === "") url.hash = request.url.hash;
  if (status !== 303 && request.isStreamed) {
    const detail = `the body of the request was a stream, and cannot be sent again to ${url.href}`;
    throw new HttpClientError("ERR_HTTPY_CLIENT_REDIRECT", { detail });
  }
  const headers = new Headers(request.headers);
  let { method, body } = request;
  const becomesGet =
    ((status === 301 || status === 302) && method === "POST") ||
    (status === 303 && method !== "GET" && method !== "HEAD");
  if (becomesGet) {
    method = "GET";
    body = null;
    for (const name of BODY_FIELDS) headers.delete(name);
  }
  if (url.origin !== request.url.origin) for (const name of ORIGIN_FIELDS) headers.delete(name);
  return { ...request, url, method, headers, body, isStreamed: request.isStreamed && body !== null };
}
