/** PING, RFC 9113 §6.7: eight bytes that come back with ACK. */
import { Status } from "../abi/status.ts";
import { FrameFlag, FrameType, writeFrameHeader } from "./frame.ts";

const LEN: u32 = 8;
export const PING_BYTES: u32 = 9 + LEN;

export let pingData: u64 = 0;

export function readPing(ptr: usize, len: u32, streamId: u32): i32 {
  if (streamId != 0) return Status.H2_STREAM_ID;
  if (len != LEN) return Status.H2_FRAME_SIZE;
  pingData = load<u64>(ptr);
  return Status.OK;
}

export function writePing(dest: usize, data: u64, isAck: bool): usize {
  const at = writeFrameHeader(dest, LEN, FrameType.PING, isAck ? FrameFlag.ACK : 0, 0);
  store<u64>(at, data);
  return at + LEN;
}
