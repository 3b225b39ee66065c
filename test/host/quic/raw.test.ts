// Raw QUIC over the loopback interface: this project's client against its server, by real sockets.

import { afterEach, describe, expect, test, vi } from "vitest";
import { connectQuic, type ConnectQuicOptions } from "../../../host/quic/connect_quic.ts";
import { listenQuic, type ListenQuicOptions, type QuicListener } from "../../../host/quic/listen_quic.ts";
import type { QuicConnection } from "../../../host/quic/quic_connection.ts";
import { QuicConnectionError, QuicStreamError } from "../../../host/quic/quic_error.ts";
import type { QuicStream } from "../../../host/quic/quic_stream.ts";
import { developmentCertificate } from "../../../host/server/development_certificate.ts";

const certificate = await developmentCertificate();
const tls = { key: certificate.key, cert: certificate.cert };

let listener: QuicListener | null = null;

afterEach(async () => {
  await listener?.close();
  listener = null;
});

/** Sends back what each stream brings, and each datagram. */
async function echo(connection: QuicConnection): Promise<void> {
  void (async () => {
    for await (const datagram of connection.incomingDatagrams()) connection.sendDatagram(datagram);
  })();
  for await (const stream of connection.incomingStreams()) {
    stream.readable.pipeTo(stream.writable).catch(() => undefined);
  }
}

async function serve(options: Partial<ListenQuicOptions> = {}): Promise<number> {
  listener = await listenQuic(
    { alpn: ["echo"], tls, host: "127.0.0.1", ...options },
    (connection) => void echo(connection),
  );
  return listener.port;
}

function dial(port: number, options: Partial<ConnectQuicOptions> = {}) {
  return connectQuic({
    alpn: ["echo"],
    host: "127.0.0.1",
    serverName: "localhost",
    ca: certificate.cert,
    port,
    ...options,
  });
}

async function readAll(stream: QuicStream): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream.readable) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function roundTrip(connection: QuicConnection, bytes: Uint8Array): Promise<Buffer> {
  const stream = await connection.openStream();
  const writer = stream.writable.getWriter();
  const sending = writer.write(bytes).then(() => writer.close());
  const answer = await readAll(stream);
  await sending;
  return answer;
}

const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7) & 0xff));

/** Compared as a whole: a matcher would look at every byte. */
async function expectEcho(connection: QuicConnection): Promise<void> {
  expect(content.equals(await roundTrip(connection, content))).toBe(true);
}

describe("raw QUIC", () => {
  test("echoes streams", async () => {
    const port = await serve();
    const client = await dial(port);
    expect(client.connection.alpn).toBe("echo");
    await expectEcho(client.connection);
    const stats = client.connection.stats()!;
    expect(stats.version).toBe(1);
    expect(stats.cipherSuite).toBe(0x1303);
    expect(stats.bytesSent).toBeGreaterThan(content.length);
    await client.close({ code: 3n, reason: "done" });
    expect(await client.connection.closed).toMatchObject({ code: 3n, isApplication: true, isRemote: false });
  });

  test.each([
    ["AES-128", { cipher: "TLS_AES_128_GCM_SHA256" }, {}, 0x1301],
    ["AES-256", { cipher: "TLS_AES_256_GCM_SHA384" }, {}, 0x1302],
    ["P-256, which takes a HelloRetryRequest", { groups: ["P-256"] }, {}, 0x1303],
    ["version 2", {}, { version: 2 }, 0x1303],
    ["a Retry", { retry: true }, {}, 0x1303],
    ["NewReno", { congestion: "reno" }, { congestion: "reno" }, 0x1303],
    ["BBR", { congestion: "bbr" }, { congestion: "bbr" }, 0x1303],
  ] as const)("does with %s", async (_name, server, client, suite) => {
    const port = await serve(server);
    const { connection, close } = await dial(port, client);
    await expectEcho(connection);
    expect(connection.stats()).toMatchObject({ cipherSuite: suite, version: "version" in client ? 2 : 1 });
    await close();
  });

  test("has two thousand streams, as the peer lets them", async () => {
    const port = await serve({ bidiStreams: 50 });
    const { connection, close } = await dial(port);
    const answers = await Promise.all(
      Array.from({ length: 2000 }, (_, index) => roundTrip(connection, Buffer.from(`stream ${index}`))),
    );
    expect(answers.map(String)).toEqual(Array.from({ length: 2000 }, (_, index) => `stream ${index}`));
    await close();
  });

  test("resumes with a ticket, and sends before the handshake is complete", async () => {
    const port = await serve({ earlyData: true });
    const tickets: Uint8Array[] = [];
    const first = await dial(port, { onTicket: (ticket) => tickets.push(ticket) });
    await roundTrip(first.connection, Buffer.from("one"));
    await expect.poll(() => tickets.length).toBeGreaterThan(0);
    await first.close();
    const second = await dial(port, { ticket: tickets[0]!, earlyData: true });
    expect(String(await roundTrip(second.connection, Buffer.from("early")))).toBe("early");
    await second.connection.ready;
    expect(second.connection.isResumed).toBe(true);
    expect(second.connection.isEarlyDataAccepted).toBe(true);
    await second.close();
    // A ticket works once: the third goes by a full handshake, or without early data, and nothing is lost.
    const third = await dial(port, { ticket: tickets[0]!, earlyData: true });
    expect(String(await roundTrip(third.connection, Buffer.from("again")))).toBe("again");
    expect(third.connection.isEarlyDataAccepted).toBe(false);
    await third.close();
  });

  test("updates its keys and moves to another port", async () => {
    const port = await serve();
    const { connection, close, migrate } = await dial(port);
    await roundTrip(connection, content);
    await connection.confirmed;
    connection.updateKeys();
    await expectEcho(connection);
    await migrate();
    await expectEcho(connection);
    await vi.waitFor(() => expect(connection.pathChanges).toBe(1));
    expect(connection.stats()!.keyUpdates).toBe(1);
    await close();
  });

  test.each([
    ["", {}, {}],
    [", after a Retry", { retry: true }, {}],
    [", after a HelloRetryRequest", { groups: ["P-256"] }, {}],
  ] as const)("goes over to the version that the server prefers%s", async (_name, server, client) => {
    const port = await serve({ preferredVersion: 2, ...server });
    const { connection, close } = await dial(port, client);
    expect(connection.stats()?.version).toBe(2);
    await expectEcho(connection);
    await close();
  });

  test("keeps its version with early data that the server takes", async () => {
    const port = await serve({ preferredVersion: 2, earlyData: true });
    let ticket: Uint8Array | undefined;
    const first = await dial(port, { onTicket: (bytes) => (ticket = bytes), earlyData: true });
    expect(first.connection.stats()?.version).toBe(2);
    await vi.waitFor(() => expect(ticket).toBeDefined());
    await first.close();
    const { connection, close } = await dial(port, { ticket: ticket!, earlyData: true });
    await expectEcho(connection);
    expect([connection.isEarlyDataAccepted, connection.stats()?.version]).toEqual([true, 1]);
    await close();
  });

  test("goes to the server's preferred address, and to fresh connection IDs", async () => {
    const port = await serve({ preferredAddress: { host: "127.0.0.1" } });
    const { connection, close } = await dial(port);
    await vi.waitFor(() => expect(connection.pathChanges).toBe(1));
    expect(connection.remotePort).not.toBe(port);
    await expectEcho(connection);
    expect(connection.retireConnectionIds()).toBe(true);
    await expectEcho(connection);
    await close();
    await expect(serve({ preferredAddress: { host: "localhost" } })).rejects.toThrow(
      'QUIC option preferredAddress.host is "localhost"; it must be an IP address, and not that of any host',
    );
  });

  test("carries datagrams", async () => {
    const port = await serve();
    const { connection, close } = await dial(port);
    expect(connection.sendDatagram(Buffer.from("ping"))).toBe(true);
    for await (const datagram of connection.incomingDatagrams()) {
      expect(String(Buffer.from(datagram))).toBe("ping");
      break;
    }
    await close();
  });

  test("tells the code of a stream that was reset", async () => {
    listener = await listenQuic({ alpn: ["echo"], tls, host: "127.0.0.1" }, async (connection) => {
      for await (const stream of connection.incomingStreams()) stream.abort(42n);
    });
    const { connection, close } = await dial(listener.port);
    const stream = await connection.openStream();
    await stream.writable.getWriter().write(Buffer.from("x"));
    const error = await readAll(stream).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(QuicStreamError);
    expect((error as QuicStreamError).code).toBe(42n);
    await close();
  });

  test("refuses a certificate of nobody it trusts", async () => {
    const port = await serve();
    const other = await developmentCertificate();
    const error = await dial(port, { ca: other.cert }).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(QuicConnectionError);
    expect((error as QuicConnectionError).code).toBeGreaterThanOrEqual(0x100n);
  });

  test("refuses a protocol that it does not speak", async () => {
    const port = await serve();
    const error = await dial(port, { alpn: ["other"] }).catch((cause: unknown) => cause);
    // RFC 9001 §8.1: no_application_protocol, 120.
    expect((error as QuicConnectionError).code).toBe(0x178n);
  });

  test.each([
    [{ alpn: [] }, /alpn is \[\]/],
    [{ cipher: "RC4" }, /cipher is "RC4"; it must be one of/],
    [{ congestion: "vegas" }, /congestion is "vegas"; it must be cubic, reno or bbr/],
    [{ mtuMost: 100 }, /mtuMost is 100/],
  ])("says what is wrong with %j", async (options, message) => {
    await expect(serve(options as unknown as Partial<ListenQuicOptions>)).rejects.toThrow(message);
  });
});
