/*
 * `Bun.serve` with its own router. Every answer is made by a function: constant answers, which Bun could give without one, no other
 * peer has.
 */
import { announceReady } from "../servers/ready.ts";
import { items } from "./items.ts";

interface BunSocket {
  send(message: string | Uint8Array): void;
}
declare const Bun: {
  serve(options: {
    port: number;
    hostname: string;
    routes: Record<string, unknown>;
    websocket: { message(ws: BunSocket, message: string | Uint8Array): void };
  }): { readonly port: number; upgrade(request: Request): boolean };
};

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  routes: {
    "/": () => new Response("Hello, World!"),
    "/json": () => Response.json({ message: "Hello, World!" }),
    "/items/:id": (request: Request & { params: { id: string } }) => Response.json({ id: request.params.id }),
    "/echo": {
      GET: (request: Request) =>
        server.upgrade(request) ? undefined : new Response("no WebSocket", { status: 400 }),
      POST: async (request: Request) =>
        new Response(await request.arrayBuffer(), {
          headers: { "content-type": "application/octet-stream" },
        }),
    },
    "/large": () => Response.json(items),
  },
  websocket: { message: (ws, message) => ws.send(message) },
});
announceReady(server.port);
