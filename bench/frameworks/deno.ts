/*
 * `Deno.serve`, which has no router: a look at the path has to do.
 */
import { announceReady } from "../servers/ready.ts";
import { items } from "./items.ts";

interface DenoSocket {
  binaryType: string;
  onmessage: ((event: { data: unknown }) => void) | null;
  send(data: unknown): void;
}
declare const Deno: {
  serve(
    options: { port: number; hostname: string; onListen(address: { port: number }): void },
    handler: (request: Request) => Response | Promise<Response>,
  ): unknown;
  upgradeWebSocket(request: Request): { socket: DenoSocket; response: Response };
};

const ITEMS = "/items/";

function answer(request: Request): Response | Promise<Response> {
  const path = request.url.slice(request.url.indexOf("/", 8));
  if (path === "/") return new Response("Hello, World!");
  if (path === "/json") return Response.json({ message: "Hello, World!" });
  if (path.startsWith(ITEMS)) return Response.json({ id: path.slice(ITEMS.length) });
  if (path === "/large") return Response.json(items);
  if (path === "/echo") return request.method === "POST" ? echo(request) : upgrade(request);
  return new Response("not found", { status: 404 });
}

async function echo(request: Request): Promise<Response> {
  const headers = { "content-type": "application/octet-stream" };
  return new Response(await request.arrayBuffer(), { headers });
}

function upgrade(request: Request): Response {
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => socket.send(data);
  return response;
}

Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: ({ port }) => announceReady(port) }, answer);
