/**
 * A QUIC connection: what it holds, and where. RFC 9000 §5.
 *
 * The struct continues that of every connection (session/connection.ts), so that its handle, its timer and its exchanges are what
 * they are for HTTP/1.1 and HTTP/2. What only the handshake needs is a block of its own (handshake_state.ts), gone once the
 * handshake is confirmed; what only a live connection needs (TLS, recovery, streams, 1-RTT keys) is gone once it closes.
 *
 *     HANDSHAKE ──complete──▶ ESTABLISHED ──closed here──▶ CLOSING ──3 PTO──▶ freed
 *         └──────────────────────┴───────closed by the peer──▶ DRAINING ──3 PTO──▶ freed
 *
 * The rooms of a connection: receive.ts and receive_frames.ts (packets in), send.ts and send_packet.ts (packets out),
 * handshake.ts (TLS), keys.ts, parameters.ts, paths.ts, deadlines.ts (time), close.ts, lifecycle.ts. All of them take the struct.
 * None calls the application: it looks at the streams once a batch of datagrams is through (assembly/engine/quic.ts).
 */
import { Connection } from "../../session/connection.ts";
import { TlsSession } from "../../tls/handshake.ts";
import { LOCAL_IDS_BYTES, LocalIds } from "../ids/local_ids.ts";
import { REMOTE_IDS_BYTES, RemoteIds } from "../ids/remote_ids.ts";
import { PATH_MTU_BYTES, PathMtu } from "../path/mtu.ts";
import { Path } from "../path/path.ts";
import { currentPath, Paths, PATHS_BYTES } from "../path/paths.ts";
import { Recovery } from "../recovery/recovery_state.ts";
import { QuicStreams } from "../stream/streams.ts";
import { HandshakeState } from "./handshake_state.ts";
import { OneRttKeys } from "./one_rtt_keys.ts";

export const enum Phase {
  HANDSHAKE = 0,
  ESTABLISHED = 1,
  CLOSING = 2,
  DRAINING = 3,
}

export const enum QuicFlag {
  SERVER = 1 << 0,
  /** RFC 9001 §4.1.2. */
  CONFIRMED = 1 << 1,
  /** Control frames owed. */
  HANDSHAKE_DONE_OWED = 1 << 2,
  NEW_TOKEN_OWED = 1 << 3,
  PING_OWED = 1 << 4,
  /** Stands in its endpoint's list of connections that may have something to send. */
  DIRTY = 1 << 5,
  /** An ack-eliciting packet was sent since the last one arrived: the idle timer is not restarted again, RFC 9000 §10.1. */
  HAS_ELICITED = 1 << 6,
  /** The host was told of it. */
  ACCEPT_TOLD = 1 << 7,
  CONNECT_TOLD = 1 << 8,
  QUESTION_TOLD = 1 << 9,
  PARAMETERS_TAKEN = 1 << 10,
  /** The peer takes packets whose fixed bit is 0, RFC 9287. */
  PEER_TAKES_GREASE = 1 << 11,
  KEY_UPDATE_WANTED = 1 << 12,
  SPINNING = 1 << 13,
  /** Client: the token and the first answer were seen; a Retry is not taken any more. */
  HAS_PROCESSED = 1 << 14,
  EARLY_OFFERED = 1 << 15,
  /** The application has been told to start (assembly/engine/quic.ts). */
  APPLICATION_STARTED = 1 << 16,
  /** Counts among the endpoint's half-open handshakes. */
  HALF_OPEN = 1 << 17,
  NO_MIGRATION = 1 << 18,
  CAN_SPIN = 1 << 19,
  /** A close packet is due. */
  CLOSE_OWED = 1 << 20,
  /** QUIC_CLOSED was told. */
  CLOSE_TOLD = 1 << 21,
  RETRIED = 1 << 22,
  /** Freed at the next settling. */
  IS_DONE = 1 << 23,
  /** What only a live connection needs is to be freed. */
  STRIP_OWED = 1 << 24,
}


@unmanaged
export class QuicConnection extends Connection {
  /** The endpoint (endpoint/endpoint.ts). */
  endpoint: usize;
  dirtyNext: usize;
  dirtyPrevious: usize;
  /** The QuicConfig it was made of, which it holds. */
  config: usize;
  phase: u32;
  bits: u32;
  version: u32;
  /** Four blocks; 0 once they are gone. */
  tls: usize;
  recovery: usize;
  streams: usize;
  handshake: usize;
  /** 1-RTT keys; 0 until there are any. */
  keys: usize;
  /** The CRYPTO stream of 1-RTT packets; 0 while nothing was sent or received there. */
  crypto: usize;
  /** Packets that wait for their keys (undecryptable.ts). */
  waitingHead: usize;
  waitingTail: usize;
  waitingCount: u32;
  /** Since the last packet, RFC 9000 §10.1. */
  idleAtMs: f64;
  idleTimeoutMs: f64;
  /** The handshake has to be complete by then; Infinity afterwards. */
  handshakeByMs: f64;
  /** When pacing lets the next packet go; Infinity when it holds none back. */
  paceAtMs: f64;
  /** When what the connection carries has something to do; Infinity when it has not (assembly/engine/quic.ts). */
  applicationAtMs: f64;
  /** End of the closing or draining period. */
  closeAtMs: f64;
  /** Peer's ack_delay_exponent, and the largest datagram that it takes. */
  ackExponent: u32;
  udpPayloadMost: u32;
  /** Why it closes. */
  closeCode: u64;
  closeFrameType: u64;
  closeStatus: i32;
  /** CloseFlag. */
  closeFlags: u32;
  closeReason: usize;
  closeReasonLen: u32;
  /** The datagram that says so, sent again to whoever sends on. */
  closeDatagram: usize;
  closeDatagramLen: u32;
  closeHeard: u32;
  closeAnswerAt: u32;
  /** Packets that were not genuine, over all keys, RFC 9001 §6.6. */
  forgedCount: u64;
  /** Bucket of useless frames: the words of a TokenBucket. */
  glitchLevel: f64;
  glitchAtMs: f64;
  datagramsSent: f64;
  datagramsReceived: f64;
  bytesSent: f64;
  bytesReceived: f64;
  lostCount: f64;
}

const ALIGNED: usize = (offsetof<QuicConnection>() + 7) & ~7;
const LOCAL_OFFSET: usize = ALIGNED;
const REMOTE_OFFSET: usize = LOCAL_OFFSET + ((LOCAL_IDS_BYTES + 7) & ~7);
const PATH_OFFSET: usize = REMOTE_OFFSET + ((REMOTE_IDS_BYTES + 7) & ~7);
const MTU_OFFSET: usize = PATH_OFFSET + ((PATHS_BYTES + 7) & ~7);
export const QUIC_CONNECTION_BYTES: u32 = <u32>(MTU_OFFSET + PATH_MTU_BYTES);

// @ts-ignore: decorator
@inline
export function hasBit(connection: QuicConnection, bit: QuicFlag): bool {
  return (connection.bits & bit) != 0;
}

// @ts-ignore: decorator
@inline
export function setBit(connection: QuicConnection, bit: QuicFlag): void {
  connection.bits |= bit;
}

// @ts-ignore: decorator
@inline
export function clearBit(connection: QuicConnection, bit: QuicFlag): void {
  connection.bits &= ~bit;
}

// @ts-ignore: decorator
@inline
export function isServer(connection: QuicConnection): bool {
  return (connection.bits & QuicFlag.SERVER) != 0;
}

/** Whether it still carries data. */
// @ts-ignore: decorator
@inline
export function isLive(connection: QuicConnection): bool {
  return connection.phase <= <u32>Phase.ESTABLISHED;
}

// @ts-ignore: decorator
@inline
export function tlsOf(connection: QuicConnection): TlsSession {
  return changetype<TlsSession>(connection.tls);
}

// @ts-ignore: decorator
@inline
export function recoveryOf(connection: QuicConnection): Recovery {
  return changetype<Recovery>(connection.recovery);
}

// @ts-ignore: decorator
@inline
export function streamsOfConnection(connection: QuicConnection): QuicStreams {
  return changetype<QuicStreams>(connection.streams);
}

// @ts-ignore: decorator
@inline
export function handshakeOf(connection: QuicConnection): HandshakeState {
  return changetype<HandshakeState>(connection.handshake);
}

// @ts-ignore: decorator
@inline
export function oneRttOf(connection: QuicConnection): OneRttKeys {
  return changetype<OneRttKeys>(connection.keys);
}

/** IDs that were given to the peer. */
// @ts-ignore: decorator
@inline
export function localIdsOf(connection: QuicConnection): LocalIds {
  return changetype<LocalIds>(changetype<usize>(connection) + LOCAL_OFFSET);
}

/** IDs that the peer gave. */
// @ts-ignore: decorator
@inline
export function remoteIdsOf(connection: QuicConnection): RemoteIds {
  return changetype<RemoteIds>(changetype<usize>(connection) + REMOTE_OFFSET);
}

// @ts-ignore: decorator
@inline
export function pathsOf(connection: QuicConnection): Paths {
  return changetype<Paths>(changetype<usize>(connection) + PATH_OFFSET);
}

/** The path that packets are sent on. */
export function pathOf(connection: QuicConnection): Path {
  return currentPath(pathsOf(connection));
}

// @ts-ignore: decorator
@inline
export function mtuOf(connection: QuicConnection): PathMtu {
  return changetype<PathMtu>(changetype<usize>(connection) + MTU_OFFSET);
}
