// Several processes on one port. The primary process starts one worker per processor and starts another when one dies; each worker
// is a whole server, with an engine of its own. On SIGTERM the primary tells its workers, which finish what they have begun.
//
// Without a primary, processes that are started by somebody else share a port with `reusePort: true`, where the runtime can
// (Node 23.1 and newer, on Linux and FreeBSD): the kernel then spreads the connections.

import cluster from "node:cluster";
import { availableParallelism } from "node:os";
import { App, closeOnSignals } from "httpy";

const host = "127.0.0.1";
const port = Number(process.env["PORT"] ?? 3000);

if (cluster.isPrimary) startWorkers();
else await serve();

async function serve(): Promise<void> {
  const app = new App();
  app.get("/", () => `Hello from process ${process.pid}\n`);
  app.get("/slow", async () => {
    await new Promise((wake) => setTimeout(wake, 500));
    return "finished\n";
  });
  // In a worker `listen` asks the primary, which holds the socket.
  const server = await app.listen({ host, port });
  closeOnSignals(server);
  process.send?.({ url: server.urls[0] });
}

function startWorkers(): void {
  let isClosing = false;
  let isListening = false;
  for (let i = 0; i < Math.max(2, availableParallelism()); i++) cluster.fork();
  cluster.on("message", (_worker, { url }: { url: string }) => {
    if (!isListening) console.log(`listening on ${url}`);
    isListening = true;
  });
  cluster.on("exit", () => {
    // A worker that dies before it listens would only be started again and again.
    if (!isClosing && isListening) cluster.fork();
    if (!isListening) process.exitCode = 1;
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      isClosing = true;
      for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill(signal);
    });
  }
}
