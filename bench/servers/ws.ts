/*
 * The `ws` package, written the way that is fastest there: no compression, no client tracking beyond what publishing needs.
 */
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import { announceReady } from "./ready.ts";

const PAYLOAD = "x".repeat(1024);
const subscribers = new Set<WebSocket>();

const server = new WebSocketServer({
  port: 0,
  host: "127.0.0.1",
  perMessageDeflate: false,
  clientTracking: false,
  backlog: 1024,
});

server.on("connection", (ws, request) => {
  if (request.url === "/echo") {
    ws.on("message", (data, isBinary) => ws.send(data, { binary: isBinary }));
  } else if (request.url === "/subscribe") {
    subscribers.add(ws);
    ws.on("close", () => subscribers.delete(ws));
  } else if (request.url === "/publish") {
    ws.on("message", () => {
      for (const subscriber of subscribers) subscriber.send(PAYLOAD);
    });
  }
});
server.on("listening", () => announceReady((server.address() as AddressInfo).port));
