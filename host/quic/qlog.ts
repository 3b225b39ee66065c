// qlog of QUIC connections on request: one trace for each, as JSON text sequences (draft-ietf-quic-qlog-main-schema, RFC 7464), which
// qvis and the like read.
//
// What is told: packets sent and received with the types, numbers and lengths of their frames, packets lost, the metrics of recovery
// as they change, updates of keys, and how far the connection is. Never told: keys, tokens, and anything that streams, datagrams or
// CRYPTO frames carry.

import { randomBytes } from "node:crypto";
import { createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import { CloseFlag, PacketLogFlag, QuicStat } from "../engine/index.ts";
import type { QuicEvents } from "../engine/quic_events.ts";
import { qlogFrames } from "./qlog_frames.ts";

/** Where a trace goes: text as it comes, and its end. A stream of Node's is one. */
export interface QlogWriter {
  write(text: string): unknown;
  end(): unknown;
}

/**
 * Where traces go: a folder, which is made, for files called `NAME.sqlog`; or a function that is called with the name of each trace
 * and answers what it is written to.
 */
export type QlogTarget = string | ((name: string) => QlogWriter);

export interface QlogOptions {
  readonly target: QlogTarget;
  readonly role: "client" | "server";
  /** By QuicStat; null where the connection is gone. */
  readonly stats: (connection: number) => Float64Array | null;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

const RECORD_SEPARATOR = "\u001e";
const NAME_BYTES = 8;
const PACKET_TYPES = ["initial", "handshake", "1RTT"];

/** What metrics of recovery are called, by QuicStat. */
const METRICS: readonly (readonly [QuicStat, string])[] = [
  [QuicStat.MIN_RTT_MS, "min_rtt"],
  [QuicStat.SMOOTHED_RTT_MS, "smoothed_rtt"],
  [QuicStat.LATEST_RTT_MS, "latest_rtt"],
  [QuicStat.CONGESTION_WINDOW_BYTES, "congestion_window"],
  [QuicStat.BYTES_IN_FLIGHT, "bytes_in_flight"],
];

class Trace {
  readonly #writer: QlogWriter;
  readonly #startMs: number;
  readonly metrics = new Map<string, number>();
  keyUpdates = 0;
  state = "";

  constructor({ target, role, now }: QlogOptions) {
    const name = `${randomBytes(NAME_BYTES).toString("hex")}_${role}`;
    this.#writer = typeof target === "string" ? openFile(target, name) : target(name);
    this.#startMs = now();
    this.#record({
      file_schema: "urn:ietf:params:qlog:file:sequential",
      serialization_format: "application/qlog+json-seq",
      title: name,
      trace: {
        vantage_point: { type: role },
        event_schemas: ["urn:ietf:params:qlog:events:quic"],
        common_fields: {
          time_format: "relative_to_epoch",
          reference_time: {
            clock_type: "monotonic",
            epoch: "unknown",
            wall_clock_time: new Date().toISOString(),
          },
        },
      },
    });
  }

  event(nowMs: number, name: string, data: Readonly<Record<string, unknown>>): void {
    this.#record({ time: Math.round((nowMs - this.#startMs) * 1000) / 1000, name: `quic:${name}`, data });
  }

  end(): void {
    this.#writer.end();
  }

  #record(record: Readonly<Record<string, unknown>>): void {
    this.#writer.write(`${RECORD_SEPARATOR}${JSON.stringify(record)}\n`);
  }
}

function openFile(folder: string, name: string): QlogWriter {
  mkdirSync(folder, { recursive: true });
  const stream = createWriteStream(join(folder, `${name}.sqlog`), { mode: 0o600 });
  // A full disk costs the log, not the server.
  stream.on("error", () => undefined);
  return stream;
}

/** The same events, told to a trace for each connection as well. */
export function withQlog(events: QuicEvents, options: QlogOptions): QuicEvents {
  const { role, now, stats } = options;
  const traces = new Map<number, Trace>();
  const traceOf = (connection: number): Trace => {
    let trace = traces.get(connection);
    if (trace === undefined) {
      traces.set(connection, (trace = new Trace(options)));
      toState(trace, "attempted");
    }
    return trace;
  };
  const toState = (trace: Trace, state: string): void => {
    const old = trace.state === "" ? {} : { old: trace.state };
    trace.event(now(), "connection_state_updated", { ...old, new: state });
    trace.state = state;
  };
  const tellStats = (connection: number, trace: Trace): void => {
    const values = stats(connection);
    if (values === null) return;
    const changed: Record<string, number> = {};
    for (const [stat, name] of METRICS) {
      const value = values[stat] as number;
      if (trace.metrics.get(name) === value) continue;
      trace.metrics.set(name, value);
      changed[name] = value;
    }
    if (Object.keys(changed).length !== 0) trace.event(now(), "recovery_metrics_updated", changed);
    const updates = values[QuicStat.KEY_UPDATES] as number;
    for (; trace.keyUpdates < updates; trace.keyUpdates++)
      trace.event(now(), "key_updated", { key_type: `${role}_1rtt_secret`, key_phase: trace.keyUpdates + 1 });
  };
  return {
    ...events,
    accepted: (connection, endpoint, address) => {
      traceOf(connection);
      events.accepted(connection, endpoint, address);
    },
    connected: (connection, flags, alpn, serverName) => {
      toState(traceOf(connection), "handshake_complete");
      events.connected(connection, flags, alpn, serverName);
    },
    confirmed: (connection) => {
      toState(traceOf(connection), "handshake_confirmed");
      events.confirmed(connection);
    },
    closed: (connection, flags, code, reason, status) => {
      const trace = traceOf(connection);
      const codeName = flags & CloseFlag.APPLICATION ? "application_code" : "connection_code";
      const owner = flags & CloseFlag.REMOTE ? "remote" : "local";
      trace.event(now(), "connection_closed", { owner, [codeName]: Number(code) });
      toState(trace, "closed");
      trace.end();
      traces.delete(connection);
      events.closed(connection, flags, code, reason, status);
    },
    packet: (connection, flags, number, size, frames) => {
      const trace = traceOf(connection);
      const isEarly = (flags & PacketLogFlag.EARLY) !== 0;
      const space = (flags >> PacketLogFlag.SPACE_SHIFT) & 3;
      const header = { packet_type: isEarly ? "0RTT" : PACKET_TYPES[space], packet_number: number };
      const what = flags & 3;
      if (what === (PacketLogFlag.LOST as number)) {
        trace.event(now(), "packet_lost", { header, raw: { length: size } });
      } else {
        const isReceived = what === (PacketLogFlag.RECEIVED as number);
        trace.event(now(), isReceived ? "packet_received" : "packet_sent", {
          header,
          raw: { payload_length: frames.length },
          frames: qlogFrames(frames),
        });
      }
      tellStats(connection, trace);
    },
  };
}
