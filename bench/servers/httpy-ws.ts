/*
 * This server's WebSockets, through the public interface.
 */
import { App } from "httpy";
import { announceReady } from "./ready.ts";

const PAYLOAD = "x".repeat(1024);

const app = new App();
app.ws("/echo", { message: (ws, message) => void ws.send(message) });
app.ws("/subscribe", { open: (ws) => ws.subscribe("news") });
app.ws("/publish", { message: () => void server.publish("news", PAYLOAD) });
app.ws("/idle", {});

const server = await app.listen({ port: 0, host: "127.0.0.1" });
announceReady(server.port);
