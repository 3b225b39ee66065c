/**
 * QUIC's part of the vocabulary shared with the host: datagrams in batches, options of a configuration, and what doors take.
 *
 * A batch is a sequence of records, each at a multiple of 8 bytes, in the receive region on its way in and in the transmit region
 * on its way out:
 *
 *   0        2     3      4                     24           32
 *   ┌────────┬─────┬──────┬─────────────────────┬────────────┬───────────┐
 *   │ length │ ECN │ zero │ address of the peer │ local, 0   │ payload … │
 *   └────────┴─────┴──────┴─────────────────────┴────────────┴───────────┘
 *
 * "Local" is the host's number of the socket (u32); an address has 20 bytes:
 *
 *   0        1      2                  4                                  20
 *   ┌────────┬──────┬──────────────────┬──────────────────────────────────┐
 *   │ family │ zero │ port, big endian │ address, 4 or 16 bytes, then 0   │
 *   └────────┴──────┴──────────────────┴──────────────────────────────────┘
 *
 * This file is read by both compilers (AssemblyScript and TypeScript): it keeps to their common subset.
 */

/** Offsets within a record of a batch. */
export const enum DatagramRecord {
  LENGTH = 0,
  ECN = 2,
  ADDRESS = 4,
  LOCAL = 24,
  PAYLOAD = 32,
  ALIGNMENT = 8,
}

export const enum AddressFamily {
  IPV4 = 4,
  IPV6 = 6,
}

export const ADDRESS_BYTES: i32 = 20;

/** Numbers of a QUIC configuration, set by `quicConfigSet` before it is used. */
export const enum QuicOption {
  /** Whether clients have to prove their address first: RetryPolicy. */
  RETRY = 0,
  /** Bits of QuicConfigFlag. */
  FLAGS = 1,
  /** Suites: the only one to use (RFC 8446 §B.4), 0 for all. */
  SUITE = 2,
  /** 0 CUBIC, 1 NewReno, 2 BBR. */
  CONGESTION = 3,
  /** The largest DATAGRAM frame that is taken (RFC 9221), 0 for none. */
  DATAGRAM_BYTES = 4,
  /**
   * The version that a client begins with: 1, or 2 for RFC 9369; and 4 more where a Version Negotiation packet led to it. For a server
   * the version that it goes over to where the client speaks it (RFC 9368), none unless it is set.
   */
  VERSION = 5,
  /** Whether clients are asked for certificates: ClientAuth. */
  CLIENT_AUTH = 6,
  /** Streams that the peer may open, 0 for the limit's default. */
  BIDI_STREAMS = 7,
  UNI_STREAMS = 8,
  /** Bytes of the largest datagram that is probed for; 1200 turns discovery off. */
  MTU_MOST = 9,
  COUNT = 10,
}

/** Values of QuicOption.RETRY. */
export const enum RetryPolicy {
  /** Once more handshakes are half open than the limit QUIC_HALF_OPEN_COUNT. */
  UNDER_LOAD = 0,
  ALWAYS = 1,
}

/** Bits of QuicOption.FLAGS. */
export const enum QuicConfigFlag {
  /** 0-RTT: accepted by a server, offered by a client whose ticket allows it. */
  EARLY_DATA = 1,
  KEY_LOG = 2,
  /** A client does not check the chain of the server. */
  ANY_CERTIFICATE = 4,
  /** disable_active_migration (RFC 9000 §18.2). */
  NO_MIGRATION = 8,
  /** The server may answer with ALPN h3: its connections carry HTTP/3. */
  HTTP3 = 16,
  /** Extended CONNECT is announced (RFC 9220), as there is a websocket route. */
  CONNECT_PROTOCOL = 32,
  /** Packets sent have a spin bit that spins (RFC 9000 §17.4). */
  SPIN = 64,
  /** QUIC_PACKET tells of every packet. */
  PACKET_LOG = 256,
  /** WebTransport is announced, and with it extended CONNECT and HTTP datagrams (RFC 9297). */
  WEBTRANSPORT = 128,
}

/** Flags of QUIC_PACKET: what happened, in two bits; the packet number space, in two more (0 Initial, 1 Handshake, 2 application); and 0-RTT. */
export const enum PacketLogFlag {
  SENT = 0,
  RECEIVED = 1,
  LOST = 2,
  SPACE_SHIFT = 2,
  EARLY = 16,
}

/** Flags of QUIC_CONNECTED. */
export const enum ConnectedFlag {
  RESUMED = 1,
  EARLY_ACCEPTED = 2,
  /** The connection carries HTTP/3: its streams are exchanges. */
  HTTP3 = 4,
}

/** Flags of QUIC_CLOSED. */
export const enum CloseFlag {
  /** The code is the application's; else the transport's (RFC 9000 §20.1). */
  APPLICATION = 1,
  /** The peer closed. */
  REMOTE = 2,
}

/** Kinds of QUIC_QUESTION, by the numbers of assembly/tls. */
export const enum QuestionKind {
  KEY_EXCHANGE = 1,
  SIGN = 2,
  VERIFY = 3,
}

/** Bits of QUIC_STREAM. */
export const enum StreamNews {
  OPENED = 1,
  READABLE = 2,
  WRITABLE = 4,
  RESET = 8,
  STOPPED = 16,
  SENT = 32,
  CLOSED = 64,
}

/** What `quicStats` writes, f64 each, by index. */
export const enum QuicStat {
  SMOOTHED_RTT_MS = 0,
  LATEST_RTT_MS = 1,
  MIN_RTT_MS = 2,
  CONGESTION_WINDOW_BYTES = 3,
  BYTES_IN_FLIGHT = 4,
  BYTES_SENT = 5,
  BYTES_RECEIVED = 6,
  PACKETS_SENT = 7,
  PACKETS_RECEIVED = 8,
  PACKETS_LOST = 9,
  MTU_BYTES = 10,
  VERSION = 11,
  SUITE = 12,
  KEY_UPDATES = 13,
  ECN_CAPABLE = 14,
  COUNT = 15,
}
