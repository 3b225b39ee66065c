// Listeners over real sockets: where they bind, what they say of it, TLS by name and protocol, and how they stop.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { App } from "../../../host/server/app.ts";
import { createNodeTransport } from "../../../host/transport/node_transport.ts";
import { ask, get, post, RawClient } from "../server/client.ts";
import { eventually, keep, pause, run } from "../server/running.ts";
import { certificateFor, type Pair } from "./certificates.ts";

let localhost: Pair;
let example: Pair;
let wildcard: Pair;
const folder = mkdtempSync(join(tmpdir(), "httpy-"));
const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === "::1"),
);

beforeAll(async () => {
  [localhost, example, wildcard] = await Promise.all([
    certificateFor("localhost"),
    certificateFor("example.org"),
    certificateFor("*.example.net"),
  ]);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function tlsClient(options: ConnectionOptions): Promise<{ client: RawClient; socket: TLSSocket }> {
  const socket = connectTls({ host: "127.0.0.1", rejectUnauthorized: false, ...options });
  await new Promise<void>((resolve, reject) => {
    socket.once("secureConnect", resolve);
    socket.once("error", reject);
  });
  return { client: new RawClient(socket), socket };
}

/** Resolves with the error that a TLS connection ends with before it is secure. */
function tlsFailure(options: ConnectionOptions): Promise<NodeJS.ErrnoException> {
  return tlsClient(options).then(
    ({ client }) => {
      client.close();
      throw new Error("the handshake succeeded");
    },
    (error: NodeJS.ErrnoException) => error,
  );
}

describe.each([
  { path: "in place", readsInPlace: true },
  { path: "by copy", readsInPlace: false },
])("sockets that are read $path", ({ readsInPlace }) => {
  const transport = createNodeTransport({ readsInPlace });

  test("keep a connection over requests of every size, and give each byte as it came", async () => {
    const { port } = await run(
      (app) => {
        app.get("/", () => "hello");
        app.post("/", async (req) => req.bytes({ limitBytes: 1e7 }));
      },
      { transport },
    );
    const client = await RawClient.open(port);
    for (const size of [0, 1, 1000, 65471, 65472, 65473, 65536, 200_001, 3_000_000]) {
      const body = Buffer.alloc(size, "0123456789abc").toString("latin1");
      const response = await client.write(post("/", body)).response();
      expect(response.status).toBe(200);
      expect(response.body.toString("latin1") === body).toBe(true);
      expect((await client.write(get("/")).response()).body.toString()).toBe("hello");
    }
    client.close();
  });

  test("take a request byte by byte", async () => {
    const { port } = await run((app) => void app.post("/", async (req) => req.text()), { transport });
    const client = await RawClient.open(port);
    client.socket.setNoDelay(true);
    for (const byte of post("/", "slow but sure")) {
      client.write(byte);
      await pause(0);
    }
    expect((await client.response()).body.toString()).toBe("slow but sure");
    client.close();
  });

  test("serve connections that share the buffer without mixing them up", async () => {
    const { port, server } = await run(
      (app) => void app.post("/:id", async (req) => `${req.params.id}:${await req.text()}`),
      {
        transport,
      },
    );
    const clients = await Promise.all(Array.from({ length: 40 }, () => RawClient.open(port)));
    for (let round = 0; round < 5; round++) {
      clients.forEach((client, id) => {
        const text = post(`/${id}`, `${id}-`.repeat(300 + id));
        client.write(text.slice(0, 100 + round));
      });
      await pause(5);
      clients.forEach((client, id) =>
        client.write(post(`/${id}`, `${id}-`.repeat(300 + id)).slice(100 + round)),
      );
      const answers = await Promise.all(clients.map((client) => client.response()));
      answers.forEach(({ body }, id) => expect(body.toString()).toBe(`${id}:${`${id}-`.repeat(300 + id)}`));
    }
    for (const client of clients) client.close();
    await eventually("connections to be forgotten", () => server.connectionCount === 0);
  });

  test("answer a peer that has ended its side", async () => {
    const { port } = await run((app) => void app.get("/", async () => pause(20).then(() => "late")), {
      transport,
    });
    const client = await RawClient.open(port);
    client.socket.end(get("/"));
    expect((await client.response()).body.toString()).toBe("late");
    await client.ended();
    client.close();
  });
});

describe("TLS", () => {
  test.each([
    ["the usual choice", undefined, "TLS_AES_128_GCM_SHA256"],
    ["the choice of the option", "TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"],
  ])("its suite is %s", async (_title, ciphers, suite) => {
    const tls = { ...localhost, ...(ciphers === undefined ? {} : { ciphers }) };
    const { port } = await run((app) => void app.get("/", () => "ok"), { tls });
    const { client, socket } = await tlsClient({ port });
    expect(socket.getCipher()).toMatchObject({ standardName: suite });
    client.close();
  });

  test("clients that offer other suites are served", async () => {
    const { port } = await run((app) => void app.get("/", () => "ok"), { tls: localhost });
    for (const offer of [
      "TLS_CHACHA20_POLY1305_SHA256",
      "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384",
    ]) {
      const isOld = offer.startsWith("ECDHE");
      const { client, socket } = await tlsClient({
        port,
        ciphers: offer,
        ...(isOld ? { maxVersion: "TLSv1.2" } : {}),
      });
      expect(offer).toContain(socket.getCipher().name);
      client.close();
    }
  });

  test("serves HTTP/1.1 chosen by ALPN, tells https, and refuses a client that speaks only something else", async () => {
    const { port, server } = await run((app) => void app.get("/", (req) => req.url), { tls: localhost });
    const { client, socket } = await tlsClient({ port, ALPNProtocols: ["spdy/3", "http/1.1"] });
    expect(socket.alpnProtocol).toBe("http/1.1");
    expect((await client.write(get("/")).response()).body.toString()).toBe("https://test/");
    client.close();
    expect(server.urls).toEqual([`https://127.0.0.1:${port}/`]);
    expect((await tlsFailure({ port, ALPNProtocols: ["spdy/3"] })).message).toMatch(
      /no application protocol/iu,
    );
    const without = await tlsClient({ port });
    expect((await without.client.write(get("/")).response()).status).toBe(200);
    without.client.close();
  });

  test("carries large content both ways", async () => {
    const { port } = await run((app) => void app.post("/", async (req) => req.bytes({ limitBytes: 1e7 })), {
      tls: localhost,
    });
    const { client } = await tlsClient({ port });
    const body = Buffer.alloc(2_000_000, "abcdefg").toString("latin1");
    const response = await client.write(post("/", body)).response();
    expect(response.body.toString("latin1") === body).toBe(true);
    client.close();
  });

  test("shows the certificate of the name that the client asks for", async () => {
    const names = { "example.org": example, "*.Example.net": wildcard };
    const { port } = await run((app) => void app.get("/", () => "ok"), { tls: { ...localhost, names } });
    const shown = async (servername: string): Promise<string> => {
      const { client, socket } = await tlsClient({ port, servername });
      const { CN } = socket.getPeerCertificate().subject;
      client.close();
      return String(CN);
    };
    expect(await shown("example.org")).toBe("example.org");
    expect(await shown("EXAMPLE.org")).toBe("example.org");
    expect(await shown("a.example.net")).toBe("*.example.net");
    expect(await shown("a.b.example.net")).toBe("localhost");
    expect(await shown("example.net")).toBe("localhost");
    expect(await shown("constructor")).toBe("localhost");
  });

  test("refuses old versions and goes on serving through failed handshakes", async () => {
    const { port, server } = await run((app) => void app.get("/", () => "ok"), { tls: localhost });
    await tlsFailure({ port, minVersion: "TLSv1", maxVersion: "TLSv1.1" });
    const noise = await Promise.all(Array.from({ length: 50 }, () => RawClient.open(port)));
    for (const client of noise) client.write("GET / HTTP/1.1\r\n\r\n");
    await Promise.all(noise.map((client) => client.ended()));
    const resets = await Promise.all(Array.from({ length: 50 }, () => RawClient.open(port)));
    for (const client of resets) client.socket.resetAndDestroy();
    const { client } = await tlsClient({ port });
    expect((await client.write(get("/")).response()).status).toBe(200);
    client.close();
    for (const one of noise) one.close();
    await eventually("connections to be forgotten", () => server.connectionCount === 0);
  });

  test("closing does not wait for a handshake that never ends", async () => {
    const { port, server } = await run(() => undefined, { tls: localhost });
    const client = await RawClient.open(port);
    await pause(20);
    await server.close();
    await client.ended(1000);
    client.close();
  });
});

describe("binding", () => {
  test("several listeners of one server", async () => {
    const path = join(folder, "several.sock");
    const { server } = await run((app) => void app.get("/", (req) => new URL(req.url).protocol), {
      listeners: [{ host: "127.0.0.1" }, { host: "127.0.0.1", tls: localhost }, { path }],
    });
    const [plain, secure, unix] = server.addresses;
    expect((await ask(plain!.port, get("/"))).body.toString()).toBe("http:");
    const { client } = await tlsClient({ port: secure!.port });
    expect((await client.write(get("/")).response()).body.toString()).toBe("https:");
    client.close();
    expect(unix).toEqual({ host: "", port: 0, path });
    const local = await RawClient.open({ path });
    expect((await local.write(get("/")).response()).body.toString()).toBe("http:");
    local.close();
    expect(server.urls).toEqual([`http://127.0.0.1:${plain!.port}/`, `https://127.0.0.1:${secure!.port}/`]);
  });

  test.each([true, false])(
    "a Unix socket, removed with its listener (read in place: %s)",
    async (readsInPlace) => {
      const path = join(folder, `one-${readsInPlace}.sock`);
      const transport = createNodeTransport({ readsInPlace });
      const { server } = await run((app) => void app.post("/", async (req) => req.text()), {
        path,
        transport,
      });
      const client = await RawClient.open({ path });
      const body = "x".repeat(200_000);
      expect((await client.write(post("/", body)).response()).body.length).toBe(200_000);
      client.close();
      await server.close();
      expect(existsSync(path)).toBe(false);
    },
  );

  test.runIf(hasIpv6)("IPv6 alone and both versions at once", async () => {
    const routes = (app: App): void => void app.get("/", (req) => req.ip);
    const six = await run(routes, { host: "::1" });
    expect(six.server.urls).toEqual([`http://[::1]:${six.port}/`]);
    const client = await RawClient.open({ host: "::1", port: six.port });
    expect((await client.write(get("/")).response()).body.toString()).toBe("::1");
    client.close();

    const both = await run(routes, { host: "::" });
    expect((await ask(both.port, get("/"))).body.toString()).toBe("::ffff:127.0.0.1");
    const only = await run(routes, { host: "::", ipv6Only: true });
    await expect(RawClient.open({ host: "127.0.0.1", port: only.port })).rejects.toThrow(/ECONNREFUSED/u);
    const open = await RawClient.open({ host: "::1", port: only.port });
    expect((await open.write(get("/")).response()).status).toBe(200);
    open.close();
  });

  test("an address in use is a clear error and leaves nothing bound", async () => {
    const { port } = await run(() => undefined);
    const probe = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => probe.once("listening", resolve));
    const free = (probe.address() as { port: number }).port;
    await new Promise((resolve) => probe.close(resolve));
    const listening = new App().listen({
      memoryMiB: 32,
      listeners: [
        { host: "127.0.0.1", port: free },
        { host: "127.0.0.1", port },
      ],
    });
    await expect(listening).rejects.toThrow(new RegExp(`EADDRINUSE.*127\\.0\\.0\\.1:${port}`, "u"));
    await expect(RawClient.open(free)).rejects.toThrow(/ECONNREFUSED/u);
  });

  test("the port is free once the server is closed, and refuses while it closes", async () => {
    let release = (): void => undefined;
    const { port, server } = await run((app) => {
      app.get("/", () => new Promise<string>((resolve) => (release = () => resolve("done"))));
    });
    const client = await RawClient.open(port);
    client.write(get("/"));
    await eventually("the handler", () => server.pool.hosts[0]!.sessions.size === 1);
    await pause(20);
    const closing = server.close({ deadlineMs: 3000 });
    await pause(20);
    await expect(RawClient.open(port)).rejects.toThrow(/ECONNREFUSED/u);
    keep(await new App().get("/", () => "new").listen({ host: "127.0.0.1", port, memoryMiB: 32 }));
    expect((await ask(port, get("/"))).body.toString()).toBe("new");
    release();
    expect((await client.response()).body.toString()).toBe("done");
    client.close();
    expect(await closing).toEqual({ connections: 0, exchanges: 0 });
  });

  test("a connection that is reset before it is accepted harms nobody", async () => {
    const { port, server } = await run((app) => void app.get("/", () => "ok"));
    await Promise.all(
      Array.from(
        { length: 100 },
        () =>
          new Promise<void>((resolve) => {
            const socket = createConnection(port, "127.0.0.1", () => socket.resetAndDestroy());
            socket.on("error", () => undefined);
            socket.on("close", () => resolve());
          }),
      ),
    );
    expect((await ask(port, get("/"))).status).toBe(200);
    await eventually("connections to be forgotten", () => server.connectionCount === 0);
  });
});
