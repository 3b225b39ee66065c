// Which origins' pages may open a WebSocket: cross-site WebSocket hijacking is what this stops (RFC 6455 §10.2), since browsers
// send cookies along and ask nobody.
//
// Without a choice of the application only the page's own host may. Schemes are not compared: behind a proxy that ends TLS the
// server does not know which one the browser saw. Clients other than browsers send no origin, or any that they like.

import type { HttpyRequest } from "./request.ts";

const DEFAULT_PORTS: Readonly<Record<string, string>> = { "http:": "80", "https:": "443" };

/** What a route says about origins. */
export type OriginRule<Request> =
  undefined | "*" | readonly string[] | ((origin: string, request: Request) => boolean);

export function isOriginAllowed<P>(rule: OriginRule<HttpyRequest<P>>, request: HttpyRequest<P>): boolean {
  const origin = request.header("origin");
  if (origin === undefined || rule === "*") return true;
  if (typeof rule === "function") return rule(origin, request);
  if (rule !== undefined && rule.some((allowed) => allowed.toLowerCase() === origin.toLowerCase()))
    return true;
  return isSameHost(origin, request.host);
}

/** Whether an origin is that of pages on `host`, a name with or without a port. */
export function isSameHost(origin: string, host: string): boolean {
  const url = parsed(origin);
  const defaultPort = url === null ? undefined : DEFAULT_PORTS[url.protocol];
  // `null` is the origin of files and sandboxes, which share it with everybody.
  if (url === null || defaultPort === undefined || url.origin !== origin.toLowerCase()) return false;
  const own = parsed(`${url.protocol}//${host}`);
  return (
    own !== null && own.hostname === url.hostname && (own.port || defaultPort) === (url.port || defaultPort)
  );
}

function parsed(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}
