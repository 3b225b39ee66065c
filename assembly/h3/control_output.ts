/** Frames on the control stream of this side, RFC 9114 §6.2.1. */
import { Status } from "../abi/status.ts";
import { varintLength } from "../core/writer.ts";
import { streamSendWhole } from "../quic/stream/application.ts";
import { QuicStream } from "../quic/stream/stream.ts";
import { markDirty } from "../session/dirty.ts";
import { H3Connection, transportOf } from "./connection.ts";
import { connectionError } from "./failure.ts";
import { FRAME_HEADER_MAX, FrameType, putVarint, writeFrameHeader } from "./frame.ts";

const frame: usize = memory.data(FRAME_HEADER_MAX + 8, 16);

/** Sends a frame whose payload is one variable-length integer. */
export function sendControl(h3: H3Connection, type: FrameType, value: u64): void {
  const end = putVarint(writeFrameHeader(frame, type, varintLength(value)), value);
  sendOnControl(h3, frame, <u32>(end - frame));
}

/** Sends bytes on the control stream. */
export function sendOnControl(h3: H3Connection, ptr: usize, len: u32): void {
  const isSent = streamSendWhole(changetype<QuicStream>(h3.controlOut), ptr, len, false);
  if (!isSent) connectionError(h3, Status.MEMORY_FULL);
  markDirty(transportOf(h3));
}
