/*
 * Holds idle WebSockets. Arguments: port, connection count, connections per source address. Each exchanges one message first, so
 * that what a first message makes is counted. Prints {"open": n} once all are open, {"error": …} as soon as one is lost.
 */
import { clientFrame, frameLen, openWebSocket } from "./ws-client.ts";

const PAYLOAD_LEN = 16;
/** Below the usual listen backlog of 511, so that no connect is dropped and retried a second later. */
const CONCURRENT_OPENS = 128;

const [port = 0, connectionCount = 0, connectionsPerAddress = 1] = process.argv.slice(2).map(Number);
const message = clientFrame(PAYLOAD_LEN);
let opened = 0;
let answered = 0;

function openNext(): void {
  if (opened >= connectionCount) return;
  const addressIndex = Math.floor(opened / connectionsPerAddress);
  opened++;
  let missing = frameLen(PAYLOAD_LEN);
  openWebSocket({
    port,
    path: "/echo",
    // Only Linux answers on the whole of 127.0.0.0/8 without set-up; one address needs no naming.
    ...(addressIndex > 0 ? { localAddress: `127.0.0.${addressIndex + 1}` } : {}),
    onOpen: (socket) => void socket.write(message),
    onBytes(bytes) {
      missing -= bytes.length;
      if (missing > 0) return;
      if (++answered === connectionCount) report({ open: answered });
      else openNext();
    },
    onClose: (error) =>
      report({ error: `a WebSocket was lost after ${answered} answers: ${error?.message ?? "closed"}` }),
  });
}

function report(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

for (let i = 0; i < CONCURRENT_OPENS; i++) openNext();
