// Draining without loss: a server closes while it is hammered, another one takes over its port, and every request is answered once.

import { describe, expect, test } from "vitest";
import { HttpClient } from "../../../host/client/http_client.ts";
import type { ClientResponse } from "../../../host/client/client_response.ts";
import type { App } from "../../../host/server/app.ts";
import { developmentCertificate } from "../../../host/server/development_certificate.ts";
import { eventually, pause, run } from "../server/running.ts";

const tls = await developmentCertificate();

interface Way {
  readonly name: string;
  readonly protocol: "http/1.1" | "h2" | "h3";
  readonly isSecure: boolean;
  /** What HTTP/1.1 cannot say of a request, that nobody acted on it, only an idempotent method makes up for. */
  readonly method: "POST" | "PUT";
}

const ways: readonly Way[] = [
  { name: "HTTP/1.1", protocol: "http/1.1", isSecure: false, method: "PUT" },
  { name: "HTTP/1.1 over TLS", protocol: "http/1.1", isSecure: true, method: "PUT" },
  { name: "HTTP/2 over TLS", protocol: "h2", isSecure: true, method: "POST" },
  { name: "HTTP/3", protocol: "h3", isSecure: true, method: "POST" },
];

describe.each(ways)("$name", ({ protocol, isSecure, method }) => {
  test(`loses no ${method} and answers none twice while servers take turns`, async () => {
    const handled = new Map<string, number>();
    const perServer = [0, 0, 0];
    const routes = (index: number) => (app: App) =>
      void app.on([method], "/:id", async (req) => {
        const { id } = req.params as { id: string };
        handled.set(id, (handled.get(id) ?? 0) + 1);
        perServer[index]!++;
        const text = await req.text();
        await pause(Number(id) % 7);
        return `${id} ${text}`;
      });
    const first = await run(routes(0), isSecure ? { tls, http3: protocol === "h3" } : {});
    const { port } = first;
    let { server } = first;
    const client = new HttpClient({ protocols: [protocol], tls: { ca: tls.cert }, retries: 10 });
    const url = `${isSecure ? "https" : "http"}://localhost:${port}`;
    let isOver = false;
    let next = 0;
    const answers: string[] = [];
    const workers = Array.from({ length: 24 }, async () => {
      while (!isOver) {
        const id = next++;
        const response: ClientResponse = await client.fetch(`${url}/${id}`, { method, body: `body ${id}` });
        answers[id] = `${response.status} ${await response.text()}`;
      }
    });
    const busy = (index: number) =>
      eventually(`requests to server ${index}`, () => perServer[index]! >= 200, 10_000);
    for (const index of [1, 2]) {
      await busy(index - 1);
      const closing = server.close();
      ({ server } = await takeOver(routes(index), port, isSecure, protocol === "h3"));
      expect(await closing).toEqual({ connections: 0, exchanges: 0 });
    }
    await busy(2);
    isOver = true;
    await Promise.all(workers);
    await client.close();
    expect(answers).toEqual(Array.from({ length: next }, (_, id) => `200 ${id} body ${id}`));
    const twice = [...handled.values()].filter((count) => count > 1).length;
    if (method === "POST") expect(twice).toBe(0);
  });
});

/** Another server on the port, as soon as it is free. */
async function takeOver(
  routes: (app: App) => void,
  port: number,
  isSecure: boolean,
  http3: boolean,
): Promise<Awaited<ReturnType<typeof run>>> {
  for (let attempt = 0; ; attempt++) {
    try {
      const running = await run(routes, { host: "127.0.0.1", port, ...(isSecure ? { tls, http3 } : {}) });
      // UDP is free only after the last connection.
      if (!http3 || running.server.protocols.includes("h3")) return running;
      await running.server.close();
    } catch (error) {
      if (attempt === 100) throw error;
    }
    await pause(5);
  }
}
