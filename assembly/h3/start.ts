/**
 * How HTTP/3 begins on a connection of QUIC, RFC 9114 §3.2, §6.2.1, §7.2.4, and how it is taken off again.
 */
import { Counter } from "../abi/counter.ts";
import { H3Status } from "../abi/h3_status.ts";
import { Limit } from "../abi/limit.ts";
import { OpenFlag, Protocol } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { slabAllocate, slabFree } from "../core/slab.ts";
import { streamOpen, streamSendWhole } from "../quic/stream/application.ts";
import { schedulePriority } from "../quic/stream/schedule.ts";
import { QuicStream } from "../quic/stream/stream.ts";
import { countsOf, QuicStreams } from "../quic/stream/streams.ts";
import { Connection } from "../session/connection.ts";
import { count } from "../session/counters.ts";
import { nowMs } from "../session/deadline.ts";
import { markDirty } from "../session/dirty.ts";
import { limitU32 } from "../session/limits.ts";
import { budgetInitialize } from "./budget.ts";
import { H3Connection, H3Flag, h3Of } from "./connection.ts";
import { H3_STATE_BYTES, sectionsFree, sectionsInitialize } from "./field_sections.ts";
import { FrameType, putVarint, writeFrameHeader } from "./frame.ts";
import { abortExchanges, detachExchanges } from "./lifecycle.ts";
import { prioritiesFree } from "./priority.ts";
import { putSetting, Setting } from "./settings.ts";
import { H3Stream, h3StreamFree } from "./stream.ts";
import { StreamType } from "./stream_type.ts";
import { watchStreams } from "./watch.ts";

/** A reserved type (§7.2.8, §11.2.1), so that peers keep passing over what they do not know. */
const RESERVED_SETTING: u64 = 0x1f * 7 + 0x21;
/** Control stream, encoder stream, decoder stream. */
const CRITICAL_COUNT: u64 = 3;
const SETTINGS_BYTES_MAX: u32 = 128;

const buffer: usize = memory.data(SETTINGS_BYTES_MAX * 2, 16);

/**
 * Puts HTTP/3 on a connection whose keys let it send. Answers OK; STREAM_DIRECTION where the peer allows fewer than three
 * unidirectional streams, which RFC 9114 §6.2 wants it to; or MEMORY_FULL.
 */
export function h3Start(connection: Connection, set: QuicStreams): i32 {
  if (countsOf(set, true).localMost < CRITICAL_COUNT) return H3Status.STREAM_DIRECTION;
  const ptr = slabAllocate(H3_STATE_BYTES);
  if (ptr == 0) return Status.MEMORY_FULL;
  memory.fill(ptr, 0, H3_STATE_BYTES);
  const h3 = changetype<H3Connection>(ptr);
  h3.connection = changetype<usize>(connection);
  h3.set = changetype<usize>(set);
  h3.goawayReceived = u64.MAX_VALUE;
  h3.goawaySent = u64.MAX_VALUE;
  h3.fieldSectionSizeMax = u64.MAX_VALUE;
  sectionsInitialize(h3);
  budgetInitialize(h3);
  h3.controlOut = openCritical(set, StreamType.CONTROL);
  h3.encoderOut = openCritical(set, StreamType.QPACK_ENCODER);
  h3.decoderOut = openCritical(set, StreamType.QPACK_DECODER);
  if (h3.controlOut == 0 || h3.encoderOut == 0 || h3.decoderOut == 0 || !sendSettings(h3, connection)) {
    sectionsFree(h3);
    slabFree(ptr);
    return Status.MEMORY_FULL;
  }
  connection.application = ptr;
  connection.protocol = Protocol.HTTP_3;
  h3.idleSinceMs = nowMs;
  watchStreams(h3);
  count(Counter.CONNECTIONS_H3);
  markDirty(connection);
  return Status.OK;
}

/** Opens a stream of this type, and says so on it. 0 when that is not possible now. */
function openCritical(set: QuicStreams, type: StreamType): usize {
  const ptr = streamOpen(set, true);
  if (ptr == 0) return 0;
  const stream = changetype<QuicStream>(ptr);
  // What all messages wait for goes before them.
  schedulePriority(set, stream, 0, true);
  store<u8>(buffer, <u8>type);
  return streamSendWhole(stream, buffer, 1, false) ? ptr : 0;
}

function sendSettings(h3: H3Connection, connection: Connection): bool {
  let at = buffer;
  at = putSetting(at, Setting.QPACK_MAX_TABLE_CAPACITY, limitU32(Limit.QPACK_TABLE_BYTES));
  at = putSetting(at, Setting.QPACK_BLOCKED_STREAMS, limitU32(Limit.QPACK_BLOCKED_STREAM_COUNT));
  at = putSetting(at, Setting.MAX_FIELD_SECTION_SIZE, limitU32(Limit.HEADER_LIST_BYTES));
  if (connection.openFlags & OpenFlag.EXTENDED_CONNECT) {
    at = putSetting(at, Setting.ENABLE_CONNECT_PROTOCOL, 1);
  }
  if (connection.openFlags & OpenFlag.WEBTRANSPORT) {
    at = putSetting(at, Setting.H3_DATAGRAM, 1);
    at = putSetting(at, Setting.ENABLE_WEBTRANSPORT, 1);
    at = putSetting(at, Setting.WEBTRANSPORT_MAX_SESSIONS, limitU32(Limit.WEB_TRANSPORT_SESSION_COUNT));
  }
  at = putVarint(putVarint(at, RESERVED_SETTING), 0);
  const len = <u32>(at - buffer);
  const frame = buffer + SETTINGS_BYTES_MAX;
  const payload = writeFrameHeader(frame, FrameType.SETTINGS, len);
  memory.copy(payload, buffer, len);
  const control = changetype<QuicStream>(h3.controlOut);
  return streamSendWhole(control, frame, <u32>(payload - frame) + len, false);
}

/** What early data may do is over, or begins: requests that arrive now are marked, and refused where they are not safe (RFC 8470). */
export function h3SetEarlyData(connection: Connection, isEarly: bool): void {
  const h3 = h3Of(connection);
  if (isEarly) h3.flags |= H3Flag.EARLY_DATA;
  else h3.flags &= ~H3Flag.EARLY_DATA;
}

/**
 * The connection is gone: ends each exchange with its event, for which there is room (two for each that is open). The exchanges
 * stay until the host releases them.
 */
export function h3Closed(connection: Connection, status: i32): void {
  abortExchanges(h3Of(connection), status);
}

/** Takes HTTP/3 off the connection and frees what it holds. To be called before the streams are destroyed. No event is told. */
export function h3Destroy(connection: Connection): void {
  const h3 = h3Of(connection);
  detachExchanges(h3);
  while (h3.firstStream != 0) h3StreamFree(h3, changetype<H3Stream>(h3.firstStream));
  prioritiesFree(h3);
  sectionsFree(h3);
  slabFree(changetype<usize>(h3));
  connection.application = 0;
}
