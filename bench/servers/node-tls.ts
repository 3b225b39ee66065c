/*
 * `node:tls` with TLS 1.3 alone: it completes handshakes and says nothing.
 */
import type { AddressInfo } from "node:net";
import { createServer } from "node:tls";
import { readCertificate } from "./certificate.ts";
import { announceReady } from "./ready.ts";

const server = createServer({ ...readCertificate(), minVersion: "TLSv1.3" }, (socket) => {
  // A connection cut by its client is no fault.
  socket.on("error", () => {});
  socket.resume();
});
server.on("tlsClientError", () => {});
server.listen({ port: 0, host: "127.0.0.1", backlog: 511 }, () =>
  announceReady((server.address() as AddressInfo).port),
);
