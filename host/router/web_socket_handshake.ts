// The handler of a route of WebSockets: who may open one, and what accepts it.
//
// It refuses what is no handshake (RFC 6455 §4.2) and origins that are not allowed, asks `upgrade`, and answers with the reply that tells
// the server to open the socket. What happens on it then is told by the server, outside of the chain.

import { headerLines } from "./field.ts";
import { HttpError } from "./http_error.ts";
import { isOriginAllowed } from "./origin.ts";
import { Reply } from "./reply.ts";
import type { HttpyRequest } from "./request.ts";
import { toReply } from "./result.ts";
import { WebSocketReply } from "./web_socket.ts";
import type { WebSocketAcceptance, WebSocketOptions, WebSocketRoute } from "./web_socket.ts";
import { checkedSocketOptions } from "./web_socket_options.ts";

type SocketHandler = (request: HttpyRequest<never>) => Reply | Promise<Reply>;

/** The handler of a route of WebSockets. `report` is told what handlers threw. */
export function webSocketHandler(
  path: string,
  given: WebSocketOptions<never, never>,
  report: (error: unknown) => void,
): SocketHandler {
  const options = checkedSocketOptions(path, given);
  const route: WebSocketRoute = { ...options, report };
  return (request) => {
    const refusal = request.exchange.webSocketRefusal?.() ?? 426;
    if (refusal !== 0) return refused(refusal);
    if (!isOriginAllowed(route.options.origins, request)) {
      throw new HttpError(403, "the origin may not open this WebSocket");
    }
    if (route.options.upgrade === undefined) return accepted(route, request, undefined);
    const decision = route.options.upgrade(request);
    return decision instanceof Promise
      ? decision.then((settled) => decided(path, route, request, settled))
      : decided(path, route, request, decision);
  };
}

function decided(
  path: string,
  route: WebSocketRoute,
  request: HttpyRequest<never>,
  decision: unknown,
): Reply {
  const isRefusal =
    decision instanceof Reply || (typeof Response === "function" && decision instanceof Response);
  if (isRefusal) return toReply(decision, `WS ${path}`);
  if (decision !== undefined && (typeof decision !== "object" || decision === null)) {
    throw new TypeError(
      `WS ${path}: upgrade gave a ${typeof decision}; it must give nothing, an object or a reply`,
    );
  }
  return accepted(route, request, decision);
}

function accepted(
  route: WebSocketRoute,
  request: HttpyRequest<never>,
  acceptance: WebSocketAcceptance<unknown> | undefined,
): WebSocketReply {
  const protocol = acceptance?.protocol ?? chosenProtocol(route.options.protocols, request);
  const reply = new WebSocketReply(route, protocol, acceptance?.data);
  const headers = acceptance?.headers;
  if (headers !== undefined) for (const [name, value] of headerLines(headers)) reply.append(name, value);
  return reply;
}

function chosenProtocol(wanted: readonly string[] | undefined, request: HttpyRequest<never>): string {
  if (wanted === undefined) return "";
  const offered =
    request
      .header("sec-websocket-protocol")
      ?.split(",")
      .map((token) => token.trim()) ?? [];
  return wanted.find((protocol) => offered.includes(protocol)) ?? "";
}

/** RFC 6455 §4.4, RFC 9110 §15.5.22, §15.5.6. */
function refused(status: number): Reply {
  const reply = Reply.text(
    status === 426 ? "this is a WebSocket\n" : "invalid WebSocket handshake\n",
    status,
  );
  if (status === 426) reply.set("upgrade", "websocket").set("sec-websocket-version", "13");
  if (status === 405) reply.set("allow", "GET");
  return reply;
}
