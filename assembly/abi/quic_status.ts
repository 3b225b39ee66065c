/**
 * Statuses of QUIC, -700 … -799 of the one list that begins in abi/status.ts: why a packet, a frame or a transport parameter was
 * refused. All of them blame the peer.
 *
 * Which error code a status becomes in CONNECTION_CLOSE is decided in quic/wire/error_code.ts. The group from PACKET_TRUNCATED
 * to PACKET_DISCARD_LAST never becomes one: such a packet may come from anybody, and is dropped without a word (RFC 9000 §5.2,
 * §12.2). Numbers are never renumbered or reused.
 *
 * This file is read by both compilers (AssemblyScript and TypeScript): it keeps to their common subset.
 */
export const enum QuicStatus {
  // Frames, RFC 9000 §12.4 and §19.
  FRAME_TYPE_UNKNOWN = -700,
  FRAME_TYPE_NOT_MINIMAL = -701,
  FRAME_NOT_ALLOWED = -702,
  FRAME_TRUNCATED = -703,
  FRAME_MISSING = -704,
  ACK_RANGE = -705,
  CRYPTO_OFFSET = -706,
  STREAM_OFFSET = -707,
  TOKEN_EMPTY = -708,
  STREAM_COUNT = -709,
  CONNECTION_ID_LENGTH = -710,
  RETIRE_PRIOR_TO = -711,

  // Packets of the peer itself, for they were authentic.
  RESERVED_BITS = -715,
  AEAD_LIMIT = -716,

  // Packets to drop: not QUIC, not for this connection, damaged or forged.
  PACKET_TRUNCATED = -720,
  PACKET_FIXED_BIT = -721,
  PACKET_CONNECTION_ID = -722,
  PACKET_VERSION = -723,
  PACKET_LENGTH = -724,
  PACKET_TOO_SHORT = -725,
  PACKET_FORGED = -726,
  PACKET_FOREIGN = -727,
  DATAGRAM_TOO_SHORT = -728,
  PACKET_DISCARD_LAST = -729,

  // Transport parameters, RFC 9000 §7.4 and §18, RFC 9368 §4.
  PARAMETER_TRUNCATED = -730,
  PARAMETER_DUPLICATE = -731,
  PARAMETER_VALUE = -732,
  PARAMETER_FORBIDDEN = -733,
  PARAMETER_MISSING = -734,
  VERSION_NEGOTIATION = -735,
  /** A client that was told that the server speaks the other version instead: the host may connect again with that. */
  VERSION_OFFERED = -736,

  // Acknowledgements of what cannot have arrived, RFC 9000 §13.1 and §21.4.
  ACK_UNSENT = -770,
  ACK_SKIPPED = -771,

  // Connection IDs, RFC 9000 §5.1, §19.15 and §19.16.
  /** RETIRE_CONNECTION_ID of one that was never sent. */
  CONNECTION_ID_UNSENT = -772,
  /** RETIRE_CONNECTION_ID of the one that its packet came to. */
  CONNECTION_ID_IN_USE = -773,
  /** A number for two connection IDs, or two numbers or tokens for one. */
  CONNECTION_ID_CONFLICT = -774,
  /** NEW_CONNECTION_ID from a peer whose connection IDs have no bytes. */
  CONNECTION_ID_UNEXPECTED = -775,
  /** More of them than active_connection_id_limit allows. */
  CONNECTION_ID_COUNT = -776,
  /** More of them retired than were acknowledged (CVE-2024-22189). */
  CONNECTION_ID_BACKLOG = -777,
  /** All of them retired, and no other given. */
  CONNECTION_ID_NONE = -778,

  /** A Retry token of this server that does not hold here and now, RFC 9000 §8.1.2. */
  TOKEN_INVALID = -779,
  /** No path to the peer is left that is validated, RFC 9000 §9.3.2. */
  NO_VIABLE_PATH = -780,

  // The connection.
  /** RFC 9000 §7.5. */
  CRYPTO_BUFFER_EXCEEDED = -782,
  /** RFC 9001 §6.2. */
  KEY_UPDATE = -781,
  CONNECTION_REFUSED = -783,
  HANDSHAKE_TIMEOUT = -784,
  /** RFC 9000 §7.3: a connection ID that was declared is not the one that was used. */
  PARAMETER_CONNECTION_ID = -785,
  /** RFC 9000 §10.1. */
  CONNECTION_IDLE = -786,
  /** The peer closed with an error. */
  CLOSED_BY_PEER = -787,
  /** RFC 9000 §10.3. */
  STATELESS_RESET = -788,
  /** Too much that is legal and useless. */
  GLITCHES = -790,
}

/** Whether a packet with this status is dropped and the connection goes on as if it had never come. */
export function isPacketDiscard(status: i32): boolean {
  return status <= QuicStatus.PACKET_TRUNCATED && status >= QuicStatus.PACKET_DISCARD_LAST;
}
