// Every HTTP/1.1 row of the contract server, asked by real clients over plain sockets and TLS. What clients hide
// (framing, order, pipelining, interim answers) is in contract_wire.test.ts.

import { createHash } from "node:crypto";
import http from "node:http";
import https from "node:https";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Client as UndiciClient } from "undici";
import { clients } from "./clients.ts";
import { startContract } from "./contract_process.ts";
import type { ContractServer } from "./contract_process.ts";
import { contractRows } from "./contract_rows.ts";

let server: ContractServer;
beforeAll(async () => void (server = await startContract()));
afterAll(() => server.stop());

const ways = clients.flatMap((client) => [false, true].map((isSecure) => ({ client, isSecure })));

describe.each(ways)("$client.name, TLS $isSecure", ({ client, isSecure }) => {
  test.skipIf(client.missing !== undefined)(
    `asks every row${client.missing === undefined ? "" : ` (${client.missing})`}`,
    async () => {
      for (const row of contractRows) {
        const label = `${row.method ?? "GET"} ${row.path}`;
        const answer = await client.ask(server, isSecure, row);
        expect(answer.status, label).toBe(row.status ?? 200);
        if (row.type !== undefined) expect(answer.header("content-type"), label).toContain(row.type);
        if (row.gives instanceof RegExp) expect(answer.body.toString(), label).toMatch(row.gives);
        else expect(answer.body.equals(Buffer.from(row.gives)), `${label} body`).toBe(true);
      }
    },
  );
});

describe.each([false, true])("node:http, TLS %s", (isSecure) => {
  const open = (path: string, options: http.RequestOptions = {}) =>
    isSecure
      ? https.request(server.secure + path, { ...options, ca: server.cert, agent: false })
      : http.request(server.plain + path, { ...options, agent: false });
  const answered = (request: http.ClientRequest) =>
    new Promise<{ response: http.IncomingMessage; text: string }>((resolve, reject) => {
      request.on("error", reject).on("response", (response) => {
        let text = "";
        response.setEncoding("latin1").on("data", (chunk: string) => (text += chunk));
        response.on("error", reject).on("end", () => resolve({ response, text }));
      });
    });

  test("sees the trailer, and it is the checksum of the body", async () => {
    const request = open("/trailers");
    request.end();
    const { response, text } = await answered(request);
    expect(response.headers["trailer"]).toBe("x-checksum");
    expect(response.trailers["x-checksum"]).toBe(createHash("sha256").update(text).digest("hex"));
  });

  test("sees 103 before the answer", async () => {
    const request = open("/early");
    const hints: http.InformationEvent[] = [];
    request.on("information", (hint) => hints.push(hint));
    request.end();
    await answered(request);
    expect(hints.map(({ statusCode, headers }) => [statusCode, headers["link"]])).toEqual([
      [103, "</style.css>; rel=preload; as=style"],
    ]);
  });

  test("is told to continue when the handler asks for the body", async () => {
    const request = open("/count", {
      method: "POST",
      headers: { expect: "100-continue", "content-length": 5 },
    });
    let isContinued = false;
    request.on("continue", () => {
      isContinued = true;
      request.end("12345");
    });
    request.flushHeaders();
    expect((await answered(request)).text).toBe("5");
    expect(isContinued).toBe(true);
  });

  test("has a streamed upload counted chunk by chunk", async () => {
    const request = open("/count", { method: "POST" });
    const answer = answered(request);
    for (let sent = 0; sent < 64; sent++) request.write(Buffer.alloc(65_536));
    request.end();
    expect((await answer).text).toBe(String(64 * 65_536));
  });

  test("gets events while the stream goes on, not all at once", async () => {
    const request = open("/sse");
    request.end();
    const arrivals = await new Promise<number[]>((resolve, reject) => {
      const times: number[] = [];
      request.on("error", reject).on("response", (response) => {
        response.on("data", () => times.push(performance.now()));
        response.on("end", () => resolve(times));
      });
    });
    expect(arrivals.length).toBeGreaterThan(1);
    expect(arrivals.at(-1) - arrivals[0]!).toBeGreaterThan(40);
  });

  test("keeps one connection for several requests", async () => {
    const agent = isSecure
      ? new https.Agent({ keepAlive: true, maxSockets: 1, ca: server.cert })
      : new http.Agent({ keepAlive: true, maxSockets: 1 });
    const reused: boolean[] = [];
    for (const path of ["/", "/slow/5", "/trailers", "/bytes/300000", "/json"]) {
      const request = isSecure
        ? https.get(server.secure + path, { agent })
        : http.get(server.plain + path, { agent });
      await answered(request);
      reused.push(request.reusedSocket);
    }
    agent.destroy();
    expect(reused).toEqual([false, true, true, true, true]);
  });
});

describe("undici", () => {
  test.each([false, true])("pipelines, and answers come in order (TLS %s)", async (isSecure) => {
    const client = new UndiciClient(isSecure ? server.secure : server.plain, {
      pipelining: 8,
      connect: isSecure ? { ca: server.cert } : {},
    });
    const finished: string[] = [];
    const paths = ["/slow/60", "/", "/slow/20", "/bytes/70000", "/json", "/slow/1"];
    await Promise.all(
      paths.map(async (path) => {
        const { body: content } = await client.request({ method: "GET", path });
        await content.arrayBuffer();
        finished.push(path);
      }),
    );
    await client.close();
    expect(finished).toEqual(paths);
  });

  test.each([false, true])("asks one connection 500 times (TLS %s)", async (isSecure) => {
    const client = new UndiciClient(isSecure ? server.secure : server.plain, {
      connect: isSecure ? { ca: server.cert } : {},
    });
    let byteCount = 0;
    for (let asked = 0; asked < 500; asked++) {
      const { body: content } = await client.request({ method: "GET", path: "/bytes/1000" });
      byteCount += (await content.arrayBuffer()).byteLength;
    }
    await client.close();
    expect(byteCount).toBe(500_000);
  });
});
