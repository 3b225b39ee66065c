/**
 * The life of a QPACK encoder between sections, RFC 9204 §3.2.3 and §4.2 to §4.4: its table, the peer's settings, and the two streams on which
 * it speaks with the peer's decoder. encoder.ts says how it is used.
 */
import { Limit } from "../abi/limit.ts";
import { ByteQueue, byteQueueClear, byteQueueRead } from "../core/byte_queue.ts";
import { slabFree } from "../core/slab.ts";
import { tableFree, tableInitialize, tableResize } from "../http/dynamic_table.ts";
import { indexFree } from "../http/field_index.ts";
import { limitU32 } from "../session/limits.ts";
import { PartialInstruction, readDecoderStream } from "./decoder_stream.ts";
import { InsertingTable } from "./insertion.ts";
import { cancelSections, NO_REFERENCE, referencesFree } from "./references.ts";
import { repetitionForget } from "./repetition.ts";


@unmanaged
export class QpackEncoder extends InsertingTable {
  /** The peer's SETTINGS. */
  peerMaxCapacity: u64;
  blockedLimit: u32;
  /** The second whose date was written last. */
  dateSecond: u32;
  /** What has come of an instruction on the decoder stream; lies behind this, before the encoder stream's queue. */
  partial: PartialInstruction;
}

/** What an encoder takes, its streams included. */
export const QPACK_ENCODER_BYTES: u32 = <u32>(
  (((offsetof<QpackEncoder>() + 7) & ~7) + offsetof<PartialInstruction>() + offsetof<ByteQueue>())
);

export function qpackEncoderInitialize(state: QpackEncoder): void {
  memory.fill(changetype<usize>(state), 0, QPACK_ENCODER_BYTES);
  tableInitialize(state, 0);
  state.oldestReference = NO_REFERENCE;
  const partial = (changetype<usize>(state) + offsetof<QpackEncoder>() + 7) & ~7;
  state.partial = changetype<PartialInstruction>(partial);
  state.output = changetype<ByteQueue>(partial + offsetof<PartialInstruction>());
}

export function qpackEncoderFree(state: QpackEncoder): void {
  tableFree(state);
  indexFree(state);
  referencesFree(state);
  byteQueueClear(state.output);
  if (state.history != 0) slabFree(state.history);
  state.history = 0;
}

/**
 * SETTINGS_QPACK_MAX_TABLE_CAPACITY and SETTINGS_QPACK_BLOCKED_STREAMS of the peer. A second call, after remembered settings were used
 * for 0-RTT, may only raise them (RFC 9204 §3.2.3), and the capacity only from zero; the caller sees to that.
 */
export function qpackEncoderSettings(state: QpackEncoder, maxCapacity: u64, blockedStreams: u64): void {
  repetitionForget();
  state.peerMaxCapacity = maxCapacity;
  state.blockedLimit = <u32>min(blockedStreams, u32.MAX_VALUE);
  const capacity = <u32>min(maxCapacity, limitU32(Limit.QPACK_ENCODER_TABLE_BYTES));
  if (capacity == state.maxSize) return;
  tableResize(state, capacity);
  state.isCapacityOwed = true;
}

/** Takes the next bytes of the peer's decoder stream, all of them. 0, or a QpackStatus, fatal to the connection. */
export function qpackReceiveDecoderStream(state: QpackEncoder, ptr: usize, len: u32): i32 {
  return readDecoderStream(state, state.partial, ptr, len);
}

/** Forgets the sections of a stream of which no byte was sent. For any other the peer acknowledges or cancels. */
export function qpackEncodeForget(state: QpackEncoder, stream: u64): void {
  cancelSections(state, stream);
}

/** Bytes due on the encoder stream. */
export function qpackEncoderStreamLen(state: QpackEncoder): u32 {
  return state.output.length;
}

/** Copies up to `max` bytes of the encoder stream to `dest`. Answers how many. */
export function qpackEncoderStreamTake(state: QpackEncoder, dest: usize, max: u32): u32 {
  return byteQueueRead(state.output, dest, max);
}
