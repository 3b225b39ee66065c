// What an engine tells while a connection runs again, as lines of text.
//
// Exchanges and streams are numbered in the order in which they come. Secrets are told by their length alone.

import { statusText } from "../../assembly/abi/status_text.ts";
import { decodeAddress } from "./datagram_batch.ts";
import type { EventSink, SocketEvents } from "./event_reader.ts";
import type { QuicEvents } from "./quic_events.ts";
import type { ReceivedHead } from "./received_head.ts";
import type { SessionEvents } from "./session_events.ts";

/** Fields whose values are told by their length alone. */
const SECRET_FIELDS = /^(?:authorization|proxy-authorization|cookie|set-cookie|x-api-key)$/u;
const QUESTIONS = ["", "a key exchange", "a signature", "signatures to verify"];
const NEWS = ["opened", "readable", "writable", "reset", "stopped"];

export class ReplaySink implements EventSink {
  /** Handles that things have here, in the order in which they came. */
  readonly exchanges: number[] = [];
  readonly streams: number[] = [];
  /** Of a connection of QUIC, once it is accepted. */
  accepted = 0;
  readonly #tell: (line: string) => void;

  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  request(_connection: number, exchange: number, head: ReceivedHead): void {
    this.#message(exchange, `${head.method} ${head.target}`, head);
  }

  response(_connection: number, exchange: number, head: ReceivedHead): void {
    this.#message(exchange, `status ${head.statusCode}`, head);
  }

  informational(_connection: number, exchange: number, statusCode: number): void {
    this.#event(exchange, `interim ${statusCode}`);
  }

  body(_connection: number, exchange: number, bytes: Uint8Array, isEnd: boolean): void {
    this.#event(exchange, `content of ${bytes.length} bytes${isEnd ? ", the last" : ""}`);
  }

  end(_connection: number, exchange: number): void {
    this.#event(exchange, "end");
  }

  aborted(_connection: number, exchange: number, status: number): void {
    this.#event(exchange, `aborted: ${statusText(status)}`);
  }

  peerEnded(_connection: number, exchange: number): void {
    this.#event(exchange, "the peer ended");
  }

  writable(_connection: number, exchange: number): void {
    this.#event(exchange, "writable");
  }

  tunnel(_connection: number, exchange: number): void {
    this.#event(exchange, "tunnel");
  }

  transmit(): void {
    this.#tell("* something is to be sent");
  }

  readPause(): void {
    this.#tell("* stop reading");
  }

  readResume(): void {
    this.#tell("* go on reading");
  }

  close(_connection: number, status: number, abort: boolean): void {
    this.#tell(`* close${abort ? " at once" : ""}: ${statusText(status)}`);
  }

  readonly sockets: SocketEvents = {
    socketOpen: (_connection, socket) => this.#event(socket, "WebSocket open"),
    socketData: (socket, flags, payload) =>
      this.#event(socket, `WebSocket data of ${payload.length} bytes, flags ${flags}`),
    socketPing: (socket) => this.#event(socket, "ping"),
    socketPong: (socket) => this.#event(socket, "pong"),
    socketClose: (socket, _flags, code, reason) =>
      this.#event(socket, `WebSocket closed ${code} ${quoted(reason)}`),
  };

  readonly webTransport: SessionEvents = {
    sessionDatagram: (session, bytes) => this.#event(session, `datagram of ${bytes.length} bytes`),
    sessionStream: (session, stream, id) =>
      this.#event(session, `stream ${placeOf(this.streams, stream)} with the ID ${id}`),
    sessionDrain: (session) => this.#event(session, "the session is to end"),
    sessionClose: (session, code, reason) => this.#event(session, `session closed ${code} ${quoted(reason)}`),
  };

  readonly quic: QuicEvents = {
    accepted: (connection, _endpoint, address) => {
      this.accepted = connection;
      const { host, port } = decodeAddress(address);
      this.#tell(`* accepted from ${host} port ${port}`);
    },
    question: (_connection, kind) => this.#tell(`* TLS asks for ${QUESTIONS[kind] ?? `${kind}`}`),
    connected: (_connection, _flags, alpn, serverName) =>
      this.#tell(`* connected: ${alpn}, server name ${quoted(serverName)}`),
    confirmed: () => this.#tell("* the handshake is confirmed"),
    closed: (_connection, _flags, code, reason, status) =>
      this.#tell(`* connection closed: code ${code} ${quoted(reason)}, ${statusText(status)}`),
    stream: (_connection, stream, news, id) => {
      const told = NEWS.filter((_, bit) => news & (1 << bit)).join(", ");
      this.#tell(`* stream ${placeOf(this.streams, stream)} with the ID ${id}: ${told}`);
    },
    openable: () => this.#tell("* streams can be opened again"),
    datagrams: () => this.#tell("* datagrams arrived"),
    ticket: (_connection, ticket) => this.#tell(`* a ticket of ${ticket.length} bytes`),
    token: (_connection, token) => this.#tell(`* a token of ${token.length} bytes`),
    keyLog: (_connection, lines) => this.#tell(`* a key log of ${lines.length} characters`),
    path: (_connection, address) => {
      const { host, port } = decodeAddress(address);
      this.#tell(`* the peer is now at ${host} port ${port}`);
    },
  };

  #event(exchange: number, text: string): void {
    this.#tell(`* ${exchange === 0 ? "" : `exchange ${placeOf(this.exchanges, exchange)} `}${text}`);
  }

  #message(exchange: number, text: string, head: ReceivedHead): void {
    this.#event(exchange, `${text} ${head.protocol}`);
    for (const [name, value] of head.fields()) {
      const shown = SECRET_FIELDS.test(name) ? `(${value.length} characters)` : quoted(value);
      this.#tell(`*   ${name}: ${shown}`);
    }
  }
}

/** The place of a handle, from 1; a new one comes last. */
function placeOf(handles: number[], handle: number): number {
  const index = handles.indexOf(handle);
  return index < 0 ? handles.push(handle) : index + 1;
}

const MOST_SHOWN = 200;

function quoted(text: string): string {
  const shown = JSON.stringify(text.slice(0, MOST_SHOWN));
  return text.length > MOST_SHOWN ? `${shown}…` : shown;
}
