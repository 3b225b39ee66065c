// Servers of a test file: each on a port of its own, all of them closed after the file's tests, their logs kept.

import { afterAll } from "vitest";
import { App } from "../../../host/server/app.ts";
import type { ListenOptions } from "../../../host/server/options.ts";
import type { Server } from "../../../host/server/server.ts";

/** What a server told its logger, in order. */
export interface Log {
  readonly errors: { error: Error; message: string }[];
}

export interface Running {
  readonly app: App;
  readonly server: Server;
  readonly port: number;
  readonly log: Log;
}

const servers: Server[] = [];

afterAll(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close({ deadlineMs: 0 })));
});

/** Has a server closed when the file is done. */
export function keep(server: Server): Server {
  servers.push(server);
  return server;
}

/** An application that listens, with small memory and without output. */
export async function run(routes: (app: App) => void, options: ListenOptions = {}): Promise<Running> {
  const errors: { error: Error; message: string }[] = [];
  const app = new App({
    onUnhandled: (error) => void errors.push({ error: error as Error, message: "unhandled" }),
  });
  routes(app);
  const server = await app.listen({
    ...(options.listeners === undefined && options.path === undefined ? { host: "127.0.0.1", port: 0 } : {}),
    memoryMiB: 32,
    limits: options.limits ?? {},
    logger: collector(errors),
    ...options,
  });
  keep(server);
  return { app, server, port: server.port, log: { errors } };
}

/** A logger that keeps errors. */
export function collector(errors: Log["errors"]): NonNullable<ListenOptions["logger"]> {
  const ignore = (): void => undefined;
  return {
    debug: ignore,
    info: ignore,
    warn: ignore,
    error: (fields, message) =>
      void errors.push({ error: (fields as { err: Error }).err, message: message ?? "" }),
  };
}

/** A gauge of the server's metrics. */
export async function gaugeOf(server: Server, name: string): Promise<number> {
  const [, value] = new RegExp(`^httpy_${name} (\\d+)$`, "mu").exec(await server.metrics()) ?? [];
  if (value === undefined) throw new Error(`there is no gauge ${name}`);
  return Number(value);
}

/** Waits for something that happens on the server's side. */
export async function eventually(what: string, isTrue: () => boolean, patienceMs = 5000): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!isTrue()) {
    if (performance.now() > deadline) throw new Error(`waited ${patienceMs} ms for ${what}`);
    await pause(5);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
