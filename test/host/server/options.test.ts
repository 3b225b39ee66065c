// A wrong option is an error that names it, the value and what is allowed; a right one is accepted at both ends of its range.

import { describe, expect, test } from "vitest";
import { limitEntries } from "../../../host/engine/index.ts";
import { App } from "../../../host/server/app.ts";
import { type ListenOptions, resolveOptions } from "../../../host/server/options.ts";
import { ask, get } from "./client.ts";
import { run } from "./running.ts";

const pair = { key: "k", cert: "c" };

const wrong: [given: unknown, message: string][] = [
  [3000, "listen options are 3000; they must be an object"],
  [null, "listen options are null; they must be an object"],
  [{ prot: 1 }, 'listen option "prot" is unknown; there are port, host, '],
  [{ port: -1 }, "listen option port is -1; it must be a whole number from 0 to 65535"],
  [{ port: 65536 }, "listen option port is 65536; it must be a whole number from 0 to 65535"],
  [{ port: "80" }, 'listen option port is "80"; it must be a whole number from 0 to 65535'],
  [{ port: NaN }, "listen option port is NaN; it must be a whole number"],
  [{ host: 1 }, "listen option host is 1; it must be a string that is not empty"],
  [{ host: "" }, 'listen option host is ""; it must be a string that is not empty'],
  [{ path: true }, "listen option path is true; it must be a string that is not empty"],
  [{ path: "/s", port: 1 }, "listen option path is given with port or host"],
  [{ path: "/s", host: "a" }, "listen option path is given with port or host"],
  [{ backlog: 0 }, "listen option backlog is 0; it must be a whole number from 1 to 65535"],
  [{ reusePort: 1 }, "listen option reusePort is 1; it must be true or false"],
  [{ ipv6Only: "yes" }, 'listen option ipv6Only is "yes"; it must be true or false'],
  [{ tls: { key: "k" } }, "listen option tls.cert is undefined; it must be PEM as a string or bytes"],
  [{ tls: { key: 5, cert: "c" } }, "listen option tls.key is 5; it must be PEM as a string or bytes"],
  [{ tls: { ...pair, crt: 1 } }, 'listen option tls: "crt" is unknown; there are key, cert, '],
  [{ tls: { ...pair, ca: {} } }, "listen option tls.ca is [object Object]; it must be PEM"],
  [
    { tls: { ...pair, minVersion: "TLSv1" } },
    'listen option tls.minVersion is "TLSv1"; it must be TLSv1.2 or TLSv1.3',
  ],
  [{ tls: { ...pair, requestCert: 1 } }, "listen option tls.requestCert is 1; it must be true or false"],
  [
    { tls: { ...pair, rejectUnauthorized: 0 } },
    "listen option tls.rejectUnauthorized is 0; it must be true or false",
  ],
  [{ tls: { ...pair, ciphers: 1 } }, "listen option tls.ciphers is 1; it must be a string"],
  [{ tls: { ...pair, passphrase: 1 } }, "listen option tls.passphrase is 1; it must be a string"],
  [{ tls: { ...pair, names: [] } }, "listen option tls.names is an empty array; it must be an object"],
  [
    { tls: { ...pair, names: { "a.b": { key: "k" } } } },
    'listen option tls.names["a.b"].cert is undefined; it must be PEM',
  ],
  [
    { listeners: [] },
    "listen option listeners is an empty array; it must be an array of one or more listeners",
  ],
  [
    { listeners: {} },
    "listen option listeners is [object Object]; it must be an array of one or more listeners",
  ],
  [{ listeners: [{}], port: 1 }, "listen option port is given beside listeners; it belongs into one of them"],
  [{ listeners: [{ prot: 1 }] }, 'listener option "prot" is unknown; there are port, host, '],
  [{ listeners: [null] }, "listeners are null; they must be an object"],
  [{ limits: 5 }, "listen option limits is 5; it must be an object of limits by name"],
  [{ limits: { headByte: 1 } }, "limits.headByte is not a limit; there are connectionCount, "],
  [{ limits: { headBytes: 1.5 } }, "limits.headBytes is 1.5; it must be a whole number from 512 to 48000"],
  [{ memoryMiB: 7 }, "listen option memoryMiB is 7; it must be a whole number from 8 to 4095"],
  [{ memoryMiB: 4096 }, "listen option memoryMiB is 4096; it must be a whole number from 8 to 4095"],
  [{ instances: 0 }, "listen option instances is 0; it must be a whole number from 1 to 64"],
  [{ instances: 65 }, "listen option instances is 65; it must be a whole number from 1 to 64"],
  [{ authorities: "a" }, 'listen option authorities is "a"; it must be an array of one or more strings'],
  [
    { authorities: [] },
    "listen option authorities is an empty array; it must be an array of one or more strings",
  ],
  [{ authorities: [1] }, "listen option authorities is an array; it must be an array of one or more strings"],
  [
    { tls: pair, http3: { preferredVersion: "2" } },
    'listen option http3.preferredVersion is "2"; it must be 1 or 2',
  ],
  [
    { tls: pair, http3: { preferredAddress: "127.0.0.1" } },
    'listen option http3.preferredAddress is "127.0.0.1"; it must be an object with host and port',
  ],
  [
    { tls: pair, http3: { preferredAddress: { host: "localhost" } } },
    'listen option http3.preferredAddress.host is "localhost"; it must be an IP address, and not that of any host',
  ],
  [
    { tls: pair, http3: { preferredAddress: { host: "::" } } },
    'listen option http3.preferredAddress.host is "::"; it must be an IP address, and not that of any host',
  ],
  [
    { tls: pair, http3: { preferredAddress: { host: "::1", port: 65536 } } },
    "listen option http3.preferredAddress.port is 65536; it must be a whole number from 0 to 65535",
  ],
  [
    { tls: pair, http3: { preferredAddress: { host: "::1", family: 6 } } },
    "listen option http3.preferredAddress.family is 6; it must be left out: it is unknown",
  ],
  [
    { listeners: [{ tls: pair }, { tls: pair }], http3: { preferredAddress: { host: "::1" } } },
    "listen option http3.preferredAddress is given with several listeners with tls; it is for one",
  ],
  [{ logger: { error: 1 } }, "listen option logger is [object Object]; it must have the methods"],
  [
    { transport: {} },
    "listen option transport is [object Object]; it must be an object with a method listen",
  ],
  [
    { module: "engine.wasm" },
    'listen option module is "engine.wasm"; it must be a WebAssembly.Module or its bytes',
  ],
];

test.each(wrong)("%j is refused by name", (given, message) => {
  expect(() => resolveOptions(given as ListenOptions)).toThrow(message);
});

test("a wrong option is told before anything is bound", async () => {
  await expect(new App().listen({ port: -1 })).rejects.toThrow("listen option port is -1");
});

describe("limits", () => {
  test.each(limitEntries())("$name is refused on either side of its range", ({ name, least, most }) => {
    for (const value of [least - 1, most + 1]) {
      if (!Number.isSafeInteger(value)) continue;
      expect(() => resolveOptions({ limits: { [name]: value } })).toThrow(
        `limits.${name} is ${value}; it must be a whole number from ${least} to ${most}`,
      );
    }
    for (const value of [least, most])
      expect(() => resolveOptions({ limits: { [name]: value } })).not.toThrow();
  });

  test("a server starts and serves with each limit at its least", async () => {
    const least = Object.fromEntries(
      limitEntries()
        .filter(({ name }) => !name.endsWith("Ms") && name !== "bodyBytes")
        .map((entry) => [entry.name, entry.least]),
    );
    const { port } = await run((app) => void app.get("/", () => "x".repeat(100_000)), { limits: least });
    expect((await ask(port, get("/"))).body.length).toBe(100_000);
  });
});

test("keys that are no keys are an error that names the option", async () => {
  const listening = new App().listen({ host: "127.0.0.1", memoryMiB: 32, tls: { key: "no", cert: "no" } });
  await expect(listening).rejects.toThrow(/^listen option tls cannot be used: /u);
});

describe("authorities", () => {
  test.each([
    ["example.org", 200],
    ["EXAMPLE.ORG", 200],
    ["example.org:8080", 200],
    ["example.org.", 421],
    ["a.example.org", 421],
    ["example.com:81", 200],
    ["example.com", 421],
    ["example.com:810", 421],
    ["[::1]:80", 200],
    ["evil", 421],
  ])("%s answers %i", async (host, status) => {
    const { port } = await run((app) => void app.get("/", () => "ok"), {
      authorities: ["Example.org", "example.com:81", "[::1]"],
    });
    expect((await ask(port, `GET / HTTP/1.1\r\nhost: ${host}\r\n\r\n`)).status).toBe(status);
  });

  test("a request without any is not served", async () => {
    const { port } = await run((app) => void app.get("/", () => "ok"), { authorities: ["example.org"] });
    expect((await ask(port, "GET / HTTP/1.0\r\n\r\n")).status).toBe(421);
  });
});
