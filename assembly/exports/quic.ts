/**
 * Doors of QUIC connections, their raw streams and datagrams. Codes of applications are varints of 62 bits, in two halves. Pointers lie
 * in the command or the pinned region.
 */
import { Counter } from "../abi/counter.ts";
import { Protocol } from "../abi/message.ts";
import { ADDRESS_BYTES, QuicStat } from "../abi/quic.ts";
import { Status } from "../abi/status.ts";
import { H3Stream, h3StreamRelease } from "../h3/stream.ts";
import { QuicConfig } from "../quic/connection/config.ts";
import { closeByApplication, closeWith } from "../quic/connection/close.ts";
import {
  isLive,
  localIdsOf,
  QuicConnection,
  QuicFlag,
  setBit,
  streamsOfConnection,
  tlsOf,
} from "../quic/connection/connection.ts";
import { markDirty } from "../quic/connection/dirty.ts";
import { handshakeAdvance } from "../quic/connection/handshake.ts";
import { localIdsRetireOlder } from "../quic/ids/local_ids.ts";
import { migrate } from "../quic/connection/migration.ts";
import { retryWaiting } from "../quic/connection/receive.ts";
import { statsWrite } from "../quic/connection/stats.ts";
import { endpointConnect, Target } from "../quic/endpoint/connect.ts";
import { endpointOf } from "../quic/endpoint/endpoint.ts";
import { Endpoint } from "../quic/endpoint/endpoint_state.ts";
import { Address, addressIsValid } from "../quic/path/address.ts";
import { rawAdopt, rawRelease, rawStreamOf } from "../quic/raw/raw.ts";
import {
  datagramConsume,
  datagramPeek,
  datagramPeekLength,
  datagramSend,
  streamConsume,
  streamIsAtEnd,
  streamOpen,
  streamPeek,
  streamPeekLength,
  streamRelease,
  streamReset,
  streamSend,
  streamStopSending,
} from "../quic/stream/application.ts";
import { schedulePriority } from "../quic/stream/schedule.ts";
import { QuicStream, streamsOf } from "../quic/stream/stream.ts";
import { connectionOf } from "../session/connection.ts";
import { count } from "../session/counters.ts";
import { clockUnixMs, setNow } from "../session/deadline.ts";
import { isCommandMemory } from "../session/regions.ts";
import { Wanted } from "../tls/handshake.ts";
import {
  tlsExport,
  tlsKeyExchangeDone,
  tlsSetTime,
  tlsSignDone,
  tlsVerifyDone,
  tlsWantedFailed,
} from "../tls/session.ts";
import { configOf } from "./endpoint.ts";

const target = changetype<Target>(memory.data(offsetof<Target>(), 8));
/** Address and number of the socket, then the lengths of what follows: name, resumption, token; and whether the name is an address. */
const TARGET_HEAD_BYTES: u32 = <u32>ADDRESS_BYTES + 20;

/**
 * Opens a connection to a server. At `at` lie its address (20 bytes), the number of the local socket, the lengths of its name, of what
 * QUIC_TICKET brought earlier and of what QUIC_TOKEN did, whether the name is an IP address (all u32), then these bytes. Answers the
 * connection's handle, CONNECTIONS_FULL, or an error of the host's.
 */
export function connectQuic(endpoint: u32, config: u32, at: usize, len: u32, now: f64): i32 {
  const endpointPtr = endpointOf(endpoint);
  const configPtr = configOf(config);
  if (endpointPtr == 0 || configPtr == 0) return hostError(Status.INVALID_HANDLE);
  if (len < TARGET_HEAD_BYTES || !isCommandMemory(at, len)) return hostError(Status.OUT_OF_BOUNDS);
  const address = changetype<Address>(at);
  if (!addressIsValid(address)) return hostError(Status.INVALID_ARGUMENT);
  target.address = at;
  target.local = load<u32>(at, ADDRESS_BYTES);
  target.nameLen = load<u32>(at, ADDRESS_BYTES + 4);
  target.resumptionLen = load<u32>(at, ADDRESS_BYTES + 8);
  target.tokenLen = load<u32>(at, ADDRESS_BYTES + 12);
  target.isAddress = load<u32>(at, ADDRESS_BYTES + 16);
  const total = <u64>TARGET_HEAD_BYTES + target.nameLen + target.resumptionLen + target.tokenLen;
  if (total != len) return hostError(Status.OUT_OF_BOUNDS);
  target.name = at + TARGET_HEAD_BYTES;
  target.resumption = target.name + target.nameLen;
  target.token = target.resumption + target.resumptionLen;
  setNow(now);
  const ptr = endpointConnect(changetype<Endpoint>(endpointPtr), changetype<QuicConfig>(configPtr), target);
  return ptr == 0 ? Status.CONNECTIONS_FULL : <i32>changetype<QuicConnection>(ptr).handle;
}

/** The QUIC connection behind a handle, 0 when it is stale or of another kind. */
function quicOf(handle: u32): usize {
  const ptr = connectionOf(handle);
  return ptr != 0 && changetype<QuicConnection>(ptr).protocol >= <u32>Protocol.QUIC ? ptr : 0;
}

/** Answers QUIC_QUESTION with [at, at + len): for VERIFY, one u32 that says how many signatures hold. */
export function answerQuic(connection: u32, at: usize, len: u32, now: f64): i32 {
  const ptr = quicOf(connection);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  if (!isCommandMemory(at, len)) return hostError(Status.OUT_OF_BOUNDS);
  setNow(now);
  const quic = changetype<QuicConnection>(ptr);
  if (!isLive(quic)) return Status.INVALID_STATE;
  const tls = tlsOf(quic);
  tlsSetTime(tls, clockUnixMs());
  if (tls.wantedKind == Wanted.NONE) return hostError(Status.INVALID_STATE);
  if (tls.wantedKind == Wanted.VERIFY && len < 4) return hostError(Status.INVALID_ARGUMENT);
  if (tls.wantedKind == Wanted.KEY_EXCHANGE) tlsKeyExchangeDone(tls, at, len);
  else if (tls.wantedKind == Wanted.SIGN) tlsSignDone(tls, at, len);
  else tlsVerifyDone(tls, load<u32>(at));
  return advance(quic);
}

/** The host cannot answer QUIC_QUESTION: the handshake fails. */
export function failQuic(connection: u32, now: f64): i32 {
  const ptr = quicOf(connection);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  setNow(now);
  const quic = changetype<QuicConnection>(ptr);
  if (!isLive(quic)) return Status.INVALID_STATE;
  if (tlsWantedFailed(tlsOf(quic)) == Status.INVALID_STATE) return hostError(Status.INVALID_STATE);
  return advance(quic);
}

/** What the answer has brought; a failure of the handshake is told by QUIC_CLOSED. */
function advance(connection: QuicConnection): i32 {
  connection.bits &= ~QuicFlag.QUESTION_TOLD;
  const status = handshakeAdvance(connection);
  if (status < 0) closeWith(connection, status, 0);
  else retryWaiting(connection);
  markDirty(connection);
  return Status.OK;
}

/** Closes with a code of the application and a reason of at most 256 bytes. QUIC_CLOSED follows. */
export function closeQuic(connection: u32, codeLow: u32, codeHigh: u32, at: usize, len: u32, now: f64): i32 {
  const ptr = quicOf(connection);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  if (!isCommandMemory(at, len)) return hostError(Status.OUT_OF_BOUNDS);
  if (codeHigh >> 30 != 0) return hostError(Status.INVALID_ARGUMENT);
  setNow(now);
  closeByApplication(changetype<QuicConnection>(ptr), codeOf(codeLow, codeHigh), at, len);
  return Status.OK;
}

function codeOf(low: u32, high: u32): u64 {
  return ((<u64>high) << 32) | low;
}

/** Sends a PING, so that the connection does not idle out. */
export function pingQuic(connection: u32, now: f64): i32 {
  const ptr = quicOf(connection);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  setNow(now);
  setBit(changetype<QuicConnection>(ptr), QuicFlag.PING_OWED);
  markDirty(changetype<QuicConnection>(ptr));
  return Status.OK;
}

/** Updates the keys as soon as that may be done (RFC 9001 §6). */
export function updateQuicKeys(connection: u32): i32 {
  const ptr = quicOf(connection);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  setBit(changetype<QuicConnection>(ptr), QuicFlag.KEY_UPDATE_WANTED | QuicFlag.PING_OWED);
  markDirty(changetype<QuicConnection>(ptr));
  return Status.OK;
}

/** Has the peer retire every connection ID but the newest (RFC 9000 §5.1.2). WOULD_BLOCK when it has no newer one. */
export function retireQuicIds(connection: u32): i32 {
  const ptr = quicOf(connection);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  markDirty(changetype<QuicConnection>(ptr));
  return localIdsRetireOlder(localIdsOf(changetype<QuicConnection>(ptr))) ? Status.OK : Status.WOULD_BLOCK;
}

/** A client moves to the socket `local`. WOULD_BLOCK when the peer has given no connection ID to spare. */
export function migrateQuic(connection: u32, local: u32, now: f64): i32 {
  const ptr = quicOf(connection);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  setNow(now);
  const quic = changetype<QuicConnection>(ptr);
  if (!isLive(quic)) return Status.INVALID_STATE;
  const status = migrate(quic, local);
  markDirty(quic);
  return status;
}

/** Writes what is known of the connection (QuicStat) to `at`. */
export function quicStats(connection: u32, at: usize): i32 {
  const ptr = quicOf(connection);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  if (!isCommandMemory(at, QuicStat.COUNT * sizeof<f64>())) return hostError(Status.OUT_OF_BOUNDS);
  statsWrite(changetype<QuicConnection>(ptr), at);
  return Status.OK;
}

/** Keying material, RFC 8446 §7.5: a label of `labelLen` bytes at `at`, then a context; the key of `len` bytes goes to `dest`. */
export function exportQuicKey(
  connection: u32,
  at: usize,
  labelLen: u32,
  contextLen: u32,
  dest: usize,
  len: u32,
): i32 {
  const ptr = quicOf(connection);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  const isInside = isCommandMemory(at, labelLen) && isCommandMemory(at + labelLen, contextLen);
  if (!isInside || !isCommandMemory(dest, len)) return hostError(Status.OUT_OF_BOUNDS);
  const quic = changetype<QuicConnection>(ptr);
  if (!isLive(quic)) return Status.INVALID_STATE;
  const isMade = tlsExport(tlsOf(quic), at, labelLen, at + labelLen, contextLen, dest, len);
  return isMade ? <i32>Status.OK : <i32>Status.INVALID_STATE;
}

/** Opens a stream. Answers its handle, or WOULD_BLOCK when the peer allows no more for now (QUIC_OPENABLE follows). */
export function openStream(connection: u32, isUnidirectional: u32): i32 {
  const ptr = quicOf(connection);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  const quic = changetype<QuicConnection>(ptr);
  if (!isLive(quic)) return Status.INVALID_STATE;
  const stream = streamOpen(streamsOfConnection(quic), isUnidirectional != 0);
  if (stream == 0) {
    markDirty(quic);
    return Status.WOULD_BLOCK;
  }
  const handle = rawAdopt(changetype<QuicStream>(stream));
  if (handle != 0) return handle;
  streamRelease(changetype<QuicStream>(stream));
  return Status.MEMORY_FULL;
}

/** The identifier of a stream, RFC 9000 §2.1, as a float: exact below 2^53. */
export function streamId(stream: u32): f64 {
  const ptr = rawStreamOf(stream);
  return ptr == 0 ? -1 : <f64>changetype<QuicStream>(ptr).id;
}

/**
 * Sends [at, at + len) on a stream, and its end with the last of it when `isFin`. Answers the bytes taken: fewer when buffers are full,
 * and QUIC_STREAM with WRITABLE follows.
 */
export function writeStream(connection: u32, stream: u32, at: usize, len: u32, isFin: u32, now: f64): i32 {
  const ptr = rawStreamOf(stream);
  const quic = quicOf(connection);
  if (ptr == 0 || quic == 0) return hostError(Status.INVALID_HANDLE);
  if (!isCommandMemory(at, len)) return hostError(Status.OUT_OF_BOUNDS);
  setNow(now);
  const taken = streamSend(changetype<QuicStream>(ptr), at, len, isFin != 0);
  markDirty(changetype<QuicConnection>(quic));
  return taken;
}

let peeked: usize = 0;

/** Address of what `peekStream` or `peekDatagram` found. Valid until the next call that is not this one. */
export function peekedPtr(): usize {
  return peeked;
}

/** Bytes at the front of a stream that lie in one piece; 0 when there are none now. */
export function peekStream(stream: u32): i32 {
  const ptr = rawStreamOf(stream);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  const len = streamPeekLength(changetype<QuicStream>(ptr));
  peeked = len != 0 ? streamPeek(changetype<QuicStream>(ptr)) : 0;
  return len;
}

/** The first `len` bytes of what was peeked are read: the peer may send more. */
export function consumeStream(connection: u32, stream: u32, len: u32, now: f64): i32 {
  const ptr = rawStreamOf(stream);
  const quic = quicOf(connection);
  if (ptr == 0 || quic == 0) return hostError(Status.INVALID_HANDLE);
  setNow(now);
  const set = streamsOf(changetype<QuicStream>(ptr));
  set.nowMs = now;
  const status = streamConsume(changetype<QuicStream>(ptr), len);
  markDirty(changetype<QuicConnection>(quic));
  return status;
}

/** 1 when everything up to the peer's end of the stream was read, else 0. */
export function isStreamAtEnd(stream: u32): i32 {
  const ptr = rawStreamOf(stream);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  return streamIsAtEnd(changetype<QuicStream>(ptr)) ? 1 : 0;
}

/** Ends the sending part with a code: RESET_STREAM. */
export function resetStream(connection: u32, stream: u32, codeLow: u32, codeHigh: u32, now: f64): i32 {
  const ptr = rawStreamOf(stream);
  const quic = quicOf(connection);
  if (ptr == 0 || quic == 0) return hostError(Status.INVALID_HANDLE);
  setNow(now);
  const status = streamReset(changetype<QuicStream>(ptr), codeOf(codeLow, codeHigh));
  markDirty(changetype<QuicConnection>(quic));
  return status;
}

/** Wants nothing more of the peer on this stream: STOP_SENDING. */
export function stopStream(connection: u32, stream: u32, codeLow: u32, codeHigh: u32, now: f64): i32 {
  const ptr = rawStreamOf(stream);
  const quic = quicOf(connection);
  if (ptr == 0 || quic == 0) return hostError(Status.INVALID_HANDLE);
  setNow(now);
  const status = streamStopSending(changetype<QuicStream>(ptr), codeOf(codeLow, codeHigh));
  markDirty(changetype<QuicConnection>(quic));
  return status;
}

/** Lets go of a stream; what was sent still arrives. */
export function releaseStream(stream: u32): i32 {
  const ptr = rawStreamOf(stream);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  const quicStream = changetype<QuicStream>(ptr);
  // One of a session is HTTP/3's too.
  if (quicStream.applicationState == 0) rawRelease(quicStream);
  else h3StreamRelease(changetype<H3Stream>(quicStream.applicationState));
  return Status.OK;
}

/** Urgency 0 (first) … 7 and whether streams of the same share, RFC 9218 §4. */
export function prioritizeStream(stream: u32, urgency: u32, isIncremental: u32): i32 {
  const ptr = rawStreamOf(stream);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  if (urgency > 7) return hostError(Status.INVALID_ARGUMENT);
  const quicStream = changetype<QuicStream>(ptr);
  schedulePriority(streamsOf(quicStream), quicStream, urgency, isIncremental != 0);
  return Status.OK;
}

/** Sends a datagram (RFC 9221). WOULD_BLOCK when too many wait, INVALID_ARGUMENT when it is too large or the peer takes none. */
export function sendDatagram(connection: u32, at: usize, len: u32, now: f64): i32 {
  const ptr = quicOf(connection);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  if (!isCommandMemory(at, len)) return hostError(Status.OUT_OF_BOUNDS);
  setNow(now);
  const quic = changetype<QuicConnection>(ptr);
  if (!isLive(quic)) return Status.INVALID_STATE;
  const status = datagramSend(streamsOfConnection(quic), at, len);
  markDirty(quic);
  return status;
}

/** Length of the datagram that arrived first (`peekedPtr` says where); WOULD_BLOCK when there is none. */
export function peekDatagram(connection: u32): i32 {
  const ptr = quicOf(connection);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  const quic = changetype<QuicConnection>(ptr);
  if (quic.streams == 0) return Status.WOULD_BLOCK;
  const set = streamsOfConnection(quic);
  const len = datagramPeekLength(set);
  if (len < 0) return Status.WOULD_BLOCK;
  peeked = datagramPeek(set);
  return len;
}

/** The datagram that was peeked is read. */
export function consumeDatagram(connection: u32): i32 {
  const ptr = quicOf(connection);
  if (ptr == 0) return hostError(Status.INVALID_HANDLE);
  const quic = changetype<QuicConnection>(ptr);
  if (quic.streams != 0) datagramConsume(streamsOfConnection(quic));
  return Status.OK;
}

function hostError(status: i32): i32 {
  count(Counter.HOST_ERRORS);
  return status;
}
