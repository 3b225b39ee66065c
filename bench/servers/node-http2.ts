/*
 * `node:http2` without TLS.
 */
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { answerStream } from "./node-http2-streams.ts";
import { announceReady } from "./ready.ts";

const server = createServer();
server.on("stream", answerStream);
// A connection cut at the end of a load is no fault.
server.on("sessionError", () => {});
server.listen(0, "127.0.0.1", () => announceReady((server.address() as AddressInfo).port));
