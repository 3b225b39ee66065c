// Alt-Svc (RFC 7838): how the field is read, what is remembered of it, and how a client with a dialer for HTTP/3 uses it.

import { afterAll, describe, expect, test } from "vitest";
import { parseAltSvc } from "../../../host/client/alt_svc.ts";
import { AltSvcCache } from "../../../host/client/alt_svc_cache.ts";
import { ClientEngine } from "../../../host/client/client_engine.ts";
import { createTcpDialer } from "../../../host/client/tcp_dialer.ts";
import type { Carrier, CarrierOwner, Dialer, DialTarget } from "../../../host/client/dialer.ts";
import { HttpClient } from "../../../host/client/http_client.ts";
import { HttpClientError } from "../../../host/client/http_client_error.ts";
import { Reply } from "../../../host/router/index.ts";
import { developmentCertificate } from "../../../host/server/development_certificate.ts";
import { eventually, run } from "../server/running.ts";

const DAY_S = 86_400;
const h3 = { protocol: "h3", host: "", port: 443, maxAgeS: DAY_S, persists: false };

describe("the field", () => {
  test.each<[string, ReturnType<typeof parseAltSvc>]>([
    ['h3=":443"', [h3]],
    ['h3=":443"; ma=60', [{ ...h3, maxAgeS: 60 }]],
    ['h3=":443";ma="60";persist=1', [{ ...h3, maxAgeS: 60, persists: true }]],
    ['h3=":443"; persist=2; new=1', [h3]],
    ['h3=":443"; MA=0', [{ ...h3, maxAgeS: 0 }]],
    ['h3=":443"; ma=99999999999999', [{ ...h3, maxAgeS: 2 ** 31 }]],
    [
      'h3="Alt.example:8443", h2=":80"',
      [
        { ...h3, host: "alt.example", port: 8443 },
        { ...h3, protocol: "h2", port: 80 },
      ],
    ],
    ['w%3Dx%3Ay=":1"', [{ ...h3, protocol: "w=x:y", port: 1 }]],
    ['h3="[2001:db8::1]:443"', [{ ...h3, host: "[2001:db8::1]" }]],
    [', h3=":443" ,, ', [h3]],
    ['h3="\\:443"', [h3]],
    ['h3=":0", h3=":70000", h3="a", h3="a@b:1", %=":1", h3=":443"', [h3]],
    ["clear", "clear"],
    [" clear ", "clear"],
    ["", null],
    ["Clear", null],
    ["h3", null],
    ["h3=443", null],
    ['h3=":443" ma=60', null],
    ['h3=":443"; ma', null],
    ['h3=":443"; ma="60', null],
    ['clear, h3=":443"', null],
    ['h3=":443', null],
  ])("%s", (value, services) => {
    expect(parseAltSvc(value)).toEqual(services);
  });

  test("is read in time that grows with its length", () => {
    const begun = performance.now();
    parseAltSvc(`${'h3=":443";a="\\\\'.repeat(20_000)}`);
    parseAltSvc(`${" ,".repeat(100_000)}x`);
    expect(performance.now() - begun).toBeLessThan(1000);
    expect((parseAltSvc(Array(1000).fill('h3=":443"').join()) as unknown[]).length).toBe(16);
  });
});

describe("what is remembered", () => {
  const origin = "https://example.org";
  let now = 0;
  const cache = (): AltSvcCache => ((now = 0), new AltSvcCache(() => now));
  const alternative = { protocol: "h3", host: "example.org", port: 443 };

  test("is fresh for as long as it was said, less its age", () => {
    const known = cache();
    known.heard(origin, 'h3=":443"; ma=60', 20);
    expect(known.find(origin, ["h3"])).toMatchObject(alternative);
    expect(known.find(origin, ["h2"])).toBeNull();
    expect(known.find("https://example.org:8443", ["h3"])).toBeNull();
    now = 39_999;
    expect(known.find(origin, ["h3"])).not.toBeNull();
    now = 40_000;
    expect(known.find(origin, ["h3"])).toBeNull();
    expect(known.size).toBe(0);
    known.heard(origin, 'h3=":443"; ma=60', 60);
    expect(known.size).toBe(0);
  });

  test("is replaced by the next field, cleared, and not touched by a malformed one", () => {
    const known = cache();
    known.heard(origin, 'h3=":443"');
    known.heard(origin, 'h3="b.example:1"');
    known.heard(origin, "nonsense");
    expect(known.find(origin, ["h3"])).toMatchObject({ host: "b.example", port: 1 });
    known.heard(origin, "clear");
    expect(known.find(origin, ["h3"])).toBeNull();
  });

  test("goes with the network unless it persists", () => {
    const known = cache();
    known.heard(origin, 'h3=":443"; persist=1, h3="b.example:1"');
    known.heard("https://other.example", 'h3=":443"');
    known.networkChanged();
    expect(known.find(origin, ["h3"])).toMatchObject(alternative);
    expect(known.size).toBe(1);
  });

  test("is left alone for longer each time it fails, and then comes the next one", () => {
    const known = cache();
    known.heard(origin, 'h3=":443", h3="b.example:1"');
    known.failed(alternative);
    expect(known.find(origin, ["h3"])).toMatchObject({ host: "b.example" });
    now = 60_000;
    expect(known.find(origin, ["h3"])).toMatchObject(alternative);
    known.failed(alternative);
    now += 119_999;
    expect(known.find(origin, ["h3"])).toMatchObject({ host: "b.example" });
    now += 1;
    expect(known.find(origin, ["h3"])).toMatchObject(alternative);
    known.worked(alternative);
    known.failed(alternative);
    now += 60_000;
    expect(known.find(origin, ["h3"])).toMatchObject(alternative);
  });

  test("is bounded", () => {
    const known = cache();
    for (let index = 0; index < 1500; index++) known.heard(`https://${index}.example`, 'h3=":443"');
    expect(known.size).toBe(1000);
    expect(known.find("https://499.example", ["h3"])).toBeNull();
    expect(known.find("https://500.example", ["h3"])).not.toBeNull();
  });
});

describe("a client with a dialer for alternatives", async () => {
  const tls = await developmentCertificate();
  let altSvc = "";
  const fields: Record<string, string | undefined> = {};
  const alternative = await run(
    (app) =>
      void app.get("/*path", (req) => {
        fields["alt-used"] = req.exchange.header("alt-used");
        return req.url.endsWith("/misdirected") ? new Reply(421) : "the alternative";
      }),
    { tls },
  );
  const origin = await run(
    (app) => void app.get("/*path", () => Reply.text("the origin").set("alt-svc", altSvc)),
    { tls },
  );
  const url = `https://localhost:${origin.port}/`;
  const engine = ClientEngine.start({ memoryBytes: 8 << 20, idleTimeoutMs: 10_000, limits: {} });
  const clients: HttpClient[] = [];
  afterAll(() => clients.forEach((client) => client.destroy()));

  /** HTTP/3 is not here yet: HTTP/2 to where HTTP/3 would be, under its name. */
  function dialerOf(targets: DialTarget[], fails = false): Dialer {
    const inner = createTcpDialer(() => engine, { tls: { ca: tls.cert }, streamsMax: 100 });
    return {
      protocols: ["h3"],
      needsAlternative: true,
      async dial(target: DialTarget, owner: CarrierOwner, signal: AbortSignal): Promise<Carrier> {
        targets.push(target);
        if (fails) throw new HttpClientError("ERR_HTTPY_CLIENT_CONNECT", { isUnprocessed: true });
        return inner.dial({ ...target, protocols: ["h2"] }, owner, signal);
      },
      close: () => undefined,
    };
  }

  function clientOf(dialers: readonly Dialer[]): HttpClient {
    const client = new HttpClient({ tls: { ca: tls.cert }, dialers });
    clients.push(client);
    return client;
  }

  test("moves to what the origin names, and says so there", async () => {
    altSvc = `h3="localhost:${alternative.port}"; ma=60`;
    const targets: DialTarget[] = [];
    const client = clientOf([dialerOf(targets)]);
    expect(await (await client.fetch(url)).text()).toBe("the origin");
    let text = "";
    await eventually("the alternative", () => {
      void client.fetch(url).then(async (response) => (text = await response.text()));
      return text === "the alternative";
    });
    expect(targets).toHaveLength(1);
    expect(targets[0]).toMatchObject({ host: "localhost", port: alternative.port, serverName: "localhost" });
    expect(fields["alt-used"]).toBe(`localhost:${alternative.port}`);
    expect(client.alternativeServices.size).toBe(1);
  });

  test("asks the origin again where the alternative does not speak for it", async () => {
    altSvc = `h3="localhost:${alternative.port}"; ma=60`;
    const client = clientOf([dialerOf([])]);
    client.alternativeServices.heard(url.slice(0, -1), altSvc);
    const response = await client.fetch(`${url}misdirected`);
    expect([response.status, await response.text()]).toEqual([200, "the origin"]);
  });

  test("stays with the origin where the alternative cannot be reached, and asks there no more", async () => {
    altSvc = 'h3="localhost:1"';
    const targets: DialTarget[] = [];
    const client = clientOf([dialerOf(targets, true)]);
    client.alternativeServices.heard(url.slice(0, -1), altSvc);
    for (let asked = 0; asked < 3; asked++) expect(await (await client.fetch(url)).text()).toBe("the origin");
    expect(targets).toHaveLength(1);
  });

  test("forgets it when the origin says clear", async () => {
    altSvc = "clear";
    const client = clientOf([dialerOf([], true)]);
    client.alternativeServices.heard(url.slice(0, -1), 'h3="localhost:1"');
    await (await client.fetch(url)).text();
    expect(client.alternativeServices.size).toBe(0);
  });
});
