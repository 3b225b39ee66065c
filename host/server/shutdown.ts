// The end of a server that runs as a process: what SIGTERM and SIGINT do.
//
// The first signal closes gracefully, within the deadline; a second one ends the process at once, because whoever sends it
// has waited long enough. The process then ends with 0, or with 1 when closing failed.

import type { CloseReport, Server } from "./server.ts";

/** How a server ends on a signal. */
export interface SignalOptions {
  /** How long open exchanges may go on. Default 10,000. */
  deadlineMs?: number;
  /** Told of the first signal, before closing begins: the moment to end what would never end by itself. */
  onClosing?: (signal: NodeJS.Signals) => void;
  /** Told once the server is closed, before the process ends. */
  onClosed?: (report: CloseReport) => void;
}

/** By name: its number, which a shell adds to 128 to tell of a process that it has ended. */
const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const;

/** Closes the server on SIGTERM and SIGINT and ends the process; a second signal ends it at once. */
export function closeOnSignals(server: Pick<Server, "close">, options: SignalOptions = {}): void {
  let isClosing = false;
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      if (isClosing) process.exit(128 + SIGNALS[name]);
      isClosing = true;
      void end(server, name, options);
    });
  }
}

async function end(
  server: Pick<Server, "close">,
  signal: NodeJS.Signals,
  { deadlineMs, onClosing, onClosed }: SignalOptions,
): Promise<void> {
  try {
    onClosing?.(signal);
    const report = await server.close(deadlineMs === undefined ? {} : { deadlineMs });
    onClosed?.(report);
    process.exit(0);
  } catch (error) {
    console.error("closing failed:", error);
    process.exit(1);
  }
}
