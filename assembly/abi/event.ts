/**
 * Events: what the engine tells the host, as records of 32 bytes in a ring (core/ring.ts).
 *
 * One record is eight u32 lanes. The host reads them through one typed array after every batch of calls and advances the
 * ring's read counter. Pointers in an event are offsets into linear memory; how long they live is said at each kind.
 *
 *   lane  0            1           2             3 … 7
 *        +------------+-----------+-------------+---------------------------+
 *        | kind:flags | exchange  | connection  | by kind                   |
 *        | u16 : u16  | handle    | handle      |                           |
 *        +------------+-----------+-------------+---------------------------+
 *
 * This file is read by both compilers (AssemblyScript and TypeScript): it keeps to their common subset.
 */
export const enum EventKind {
  /** A request's head is complete. A: address of its message head (abi/message.ts), valid until the exchange is released. */
  REQUEST = 1,
  /** A final response's head is complete (client role). A: address of its message head. */
  RESPONSE = 2,
  /** An interim response (client role). A: address of a message head, valid until the next call. B: status code. */
  INFORMATIONAL = 3,
  /** Content. A: address, B: length; valid until the next call. Flag END when nothing follows, trailers included. */
  BODY = 4,
  /** The end of the content. Trailers, if any, are in the message head by now. */
  END = 5,
  /** The exchange was cut before it was complete. A: status, as i32. No further event names this exchange. */
  ABORTED = 6,
  /** An exchange whose `sendBody` took less than offered can take more. */
  WRITABLE = 7,
  /** The peer ended its side while the exchange was open. The answer can still be sent; nobody may be there to read it. */
  PEER_ENDED = 8,
  /** Stop reading from the peer of this connection. */
  READ_PAUSE = 16,
  /** Read on. */
  READ_RESUME = 17,
  /**
   * The engine is through with the connection once its output is written. A: status (0 when all went well), as i32.
   * Flag ABORT: destroy at once. Otherwise end the write side, and go on reading until the peer ends or ABORT follows.
   */
  CLOSE = 18,
  /** The connection left HTTP for a tunnel on this exchange (CONNECT 2xx, 101): BODY and sendBody are raw from here on. */
  TUNNEL = 19,
  /** The connection has something to send though the host was not calling it: an answer to a deadline that passed. */
  TRANSMIT = 20,

  // WebSockets. Their handle is that of the exchange whose handshake opened them. Pointers are valid until the next call.
  /** Client role: the server agreed. A: the extension's parameters (abi/deflate_parameters.ts). */
  SOCKET_OPEN = 32,
  /** A piece of a message (flags: SocketFlag). A: address, B: length, C: bytes of its frame that are still to come, at most. */
  SOCKET_DATA = 33,
  /** A ping, to be answered by `sendPong` with the same payload. A: address, B: length. */
  SOCKET_PING = 34,
  SOCKET_PONG = 35,
  /**
   * The WebSocket is over. A: close code (CloseCode), B: address, C: length of the reason, D: status as i32 (WsStatus), 0 when
   * the peer closed it. The handle is stale from here on, unless the flag ANSWER_OWED says that the peer closed first, or
   * broke a rule: the host may send what it still has, and then has to answer by `closeSocket`.
   */
  SOCKET_CLOSE = 36,

  // Sessions of WebTransport. Their handle is that of the exchange whose CONNECT opened them. Pointers as above.
  /** A datagram. A: address, B: length. */
  SESSION_DATAGRAM = 40,
  /** The peer has opened a stream. A: its handle, as of raw streams, whose news QUIC_STREAM tells; B, C: its ID, low half first. */
  SESSION_STREAM = 41,
  /** The peer is about to close the session, or asks to. */
  SESSION_DRAIN = 42,
  /** The peer has closed it: the handles of its streams are stale, and its own is to be released. A: code, B: address, C: length of the reason. */
  SESSION_CLOSE = 43,

  // QUIC (abi/quic.ts). Pointers are valid until the next call, unless they say more.
  /** A server's endpoint has a new connection. A: the endpoint's handle, B: the peer's address (20 bytes). */
  QUIC_ACCEPTED = 64,
  /** TLS asks the host. A: QuestionKind, B: address, C: length; valid until it is answered (`quicAnswer`, `quicFail`). */
  QUIC_QUESTION = 65,
  /** The handshake is complete. Flags: ConnectedFlag. A: address, B: length of the protocol; C, D: of the server's name. */
  QUIC_CONNECTED = 66,
  /** The handshake is confirmed: both sides know that it is complete. */
  QUIC_CONFIRMED = 67,
  /** The connection is over; its handles are stale. Flags: CloseFlag. A, B: the code; C, D: the reason; E: status as i32. */
  QUIC_CLOSED = 68,
  /** News of a stream. Exchange: its handle. Flags: StreamNews. A, B: its ID; C, D: the code of RESET or else of STOPPED; low half first. */
  QUIC_STREAM = 69,
  /** Streams can be opened again after an attempt failed. Flags: 1 bidirectional, 2 unidirectional. */
  QUIC_OPENABLE = 70,
  /** Datagrams arrived (`quicDatagramPeek`). */
  QUIC_DATAGRAM = 71,
  /** Client role: what has to be kept to resume. A: address, B: length. Secret. */
  QUIC_TICKET = 72,
  /** Client role: a token for a later connection to this server. A: address, B: length. */
  QUIC_TOKEN = 73,
  /** Lines for a key log. A: address, B: length. Secret. */
  QUIC_KEY_LOG = 74,
  /** The peer's address is another one, and validated. A: address (20 bytes). */
  QUIC_PATH = 75,
  /**
   * A packet was sent, received or lost, where the configuration asks for a log of packets. Flags: PacketLogFlag. Exchange: bytes of a
   * lost packet. A, B: its number, low half first. C: address, D: length of its frames in the clear, none for a lost one.
   */
  QUIC_PACKET = 76,
}

export const enum EventFlag {
  NONE = 0,
  /** On BODY: the content ends with these bytes. */
  END = 1,
  /** On CLOSE: do not wait for the peer. */
  ABORT = 2,
  /** On BODY: the bytes were moved together, and no longer lie as they arrived. */
  GATHERED = 4,
}

/** Lanes of an event record, in u32 units. */
export const enum EventLane {
  KIND = 0,
  EXCHANGE = 1,
  CONNECTION = 2,
  A = 3,
  B = 4,
  C = 5,
  D = 6,
  E = 7,
  COUNT = 8,
}
