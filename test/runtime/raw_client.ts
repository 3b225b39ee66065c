// A socket that sends exactly the bytes it is given and shows exactly those that came back.

import net from "node:net";
import tls from "node:tls";
import type { ContractServer } from "./contract_process.ts";

export interface RawClient {
  readonly socket: net.Socket;
  /** What arrived so far, one character per byte. */
  received(): string;
  send(bytes: string | Uint8Array): void;
  /** Resolves once what arrived matches; rejects with what arrived when the server ends or 5 s pass before. */
  until(pattern: RegExp): Promise<string>;
  /** Resolves with everything that arrived, once the server has ended the connection. */
  untilEnd(): Promise<string>;
  close(): void;
}

const TIMEOUT_MS = 5000;

/** Connects; `allowHalfOpen`, so that ending the sending side leaves the other open. */
export async function connectRaw(server: ContractServer, isSecure: boolean): Promise<RawClient> {
  const { hostname, port } = new URL(isSecure ? server.secure : server.plain);
  const plain = net.connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  const socket = isSecure ? tls.connect({ socket: plain, ca: server.cert, host: hostname }) : plain;
  let received = "";
  let isEnded = false;
  const waiters: (() => void)[] = [];
  const changed = () => {
    for (const wake of waiters.splice(0)) wake();
  };
  socket.on("data", (chunk: Buffer) => {
    received += chunk.toString("latin1");
    changed();
  });
  for (const event of ["end", "close", "error"] as const) {
    socket.on(event, () => {
      isEnded = true;
      changed();
    });
  }
  await new Promise<void>((resolve, reject) => {
    socket.once(isSecure ? "secureConnect" : "connect", resolve).once("error", reject);
  });

  const waitFor = async (isDone: () => boolean, what: string): Promise<string> => {
    const deadline = performance.now() + TIMEOUT_MS;
    while (!isDone()) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0 || isEnded) {
        throw new Error(
          `${isEnded ? "the server ended" : "time passed"} before ${what}; received:\n${received}`,
        );
      }
      await new Promise<void>((wake) => {
        const timer = setTimeout(wake, leftMs);
        waiters.push(() => {
          clearTimeout(timer);
          wake();
        });
      });
    }
    return received;
  };
  return {
    socket,
    received: () => received,
    send: (bytes) => void socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes),
    until: (pattern) => waitFor(() => pattern.test(received), String(pattern)),
    untilEnd: () => waitFor(() => isEnded, "the end"),
    close: () => void socket.destroy(),
  };
}
