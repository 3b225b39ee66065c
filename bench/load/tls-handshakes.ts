/*
 * Full handshakes of TLS 1.3 by `node:tls`, as many as go. Arguments: port, seconds, how many at a time.
 *
 * Each connection is new, offers no session, and is dropped once its handshake is complete. Prints {"count": …, "seconds": …}, or
 * {"error": …} when one fails.
 */
import { connect } from "node:tls";

const [port = 0, seconds = 1, concurrency = 1] = process.argv.slice(2).map(Number);
const startedAt = performance.now();
const endsAt = startedAt + seconds * 1000;
let count = 0;
let open = 0;

function finish(result: object): void {
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}

function shakeHands(): void {
  open++;
  const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false, minVersion: "TLSv1.3" });
  socket.once("secureConnect", () => {
    count++;
    open--;
    if (socket.isSessionReused()) finish({ error: "a session was resumed" });
    socket.destroy();
    if (performance.now() < endsAt) shakeHands();
    else if (open === 0) finish({ count, seconds: (performance.now() - startedAt) / 1000 });
  });
  socket.once("error", (error) => finish({ error: String(error) }));
}

for (let index = 0; index < concurrency; index++) shakeHands();
