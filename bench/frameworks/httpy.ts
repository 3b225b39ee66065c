/*
 * This server, on whichever runtime runs this file.
 */
import { App } from "httpy";
import { announceReady } from "../servers/ready.ts";
import { items } from "./items.ts";

const app = new App();

app.get("/", () => "Hello, World!");
app.get("/json", () => ({ message: "Hello, World!" }));
app.get("/items/:id", (req) => ({ id: req.params.id }));
app.post("/echo", (req) => req.bytes());
app.get("/large", () => items);
app.ws("/echo", { message: (ws, message) => void ws.send(message) });

const server = await app.listen({ port: 0, host: "127.0.0.1" });
announceReady(server.port);
