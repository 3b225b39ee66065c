/*
 * Holds idle keep-alive connections. Arguments: port, connection count, connections per source address.
 *
 * Each connection sends one GET, reads the whole answer and then stays silent. Prints {"open": n}
 * once every one of them has been answered, and {"error": …} as soon as one is lost: idle memory is only
 * comparable while all are held. It holds them until it is stopped.
 */
import { openClient } from "./raw-client.ts";

const REQUEST = "GET / HTTP/1.1\r\nHost: bench\r\nConnection: keep-alive\r\n\r\n";
/** Below the usual listen backlog of 511, so that no connect is dropped and retried a second later. */
const CONCURRENT_OPENS = 128;

const [port = 0, connectionCount = 0, connectionsPerAddress = 1] = process.argv.slice(2).map(Number);
let opened = 0;
let answered = 0;

function openNext(): void {
  if (opened >= connectionCount) return;
  const addressIndex = Math.floor(opened / connectionsPerAddress);
  opened++;
  let bodyLeft = 0;
  const socket = openClient({
    port,
    // Only Linux answers on the whole of 127.0.0.0/8 without set-up; one address needs no naming.
    ...(addressIndex > 0 ? { localAddress: `127.0.0.${addressIndex + 1}` } : {}),
    onHead({ status, contentLength }) {
      if (status !== 200) report({ error: `status ${status}` });
      bodyLeft = contentLength;
    },
    onBody(bytes) {
      bodyLeft -= bytes.length;
      if (bodyLeft > 0) return;
      answered++;
      if (answered === connectionCount) {
        report({ open: answered });
      } else openNext();
    },
    onClose: (error) =>
      report({ error: `a connection was lost after ${answered} answers: ${error?.message ?? "closed"}` }),
  });
  socket.on("connect", () => socket.write(REQUEST));
}

function report(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

for (let i = 0; i < CONCURRENT_OPENS; i++) openNext();
