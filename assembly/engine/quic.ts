/**
 * From the doors of QUIC to endpoints and connections, and from connections to what they carry: streams of the host's own, or
 * HTTP/3.
 *
 * A batch of datagrams is received whole, each as far as its frames; then every connection that it concerned is settled once: its
 * application looks at its streams, or hears that the connection is over. Only what came whole in one frame is read before that. Sending settles first, too, for time may have passed.
 */
import { OpenFlag, Protocol } from "../abi/message.ts";
import { DatagramRecord, QuicConfigFlag } from "../abi/quic.ts";
import { Status } from "../abi/status.ts";
import { h3Deadline, h3HandleTimeout } from "../h3/deadlines.ts";
import { H3Error, h3ErrorCode } from "../h3/error_code.ts";
import { h3Drain } from "../h3/goaway.ts";
import { H3_DONE, h3IsWaiting, h3ReadStreams, h3Run } from "../h3/run.ts";
import { h3Closed, h3Destroy, h3SetEarlyData, h3Start } from "../h3/start.ts";
import { closeByApplication, closeTell } from "../quic/connection/close.ts";
import { QuicConfig } from "../quic/connection/config.ts";
import {
  hasBit,
  isLive,
  isServer,
  oneRttOf,
  Phase,
  QuicConnection,
  QuicFlag,
  recoveryOf,
  setBit,
  streamsOfConnection,
  tlsOf,
} from "../quic/connection/connection.ts";
import { choseHttp3 } from "../quic/connection/handshake.ts";
import { quicHandleTimeout } from "../quic/connection/deadlines.ts";
import { markDirty } from "../quic/connection/dirty.ts";
import { wholeStreamsReadBy } from "../quic/connection/receive_frames.ts";
import { Connection } from "../session/connection.ts";
import { nowMs } from "../session/deadline.ts";
import { dirtyNoticeBy } from "../session/dirty.ts";
import { hasEventRoom } from "../session/events.ts";
import { outputSpill } from "../session/output.ts";
import { transmitRegion, TRANSMIT_BYTES } from "../session/regions.ts";
import { isTracing, traceServed } from "../session/trace.ts";
import { quicConnectionDestroy } from "../quic/connection/lifecycle.ts";
import { Endpoint } from "../quic/endpoint/endpoint_state.ts";
import { endpointPoll } from "../quic/endpoint/poll.ts";
import { endpointReceive } from "../quic/endpoint/receive.ts";
import { Address, addressIsValid } from "../quic/path/address.ts";
import { rawClose, rawRun } from "../quic/raw/raw.ts";
import { congestionOf, rttOf } from "../quic/recovery/recovery_state.ts";
import { sendRoomFollow } from "../quic/stream/send_room.ts";

/** Exchanges whose end one datagram may bring, besides the events of a step. */
const EXCHANGES_PER_DATAGRAM: u32 = 64;

/**
 * Takes the batch of datagrams in [ptr, ptr + len). Answers the bytes taken: fewer than `len` when the event ring is full, for the host
 * to read it and call again with the rest; -1 when a record is not whole, or has an address that is none.
 */
export function quicReceiveBatch(endpoint: Endpoint, ptr: usize, len: u32): i32 {
  let at: u32 = 0;
  traceServed(0);
  while (at < len && !(at != 0 && isTracing())) {
    if (!hasEventRoom(EXCHANGES_PER_DATAGRAM)) break;
    if (len - at < <u32>DatagramRecord.PAYLOAD) return -1;
    const record = ptr + at;
    const size: u32 = load<u16>(record, DatagramRecord.LENGTH);
    const address = changetype<Address>(record + DatagramRecord.ADDRESS);
    if (size > len - at - DatagramRecord.PAYLOAD || !addressIsValid(address)) return -1;
    const ecn: u32 = load<u8>(record, DatagramRecord.ECN) & 3;
    const local = load<u32>(record, DatagramRecord.LOCAL);
    endpointReceive(endpoint, address, local, record + DatagramRecord.PAYLOAD, size, ecn);
    at = min(
      len,
      at + ((DatagramRecord.PAYLOAD + size + DatagramRecord.ALIGNMENT - 1) & ~(DatagramRecord.ALIGNMENT - 1)),
    );
  }
  quicSettle(endpoint);
  return at;
}

/** Fills the transmit region with datagrams to send; answers its bytes, 0 when there are no more. */
export function quicPollBatch(endpoint: Endpoint): u32 {
  traceServed(0);
  quicSettle(endpoint);
  outputSpill();
  return endpointPoll(endpoint, transmitRegion, TRANSMIT_BYTES);
}

/** Every connection with news gives them to its application. */
export function quicSettle(endpoint: Endpoint): void {
  let ptr = endpoint.dirtyHead;
  while (ptr != 0) {
    const connection = changetype<QuicConnection>(ptr);
    ptr = connection.dirtyNext;
    settle(connection);
  }
}

/** Has the rooms above a transport say to it that there is something to send, and read at once what needs no copy then. */
export function quicInitialize(): void {
  wholeStreamsReadBy(readWhole);
  dirtyNoticeBy((connection: Connection): void => markDirty(changetype<QuicConnection>(connection)));
}

/** A short request or answer lies in the packet. Whatever comes of reading it is seen to when the connection is settled. */
function readWhole(connection: QuicConnection): void {
  if (
    !isHttp3(connection) ||
    connection.phase != Phase.ESTABLISHED ||
    hasBit(connection, QuicFlag.CLOSE_TOLD)
  )
    return;
  streamsOfConnection(connection).nowMs = nowMs;
  h3SetEarlyData(changetype<Connection>(connection), false);
  h3ReadStreams(changetype<Connection>(connection));
}

function settle(connection: QuicConnection): void {
  const isTold = hasBit(connection, QuicFlag.CLOSE_TOLD);
  if (connection.streams != 0 && !isTold) {
    const streams = streamsOfConnection(connection);
    streams.nowMs = nowMs;
    streams.rttMs = rttOf(recoveryOf(connection)).smoothedMs;
    sendRoomFollow(streams, congestionOf(recoveryOf(connection)).window);
    if (isLive(connection)) start(connection);
    run(connection);
  }
  if (isLive(connection)) return;
  if (!isTold) {
    if (!hasEventRoom(connection.openExchangeCount)) return;
    endApplication(connection);
    closeTell(connection);
    return;
  }
  if (hasBit(connection, QuicFlag.IS_DONE)) quicConnectionDestroy(connection);
}

/** HTTP/3 begins as soon as there are keys to send with and ALPN has chosen it; a client may have them for early data alone. */
function start(connection: QuicConnection): void {
  if (hasBit(connection, QuicFlag.APPLICATION_STARTED)) return;
  const tls = tlsOf(connection);
  const hasKeys = connection.keys != 0 && oneRttOf(connection).hasWrite;
  const isEarly = hasBit(connection, QuicFlag.EARLY_OFFERED) && connection.phase == Phase.HANDSHAKE;
  if (!hasKeys && !isEarly) return;
  if (tls.remoteParametersPtr == 0 && !isEarly) return;
  if (!choseHttp3(connection)) return;
  const config = changetype<QuicConfig>(connection.config);
  setBit(connection, QuicFlag.APPLICATION_STARTED);
  if (config.flags & QuicConfigFlag.CONNECT_PROTOCOL) connection.openFlags |= OpenFlag.EXTENDED_CONNECT;
  if (config.flags & QuicConfigFlag.WEBTRANSPORT)
    connection.openFlags |= OpenFlag.EXTENDED_CONNECT | OpenFlag.WEBTRANSPORT;
  connection.openFlags |= OpenFlag.SECURE;
  const status = h3Start(changetype<Connection>(connection), streamsOfConnection(connection));
  if (status < 0) closeApplication(connection, status);
}

/**
 * Whether a client may open exchanges on a connection. HTTP/3 begins here if it can: the host may ask for one as soon as it was told of
 * the connection, or has offered early data, before the next batch of datagrams.
 */
export function canExchange(connection: Connection): bool {
  if (connection.protocol != Protocol.QUIC) return true;
  const quic = changetype<QuicConnection>(connection);
  if (isLive(quic) && quic.streams != 0) start(quic);
  return connection.protocol != Protocol.QUIC;
}

function isHttp3(connection: QuicConnection): bool {
  return connection.protocol == Protocol.HTTP_3 && connection.application != 0;
}

function run(connection: QuicConnection): void {
  if (!isHttp3(connection)) {
    // Streams of a connection that is to carry HTTP/3 wait for it to begin.
    const config = changetype<QuicConfig>(connection.config);
    if ((config.flags & QuicConfigFlag.HTTP3) == 0 || hasBit(connection, QuicFlag.CONNECT_TOLD))
      rawRun(connection);
    return;
  }
  const isEarly = isServer(connection) && connection.phase == Phase.HANDSHAKE;
  h3SetEarlyData(changetype<Connection>(connection), isEarly);
  const status = h3Run(changetype<Connection>(connection));
  if (!isLive(connection)) return;
  const dueMs = h3Deadline(changetype<Connection>(connection));
  connection.applicationAtMs = dueMs == 0 ? Infinity : dueMs;
  // The host has to read its events first: it is called again as soon as it has.
  if (status == Status.OK && h3IsWaiting(changetype<Connection>(connection)))
    connection.applicationAtMs = nowMs;
  if (status == H3_DONE) closeByApplication(connection, H3Error.NO_ERROR, 0, 0);
  else if (status < 0) closeApplication(connection, status);
}

function closeApplication(connection: QuicConnection, status: i32): void {
  closeByApplication(connection, h3ErrorCode(status), 0, 0);
}

/** The connection is over: what it carried hears of it first. */
function endApplication(connection: QuicConnection): void {
  if (isHttp3(connection)) {
    const status =
      connection.closeStatus == Status.OK ? <i32>Status.H1_UNEXPECTED_END : connection.closeStatus;
    h3Closed(changetype<Connection>(connection), status);
    h3Destroy(changetype<Connection>(connection));
  } else rawClose(connection);
}

/** Time has passed for a connection: its transport's, and that of what it carries. */
export function quicTimeout(connection: QuicConnection): void {
  quicHandleTimeout(connection);
  if (!isLive(connection) || !isHttp3(connection)) return;
  h3HandleTimeout(changetype<Connection>(connection));
}

/** No further exchange on this connection. */
export function quicDrain(connection: QuicConnection): void {
  if (!isLive(connection)) return;
  if (isHttp3(connection)) h3Drain(changetype<Connection>(connection));
  else closeByApplication(connection, 0, 0, 0);
  markDirty(connection);
}

/**
 * The host has no more use for the connection. Unlike that of a stream socket it is no end of its own: the peer hears of it, and
 * what is left goes with its last timer.
 */
export function quicForget(connection: QuicConnection): void {
  if (isLive(connection)) closeByApplication(connection, isHttp3(connection) ? H3Error.NO_ERROR : 0, 0, 0);
}
