// The engine's events as calls on a sink (assembly/abi/event.ts).
//
// Records are read through one typed array and given back one by one: a call of the sink may cause further events, which are
// told in the same pass.

import { EventFlag, EventKind, EventLane } from "../../assembly/abi/event.ts";
import { Layout } from "../../assembly/abi/layout.ts";
import type { EngineMemory } from "./memory.ts";
import { type QuicEvents, readQuicEvent } from "./quic_events.ts";
import { ReceivedHead } from "./received_head.ts";
import { readSessionEvent, type SessionEvents } from "./session_events.ts";
import { SocketPayload } from "./socket_payload.ts";

/** What the engine tells of WebSockets; `socket` is the handle of the exchange whose handshake opened it. */
export interface SocketEvents {
  /** Client role: the server agreed, and to which parameters of the extension (assembly/abi/deflate_parameters.ts). */
  socketOpen(connection: number, socket: number, head: ReceivedHead, deflate: number): void;
  /** A piece of a message (SocketFlag); `missing` bytes of its frame are still to come. */
  socketData(socket: number, flags: number, payload: SocketPayload, missing: number): void;
  /** A ping, to be answered with its payload. */
  socketPing(socket: number, payload: SocketPayload): void;
  socketPong(socket: number, payload: SocketPayload): void;
  /** The end: the peer's code and reason, or why else. Flag ANSWER_OWED: the host is to answer by `closeSocket`. */
  socketClose(socket: number, flags: number, code: number, reason: string, status: number): void;
}

/** What the engine tells, in the order in which it happened. Handles are numbers; bytes are views valid during the call. */
export interface EventSink {
  request(connection: number, exchange: number, head: ReceivedHead): void;
  response(connection: number, exchange: number, head: ReceivedHead): void;
  informational(connection: number, exchange: number, statusCode: number, head: ReceivedHead): void;
  /**
   * `bytes` is valid during this call only. `isEnd`: nothing follows, trailers included. `isGathered`: the engine moved them
   * together, so that they are not what arrived at their place.
   */
  body(connection: number, exchange: number, bytes: Uint8Array, isEnd: boolean, isGathered: boolean): void;
  /** The end of content whose last bytes did not say so; trailers are complete. */
  end(connection: number, exchange: number): void;
  aborted(connection: number, exchange: number, status: number): void;
  peerEnded(connection: number, exchange: number): void;
  writable(connection: number, exchange: number): void;
  tunnel(connection: number, exchange: number): void;
  /** The connection has something to send though nobody was calling it. */
  transmit(connection: number): void;
  readPause(connection: number): void;
  readResume(connection: number): void;
  /** `abort`: destroy the socket. Otherwise end the write side once everything transmitted was written. */
  close(connection: number, status: number, abort: boolean): void;
  /** Left out by hosts that open no WebSockets. */
  readonly sockets?: SocketEvents;
  /** Left out by hosts that open no sessions of WebTransport. */
  readonly webTransport?: SessionEvents;
  /** Left out by hosts without QUIC. */
  readonly quic?: QuicEvents;
}

/** Reads the event ring of one instance. */
export class EventReader {
  readonly #memory: EngineMemory;
  readonly #recordsAt: number;
  readonly #mask: number;
  readonly #writeAt: number;
  readonly #readAt: number;
  readonly #payload: SocketPayload;

  constructor(memory: EngineMemory, layout: Uint32Array) {
    this.#memory = memory;
    this.#recordsAt = (layout[Layout.EVENT_PTR] as number) >>> 2;
    this.#mask = (layout[Layout.EVENT_CAPACITY] as number) - 1;
    this.#writeAt = (layout[Layout.EVENT_WRITE_PTR] as number) >>> 2;
    this.#readAt = (layout[Layout.EVENT_READ_PTR] as number) >>> 2;
    this.#payload = new SocketPayload(memory);
  }

  /** Tells every event since the last call. Events that the sink causes by its calls are told too. */
  read(sink: EventSink): void {
    const words = this.#memory.words;
    while (words[this.#readAt] !== words[this.#writeAt]) {
      const count = words[this.#readAt] as number;
      const at = this.#recordsAt + (count & this.#mask) * EventLane.COUNT;
      const kind = words[at] as number;
      const exchange = words[at + EventLane.EXCHANGE] as number;
      const connection = words[at + EventLane.CONNECTION] as number;
      const a = words[at + EventLane.A] as number;
      // The record is free from here on: a call of the sink may need its place.
      words[this.#readAt] = count + 1;
      switch (kind & 0xffff) {
        case EventKind.REQUEST:
          sink.request(connection, exchange, new ReceivedHead(this.#memory, a));
          break;
        case EventKind.BODY: {
          const len = words[at + EventLane.B] as number;
          const flags = kind >>> 16;
          const isEnd = (flags & EventFlag.END) !== 0;
          const isGathered = (flags & EventFlag.GATHERED) !== 0;
          sink.body(connection, exchange, this.#memory.bytes.subarray(a, a + len), isEnd, isGathered);
          break;
        }
        case EventKind.SOCKET_DATA: {
          const missing = words[at + EventLane.C] as number;
          this.#payload.point(a, words[at + EventLane.B] as number);
          sink.sockets?.socketData(exchange, kind >>> 16, this.#payload, missing);
          break;
        }
        case EventKind.SOCKET_OPEN:
        case EventKind.SOCKET_PING:
        case EventKind.SOCKET_PONG:
        case EventKind.SOCKET_CLOSE:
          if (sink.sockets !== undefined) this.#readSocketEvent(sink.sockets, at);
          break;
        default:
          if ((kind & 0xffff) >= EventKind.QUIC_ACCEPTED) {
            if (sink.quic !== undefined) readQuicEvent(this.#memory, sink.quic, at);
            break;
          }
          if ((kind & 0xffff) >= EventKind.SESSION_DATAGRAM) {
            if (sink.webTransport !== undefined) readSessionEvent(this.#memory, sink.webTransport, at);
            break;
          }
          this.#readRareEvent(sink, kind, connection, exchange, a, words[at + EventLane.B] as number);
      }
    }
  }

  #readRareEvent(
    sink: EventSink,
    kind: number,
    connection: number,
    exchange: number,
    a: number,
    b: number,
  ): void {
    switch (kind & 0xffff) {
      case EventKind.END:
        return sink.end(connection, exchange);
      case EventKind.RESPONSE:
        return sink.response(connection, exchange, new ReceivedHead(this.#memory, a));
      case EventKind.INFORMATIONAL:
        return sink.informational(connection, exchange, b, new ReceivedHead(this.#memory, a));
      case EventKind.ABORTED:
        return sink.aborted(connection, exchange, a | 0);
      case EventKind.PEER_ENDED:
        return sink.peerEnded(connection, exchange);
      case EventKind.WRITABLE:
        return sink.writable(connection, exchange);
      case EventKind.TUNNEL:
        return sink.tunnel(connection, exchange);
      case EventKind.READ_PAUSE:
        return sink.readPause(connection);
      case EventKind.READ_RESUME:
        return sink.readResume(connection);
      case EventKind.TRANSMIT:
        return sink.transmit(connection);
      case EventKind.CLOSE:
        return sink.close(connection, a | 0, ((kind >>> 16) & EventFlag.ABORT) !== 0);
    }
  }

  /** Of the record at `at`, which nothing overwrites before its sink has been called. */
  #readSocketEvent(sink: SocketEvents, at: number): void {
    const { words } = this.#memory;
    const kind = words[at] as number;
    const socket = words[at + EventLane.EXCHANGE] as number;
    const a = words[at + EventLane.A] as number;
    const b = words[at + EventLane.B] as number;
    const c = words[at + EventLane.C] as number;
    switch (kind & 0xffff) {
      case EventKind.SOCKET_OPEN: {
        const connection = words[at + EventLane.CONNECTION] as number;
        return sink.socketOpen(connection, socket, new ReceivedHead(this.#memory, a), b);
      }
      case EventKind.SOCKET_PING:
        this.#payload.point(a, b);
        return sink.socketPing(socket, this.#payload);
      case EventKind.SOCKET_PONG:
        this.#payload.point(a, b);
        return sink.socketPong(socket, this.#payload);
      case EventKind.SOCKET_CLOSE: {
        const status = (words[at + EventLane.D] as number) | 0;
        return sink.socketClose(socket, kind >>> 16, a, this.#memory.utf8(b, c), status);
      }
    }
  }

  /** Whether events wait to be read. */
  get hasEvents(): boolean {
    return this.#memory.words[this.#readAt] !== this.#memory.words[this.#writeAt];
  }
}
