/*
 * Echoes under load. Arguments: port, connections, messages in flight on each, payload bytes, seconds.
 *
 * Every message that comes back whole is followed by another one. Prints {"messagesPerSecond": …, "seconds": …}, or {"error": …}.
 * Content is not looked at; the suite checks an echo once before.
 */
import type { Socket } from "node:net";
import { clientFrame, frameLen, openWebSocket } from "./ws-client.ts";

const [port = 0, connectionCount = 0, inFlight = 1, payloadLen = 0, seconds = 1] = process.argv
  .slice(2)
  .map(Number);
const answerLen = frameLen(payloadLen);
const one = clientFrame(payloadLen);
const frames = Array.from({ length: inFlight + 1 }, (_, count) =>
  Buffer.concat(Array.from({ length: count }, () => one)),
);
const sockets: Socket[] = [];
let echoed = 0;

function report(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`, () => process.exit(0));
}

function start(): void {
  const startedAt = performance.now();
  for (const socket of sockets) socket.write(frames[inFlight] as Buffer);
  setTimeout(() => {
    const elapsed = (performance.now() - startedAt) / 1000;
    report({ messagesPerSecond: echoed / elapsed, seconds: elapsed });
  }, seconds * 1000);
}

for (let index = 0; index < connectionCount; index++) {
  let received = 0;
  let own: Socket | undefined;
  openWebSocket({
    port,
    path: "/echo",
    onOpen(socket) {
      own = socket;
      if (sockets.push(socket) === connectionCount) start();
    },
    onBytes(bytes) {
      received += bytes.length;
      const whole = Math.floor(received / answerLen);
      if (whole === 0) return;
      received -= whole * answerLen;
      echoed += whole;
      own?.write(frames[whole] as Buffer);
    },
    onClose: (error) => report({ error: error?.message ?? "a connection was closed" }),
  });
}
