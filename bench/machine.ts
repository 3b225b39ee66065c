/*
 * What the figures were measured on. Printed with every result, since no figure means anything without it.
 */
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { peerVersions } from "./peers.ts";
import { LOAD_CORE, SERVER_CORE, pinning } from "./process.ts";

export interface Machine {
  cpu: string;
  coreCount: number;
  memoryGiB: number;
  system: string;
  node: string;
  v8: string;
  pinning: string;
  /** Over the minute before the run; well above zero, something else was running too. */
  loadAverage: number;
  peers: Record<string, string>;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    coreCount: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    v8: process.versions.v8,
    pinning:
      pinning === "taskset"
        ? `server on core ${SERVER_CORE}, load on core ${LOAD_CORE}`
        : "none: treat ratios with care",
    loadAverage: loadavg()[0] ?? 0,
    peers: peerVersions(),
  };
}
