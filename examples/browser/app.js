// An application like any other: the page asks it through the engine in a worker, and through a service worker.
import { App } from "./httpy.js";

export const app = new App();
app.get("/app/hello", () => "Hello from the router!\n");
app.get("/app/users/:id", (req) => ({ id: req.params.id, protocol: req.protocol }));
app.post("/app/echo", (req) => req.bytes());
app.get("/app/bytes/:n", (req) => new Uint8Array(Number(req.params.n)).fill(97));
app.ws("/app/ws", { origins: "*", message: (ws, message) => void ws.send(message) });
