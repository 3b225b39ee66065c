/*
 * `node:http2` with TLS.
 */
import { createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { readCertificate } from "./certificate.ts";
import { answerStream } from "./node-http2-streams.ts";
import { announceReady } from "./ready.ts";

const server = createSecureServer(readCertificate());
server.on("stream", answerStream);
// A connection cut at the end of a load is no fault.
server.on("sessionError", () => {});
server.listen(0, "127.0.0.1", () => announceReady((server.address() as AddressInfo).port));
