// One suite of expectations over every version of HTTP: the rows of the contract server and what a row cannot say, asked by the
// project's own client. A version is one entry of `carriers`; nothing else here knows which there are.

import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HttpClient } from "../../host/client/http_client.ts";
import type { HttpClientOptions } from "../../host/client/client_options.ts";
import { startContract } from "./contract_process.ts";
import type { ContractServer } from "./contract_process.ts";
import { contractRows } from "./contract_rows.ts";

let server: ContractServer;
beforeAll(async () => void (server = await startContract()));
// Deno's TLS sockets take a reset for an end, so there the exchange that was given up on is waited for (10 s).
afterAll(() => server.stop(), 30_000);

interface CarrierCase {
  readonly name: string;
  readonly isSecure: boolean;
  readonly protocol: "http/1.1" | "h2" | "h3";
  readonly options?: HttpClientOptions;
}

const carriers: readonly CarrierCase[] = [
  { name: "HTTP/1.1", isSecure: false, protocol: "http/1.1" },
  { name: "HTTP/1.1 over TLS", isSecure: true, protocol: "http/1.1" },
  { name: "HTTP/2 by prior knowledge", isSecure: false, protocol: "h2" },
  { name: "HTTP/2 over TLS", isSecure: true, protocol: "h2" },
  { name: "HTTP/3", isSecure: true, protocol: "h3" },
];

describe.each(carriers)("$name", ({ isSecure, protocol, options = {} }) => {
  let client: HttpClient;
  let base = "";
  beforeAll(() => {
    client = new HttpClient({ protocols: [protocol], tls: { ca: server.cert }, ...options });
    base = isSecure ? server.secure : server.plain;
  });
  afterAll(() => client.close());

  test("answers every row", async () => {
    for (const { method = "GET", path, headers = {}, body, status = 200, type, gives } of contractRows) {
      const label = `${method} ${path}`;
      const response = await client.fetch(base + path, { method, headers, ...(body && { body }) });
      const bytes = Buffer.from(await response.arrayBuffer());
      expect([response.status, response.protocol], label).toEqual([status, protocol]);
      if (type !== undefined) expect(response.headers.get("content-type"), label).toContain(type);
      if (gives instanceof RegExp) expect(bytes.toString(), label).toMatch(gives);
      else expect(bytes.equals(Buffer.from(gives)), `${label} body`).toBe(true);
    }
    expect([...client.connections.values()]).toEqual([1]);
  });

  test("answers many requests at a time, each with its own", async () => {
    const lengths = Array.from({ length: 60 }, (_, index) => index * 997);
    const answers = await Promise.all(
      lengths.map(async (length) => {
        const response = await client.fetch(`${base}/bytes/${length}`);
        return (await response.arrayBuffer()).byteLength;
      }),
    );
    expect(answers).toEqual(lengths);
    const [connectionCount] = client.connections.values();
    if (protocol === "http/1.1") expect(connectionCount).toBeLessThanOrEqual(16);
    else expect(connectionCount).toBe(1);
  });

  test("sends the trailer, and it is the checksum of the body", async () => {
    const response = await client.fetch(`${base}/trailers`);
    expect(response.headers.get("trailer")).toBe("x-checksum");
    const text = await response.text();
    const trailers = await response.trailers;
    expect(trailers.get("x-checksum")).toBe(createHash("sha256").update(text).digest("hex"));
  });

  test("sends 103 before the answer", async () => {
    const hints: [number, string | null][] = [];
    const response = await client.fetch(`${base}/early`, {
      onInformation: (status, headers) => void hints.push([status, headers.get("link")]),
    });
    await response.text();
    expect(hints).toEqual([[103, "</style.css>; rel=preload; as=style"]]);
  });

  test("says 100 when the handler asks for the body", async () => {
    const informed: number[] = [];
    const response = await client.fetch(`${base}/count`, {
      method: "POST",
      headers: { expect: "100-continue" },
      body: "12345",
      onInformation: (status) => void informed.push(status),
    });
    expect([await response.text(), informed]).toEqual(["5", [100]]);
  });

  test("counts a streamed upload", async () => {
    const chunk = new Uint8Array(65_536);
    async function* chunks(): AsyncGenerator<Uint8Array> {
      for (let sent = 0; sent < 64; sent++) yield await Promise.resolve(chunk);
    }
    const response = await client.fetch(`${base}/count`, { method: "POST", body: chunks(), duplex: "half" });
    expect(await response.text()).toBe(String(64 * 65_536));
  });

  test("sends events while the stream goes on, not all at once", async () => {
    const response = await client.fetch(`${base}/sse`);
    const arrivals: number[] = [];
    for await (const _chunk of response.body as AsyncIterable<Uint8Array>) arrivals.push(performance.now());
    expect(arrivals.length).toBeGreaterThan(1);
    expect(arrivals.at(-1) - arrivals[0]!).toBeGreaterThan(40);
  });

  test("stops sending what is not read on, and goes on serving", async () => {
    const response = await client.fetch(`${base}/bytes/1000000000`);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    expect((await reader.read()).value?.length).toBeGreaterThan(0);
    await reader.cancel();
    expect(await (await client.fetch(`${base}/`)).text()).toBe("Hello, World!");
  });

  test("is given up on by its client, and goes on serving", async () => {
    const control = new AbortController();
    const reason = new Error("it takes too long");
    setTimeout(() => control.abort(reason), 40);
    await expect(client.fetch(`${base}/slow/60000`, { signal: control.signal })).rejects.toBe(reason);
    expect(await (await client.fetch(`${base}/slow/5`)).text()).toBe("5 ms later");
  });
});
