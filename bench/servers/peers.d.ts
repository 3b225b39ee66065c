/*
 * The part of the peers' interfaces that the servers here use. The packages are installed only when the bench runs,
 * and type checking must not depend on that.
 */

declare module "fastify" {
  import type { Server } from "node:http";

  interface Reply {
    header(name: string, value: string): Reply;
    type(contentType: string): Reply;
    send(payload: unknown): Reply;
  }
  interface Request {
    params: Record<string, string>;
    body: unknown;
  }
  type Hook = (request: Request, reply: Reply, done: () => void) => void;
  type Handler = (request: Request, reply: Reply) => void;
  interface Instance {
    server: Server;
    get(path: string, handler: Handler): Instance;
    get(path: string, options: { onRequest: Hook[] }, handler: Handler): Instance;
    post(path: string, handler: Handler): Instance;
    addContentTypeParser(
      type: string,
      options: { parseAs: "buffer" },
      parse: (request: Request, body: Uint8Array, done: (error: null, body: Uint8Array) => void) => void,
    ): Instance;
    listen(options: { port: number; host: string }): Promise<string>;
  }
  export default function fastify(): Instance;
}

declare module "@hono/node-server" {
  export function serve(
    options: { fetch: (request: Request) => Response | Promise<Response>; port: number; hostname: string },
    listening: (info: { port: number }) => void,
  ): unknown;
}

declare module "express" {
  import type { IncomingMessage, Server, ServerResponse } from "node:http";

  interface Request extends IncomingMessage {
    params: Record<string, string>;
    body: Uint8Array;
  }
  interface Response extends ServerResponse {
    type(contentType: string): Response;
    send(body: string | Uint8Array): Response;
    json(body: unknown): Response;
  }
  type Handler = (req: Request, res: Response, next: () => void) => void;
  interface Application {
    disable(setting: string): void;
    set(setting: string, value: unknown): void;
    get(path: string, ...handlers: Handler[]): Application;
    post(path: string, ...handlers: Handler[]): Application;
    listen(port: number, host: string, listening: () => void): Server;
  }
  function express(): Application;
  namespace express {
    function raw(options: { type: string }): Handler;
  }
  export default express;
}

declare module "ws" {
  import type { IncomingMessage } from "node:http";
  import type { AddressInfo } from "node:net";

  export interface WebSocket {
    on(event: "message", listener: (data: Uint8Array, isBinary: boolean) => void): void;
    on(event: "close", listener: () => void): void;
    send(data: Uint8Array | string, options?: { binary: boolean }): void;
  }
  export class WebSocketServer {
    constructor(options: object);
    on(event: "connection", listener: (ws: WebSocket, request: IncomingMessage) => void): void;
    on(event: "listening", listener: () => void): void;
    address(): AddressInfo | string | null;
  }
}
