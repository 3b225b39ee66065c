// HttpClient over HTTP/3: how it comes there from HTTP/2 by itself and goes back, and what it says when it cannot be reached.

import { describe, expect, test } from "vitest";
import { HttpClient } from "../../../host/client/http_client.ts";
import { HttpClientError } from "../../../host/client/http_client_error.ts";
import type { App } from "../../../host/server/app.ts";
import { developmentCertificate } from "../../../host/server/development_certificate.ts";
import { bindNodeDatagrams } from "../../../host/transport/node_datagrams.ts";
import { eventually, run } from "../server/running.ts";

const tls = await developmentCertificate();
const routes = (app: App): void => void app.get("/", () => "here");

async function ask(client: HttpClient, url: string): Promise<[protocol: string, text: string]> {
  const response = await client.fetch(url);
  return [response.protocol, await response.text()];
}

describe("discovery", () => {
  test("moves a client from h2 to h3 by itself, and `alt-used` says so", async () => {
    const used: (string | undefined)[] = [];
    const { port } = await run(
      (app) =>
        void app.get("/", (req) => {
          used.push(req.headers.get("alt-used") ?? undefined);
          return "here";
        }),
      { tls, http3: true },
    );
    await using client = new HttpClient({ tls: { ca: tls.cert } });
    const url = `https://localhost:${port}/`;
    const first = await client.fetch(url);
    expect([first.protocol, first.headers.get("alt-svc")]).toEqual(["h2", `h3=":${port}"; ma=86400`]);
    await first.text();
    let last = "h2";
    for (let asked = 0; last === "h2" && asked < 500; asked++) [last] = await ask(client, url);
    expect(last).toBe("h3");
    expect(used[0]).toBeUndefined();
    expect(used.at(-1)).toBe(`localhost:${port}`);
  });

  test("stays on h2 where UDP does not answer", async () => {
    const silent = await bindNodeDatagrams(
      { host: "127.0.0.1", port: 0 },
      { onDatagram: () => undefined, onClose: () => undefined },
    );
    const { port } = await run(routes, { tls, altSvc: `h3=":${silent.port}"` });
    await using client = new HttpClient({ tls: { ca: tls.cert }, connectTimeoutMs: 300 });
    const url = `https://localhost:${port}/`;
    for (let asked = 0; asked < 5; asked++) expect(await ask(client, url)).toEqual(["h2", "here"]);
    await eventually(
      "the alternative to be left alone",
      () => client.alternativeServices.find(`https://localhost:${port}`, ["h3"]) === null,
    );
    expect(await ask(client, url)).toEqual(["h2", "here"]);
    await silent.close();
  });

  test("a server that closes says `clear`, and the client forgets", async () => {
    let answer = (): void => undefined;
    const { port, server } = await run(
      (app) => {
        routes(app);
        app.get("/late", () => new Promise<string>((resolve) => (answer = () => resolve("late"))));
      },
      { tls, http3: true },
    );
    const origin = `https://localhost:${port}`;
    await using client = new HttpClient({ tls: { ca: tls.cert } });
    while ((await ask(client, `${origin}/`))[0] !== "h3");
    const asked = client.fetch(`${origin}/late`);
    await eventually("the request", () => server.pool.counters().get("exchanges_open") === 1);
    const closing = server.close();
    answer();
    const response = await asked;
    expect([response.protocol, response.headers.get("alt-svc"), await response.text()]).toEqual([
      "h3",
      "clear",
      "late",
    ]);
    expect(client.alternativeServices.find(origin, ["h3"])).toBeNull();
    expect(await closing).toEqual({ connections: 0, exchanges: 0 });
  });
});

describe("HTTP/3 alone", () => {
  const refusal = async (client: HttpClient, url: string): Promise<HttpClientError> => {
    const error: unknown = await client.fetch(url).then(
      () => null,
      (cause: unknown) => cause,
    );
    expect(error).toBeInstanceOf(HttpClientError);
    return error as HttpClientError;
  };

  test("is not spoken without TLS", async () => {
    await using client = new HttpClient({ protocols: ["h3"] });
    const error = await refusal(client, "http://localhost:1/");
    expect([error.code, error.message]).toEqual([
      "ERR_HTTPY_CLIENT_PROTOCOL_NOT_SPOKEN",
      expect.stringContaining("HTTP/3 is spoken for https alone"),
    ]);
  });

  test("refuses a certificate that nobody vouches for, and asks once", async () => {
    const { port, server } = await run(routes, { tls, http3: true });
    await using strict = new HttpClient({ protocols: ["h3"] });
    const error = await refusal(strict, `https://localhost:${port}/`);
    expect(error.code).toBe("ERR_HTTPY_CLIENT_CONNECT");
    expect((error.cause as Error).message).toMatch(/transport error 0x1[0-9a-f]{2}/u);
    expect(server.pool.counters().get("exchanges_total") ?? 0).toBe(0);
    await using trusting = new HttpClient({ protocols: ["h3"], tls: { rejectUnauthorized: false } });
    expect(await ask(trusting, `https://localhost:${port}/`)).toEqual(["h3", "here"]);
  });

  test("goes to an address", async () => {
    const { port } = await run(routes, { tls, http3: true });
    await using client = new HttpClient({ protocols: ["h3"], tls: { ca: tls.cert } });
    expect(await ask(client, `https://127.0.0.1:${port}/`)).toEqual(["h3", "here"]);
  });

  test("says that nobody answered, in the time it was given, and is given up on", async () => {
    const silent = await bindNodeDatagrams(
      { host: "127.0.0.1", port: 0 },
      { onDatagram: () => undefined, onClose: () => undefined },
    );
    const url = `https://127.0.0.1:${silent.port}/`;
    await using client = new HttpClient({ protocols: ["h3"], connectTimeoutMs: 100, retries: 0 });
    expect((await refusal(client, url)).code).toBe("ERR_HTTPY_CLIENT_CONNECT_TIMEOUT");
    const reason = new Error("enough");
    const control = new AbortController();
    const given = client.fetch(url, { signal: control.signal });
    control.abort(reason);
    await expect(given).rejects.toBe(reason);
    await silent.close();
  });

  test("fails what is under way when the client is destroyed, and asks for it no more", async () => {
    let askedCount = 0;
    let abortedCount = 0;
    const { port } = await run(
      (app) =>
        void app.get("/", (req) => {
          askedCount++;
          return new Promise<string>((resolve) => {
            req.signal.addEventListener("abort", () => {
              abortedCount++;
              resolve("nobody listens");
            });
          });
        }),
      { tls, http3: true },
    );
    const client = new HttpClient({ protocols: ["h3"], tls: { ca: tls.cert } });
    const asked = client.fetch(`https://localhost:${port}/`);
    await eventually("the request", () => askedCount === 1);
    client.destroy();
    await expect(asked).rejects.toMatchObject({ code: "ERR_HTTPY_CLIENT_CLOSED" });
    await eventually("the end", () => abortedCount === 1);
    expect(askedCount).toBe(1);
  });
});
