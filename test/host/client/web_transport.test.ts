// The client of WebTransport against this project's server, over real UDP: sessions, streams, datagrams, and how they end or do not begin.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, test, vi } from "vitest";
import { WebTransport, type WebTransportClientOptions } from "../../../host/client/web_transport.ts";
import { listenQuic } from "../../../host/quic/listen_quic.ts";
import type { WebTransportOptions, WebTransportSession } from "../../../host/router/index.ts";
import type { ListenOptions } from "../../../host/server/options.ts";
import { developmentCertificate } from "../../../host/server/development_certificate.ts";
import { WebTransportError } from "../../../host/web_transport/web_transport_error.ts";
import { eventually, gaugeOf, run, type Running } from "../server/running.ts";
import { nextOf, textOf, writeText } from "../../runtime/web_streams.ts";

const tls = await developmentCertificate();
const clients: WebTransport[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) {
    client.close();
    await client.closed.catch(() => undefined);
  }
});

interface Open extends Running {
  readonly client: WebTransport;
  readonly session: WebTransportSession;
}

/** A server with one route. */
async function serve(
  handler: (session: WebTransportSession) => void,
  options: WebTransportOptions = {},
  listen: ListenOptions = {},
): Promise<Running> {
  return run((app) => void app.webtransport("/wt/:name", handler, options), { tls, http3: true, ...listen });
}

function dial(port: number, path = "/wt/a", options: WebTransportClientOptions = {}): WebTransport {
  const client = new WebTransport(`https://127.0.0.1:${port}${path}`, { tls: { ca: tls.cert }, ...options });
  clients.push(client);
  return client;
}

/** Both ends of one session. */
async function open(
  options: WebTransportOptions = {},
  client: WebTransportClientOptions = {},
  listen: ListenOptions = {},
): Promise<Open> {
  const sessions: WebTransportSession[] = [];
  const running = await serve((session) => void sessions.push(session), options, listen);
  const dialled = dial(running.port, "/wt/a", client);
  await dialled.ready;
  await eventually("the session", () => sessions.length === 1);
  return { ...running, client: dialled, session: sessions[0] as WebTransportSession };
}

describe("streams", () => {
  test("of both sides and both kinds", async () => {
    const { client, session } = await open();
    for (const [from, to] of [
      [client, session],
      [session, client],
    ] as const) {
      const both = await from.createBidirectionalStream();
      await writeText(both.writable, "ping");
      const taken = await nextOf(to.incomingBidirectionalStreams);
      expect(await textOf(taken.readable)).toBe("ping");
      await writeText(taken.writable, "pong");
      expect(await textOf(both.readable)).toBe("pong");
      await writeText(await from.createUnidirectionalStream(), "alone");
      expect(await textOf(await nextOf(to.incomingUnidirectionalStreams))).toBe("alone");
    }
  });

  test("a megabyte each way, through windows that are smaller", async () => {
    const { client, session } = await open();
    const bytes = Buffer.alloc(1 << 20, "0123456789");
    const both = await client.createBidirectionalStream();
    const writer = both.writable.getWriter();
    const sending = writer.write(bytes).then(() => writer.close());
    const taken = await nextOf(session.incomingBidirectionalStreams);
    const echoing = taken.readable.pipeTo(taken.writable);
    expect((await textOf(both.readable)) === bytes.toString("latin1")).toBe(true);
    await Promise.all([sending, echoing]);
  });

  test("read into buffers of the reader's own", async () => {
    const { client, session } = await open();
    await writeText(await client.createUnidirectionalStream(), "0123456789");
    const stream = await nextOf(session.incomingUnidirectionalStreams);
    const reader = stream.getReader({ mode: "byob" });
    const first = await reader.read(new Uint8Array(new ArrayBuffer(16), 8, 4));
    expect(Buffer.from(first.value!).toString()).toBe("0123");
    expect([first.value!.byteOffset, first.value!.buffer.byteLength]).toEqual([8, 16]);
    const second = await reader.read(new Uint8Array(16));
    expect(Buffer.from(second.value!).toString()).toBe("456789");
    expect(await reader.read(new Uint8Array(16))).toMatchObject({ done: true });
  });

  test("more than the server allows at a time wait for room", async () => {
    const { client, session } = await open({}, {}, { limits: { quicBidiStreamCount: 8 } });
    void (async () => {
      for await (const { readable, writable } of session.incomingBidirectionalStreams)
        readable.pipeTo(writable).catch(() => undefined);
    })();
    const echoes = Array.from({ length: 40 }, async (_, index) => {
      const { readable, writable } = await client.createBidirectionalStream();
      await writeText(writable, String(index));
      return textOf(readable);
    });
    expect(await Promise.all(echoes)).toEqual(Array.from({ length: 40 }, (_, index) => String(index)));
  });

  test("codes of the application, both ways", async () => {
    const { client, session } = await open();
    const one = await client.createUnidirectionalStream();
    const writer = one.getWriter();
    await writer.write(Buffer.from("x"));
    const taken = await nextOf(session.incomingUnidirectionalStreams);
    await writer.abort(new WebTransportError("no", { streamErrorCode: 42 }));
    await expect(textOf(taken)).rejects.toMatchObject({ source: "stream", streamErrorCode: 42 });
    const both = await client.createBidirectionalStream();
    const far = await (async () => {
      const first = both.writable.getWriter();
      await first.write(Buffer.from("y"));
      first.releaseLock();
      return nextOf(session.incomingBidirectionalStreams);
    })();
    await far.readable.cancel(new WebTransportError("enough", { streamErrorCode: 7 }));
    await expect(both.writable.getWriter().closed).rejects.toMatchObject({
      name: "WebTransportError",
      source: "stream",
      streamErrorCode: 7,
    });
  });

  test("what is asked for before the session is open waits for it", async () => {
    const sessions: WebTransportSession[] = [];
    const { port } = await serve((session) => void sessions.push(session));
    const client = dial(port);
    const datagram = client.datagrams.writable.getWriter().write(Buffer.from("early"));
    await writeText(await client.createUnidirectionalStream(), "first");
    await datagram;
    expect(await textOf(await nextOf(sessions[0]!.incomingUnidirectionalStreams))).toBe("first");
    expect(Buffer.from(await nextOf(sessions[0]!.datagrams.readable)).toString()).toBe("early");
  });
});

test("datagrams go both ways, whole", async () => {
  const { client, session } = await open();
  const most = client.datagrams.maxDatagramSize;
  expect(most).toBeGreaterThan(1000);
  const writer = client.datagrams.writable.getWriter();
  await writer.write(Buffer.alloc(most, "a"));
  expect(await nextOf(session.datagrams.readable)).toHaveLength(most);
  await session.datagrams.writable.getWriter().write(Buffer.from("pong"));
  expect(Buffer.from(await nextOf(client.datagrams.readable)).toString()).toBe("pong");
  await expect(writer.write("text" as never)).rejects.toThrow("a datagram is bytes");
});

describe("the end", () => {
  test("the client closes with code and reason", async () => {
    const { client, session, server } = await open();
    const one = await session.createUnidirectionalStream();
    expect(() => client.close({ closeCode: 2 ** 32 })).toThrow("closeCode is 4294967296");
    expect(() => client.close({ reason: 5 as never })).toThrow("reason is number");
    client.close({ closeCode: 7, reason: "bye ✓" });
    expect(await client.closed).toEqual({ closeCode: 7, reason: "bye ✓" });
    expect(await session.closed).toEqual({ closeCode: 7, reason: "bye ✓" });
    await expect(one.getWriter().write(Buffer.from("x"))).rejects.toThrow();
    await expect(client.createBidirectionalStream()).rejects.toMatchObject({ source: "session" });
    expect((await nextOf(client.datagrams.readable).catch((error: Error) => error)) instanceof Error).toBe(
      true,
    );
    // The connection goes with its session, and nothing is left of either.
    for (const what of ["connections_open", "sessions_wt_open", "exchanges_open"])
      await vi.waitFor(async () => expect(await gaugeOf(server, what)).toBe(0), 1500);
  });

  test("the server closes", async () => {
    const { client, session } = await open();
    const both = await client.createBidirectionalStream();
    session.close({ closeCode: 4294967295, reason: "enough" });
    expect(await client.closed).toEqual({ closeCode: 4294967295, reason: "enough" });
    await expect(both.writable.getWriter().closed).rejects.toThrow("the session is closed");
    await client.draining;
    client.close();
  });

  test("a server that closes asks for the end, and waits for it", async () => {
    const { client, server } = await open();
    void client.draining.then(() => client.close({ closeCode: 1 }));
    expect(await server.close({ deadlineMs: 4000 })).toEqual({ connections: 0, exchanges: 0 });
    expect(await client.closed).toMatchObject({ closeCode: 1 });
  });

  test("a server that is cut cuts its sessions", async () => {
    const { client, server } = await open();
    const reading = nextOf(client.incomingUnidirectionalStreams);
    await server.close({ deadlineMs: 0 });
    const error = await client.closed.catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(WebTransportError);
    expect(error).toMatchObject({ source: "session", streamErrorCode: null });
    await expect(reading).rejects.toBe(error);
  });
});

describe("sessions that are not opened", () => {
  const failureOf = async (client: WebTransport) => {
    const error = await client.ready.catch((cause: unknown) => cause);
    await expect(client.closed).rejects.toBe(error);
    await expect(client.createBidirectionalStream()).rejects.toBe(error);
    expect(error).toBeInstanceOf(WebTransportError);
    return error as WebTransportError;
  };

  test("refused by the handler, by the router, and for its origin", async () => {
    const { port, server } = await serve(() => undefined, {
      upgrade: ({ headers }) =>
        headers.get("x-pass") === "open" ? undefined : new Response("no", { status: 403 }),
    });
    expect((await failureOf(dial(port))).message).toBe("the server answered 403");
    expect((await failureOf(dial(port, "/elsewhere"))).message).toBe("the server answered 404");
    const headers = { "X-Pass": "open" };
    const from = (origin: string) => dial(port, "/wt/a", { headers: { ...headers, origin } });
    expect((await failureOf(from("https://other.example"))).message).toBe("the server answered 403");
    await from(`https://127.0.0.1:${port}`).ready;
    await dial(port, "/wt/a", { headers }).ready;
    expect(await gaugeOf(server, "sessions_wt_open")).toBe(2);
  });

  test("a server without WebTransport, one without HTTP/3, and one that nobody vouches for", async () => {
    const plain = await run((app) => void app.get("/", () => "x"), { tls, http3: true });
    expect((await failureOf(dial(plain.port, "/"))).message).toBe("the server takes no WebTransport here");
    const { port } = await serve(() => undefined);
    const error = await failureOf(dial(port, "/wt/a", { tls: {} }));
    expect(error.message).toBe("the connection could not be made");
    expect((error.cause as Error).message).toMatch(/certificate/u);
    await dial(port, "/wt/a", { tls: { rejectUnauthorized: false } }).ready;
    const raw = await listenQuic({ alpn: ["other"], host: "127.0.0.1", port: 0, tls }, () => undefined);
    expect((await failureOf(dial(raw.port))).message).toBe("the connection could not be made");
    await raw.close();
  });

  test("nobody answers in time, and who closes before that", async () => {
    const silent = createSocket("udp4");
    silent.bind(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address();
    const late = dial(port, "/", { connectTimeoutMs: 50 });
    expect((await failureOf(late)).message).toBe("the session was not open within 50 ms");
    const closed = dial(port, "/");
    closed.close({ closeCode: 1 });
    expect((await failureOf(closed)).message).toBe("the session was closed before it was open");
    silent.close();
  });

  test("what cannot be asked for is said at once", () => {
    const make = (url: string, options: object) => () => new WebTransport(url, options);
    expect(make("http://localhost/", {})).toThrow("http: is no scheme of WebTransport");
    expect(make("https://localhost/#a", {})).toThrow("has no fragment");
    const of = (options: object) => make("https://localhost/", options);
    expect(of({ pooling: true })).toThrow('WebTransport option "pooling" is unknown; there are tls, headers');
    expect(of({ tls: { roots: 1 } })).toThrow('WebTransport option tls: "roots" is unknown');
    expect(of({ keepAliveMs: -1 })).toThrow(
      "WebTransport option keepAliveMs is -1; it must be a whole number",
    );
    expect(of({ connectTimeoutMs: 0 })).toThrow("connectTimeoutMs is 0");
    expect(of({ headers: "a: b" })).toThrow('headers is "a: b"; it must be an object');
    expect(of({ headers: { Host: "a" } })).toThrow("headers names host");
    expect(of({ headers: { a: 5 } })).toThrow("headers: a is 5; it must be a string");
  });
});
