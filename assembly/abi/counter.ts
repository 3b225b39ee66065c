/**
 * Counters: what the engine counts for metrics, as f64 in linear memory (Layout.COUNTER_PTR). They only grow, except the
 * gauges, whose names end in OPEN or IN_USE.
 *
 * This file is read by both compilers (AssemblyScript and TypeScript): it keeps to their common subset.
 */
export const enum Counter {
  CONNECTIONS_H1 = 0,
  CONNECTIONS_OPEN = 1,
  EXCHANGES_H1 = 2,
  EXCHANGES_OPEN = 3,
  BYTES_RECEIVED = 4,
  BYTES_SENT = 5,
  /** Connections ended because the peer broke the protocol. */
  PEER_ERRORS = 6,
  /** Doors called with a stale handle or a bad argument. */
  HOST_ERRORS = 7,
  /** Requests refused or connections closed because a pool was full. */
  POOL_REFUSALS = 8,
  MEMORY_BYTES_IN_USE = 9,
  CONNECTIONS_H2 = 10,
  EXCHANGES_H2 = 11,
  /** Streams of HTTP/2 reset by either side. */
  STREAMS_RESET = 12,
  /** Handshakes that opened a WebSocket, either role. */
  CONNECTIONS_WS = 13,
  WEB_SOCKETS_OPEN = 14,
  CONNECTIONS_QUIC = 15,
  QUIC_DATAGRAMS_RECEIVED = 16,
  QUIC_DATAGRAMS_SENT = 17,
  /** Packets that were genuine and new. */
  QUIC_PACKETS_RECEIVED = 18,
  QUIC_PACKETS_LOST = 19,
  /** Datagrams of no connection: Version Negotiation, Retry, refusals, stateless resets. */
  QUIC_REPLIES = 20,
  QUIC_RETRIES = 21,
  CONNECTIONS_H3 = 22,
  EXCHANGES_H3 = 23,
  /** Sessions of WebTransport that were opened, either role. */
  SESSIONS_WT = 24,
  SESSIONS_WT_OPEN = 25,
  /** HTTP datagrams that belonged to no open session. */
  HTTP_DATAGRAMS_DROPPED = 26,
  COUNT = 27,
}

/** By Counter, in the form that metrics use. */
export const COUNTER_NAMES: string[] = [
  "connections_h1",
  "connections_open",
  "exchanges_h1",
  "exchanges_open",
  "bytes_received",
  "bytes_sent",
  "peer_errors",
  "host_errors",
  "pool_refusals",
  "memory_bytes_in_use",
  "connections_h2",
  "exchanges_h2",
  "streams_reset",
  "connections_ws",
  "web_sockets_open",
  "connections_quic",
  "quic_datagrams_received",
  "quic_datagrams_sent",
  "quic_packets_received",
  "quic_packets_lost",
  "quic_replies",
  "quic_retries",
  "connections_h3",
  "exchanges_h3",
  "sessions_wt",
  "sessions_wt_open",
  "http_datagrams_dropped",
];
