// qlog of connections, by real sockets: what the sequences of JSON texts say, and what they never say.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { App } from "../../../host/index.ts";
import { HttpClient } from "../../../host/client/http_client.ts";
import { qlogFrames } from "../../../host/quic/qlog_frames.ts";
import { connectQuic } from "../../../host/quic/connect_quic.ts";
import { listenQuic } from "../../../host/quic/listen_quic.ts";
import { developmentCertificate } from "../../../host/server/development_certificate.ts";

const certificate = await developmentCertificate();
const tls = { key: certificate.key, cert: certificate.cert };
const SECRET_TEXT = "nobody else is to read this ".repeat(40);

interface QlogEvent {
  readonly time: number;
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

interface Packet {
  readonly header: { readonly packet_type: string; readonly packet_number: number };
  readonly raw: { readonly payload_length: number };
  readonly frames: readonly Readonly<Record<string, unknown>>[];
}

/** RFC 7464: each text behind a record separator, and a line feed behind it. */
function parseSequence(text: string): { head: Record<string, unknown>; events: QlogEvent[] } {
  expect(text.startsWith("\u001e")).toBe(true);
  expect(text.endsWith("\n")).toBe(true);
  const [head, ...events] = text
    .slice(1)
    .split("\u001e")
    .map((record) => JSON.parse(record) as unknown);
  return { head: head as Record<string, unknown>, events: events as QlogEvent[] };
}

const packetsOf = (events: readonly QlogEvent[], name: string): Packet[] =>
  events.filter((event) => event.name === name).map(({ data }) => data as unknown as Packet);

/** Targets that keep each trace, by its name. */
function collector(): {
  traces: Map<string, string>;
  ended: Set<string>;
  target: (name: string) => { write(text: string): void; end(): void };
} {
  const traces = new Map<string, string>();
  const ended = new Set<string>();
  const target = (name: string) => ({
    write: (text: string) => void traces.set(name, (traces.get(name) ?? "") + text),
    end: () => void ended.add(name),
  });
  return { traces, ended, target };
}

describe("qlog of raw QUIC", () => {
  test("tells of both sides' packets, metrics, keys and states, and nothing of what they carry", async () => {
    const log = collector();
    const keys: string[] = [];
    const tickets: Uint8Array[] = [];
    const listener = await listenQuic(
      { alpn: ["echo"], tls, host: "127.0.0.1", qlog: log.target, keyLog: (lines) => keys.push(lines) },
      async (connection) => {
        for await (const stream of connection.incomingStreams()) void stream.readable.pipeTo(stream.writable);
      },
    );
    const client = await connectQuic({
      alpn: ["echo"],
      host: "127.0.0.1",
      serverName: "localhost",
      ca: certificate.cert,
      port: listener.port,
      qlog: log.target,
      onTicket: (ticket) => tickets.push(ticket),
    });
    await client.connection.confirmed;
    client.connection.updateKeys();
    const stream = await client.connection.openStream();
    const writer = stream.writable.getWriter();
    await writer.write(Buffer.from(SECRET_TEXT));
    await writer.close();
    let echoed = "";
    for await (const chunk of stream.readable) echoed += Buffer.from(chunk).toString();
    expect(echoed).toBe(SECRET_TEXT);
    await vi.waitFor(() => expect(client.connection.stats()!.keyUpdates).toBe(1));
    await client.close({ code: 7, reason: "a reason of mine" });
    await vi.waitFor(() => expect(listener.connectionCount).toBe(0));
    await listener.close();
    expect([...log.traces.keys()].map((name) => name.split("_")[1]).sort()).toEqual(["client", "server"]);
    await vi.waitFor(() => expect(log.ended.size).toBe(2));

    for (const [name, text] of log.traces) {
      const role = name.split("_")[1] as string;
      const { head, events } = parseSequence(text);
      expect(head).toMatchObject({
        file_schema: "urn:ietf:params:qlog:file:sequential",
        serialization_format: "application/qlog+json-seq",
        trace: { vantage_point: { type: role }, event_schemas: ["urn:ietf:params:qlog:events:quic"] },
      });
      const times = events.map(({ time }) => time);
      expect([...times].sort((a, b) => a - b)).toEqual(times);
      const states = events
        .filter((event) => event.name === "quic:connection_state_updated")
        .map(({ data }) => data["new"]);
      expect(states).toEqual(["attempted", "handshake_complete", "handshake_confirmed", "closed"]);
      const sent = packetsOf(events, "quic:packet_sent");
      const received = packetsOf(events, "quic:packet_received");
      for (const packets of [sent, received]) {
        expect(new Set(packets.map(({ header }) => header.packet_type))).toEqual(
          new Set(["initial", "handshake", "1RTT"]),
        );
        const types = new Set(packets.flatMap(({ frames }) => frames.map((frame) => frame["frame_type"])));
        for (const type of ["ack", "crypto", "stream", "padding", "new_connection_id"])
          expect(types).toContain(type);
        expect(types).not.toContain("unknown");
        // The whole stream, once in each direction.
        const carried = packets
          .flatMap(({ frames }) => frames)
          .filter((frame) => frame["frame_type"] === "stream");
        const length = (frame: Readonly<Record<string, unknown>>) =>
          (frame["raw"] as { payload_length: number }).payload_length;
        expect(Math.max(...carried.map((frame) => (frame["offset"] as number) + length(frame)))).toBe(
          SECRET_TEXT.length,
        );
      }
      expect(sent[0]).toMatchObject({ header: { packet_type: "initial", packet_number: 0 } });
      const metrics = events.filter((event) => event.name === "quic:recovery_metrics_updated");
      expect(metrics.some(({ data }) => (data["smoothed_rtt"] as number) > 0)).toBe(true);
      expect(metrics.some(({ data }) => (data["congestion_window"] as number) > 0)).toBe(true);
      const updates = events.filter((event) => event.name === "quic:key_updated");
      expect(updates.map(({ data }) => data)).toEqual([{ key_type: `${role}_1rtt_secret`, key_phase: 1 }]);
      const closed = events
        .filter((event) => event.name === "quic:connection_closed")
        .map(({ data }) => data);
      expect(closed).toEqual([{ owner: role === "client" ? "local" : "remote", application_code: 7 }]);

      // Nothing of content, keys, tickets or reasons, as text or as hexadecimal digits or base64.
      const secrets = [
        ...keys
          .join("\n")
          .split(/\s+/u)
          .filter((word) => word.length >= 32),
        ...tickets.map((ticket) => Buffer.from(ticket).toString("hex").slice(0, 40)),
        Buffer.from(SECRET_TEXT).toString("hex").slice(0, 40),
        Buffer.from(SECRET_TEXT).toString("base64").slice(0, 40),
        SECRET_TEXT.slice(0, 20),
        "a reason of mine",
      ];
      expect(secrets.length).toBeGreaterThan(8);
      for (const secret of secrets) expect(text.includes(secret)).toBe(false);
    }
  });

  test("takes a folder or a function, and nothing else", async () => {
    await expect(
      listenQuic({ alpn: ["x"], tls, host: "127.0.0.1", qlog: 7 as unknown as string }, () => undefined),
    ).rejects.toThrow(
      "QUIC option qlog is 7; it must be the name of a folder, or a function that answers a writer",
    );
  });
});

test("qlog of HTTP/3 is written to files of a folder, one for each connection at each end", async () => {
  const folder = mkdtempSync(join(tmpdir(), "qlog-"));
  const app = new App();
  app.get("/", () => "hello");
  const server = await app.listen({
    host: "127.0.0.1",
    port: 0,
    tls,
    http3: { qlog: join(folder, "traces") },
  });
  const client = new HttpClient({
    protocols: ["h3"],
    tls: { ca: certificate.cert },
    qlog: join(folder, "client"),
  });
  try {
    const response = await client.fetch(`https://localhost:${server.port}/`);
    expect(await response.text()).toBe("hello");
  } finally {
    await client.close();
    await server.close();
  }
  for (const [part, role] of [
    ["traces", "server"],
    ["client", "client"],
  ] as const) {
    await vi.waitFor(() => {
      const files = readdirSync(join(folder, part));
      expect(files).toHaveLength(1);
      expect(files[0]).toMatch(new RegExp(`^[0-9a-f]{16}_${role}\\.sqlog$`, "u"));
      const { events } = parseSequence(readFileSync(join(folder, part, files[0] as string), "utf8"));
      expect(events.at(-1)).toMatchObject({ name: "quic:connection_state_updated", data: { new: "closed" } });
      expect(packetsOf(events, "quic:packet_received").length).toBeGreaterThan(2);
    });
  }
  rmSync(folder, { recursive: true });
});

describe("frames for qlog", () => {
  const framesOf = (...bytes: number[]) => qlogFrames(Uint8Array.from(bytes));

  test("are told by type, numbers and lengths", () => {
    expect(framesOf(0, 0, 0, 1, 6, 0x40, 5, 2, 9, 9)).toEqual([
      { frame_type: "padding", raw: { length: 3 } },
      { frame_type: "ping" },
      { frame_type: "crypto", offset: 5, raw: { payload_length: 2 } },
    ]);
    expect(framesOf(3, 20, 4, 1, 2, 0, 3, 1, 2, 3)).toEqual([
      {
        frame_type: "ack",
        ack_delay_units: 4,
        acked_ranges: [
          [18, 20],
          [13, 16],
        ],
        ect0: 1,
        ect1: 2,
        ce: 3,
      },
    ]);
    expect(framesOf(0x0f, 4, 7, 1, 9, 0x09, 4, 1, 2)).toEqual([
      { frame_type: "stream", stream_id: 4, offset: 7, fin: true, raw: { payload_length: 1 } },
      { frame_type: "stream", stream_id: 4, offset: 0, fin: true, raw: { payload_length: 2 } },
    ]);
    expect(framesOf(0x18, 2, 1, 4, 1, 2, 3, 4, ...new Array<number>(16).fill(5), 0x19, 0)).toEqual([
      { frame_type: "new_connection_id", sequence_number: 2, retire_prior_to: 1, connection_id_length: 4 },
      { frame_type: "retire_connection_id", sequence_number: 0 },
    ]);
    expect(framesOf(0x1c, 10, 6, 1, 65, 0x31, 1, 9, 0x30, 9, 9)).toEqual([
      {
        frame_type: "connection_close",
        error_space: "transport",
        error_code: 10,
        trigger_frame_type: 6,
        reason_length: 1,
      },
      { frame_type: "datagram", raw: { payload_length: 1 } },
      { frame_type: "datagram", raw: { payload_length: 2 } },
    ]);
  });

  test("that are not whole end the list", () => {
    expect(framesOf(1, 6, 0, 9, 1)).toEqual([
      { frame_type: "ping" },
      { frame_type: "unknown", raw: { length: 1 } },
    ]);
  });
});
