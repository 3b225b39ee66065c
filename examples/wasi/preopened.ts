/** A server on the sockets that the host listens on: `wazero run -listen=127.0.0.1:8080 build/wasi/preopened.wasm`. */
import { servePreopened } from "../../assembly/wasi/preopened.ts";
import "./app.ts";

servePreopened();
