/*
 * This server with TLS and HTTP/3 on the same port number. Arguments: the address that it listens on, and the congestion control of
 * HTTP/3; by default that of this machine, and CUBIC.
 */
import { readCertificate } from "./certificate.ts";
import type { CongestionControl } from "../../host/quic/congestion.ts";
import { app } from "./httpy-app.ts";
import { announceReady } from "./ready.ts";

const [host = "127.0.0.1", congestion = "cubic"] = process.argv.slice(2);
const server = await app.listen({
  port: 0,
  host,
  tls: readCertificate(),
  http3: { congestion: congestion as CongestionControl },
});
announceReady(server.port);
