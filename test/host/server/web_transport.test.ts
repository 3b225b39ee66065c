// `app.webtransport` over real UDP: sessions, streams and datagrams, and how they end. The peer is raw QUIC.

import { afterEach, describe, expect, test } from "vitest";
import { App } from "../../../host/server/app.ts";
import { developmentCertificate } from "../../../host/server/development_certificate.ts";
import type { WebTransportOptions, WebTransportSession } from "../../../host/router/index.ts";
import {
  applicationCodeOf,
  WebTransportError,
  wireCodeOf,
} from "../../../host/web_transport/web_transport_error.ts";
import { Frame, Stream, varint } from "../../wire/h3/frames.ts";
import { eventually, gaugeOf, pause, run, type Running } from "./running.ts";
import {
  capsulesOf,
  CLOSE_SESSION,
  closeCapsule,
  DRAIN_SESSION,
  RawTransportClient,
  type RawTransportStream,
} from "./web_transport_client.ts";
import { nextOf, textOf } from "../../runtime/web_streams.ts";

const tls = await developmentCertificate();
const clients: RawTransportClient[] = [];

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

interface Open extends Running {
  readonly client: RawTransportClient;
  readonly stream: RawTransportStream;
  readonly session: WebTransportSession;
}

/** A server with one route, a client, and a session between them. */
async function open(options: WebTransportOptions = {}): Promise<Open> {
  const sessions: WebTransportSession[] = [];
  const running = await run(
    (app) => void app.webtransport("/wt", (session) => void sessions.push(session), options),
    {
      tls,
      http3: true,
    },
  );
  const client = await dial(running);
  const { stream } = await client.connect("/wt");
  await eventually("the session", () => sessions.length === 1);
  return { ...running, client, stream, session: sessions[0] as WebTransportSession };
}

async function dial({ port }: { port: number }): Promise<RawTransportClient> {
  const client = await RawTransportClient.connect(port, tls.cert);
  clients.push(client);
  return client;
}

describe("streams", () => {
  test("the peer's, both ways and one way", async () => {
    const { client, stream, session } = await open();
    const both = await client.openIn(stream, false);
    await both.send("ping");
    await both.end();
    const taken = await nextOf(session.incomingBidirectionalStreams);
    expect(await textOf(taken.readable)).toBe("ping");
    const writer = taken.writable.getWriter();
    await writer.write(Buffer.from("pong"));
    await writer.close();
    await eventually("the answer", () => both.isEnded);
    expect(both.bytes.toString()).toBe("pong");

    const one = await client.openIn(stream, true);
    await one.send("alone");
    await one.end();
    expect(await textOf(await nextOf(session.incomingUnidirectionalStreams))).toBe("alone");
  });

  test("the server's, which begin with type and session", async () => {
    const { client, stream, session } = await open();
    const both = await session.createBidirectionalStream();
    const one = await session.createUnidirectionalStream();
    const writer = one.getWriter();
    await writer.write(Buffer.from("news"));
    await writer.close();
    await eventually(
      "both streams",
      () => client.incoming.length === 2 && client.incoming.some((s) => s.isEnded),
    );
    const id = varint(stream.stream.id);
    const [first, second] = client.incoming as [RawTransportStream, RawTransportStream];
    const [bidi, uni] = (first.stream.id & 2) === 0 ? [first, second] : [second, first];
    expect(bidi.bytes).toEqual(Buffer.concat([varint(Frame.webTransport), id]));
    expect(uni.bytes).toEqual(Buffer.concat([varint(Stream.webTransport), id, Buffer.from("news")]));
    await bidi.send("back");
    await bidi.end();
    expect(await textOf(both.readable)).toBe("back");
  });

  test("a megabyte each way, through windows that are smaller", async () => {
    const { client, stream, session } = await open();
    const bytes = Buffer.alloc(1 << 20, "0123456789");
    const both = await client.openIn(stream, false);
    const sending = both.send(bytes).then(() => both.end());
    const taken = await nextOf(session.incomingBidirectionalStreams);
    await taken.readable.pipeTo(taken.writable);
    await sending;
    await eventually("the echo", () => both.isEnded);
    expect(both.bytes.equals(bytes)).toBe(true);
  });

  test("codes of the application, both ways", async () => {
    const { client, stream, session } = await open();
    const one = await client.openIn(stream, true);
    await one.send("x");
    const taken = await nextOf(session.incomingUnidirectionalStreams);
    await one.reset(wireCodeOf(42));
    await expect(textOf(taken)).rejects.toMatchObject({
      name: "WebTransportError",
      streamErrorCode: 42,
      source: "stream",
    });
    const both = await session.createBidirectionalStream();
    await both.writable.abort(new WebTransportError("no", { streamErrorCode: 7 }));
    await eventually("the reset", () => (client.incoming[0]?.error ?? null) !== null);
    expect(client.incoming[0]!.error).toMatchObject({ code: wireCodeOf(7) });
  });

  test("codes lie in their range without those that are reserved", () => {
    const codes = [0, 1, 28, 29, 30, 31, 59, 60, 4294967295];
    expect(codes.map((code) => applicationCodeOf(wireCodeOf(code)))).toEqual(codes);
    expect(codes.every((code) => (wireCodeOf(code) - 0x21n) % 0x1fn !== 0n)).toBe(true);
    expect([wireCodeOf(0), wireCodeOf(4294967295)]).toEqual([0x52e4a40fa8dbn, 0x52e5ac983162n]);
    expect(applicationCodeOf(0x10cn)).toBe(null);
  });
});

describe("datagrams", () => {
  test("both ways", async () => {
    const { client, stream, session } = await open();
    client.sendDatagram(stream, "ping");
    expect(Buffer.from(await nextOf(session.datagrams.readable)).toString()).toBe("ping");
    const writer = session.datagrams.writable.getWriter();
    await writer.write(Buffer.from("pong"));
    await eventually("the datagram", () => client.datagrams.length === 1);
    expect(client.datagrams[0]).toEqual(Buffer.concat([varint(stream.stream.id / 4), Buffer.from("pong")]));
    expect(session.datagrams.maxDatagramSize).toBeGreaterThan(1000);
    // One of the largest size arrives, one that is larger does not.
    await writer.write(Buffer.alloc(session.datagrams.maxDatagramSize));
    await eventually("a large datagram", () => client.datagrams.length === 2);
    await writer.write(Buffer.alloc(70000));
    await expect(writer.write("text" as never)).rejects.toThrow("a datagram is bytes");
  });

  test("of those that wait, the oldest are dropped", async () => {
    const { client, stream, session } = await open();
    session.datagrams.incomingHighWaterMark = 2;
    for (const text of ["a", "b", "c", "d"]) client.sendDatagram(stream, text);
    const last = await client.openIn(stream, true);
    await last.send("x");
    await nextOf(session.incomingUnidirectionalStreams);
    const reader = session.datagrams.readable.getReader();
    const texts = [await reader.read(), await reader.read()].map(({ value }) =>
      Buffer.from(value!).toString(),
    );
    expect(texts).toEqual(["c", "d"]);
  });
});

describe("the end", () => {
  test("the peer closes with code and reason", async () => {
    const { client, stream, session } = await open();
    const one = await session.createUnidirectionalStream();
    const reading = nextOf(session.incomingBidirectionalStreams);
    await stream.send(closeCapsule(7, "bye ✓"));
    expect(await session.closed).toEqual({ closeCode: 7, reason: "bye ✓" });
    await expect(reading).rejects.toThrow("it has ended");
    await expect(one.getWriter().write(Buffer.from("x"))).rejects.toThrow();
    await expect(session.createBidirectionalStream()).rejects.toMatchObject({ source: "session" });
    await eventually("the server's end", () => stream.isEnded);
    await stream.end();
    session.close();
    void client;
  });

  test("this side closes", async () => {
    const { stream, session } = await open();
    expect(() => session.close({ closeCode: -1 })).toThrow("closeCode is -1");
    session.close({ closeCode: 4294967295, reason: "é".repeat(600) });
    expect(await session.closed).toEqual({ closeCode: 4294967295, reason: "é".repeat(512) });
    await eventually("the capsule", () => stream.isEnded);
    const [capsule] = capsulesOf(stream);
    expect(capsule!.type).toBe(CLOSE_SESSION);
    expect(capsule!.payload.subarray(4).toString()).toBe("é".repeat(512));
  });

  test("a connection that is lost", async () => {
    const { client, session, server } = await open();
    expect(await gaugeOf(server, "sessions_wt_open")).toBe(1);
    await client.close();
    await expect(session.closed).rejects.toMatchObject({ name: "WebTransportError", source: "session" });
    await expect(nextOf(session.datagrams.readable)).rejects.toThrow("the session was cut");
    expect(await gaugeOf(server, "sessions_wt_open")).toBe(0);
  });

  test("a handler that reads until its session is cut has not failed", async () => {
    let isDone = false;
    const running = await run(
      (app) =>
        void app.webtransport("/wt", async (session) => {
          try {
            for await (const stream of session.incomingUnidirectionalStreams) await stream.cancel();
          } finally {
            isDone = true;
          }
        }),
      { tls, http3: true },
    );
    const client = await dial(running);
    await client.connect("/wt");
    await client.close();
    await eventually("the handler's end", () => isDone);
    await pause(5);
    expect(running.log.errors).toEqual([]);
  });

  test("a server that closes asks for the end, and waits for it", async () => {
    const { server, stream, session } = await open();
    let isDraining = false;
    void session.draining.then(() => {
      isDraining = true;
      session.close({ closeCode: 1 });
    });
    // As a peer has to that sees the end.
    void eventually("the end", () => stream.isEnded).then(() => stream.end());
    const report = await server.close({ deadlineMs: 4000 });
    expect(isDraining).toBe(true);
    expect(report).toEqual({ connections: 0, exchanges: 0 });
    await eventually("both capsules", () => capsulesOf(stream).length === 2);
    expect(capsulesOf(stream).map(({ type }) => type)).toEqual([DRAIN_SESSION, CLOSE_SESSION]);
  });

  test("a handler that fails closes its session and is logged", async () => {
    const running = await run(
      (app) =>
        void app.webtransport("/wt", async () => {
          await Promise.resolve();
          throw new Error("broken");
        }),
      { tls, http3: true },
    );
    const client = await dial(running);
    const { stream } = await client.connect("/wt");
    await eventually("the end", () => stream.isEnded);
    expect(capsulesOf(stream)[0]!.payload.subarray(4).toString()).toBe("the handler failed");
  });
});

describe("requests for sessions", () => {
  const statusOf = async (client: RawTransportClient, path: string, more: [string, string][] = []) => {
    const { stream, fields } = await client.connect(path, more);
    // The status is the section's first field: an index of the static table, or a literal.
    const text = fields.toString("latin1");
    return { text, stream };
  };

  test("`upgrade` decides, and gives data and fields", async () => {
    const sessions: WebTransportSession<string>[] = [];
    const running = await run(
      (app) =>
        void app.webtransport(
          "/rooms/:room",
          (session: WebTransportSession<string>) => void sessions.push(session),
          {
            upgrade: (request) =>
              request.params.room === "closed"
                ? Response.json({ error: "closed" }, { status: 403 })
                : { data: request.params.room, headers: { "x-room": request.params.room } },
          },
        ),
      { tls, http3: true },
    );
    const client = await dial(running);
    await client.connect("/rooms/a", [["sec-webtransport-http3-draft02", "1"]]);
    await eventually("the session", () => sessions.length === 1);
    expect(sessions[0]!.data).toBe("a");
    const refused = await statusOf(client, "/rooms/closed");
    await eventually("the refusal", () => refused.stream.isEnded);
    expect(refused.stream.bytes.toString("latin1")).toContain('{"error":"closed"}');
    expect(sessions).toHaveLength(1);
  });

  test("pages of other origins are refused", async () => {
    const { client, port } = await open();
    const refused = await statusOf(client, "/wt", [["origin", "https://elsewhere.example"]]);
    await eventually("the refusal", () => refused.stream.isEnded);
    const own = await statusOf(client, "/wt", [["origin", `https://localhost:${port}`]]);
    expect(own.stream.isEnded).toBe(false);
  });

  test("the seventeenth of a connection is refused", async () => {
    const { client } = await open();
    for (let count = 1; count < 16; count++) await client.connect("/wt");
    const { stream, fields } = await client.connect("/wt");
    await eventually("the refusal", () => stream.error !== null);
    expect(fields).toHaveLength(0);
    expect(stream.error).toMatchObject({ code: 0x10bn });
  });

  test("what is no session is answered 501, and options that are wrong are said", async () => {
    const app = new App();
    app.webtransport("/wt", () => undefined);
    expect((await app.fetch(new Request("https://localhost/wt"))).status).toBe(405);
    expect(() => app.webtransport("/a", 5 as never)).toThrow("webtransport /a: the handler is number");
    expect(() => app.webtransport("/a", () => undefined, { keepAliveMs: -1 })).toThrow("keepAliveMs is -1");
    expect(() => app.webtransport("/a", () => undefined, { ping: 1 } as never)).toThrow('"ping" is unknown');
  });
});
