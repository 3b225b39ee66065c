// A server in a worker: each message port that arrives is one connection.
import { app } from "./app.js";
import { PortTransport } from "./httpy.js";

const transport = new PortTransport();
await app.listen({ transport, memoryMiB: 64 });
addEventListener("message", ({ ports }) => transport.accept(ports[0]));
postMessage("ready");
