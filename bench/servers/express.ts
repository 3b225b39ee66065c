/*
 * Express without its `x-powered-by` field and without entity tags, which no other peer computes. The two middlewares
 * are on the one route that has them.
 */
import type { AddressInfo } from "node:net";
import express from "express";
import { announceReady } from "./ready.ts";

const app = express();
app.disable("x-powered-by");
app.set("etag", false);

app.get("/", (_req, res) => {
  res.type("text/plain").send("Hello, World!");
});

app.get(
  "/users/:id",
  (_req, res, next) => {
    res.setHeader("x-first", "1");
    next();
  },
  (_req, res, next) => {
    res.setHeader("x-second", "2");
    next();
  },
  (req, res) => {
    res.json({ id: req.params["id"] });
  },
);

const server = app.listen(0, "127.0.0.1", () => announceReady((server.address() as AddressInfo).port));
