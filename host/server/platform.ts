// What the server uses of its runtime and a browser does not have, each with what stands in for it there.

import type * as nodeZlib from "node:zlib";

/** The runtime's zlib; null where there is none, and then compression of WebSockets is never agreed to. */
export const zlib: typeof nodeZlib | null =
  typeof process === "object" && typeof process.getBuiltinModule === "function"
    ? process.getBuiltinModule("node:zlib")
    : null;

/** Lets the process end while the timer runs. A browser's timer is a number, and keeps nothing alive. */
export function letGo(timer: NodeJS.Timeout): void {
  if (typeof timer === "object") timer.unref();
}

/** A later turn of the event loop, after what has arrived. */
export const nextTurn: () => Promise<void> =
  typeof setImmediate === "function"
    ? () => new Promise((resolve) => void setImmediate(resolve))
    : () => new Promise((resolve) => void setTimeout(resolve, 0));

/** All parts as one. */
export function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
