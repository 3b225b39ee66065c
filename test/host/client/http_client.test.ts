// What `fetch` promises, over HTTP/1.1 and HTTP/2: requests and bodies, redirects, content codings, aborts, limits, and errors.

import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { HttpClient } from "../../../host/client/http_client.ts";
import type { HttpClientOptions } from "../../../host/client/client_options.ts";
import type { RequestContent } from "../../../host/client/request_body.ts";
import { HttpClientError } from "../../../host/client/http_client_error.ts";
import { Reply } from "../../../host/router/index.ts";
import type { App } from "../../../host/server/app.ts";
import { developmentCertificate } from "../../../host/server/development_certificate.ts";
import { pause, run } from "../server/running.ts";

const tls = await developmentCertificate();
const text = "a text that can be compressed ".repeat(1000);
const codings: Record<string, (bytes: Uint8Array) => Uint8Array> = {
  gzip: gzipSync,
  deflate: deflateSync,
  "deflate-raw": deflateRawSync,
  br: brotliCompressSync,
};

function routes(app: App): void {
  app.get("/", () => "ok");
  app.all("/echo", async (req) => {
    const bytes = await req.bytes();
    const fields = req.exchange.headerPairs().map(([name, value]) => `${name}: ${value}`);
    return [`${req.method} ${req.url}`, ...fields, "", Buffer.from(bytes).toString()].join("\n");
  });
  app.post("/trailers", async (req) => {
    await req.bytes();
    return JSON.stringify(req.exchange.trailerPairs());
  });
  app.all("/to/:status", (req) => {
    const { status } = req.params as { status: string };
    const to = new URL(req.url).searchParams.get("to") ?? "/echo";
    return new Reply(Number(status)).set("location", to);
  });
  app.get("/loop", () => new Reply(302).set("location", "/loop"));
  app.get("/coded/:coding", (req) => {
    const { coding } = req.params as { coding: string };
    const bytes = coding.split(",").reduce((one: Uint8Array, name) => codings[name]!(one), Buffer.from(text));
    return new Response(new Uint8Array(bytes), {
      headers: { "content-encoding": coding.replace("-raw", "") },
    });
  });
  app.get("/broken", () => new Response("no gzip at all", { headers: { "content-encoding": "gzip" } }));
  app.get("/cut", () =>
    Reply.stream(
      (async function* () {
        yield "a part";
        await pause(10);
        throw new Error("no more");
      })(),
    ),
  );
  app.get("/slow", async () => {
    await pause(10_000);
    return "late";
  });
  app.get("/cookies", () => {
    return new Response("", {
      headers: [
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
      ],
    });
  });
}

const plain = await run(routes);
const secure = await run(routes, { tls });
const clients: HttpClient[] = [];
afterAll(() => clients.forEach((client) => client.destroy()));

function clientOf(options: HttpClientOptions = {}): HttpClient {
  const client = new HttpClient({ tls: { ca: tls.cert }, ...options });
  clients.push(client);
  return client;
}

async function failure(promise: Promise<unknown>): Promise<HttpClientError> {
  const error: unknown = await promise.then(
    () => new Error("it did not fail"),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(HttpClientError);
  return error as HttpClientError;
}

describe.each([
  ["http/1.1", `http://localhost:${plain.port}`],
  ["h2", `https://localhost:${secure.port}`],
] as const)("%s", (protocol, base) => {
  const client = clientOf({ protocols: [protocol] });

  test("answers with a Response", async () => {
    const response = await client.fetch(`${base}/?a#b`);
    expect(response).toBeInstanceOf(Response);
    expect([response.status, response.ok, response.url, response.redirected, response.protocol]).toEqual([
      200,
      true,
      `${base}/?a#b`,
      false,
      protocol,
    ]);
    expect(await response.text()).toBe("ok");
    expect([...(await response.trailers)]).toEqual([]);
  });

  test.each<[string, RequestContent, string, RegExp]>([
    ["text", "höflich", "höflich", /^content-type: text\/plain;charset=UTF-8$/m],
    ["bytes", new Uint8Array([104, 105]), "hi", /^content-length: 2$/m],
    ["parameters", new URLSearchParams({ a: "1 2" }), "a=1+2", /urlencoded;charset=UTF-8$/m],
    ["a blob", new Blob(["hi"], { type: "text/x" }), "hi", /^content-type: text\/x$/m],
    ["a stream", new Blob(["a", "b"]).stream(), "ab", protocol === "h2" ? /^accept/m : /^transfer-encoding/m],
    ["nothing", "", "", protocol === "h2" ? /^accept/m : /^content-length: 0$/m],
  ])("sends %s", async (_what, body, sent, field) => {
    const response = await client.fetch(`${base}/echo`, {
      method: "post",
      body,
      duplex: "half",
    });
    const answer = await response.text();
    expect(answer).toMatch(/^POST /u);
    expect(answer).toMatch(field);
    expect(answer.endsWith(`\n\n${sent}`)).toBe(true);
  });

  test("sends a form and a Request", async () => {
    const form = new FormData();
    form.set("field", "value");
    const answer = await (await client.fetch(`${base}/echo`, { method: "POST", body: form })).text();
    expect(answer).toMatch(/^content-type: multipart\/form-data; boundary=/m);
    const request = new Request(`${base}/echo`, { method: "PUT", body: "asked", headers: { "x-a": "1" } });
    expect(await (await client.fetch(request)).text()).toMatch(/^PUT [^]*^x-a: 1$[^]*\n\nasked$/mu);
  });

  test("sends trailers, and a stream with its length", async () => {
    const body = (): AsyncIterable<string> => new Blob(["12345"]).stream();
    const trailers = () => [["x-sum", "15"]] as const;
    const post = { method: "POST", duplex: "half" } as const;
    expect(
      await (await client.fetch(`${base}/trailers`, { ...post, body: body(), trailers })).json(),
    ).toEqual([["x-sum", "15"]]);
    const sized = await client.fetch(`${base}/echo`, {
      ...post,
      body: body(),
      headers: { "content-length": "5" },
    });
    expect(await sized.text()).toMatch(/^content-length: 5$/m);
    const error = await failure(
      client.fetch(`${base}/echo`, { ...post, body: body(), headers: { "content-length": "4" } }),
    );
    expect(error.code).toBe("ERR_HTTPY_CLIENT_REQUEST_BODY");
  });

  test("gives each set-cookie line", async () => {
    const response = await client.fetch(`${base}/cookies`);
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    await response.text();
  });

  test.each([
    [301, "POST", "GET", ""],
    [302, "POST", "GET", ""],
    [303, "PUT", "GET", ""],
    [307, "POST", "POST", "body"],
    [308, "PUT", "PUT", "body"],
    [302, "PUT", "PUT", "body"],
  ])("follows %i of %s with %s", async (status, method, next, body) => {
    const response = await client.fetch(`${base}/to/${status}`, {
      method,
      body: "body",
      headers: { authorization: "secret", "content-language": "en" },
    });
    const answer = await response.text();
    expect([response.redirected, response.url]).toEqual([true, `${base}/echo`]);
    expect(answer.startsWith(`${next} `)).toBe(true);
    expect(answer.endsWith(`\n\n${body}`)).toBe(true);
    expect(answer.includes("authorization: secret")).toBe(true);
    expect(answer.includes("content-language: en")).toBe(body !== "");
  });

  test("keeps secrets from other origins, and redirects to itself when told so", async () => {
    const other = `http://127.0.0.1:${plain.port}`;
    const headers = { authorization: "secret", cookie: "c=1", "x-a": "1" };
    const url = `${base}/to/302?to=${encodeURIComponent(`${other}/echo`)}`;
    const away = clientOf({ protocols: ["h2", "http/1.1"] });
    const answer = await (await away.fetch(url, { headers })).text();
    expect(answer).not.toMatch(/secret|cookie/u);
    expect(answer).toMatch(/^x-a: 1$/m);
    const manual = await client.fetch(`${base}/to/302`, { redirect: "manual" });
    expect([manual.status, manual.headers.get("location"), manual.redirected]).toEqual([302, "/echo", false]);
    const error = await failure(client.fetch(`${base}/to/302`, { redirect: "error" }));
    expect(error.code).toBe("ERR_HTTPY_CLIENT_REDIRECT");
    expect((await failure(client.fetch(`${base}/loop`))).message).toMatch(/the 21th in a row/u);
    expect((await failure(client.fetch(`${base}/to/302?to=ftp://a/`))).message).toMatch(/scheme is ftp:/u);
    const stream = { method: "POST", duplex: "half", body: new Blob(["a"]).stream() } as const;
    expect((await failure(client.fetch(`${base}/to/307`, stream))).message).toMatch(/was a stream/u);
  });

  test.each(["gzip", "br", "deflate", "deflate-raw", "gzip,br"])("decodes %s", async (coding) => {
    const response = await client.fetch(`${base}/coded/${coding}`);
    expect(await response.text()).toBe(text);
  });

  test("leaves content as it is when asked, and tells of content that cannot be decoded", async () => {
    const raw = clientOf({ protocols: [protocol], decompress: false });
    const bytes = await (await raw.fetch(`${base}/coded/gzip`)).arrayBuffer();
    expect(Buffer.from(bytes).equals(gzipSync(text))).toBe(true);
    const response = await client.fetch(`${base}/broken`);
    expect((await failure(response.text())).code).toBe("ERR_HTTPY_CLIENT_CONTENT_CODING");
  });

  test("tells of a response that breaks off, and does not ask again", async () => {
    const response = await client.fetch(`${base}/cut`);
    const error = await failure(response.text());
    expect(error.code).toMatch(/ERR_HTTPY_CLIENT_(CONNECTION_LOST|RESET)/u);
    await expect(response.trailers).rejects.toBe(error);
  });

  test("is aborted before, while it waits, and while the body arrives", async () => {
    const reason = new Error("enough");
    await expect(client.fetch(base, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const waiting = new AbortController();
    setTimeout(() => waiting.abort(reason), 20);
    await expect(client.fetch(`${base}/slow`, { signal: waiting.signal })).rejects.toBe(reason);
    const reading = new AbortController();
    const response = await client.fetch(`${base}/cut`, { signal: reading.signal });
    reading.abort(reason);
    await expect(response.text()).rejects.toBe(reason);
    expect(await (await client.fetch(base)).text()).toBe("ok");
  });

  test("tells of a request body that fails", async () => {
    const reason = new Error("the file is gone");
    async function* body(): AsyncGenerator<string> {
      yield await Promise.resolve("a");
      throw reason;
    }
    const error = await failure(
      client.fetch(`${base}/echo`, { method: "POST", body: body(), duplex: "half" }),
    );
    expect([error.code, error.cause]).toEqual(["ERR_HTTPY_CLIENT_REQUEST_BODY", reason]);
  });

  test("keeps to its limits", async () => {
    const room = protocol === "h2" ? 4 : 2;
    const few = clientOf({
      protocols: [protocol],
      connectionsPerOrigin: 2,
      streamsPerConnection: 2,
      queuedPerOrigin: room,
    });
    const control = new AbortController();
    const asked: Promise<unknown>[] = [];
    const fill = (): void => {
      const { signal } = control;
      const more = Array.from({ length: room }, () => few.fetch(`${base}/slow`, { signal }));
      for (const one of more) one.catch(() => undefined);
      asked.push(...more);
    };
    fill();
    for (let patience = 0; few.connections.get(base) !== 2 && patience < 200; patience++) await pause(5);
    await pause(5);
    fill();
    const error = await failure(few.fetch(`${base}/`));
    expect([error.code, error.isUnprocessed]).toEqual(["ERR_HTTPY_CLIENT_QUEUE_FULL", true]);
    expect(few.connections.get(base)).toBe(2);
    control.abort();
    await Promise.allSettled(asked);
    expect(await (await few.fetch(`${base}/`)).text()).toBe("ok");
  });

  test("closes once everything has its answer", async () => {
    const closing = clientOf({ protocols: [protocol] });
    const asked = closing.fetch(`${base}/coded/gzip`);
    await pause(0);
    const closed = closing.close();
    expect(await (await asked).text()).toBe(text);
    await closed;
    expect(closing.connections.size).toBe(0);
    const error = await failure(closing.fetch(base));
    expect([error.code, error.isUnprocessed]).toEqual(["ERR_HTTPY_CLIENT_CLOSED", true]);
  });
});

describe("a connection", () => {
  test("is of the protocol that TLS chose, and the server has to be who it says", async () => {
    const url = `https://localhost:${secure.port}/`;
    expect((await clientOf().fetch(url)).protocol).toBe("h2");
    expect((await clientOf({ protocols: ["http/1.1"] }).fetch(url)).protocol).toBe("http/1.1");
    const stranger = await failure(clientOf({ tls: {} }).fetch(url));
    expect([stranger.code, (stranger.cause as { code?: string }).code]).toEqual([
      "ERR_HTTPY_CLIENT_CONNECT",
      "DEPTH_ZERO_SELF_SIGNED_CERT",
    ]);
    expect((await clientOf({ tls: { rejectUnauthorized: false } }).fetch(url)).status).toBe(200);
    const misnamed = clientOf({ tls: { ca: tls.cert, servername: "example.org" } });
    expect((await failure(misnamed.fetch(url))).message).toMatch(/example\.org/u);
    const none = clientOf({ protocols: ["h3"], connectTimeoutMs: 100, retries: 0 });
    expect((await failure(none.fetch(url))).code).toBe("ERR_HTTPY_CLIENT_CONNECT_TIMEOUT");
  });

  test("that cannot be made is tried again as often as allowed", async () => {
    const { port, server } = await run(routes);
    await server.close();
    const begun = performance.now();
    const error = await failure(clientOf({ retries: 2 }).fetch(`http://127.0.0.1:${port}/`));
    expect([error.code, error.isUnprocessed]).toEqual(["ERR_HTTPY_CLIENT_CONNECT", true]);
    expect(error.message).toMatch(/ECONNREFUSED/u);
    expect(performance.now() - begun).toBeGreaterThan(100);
  });
});

test.each<[string, unknown[], RegExp]>([
  ["a URL", ["/relative"], /Invalid URL/u],
  ["a scheme", ["ftp://a/"], /scheme is ftp:/u],
  ["credentials", ["http://a:b@c/"], /credentials/u],
  ["a method", ["http://a/", { method: "A B" }], /method is "A B"; it must be a token/u],
  ["CONNECT", ["http://a/", { method: "connect" }], /does not send/u],
  ["a body of GET", ["http://a/", { body: "a" }], /GET cannot have a body/u],
  ["a stream without duplex", ["http://a/", { method: "POST", body: new Blob([]).stream() }], /duplex/u],
  ["redirect", ["http://a/", { redirect: "never" }], /redirect is never/u],
  ["trailers without a body", ["http://a/", { trailers: () => [] }], /trailers are given without/u],
])("refuses a wrong %s", async (_what, [url, init], message) => {
  await expect(clientOf().fetch(url as string, init as object)).rejects.toThrow(message);
});

test.each<[object, RegExp]>([
  [{ connections: 1 }, /^client option "connections" is unknown; there are protocols, tls, /u],
  [
    { connectionsPerOrigin: 0 },
    /^client option connectionsPerOrigin is 0; it must be a whole number from 1 to 1024$/u,
  ],
  [
    { protocols: ["h4"] },
    /^client option protocols is \["h4"\]; it must be an array of one or more of h3, h2, http\/1\.1$/u,
  ],
  [
    { qlog: "" },
    /^client option qlog is ""; it must be the name of a folder, or a function that answers a writer$/u,
  ],
  [{ tls: { pfx: "" } }, /^client option tls: "pfx" is unknown/u],
  [{ dialers: [{}] }, /^client option dialers is \[an object\]; it must be an array of dialers/u],
  [{ decompress: 1 }, /^client option decompress is 1; it must be true or false$/u],
])("refuses the options %j", (options, message) => {
  expect(() => new HttpClient(options)).toThrow(message);
});
