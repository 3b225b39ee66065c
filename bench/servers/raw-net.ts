/*
 * The ceiling for a server in JavaScript: no parsing, one constant answer written for each read. It answers once per
 * read, so it only serves loads that have one request in flight per connection.
 */
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { announceReady } from "./ready.ts";

const ANSWER = Buffer.from(
  "HTTP/1.1 200 OK\r\n" +
    "content-type: text/plain\r\n" +
    `date: ${new Date().toUTCString()}\r\n` +
    "content-length: 13\r\n\r\n" +
    "Hello, World!",
);

const server = createServer({ noDelay: true }, (socket) => {
  socket.on("data", () => socket.write(ANSWER));
  socket.on("error", () => {});
});
server.listen(0, "127.0.0.1", () => announceReady((server.address() as AddressInfo).port));
