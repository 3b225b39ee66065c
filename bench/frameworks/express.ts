/*
 * Express without its `x-powered-by` field and without entity tags, which no other peer computes.
 */
import type { AddressInfo } from "node:net";
import express from "express";
import { announceReady } from "../servers/ready.ts";
import { items } from "./items.ts";

const app = express();
app.disable("x-powered-by");
app.set("etag", false);

app.get("/", (_req, res) => void res.type("text/plain").send("Hello, World!"));
app.get("/json", (_req, res) => void res.json({ message: "Hello, World!" }));
app.get("/items/:id", (req, res) => void res.json({ id: req.params["id"] }));
app.post("/echo", express.raw({ type: "*/*" }), (req, res) => {
  res.type("application/octet-stream").send(req.body);
});
app.get("/large", (_req, res) => void res.json(items));

const server = app.listen(0, "127.0.0.1", () => announceReady((server.address() as AddressInfo).port));
