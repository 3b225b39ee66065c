// Ten thousand WebSockets that are open and say nothing: each is pinged, answers, and stays; the server is as quick as before, and
// what they take is bounded.

import { readFileSync } from "node:fs";
import net from "node:net";
import { frame } from "../wire/web_socket_frames.ts";
import { results, skipped } from "./suite.ts";
import type { Suite } from "./suite.ts";

const SOCKET_COUNT = 10_000;
/** Descriptors beside the sockets. */
const SPARE_DESCRIPTORS = 200;
const OPENING_AT_ONCE = 100;
/** The server pings after 30 s of silence, and waits 10 s for the pong: what did not answer is gone some time later. */
const PINGED_WITHIN_MS = 90_000;
const GONE_AFTER_MS = 15_000;
const LOOK_EVERY_MS = 100;
const ANSWER_MS = 1000;
/** Of which the sockets of the kernel are no part. Six times what ten thousand take on Node 20. */
const RESIDENT_MOST = 384 * 1024 * 1024;

const HANDSHAKE =
  "GET /ws HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n" +
  "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n";
const PONG = frame(0x8a);

class IdleSocket {
  readonly #socket: net.Socket;
  isOpen = false;
  pingCount = 0;

  constructor(port: number, changed: () => void) {
    this.#socket = net.connect(port, "127.0.0.1");
    this.#socket.write(HANDSHAKE);
    this.#socket.on("error", () => undefined);
    this.#socket.on("close", () => {
      this.isOpen = false;
      changed();
    });
    this.#socket.on("data", (bytes) => {
      if (!this.isOpen) {
        this.isOpen = bytes.toString("latin1").startsWith("HTTP/1.1 101 ");
        changed();
      } else if (bytes[0] === 0x89) {
        this.pingCount++;
        this.#socket.write(PONG);
      }
    });
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

export const idleSockets: Suite = {
  name: "websocket: ten thousand idle sockets",
  async run(server) {
    if (descriptors() < SOCKET_COUNT + SPARE_DESCRIPTORS) {
      return skipped(`${SOCKET_COUNT} sockets need ulimit -n ${SOCKET_COUNT + SPARE_DESCRIPTORS}`);
    }
    const port = Number(new URL(server.plain).port);
    const sockets: IdleSocket[] = [];
    try {
      await openAll(port, sockets);
      const openedCount = sockets.filter(({ isOpen }) => isOpen).length;
      const residentBytes = residentOf(server.program.child.pid ?? 0);
      let slowestMs = 0;
      // What this process itself is late by, which is not the server's fault.
      let latestMs = 0;
      let lookedAt = performance.now();
      const looking = setInterval(() => {
        const now = performance.now();
        latestMs = Math.max(latestMs, now - lookedAt - LOOK_EVERY_MS);
        lookedAt = now;
      }, LOOK_EVERY_MS);
      const asking = setInterval(() => {
        const start = performance.now();
        void fetch(`${server.plain}/`)
          .then((response) => response.text())
          .then(
            () => (slowestMs = Math.max(slowestMs, performance.now() - start)),
            () => (slowestMs = Infinity),
          );
      }, 500);
      const deadline = performance.now() + PINGED_WITHIN_MS;
      while (sockets.some(({ pingCount }) => pingCount === 0) && performance.now() < deadline) {
        await pause(LOOK_EVERY_MS);
      }
      await pause(GONE_AFTER_MS);
      clearInterval(asking);
      clearInterval(looking);
      const leftCount = sockets.filter(({ isOpen }) => isOpen).length;
      const pingedCount = sockets.filter(({ pingCount }) => pingCount > 0).length;
      const told = await metric(server.plain, "httpy_web_sockets_open");
      return results([
        [`${SOCKET_COUNT} are opened`, openedCount === SOCKET_COUNT ? null : `${openedCount} are`],
        ["every one is pinged", pingedCount === SOCKET_COUNT ? null : `${pingedCount} are`],
        ["every one stays", leftCount === SOCKET_COUNT ? null : `${leftCount} are left`],
        ["the server counts them", told === SOCKET_COUNT ? null : `it counts ${told}`],
        [
          "another connection is answered in under a second",
          slowestMs < ANSWER_MS + latestMs
            ? null
            : `one took ${slowestMs.toFixed(0)} ms, where this process was late by ${latestMs.toFixed(0)} ms`,
        ],
        [
          "memory is bounded",
          residentBytes < RESIDENT_MOST ? null : `${(residentBytes / 2 ** 20).toFixed(0)} MiB are resident`,
        ],
      ]);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  },
};

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

async function openAll(port: number, sockets: IdleSocket[]): Promise<void> {
  let wake: (() => void) | null = null;
  let settledCount = 0;
  const changed = (): void => {
    settledCount++;
    wake?.();
  };
  while (sockets.length < SOCKET_COUNT) {
    while (sockets.length < SOCKET_COUNT && sockets.length - settledCount < OPENING_AT_ONCE) {
      sockets.push(new IdleSocket(port, changed));
    }
    await new Promise<void>((resolve) => (wake = resolve));
  }
  const deadline = performance.now() + 10_000;
  while (settledCount < SOCKET_COUNT && performance.now() < deadline) {
    await pause(LOOK_EVERY_MS);
  }
}

/** The most that this process, and those it starts, may have; Node raises its own limit to it. */
function descriptors(): number {
  try {
    const line = /^Max open files\s+(\d+)\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
    return Number(line?.[1] ?? 0);
  } catch {
    // Not Linux: there it is found out by trying.
    return Infinity;
  }
}

/** Resident bytes of a process; 0 where they cannot be read. */
function residentOf(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

async function metric(plain: string, name: string): Promise<number> {
  const text = await (await fetch(`${plain}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)`, "mu").exec(text)?.[1] ?? Number.NaN);
}
