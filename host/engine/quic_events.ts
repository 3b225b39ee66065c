// The engine's events of QUIC as calls on a sink (assembly/abi/event.ts, assembly/abi/quic.ts).

import { EventKind, EventLane } from "../../assembly/abi/event.ts";
import { ADDRESS_BYTES } from "../../assembly/abi/quic.ts";
import type { EngineMemory } from "./memory.ts";

/** What the engine tells of QUIC connections. Bytes are views that are valid during the call. */
export interface QuicEvents {
  /** A server's endpoint has a new connection, with the peer at `address` (20 bytes). */
  accepted(connection: number, endpoint: number, address: Uint8Array): void;
  /** TLS asks (QuestionKind); to be answered by `answer` or `fail`, at once or later. */
  question(connection: number, kind: number, question: Uint8Array): void;
  /** The handshake is complete (ConnectedFlag). `serverName` is what the client asked for, empty if it did not. */
  connected(connection: number, flags: number, alpn: string, serverName: string): void;
  confirmed(connection: number): void;
  /** The connection is over (CloseFlag); its handles are stale. */
  closed(connection: number, flags: number, code: bigint, reason: string, status: number): void;
  /** News of a raw stream (StreamNews). `code` goes with RESET and STOPPED. */
  stream(connection: number, stream: number, news: number, id: number, code: bigint): void;
  /** Streams can be opened again: bit 1 bidirectional, bit 2 unidirectional. */
  openable(connection: number, directions: number): void;
  datagrams(connection: number): void;
  /** To be kept, as secret as a key, to resume. */
  ticket(connection: number, ticket: Uint8Array): void;
  token(connection: number, token: Uint8Array): void;
  keyLog(connection: number, lines: string): void;
  path(connection: number, address: Uint8Array): void;
  /** A packet was sent, received or lost (PacketLogFlag), of connections with PACKET_LOG. `size` is that of a lost one. */
  packet?(connection: number, flags: number, number: number, size: number, frames: Uint8Array): void;
}

const WORD = 0x1_0000_0000;

/** Tells the event in the record at `at`, which nothing overwrites before its sink was called. */
export function readQuicEvent(memory: EngineMemory, sink: QuicEvents, at: number): void {
  const { words, bytes } = memory;
  const kind = words[at] as number;
  const flags = kind >>> 16;
  const connection = words[at + EventLane.CONNECTION] as number;
  const a = words[at + EventLane.A] as number;
  const b = words[at + EventLane.B] as number;
  const c = words[at + EventLane.C] as number;
  const d = words[at + EventLane.D] as number;
  switch (kind & 0xffff) {
    case EventKind.QUIC_STREAM: {
      const stream = words[at + EventLane.EXCHANGE] as number;
      return sink.stream(connection, stream, flags, b * WORD + a, wide(c, d));
    }
    case EventKind.QUIC_DATAGRAM:
      return sink.datagrams(connection);
    case EventKind.QUIC_ACCEPTED:
      return sink.accepted(connection, a, bytes.subarray(b, b + ADDRESS_BYTES));
    case EventKind.QUIC_QUESTION:
      return sink.question(connection, a, bytes.subarray(b, b + c));
    case EventKind.QUIC_CONNECTED:
      return sink.connected(connection, flags, memory.latin1(a, b), memory.latin1(c, d));
    case EventKind.QUIC_CONFIRMED:
      return sink.confirmed(connection);
    case EventKind.QUIC_CLOSED: {
      const status = (words[at + EventLane.E] as number) | 0;
      return sink.closed(connection, flags, wide(a, b), memory.utf8(c, d), status);
    }
    case EventKind.QUIC_OPENABLE:
      return sink.openable(connection, flags);
    case EventKind.QUIC_TICKET:
      return sink.ticket(connection, bytes.subarray(a, a + b));
    case EventKind.QUIC_TOKEN:
      return sink.token(connection, bytes.subarray(a, a + b));
    case EventKind.QUIC_KEY_LOG:
      return sink.keyLog(connection, memory.latin1(a, b));
    case EventKind.QUIC_PACKET: {
      const size = words[at + EventLane.EXCHANGE] as number;
      return sink.packet?.(connection, flags, b * WORD + a, size, bytes.subarray(c, c + d));
    }
    case EventKind.QUIC_PATH:
      return sink.path(connection, bytes.subarray(a, a + ADDRESS_BYTES));
  }
}

function wide(low: number, high: number): bigint {
  return high === 0 ? BigInt(low) : (BigInt(high) << 32n) | BigInt(low);
}
