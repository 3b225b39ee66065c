// A server that records, and its recording run again on another engine.

import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { loadModule, readRecording, replay } from "../../../host/engine/index.ts";
import { App } from "../../../host/server/app.ts";
import type { ListenOptions } from "../../../host/server/options.ts";

/** Serves, lets `use` talk to the server, and answers what was recorded when it has closed. */
export async function recorded(
  use: (port: number) => Promise<void>,
  options: ListenOptions = {},
  routes: (app: App) => void = () => undefined,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "httpy-record-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "recording");
  const app = new App();
  app.get("/users/:id", (req) => ({ id: req.params.id }));
  app.post("/", async (req) => req.bytes());
  app.get("/large", () => new Uint8Array(500_000).fill(97));
  app.ws("/ws", { origins: "*", message: (ws, message) => void ws.send(message) });
  routes(app);
  const server = await app.listen({ port: 0, host: "127.0.0.1", record: file, ...options });
  await use(server.port);
  await server.close({ deadlineMs: 1000 });
  if (process.platform !== "win32") expect(statSync(file).mode & 0o777).toBe(0o600);
  return readFileSync(file, "utf8");
}

export interface Replayed {
  readonly lines: string[];
  readonly differences: string[];
}

/** Each of the connections, run again. */
export async function replayed(text: string): Promise<Replayed[]> {
  const module = await loadModule();
  const { head, connections } = readRecording(text);
  return connections.map((connection) => {
    const lines: string[] = [];
    const { differences } = replay(module, head, connection, (line) => lines.push(line));
    return { lines, differences: [...differences] };
  });
}
