/*
 * A message published to many subscribers. Arguments: port, subscribers, payload bytes, publications under way, seconds,
 * connections per source address.
 *
 * One connection asks for a publication, and again once every subscriber has it. Prints {"messagesPerSecond": …, "seconds": …}
 * of messages that arrived, or {"error": …}.
 */
import type { Socket } from "node:net";
import { clientFrame, frameLen, openWebSocket } from "./ws-client.ts";

const [port = 0, subscriberCount = 0, payloadLen = 0, underWay = 1, seconds = 1, perAddress = 1] =
  process.argv.slice(2).map(Number);
/** Below the usual listen backlog of 511, so that no connect is dropped and retried a second later. */
const CONCURRENT_OPENS = 128;
const publicationLen = frameLen(payloadLen) * subscriberCount;
const ask = clientFrame(1);
let publisher: Socket | undefined;
let opened = 0;
let open = 0;
let received = 0;
let asked = 0;
let deadline = Infinity;
let startedAt = 0;

function report(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`, () => process.exit(0));
}

function openNext(): void {
  if (opened >= subscriberCount) return;
  const addressIndex = Math.floor(opened / perAddress);
  opened++;
  openWebSocket({
    port,
    path: "/subscribe",
    ...(addressIndex > 0 ? { localAddress: `127.0.0.${addressIndex + 1}` } : {}),
    onOpen() {
      if (++open === subscriberCount) start();
      else openNext();
    },
    onBytes: (bytes) => count(bytes.length),
    onClose: (error) => report({ error: error?.message ?? "a subscriber was closed" }),
  });
}

function start(): void {
  openWebSocket({
    port,
    path: "/publish",
    onOpen(socket) {
      publisher = socket;
      startedAt = performance.now();
      deadline = startedAt + seconds * 1000;
      publish(underWay);
    },
    onBytes: () => undefined,
    onClose: (error) => report({ error: error?.message ?? "the publisher was closed" }),
  });
}

function publish(times: number): void {
  asked += times;
  publisher?.write(Buffer.concat(Array.from({ length: times }, () => ask)));
}

function count(byteCount: number): void {
  received += byteCount;
  if (received < asked * publicationLen) return;
  const now = performance.now();
  if (now < deadline) {
    publish(underWay);
    return;
  }
  const elapsed = (now - startedAt) / 1000;
  report({ messagesPerSecond: (asked * subscriberCount) / elapsed, seconds: elapsed });
}

for (let index = 0; index < CONCURRENT_OPENS; index++) openNext();
