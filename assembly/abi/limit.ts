/**
 * Limits: every bound that the engine keeps, in one table. Each has a default, the range an embedder may choose from, and
 * the attack it stops; each is counted when it is hit (Layout.LIMIT_HIT_PTR) and shows in the metrics by its name.
 *
 * Bytes, counts and milliseconds as the name's end says. The host writes other values into the table before `initialize`.
 * This file is read by both compilers (AssemblyScript and TypeScript): it keeps to their common subset.
 */
export const enum Limit {
  CONNECTION_COUNT = 0,
  EXCHANGE_COUNT = 1,
  PIPELINED_COUNT = 2,
  METHOD_BYTES = 3,
  TARGET_BYTES = 4,
  HEAD_BYTES = 5,
  FIELD_COUNT = 6,
  TRAILER_BYTES = 7,
  TRAILER_COUNT = 8,
  CHUNK_EXTENSION_BYTES = 9,
  BODY_BYTES = 10,
  DRAIN_BYTES = 11,
  READ_WINDOW_BYTES = 12,
  OUTPUT_BYTES = 13,
  HEAD_TIMEOUT_MS = 14,
  IDLE_TIMEOUT_MS = 15,
  BODY_WINDOW_MS = 16,
  BODY_RATE_BYTES_PER_S = 17,
  WRITE_TIMEOUT_MS = 18,
  LINGER_TIMEOUT_MS = 19,
  STREAM_COUNT = 20,
  RESET_BURST = 21,
  RESET_RATE_PER_S = 22,
  CONTINUATION_COUNT = 23,
  HEADER_BLOCK_BYTES = 24,
  HEADER_LIST_BYTES = 25,
  HEADER_LIST_COUNT = 26,
  QUEUED_REPLY_COUNT = 27,
  EMPTY_FRAMES_PER_S = 28,
  CONTROL_FRAMES_PER_S = 29,
  STREAM_WINDOW_BYTES = 30,
  STREAM_WINDOW_MOST_BYTES = 31,
  CONNECTION_WINDOW_BYTES = 32,
  CONNECTION_WINDOW_MOST_BYTES = 33,
  STREAM_OUTPUT_BYTES = 34,
  STALL_TIMEOUT_MS = 35,
  SETTINGS_TIMEOUT_MS = 36,
  PING_INTERVAL_MS = 37,
  PING_TIMEOUT_MS = 38,
  GOAWAY_TIMEOUT_MS = 39,
  PUSH_COUNT = 40,
  ACK_RANGE_COUNT = 41,
  SENT_PACKET_COUNT = 42,
  WEB_SOCKET_MESSAGE_BYTES = 43,
  WEB_SOCKET_FRAGMENT_COUNT = 44,
  WEB_SOCKET_IDLE_TIMEOUT_MS = 45,
  WEB_SOCKET_PING_INTERVAL_MS = 46,
  WEB_SOCKET_PING_TIMEOUT_MS = 47,
  WEB_SOCKET_CLOSE_TIMEOUT_MS = 48,
  QUIC_BIDI_STREAM_COUNT = 49,
  QUIC_UNI_STREAM_COUNT = 50,
  QUIC_STREAM_WINDOW_BYTES = 51,
  QUIC_STREAM_WINDOW_MOST_BYTES = 52,
  QUIC_CONNECTION_WINDOW_BYTES = 53,
  QUIC_CONNECTION_WINDOW_MOST_BYTES = 54,
  QUIC_STREAM_GAP_COUNT = 55,
  QUIC_STREAM_OUTPUT_BYTES = 56,
  QUIC_OUTPUT_BYTES = 57,
  QUIC_DATAGRAM_COUNT = 58,
  QUIC_DATAGRAM_BYTES = 59,
  QUIC_ID_REISSUE_BURST = 60,
  QUIC_ID_REISSUE_RATE_PER_S = 61,
  QUIC_RETRY_TOKEN_MS = 62,
  QUIC_NEW_TOKEN_MS = 63,
  QUIC_RESET_BURST = 64,
  QUIC_RESET_RATE_PER_S = 65,
  QUIC_CRYPTO_BYTES = 66,
  QUIC_UNDECRYPTABLE_COUNT = 67,
  QUIC_GLITCH_BURST = 68,
  QUIC_GLITCH_RATE_PER_S = 69,
  QUIC_KEY_UPDATE_PACKETS = 70,
  QUIC_HANDSHAKE_TIMEOUT_MS = 71,
  QUIC_IDLE_TIMEOUT_MS = 72,
  QUIC_HALF_OPEN_COUNT = 73,
  QUIC_HANDSHAKE_COUNT = 74,
  QUIC_REPLY_BYTES = 75,
  QUIC_ROUTE_COUNT = 76,
  QUIC_UDP_PAYLOAD_BYTES = 77,
  QPACK_TABLE_BYTES = 78,
  QPACK_BLOCKED_STREAM_COUNT = 79,
  QPACK_ENCODER_TABLE_BYTES = 80,
  QPACK_ENCODER_STREAM_BYTES = 81,
  QPACK_DECODER_STREAM_BYTES = 82,
  QPACK_SECTION_COUNT = 83,
  H3_CONTROL_FRAME_BYTES = 84,
  WEB_TRANSPORT_SESSION_COUNT = 85,
  WEB_TRANSPORT_WAITING_STREAM_COUNT = 86,
  CAPSULE_BYTES = 87,
  QUIC_SEALED_PACKETS = 88,
  QUIC_FORGED_PACKETS = 89,
  COUNT = 90,
}

/** The names by which options and metrics know the limits, by Limit. */
export const LIMIT_NAMES: string[] = [
  "connectionCount",
  "exchangeCount",
  "pipelinedCount",
  "methodBytes",
  "targetBytes",
  "headBytes",
  "fieldCount",
  "trailerBytes",
  "trailerCount",
  "chunkExtensionBytes",
  "bodyBytes",
  "drainBytes",
  "readWindowBytes",
  "outputBytes",
  "headTimeoutMs",
  "idleTimeoutMs",
  "bodyWindowMs",
  "bodyRateBytesPerS",
  "writeTimeoutMs",
  "lingerTimeoutMs",
  "streamCount",
  "resetBurst",
  "resetRatePerS",
  "continuationCount",
  "headerBlockBytes",
  "headerListBytes",
  "headerListCount",
  "queuedReplyCount",
  "emptyFramesPerS",
  "controlFramesPerS",
  "streamWindowBytes",
  "streamWindowMostBytes",
  "connectionWindowBytes",
  "connectionWindowMostBytes",
  "streamOutputBytes",
  "stallTimeoutMs",
  "settingsTimeoutMs",
  "pingIntervalMs",
  "pingTimeoutMs",
  "goawayTimeoutMs",
  "pushCount",
  "ackRangeCount",
  "sentPacketCount",
  "webSocketMessageBytes",
  "webSocketFragmentCount",
  "webSocketIdleTimeoutMs",
  "webSocketPingIntervalMs",
  "webSocketPingTimeoutMs",
  "webSocketCloseTimeoutMs",
  "quicBidiStreamCount",
  "quicUniStreamCount",
  "quicStreamWindowBytes",
  "quicStreamWindowMostBytes",
  "quicConnectionWindowBytes",
  "quicConnectionWindowMostBytes",
  "quicStreamGapCount",
  "quicStreamOutputBytes",
  "quicOutputBytes",
  "quicDatagramCount",
  "quicDatagramBytes",
  "quicIdReissueBurst",
  "quicIdReissueRatePerS",
  "quicRetryTokenMs",
  "quicNewTokenMs",
  "quicResetBurst",
  "quicResetRatePerS",
  "quicCryptoBytes",
  "quicUndecryptableCount",
  "quicGlitchBurst",
  "quicGlitchRatePerS",
  "quicKeyUpdatePackets",
  "quicHandshakeTimeoutMs",
  "quicIdleTimeoutMs",
  "quicHalfOpenCount",
  "quicHandshakeCount",
  "quicReplyBytes",
  "quicRouteCount",
  "quicUdpPayloadBytes",
  "qpackTableBytes",
  "qpackBlockedStreamCount",
  "qpackEncoderTableBytes",
  "qpackEncoderStreamBytes",
  "qpackDecoderStreamBytes",
  "qpackSectionCount",
  "h3ControlFrameBytes",
  "webTransportSessionCount",
  "webTransportWaitingStreamCount",
  "capsuleBytes",
  "quicSealedPackets",
  "quicForgedPackets",
];

/** By Limit: default, least, most. */
// prettier-ignore
export const LIMIT_TABLE: number[] = [
  // Connection floods. Refused with CONNECTIONS_FULL; the host may open another instance.
  65536, 1, 262144,
  // Handlers in flight over all connections, counted until they end. Refused with 503.
  65536, 1, 262144,
  // Pipelining without reading the answers: the connection is not read beyond this many open exchanges.
  64, 1, 1024,
  // Endless method token: 501. The longest registered method has 17 bytes.
  32, 8, 255,
  // Endless request target: 414. Apache 8190, nginx 8 KiB.
  8192, 64, 32768,
  // Endless header section: 431, start line included.
  32768, 512, 48000,
  // Many small fields, each with its own bookkeeping: 431. Cookies count one by one.
  100, 8, 1000,
  // Endless trailer section: 431.
  8192, 64, 32768,
  32, 1, 1000,
  // CVE-2023-39326, CVE-2024-22019: extensions that cost more than the data. Per message, 400.
  16384, 0, 1048576,
  // Endless request content: 413. Off by default, since a streaming handler holds nothing; buffered readers have their own.
  9007199254740991, 0, 9007199254740991,
  // A request content that nobody reads is discarded up to this size to keep the connection; beyond it is closed.
  262144, 0, 9007199254740991,
  // Content delivered but not consumed by the handler, after which the peer is not read: memory of a slow handler.
  65536, 1024, 16777216,
  // Output that waits for a slow peer, per connection: beyond it handlers wait.
  1048576, 16384, 67108864,
  // Slowloris: an absolute deadline from the first byte of a head (from the accept for the first): 408.
  10000, 10, 3600000,
  // Kept-alive connection without a request.
  60000, 10, 86400000,
  // Slow bodies: in every window of this length at least window × rate bytes arrive: 408.
  30000, 10, 3600000,
  256, 0, 1073741824,
  // Slow readers: output that could not be handed on for this long.
  30000, 10, 3600000,
  // How long a closed connection goes on reading so that its last answer is not lost to a reset (RFC 9112 §9.6).
  2000, 0, 60000,
  // Rapid Reset (CVE-2023-44487): streams of a connection, a handler counted until it ENDs. Refused with REFUSED_STREAM.
  100, 1, 10000,
  // Rapid Reset and MadeYouReset (CVE-2025-8671): streams reset by either side, at once and over time: ENHANCE_YOUR_CALM.
  200, 1, 1000000,
  20, 0, 1000000,
  // CONTINUATION flood (VU#421644): frames and bytes of one header block: ENHANCE_YOUR_CALM.
  8, 1, 64,
  65536, 16384, 65536,
  // HPACK bombs (CVE-2016-6581, CVE-2026-49975): size by RFC 7541 §4.1 and count of fields, cookie crumbs too: 431.
  32768, 512, 65536,
  128, 8, 1000,
  // Ping and settings floods (CVE-2019-9512, 9515, 9514): acknowledgements and resets that wait to be read: ENHANCE_YOUR_CALM.
  100, 1, 10000,
  // Frames without content that end nothing (CVE-2019-9518): ENHANCE_YOUR_CALM.
  100, 1, 1000000,
  // Window update and priority floods (CVE-2019-9511, 9513), beyond four per DATA frame sent: ENHANCE_YOUR_CALM.
  1000, 10, 1000000,
  // Receive windows of a stream and of a connection: at the start, and as far as they grow with the bandwidth-delay product.
  262144, 65535, 16777216,
  8388608, 65535, 67108864,
  1048576, 65535, 67108864,
  16777216, 65535, 268435456,
  // Output that waits on one stream (CVE-2019-9517), so that none takes all that outputBytes allows its connection.
  262144, 16384, 67108864,
  // Windows that the peer leaves closed while output waits: RST_STREAM, or GOAWAY where it is the connection's.
  30000, 10, 3600000,
  // Settings that the peer does not acknowledge: SETTINGS_TIMEOUT.
  10000, 10, 3600000,
  // A peer that vanished: silence with open streams after which it is pinged, and how long the answer may take.
  30000, 10, 3600000,
  10000, 10, 3600000,
  // CVE-2026-21714: how long a connection lives on after a GOAWAY that says why, or waits for the answer to its drain.
  1000, 0, 60000,
  // Promised responses of a connection that are not complete.
  16, 0, 1000,
  // ACK-range floods: ranges of packet numbers remembered per packet number space; the lowest are forgotten, their packets dropped.
  64, 4, 1024,
  // A QUIC peer that acknowledges nothing, or tiny packets in a wide window: records of sent packets; sending waits.
  8192, 64, 1048576,
  // Endless messages, and compressed ones that grow (1009, at the frame's header where that says it). A route may set its own.
  1048576, 125, 1073741824,
  // Fragment floods, empty fragments included: 1008.
  131072, 1, 16777216,
  // A WebSocket that says nothing at all, not even pong: 1001. 0: it may be silent for as long as it answers pings.
  0, 0, 86400000,
  // A peer that vanished: silence after which a WebSocket is pinged, 0 for never, and how long the answer may take.
  30000, 0, 86400000,
  30000, 10, 3600000,
  // A peer that does not answer a close frame.
  30000, 10, 3600000,
  // QUIC streams that a peer has open, until they are closed and their handler is done: credit comes only then. STREAM_LIMIT_ERROR.
  100, 1, 4096,
  100, 3, 4096,
  // QUIC receive windows of a stream and of a connection, at the start and as far as they grow with the bandwidth-delay
  // product: memory of fast senders and slow handlers. FLOW_CONTROL_ERROR.
  262144, 4096, 16777216,
  6291456, 4096, 67108864,
  1048576, 4096, 67108864,
  15728640, 4096, 268435456,
  // One-byte fragments at odd offsets: ranges of one QUIC stream that arrived apart from each other. INTERNAL_ERROR.
  256, 16, 4000,
  // Peers that never acknowledge, or read slowly: output of a QUIC stream and of a connection, unsent and unacknowledged. That of a stream grows with the congestion window, up to that of the connection.
  1048576, 16384, 67108864,
  4194304, 16384, 268435456,
  // Datagram floods (RFC 9221): datagrams that wait in one direction. The newest are dropped, as a network would.
  64, 1, 4096,
  65536, 1200, 16777216,
  // A QUIC peer that retires connection IDs as fast as they come: new ones to replace them, over time. Beyond it waits.
  64, 1, 65536,
  10, 1, 65536,
  // Tokens that were recorded and are sent from elsewhere: how long a Retry token holds, and one of NEW_TOKEN, which works once.
  15000, 500, 60000,
  86400000, 0, 604800000,
  // Packets that belong to no connection, and two endpoints that answer each other: stateless resets over time. 0: none at all.
  100, 0, 65536,
  100, 0, 65536,
  // Handshake bytes out of order (crypto-buffer flood): CRYPTO_BUFFER_EXCEEDED. A chain of nine certificates has 14 KiB.
  65536, 4096, 65536,
  // QUIC-LEAK (CVE-2025-54939): packets of a connection kept until their keys come. More are dropped; the peer sends again.
  4, 0, 64,
  // Frames that are legal and useless (PING, resets, BLOCKED, empty STREAM), at once and over time: PROTOCOL_VIOLATION.
  10000, 10, 1000000,
  330, 0, 1000000,
  // Packets sealed with one key before it is updated: half of what AES-GCM allows (RFC 9001 §6.6).
  4194304, 16, 8388607,
  // Handshakes that never end.
  10000, 100, 600000,
  // Connections on which nothing arrives (RFC 9000 §10.1).
  30000, 100, 3600000,
  // Initial flood: above so many clients that have not shown their address, each new one has to by a Retry.
  256, 0, 65536,
  // Handshakes of unproven clients at once; more Initials are dropped.
  1024, 1, 65536,
  // Retry, Version Negotiation and reset packets that wait to be sent: beyond it they are dropped.
  65536, 2048, 1048576,
  // Connection IDs of all connections, five of each at most: memory of the table. More connections are refused.
  65536, 16, 1048576,
  // The largest datagram taken: max_udp_payload_size.
  1500, 1200, 65527,
  // HPACK bombs, in QPACK: the dynamic table that a peer may fill (SETTINGS_QPACK_MAX_TABLE_CAPACITY), and with it the longest
  // instruction that is waited for, four times as long. QPACK_ENCODER_STREAM_ERROR.
  4096, 0, 16384,
  // Field sections that wait for instructions that never come (SETTINGS_QPACK_BLOCKED_STREAMS). QPACK_DECOMPRESSION_FAILED.
  16, 0, 1000,
  // A peer that offers a huge dynamic table: what of it this side's encoder fills.
  4096, 0, 16384,
  // A peer that does not read its encoder stream: instructions that wait. Beyond it nothing more is inserted.
  16384, 0, 1048576,
  // A peer that does not read its decoder stream: acknowledgments that wait. H3_EXCESSIVE_LOAD.
  4096, 64, 1048576,
  // A peer that acknowledges no field section: those remembered. Beyond it the dynamic table is not referred to.
  256, 1, 2048,
  // Endless SETTINGS and the like, which are kept until they are complete: H3_EXCESSIVE_LOAD.
  4096, 256, 65536,
  // Sessions of WebTransport on one connection, each with handlers and streams of its own: H3_REQUEST_REJECTED.
  16, 1, 1000,
  // Streams that name a session which never comes, or is not accepted yet: WEBTRANSPORT_BUFFERED_STREAM_REJECTED.
  16, 0, 1000,
  // Endless capsules, of which those that are known are kept until they are complete: a datagram is passed over, others are errors.
  4096, 1028, 65536,
  // What one key tells of itself by all that it has sealed (RFC 9001 §6.6, AES-GCM's bound for every suite): packets sealed where the
  // peer lets no key update happen. Then the connection ends: AEAD_LIMIT_REACHED.
  8388608, 16, 8388608,
  // Forgeries by trial and error: packets of a connection that were not genuine. Far below what RFC 9001 §6.6 allows any suite:
  // AEAD_LIMIT_REACHED.
  2147483647, 16, 2147483647,
];

/** Columns of LIMIT_TABLE. */
export const enum LimitColumn {
  DEFAULT = 0,
  LEAST = 1,
  MOST = 2,
  COUNT = 3,
}
