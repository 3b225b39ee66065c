/**
 * Opcodes and the first byte of a frame, RFC 6455 §5.2, §5.4 and §5.5: what may follow what.
 *
 *     7     6      5      4     3 … 0
 *   ┌─────┬──────┬──────┬──────┬────────┐
 *   │ FIN │ RSV1 │ RSV2 │ RSV3 │ opcode │
 *   └─────┴──────┴──────┴──────┴────────┘
 *
 * `firstByteStatus` is the whole rule: first byte × whether a fragmented message is open × whether compression was agreed.
 * Its test walks all of them.
 */

import { Status } from "../abi/status.ts";
import { WsStatus } from "../abi/ws_status.ts";

export const enum Opcode {
  CONTINUATION = 0,
  TEXT = 1,
  BINARY = 2,
  CLOSE = 8,
  PING = 9,
  PONG = 10,
}

/** Bits above the opcode. */
export const enum FrameBit {
  FIN = 0x80,
  /** "Per-Message Compressed", RFC 7692 §6. */
  RSV1 = 0x40,
  RSV2 = 0x20,
  RSV3 = 0x10,
}

const OPCODE_MASK: u32 = 0x0f;
/** Opcodes from here on are control frames. */
const FIRST_CONTROL_OPCODE: u32 = 8;

// @ts-ignore: decorator
@inline
export function opcodeOf(firstByte: u32): u32 {
  return firstByte & OPCODE_MASK;
}

// @ts-ignore: decorator
@inline
export function isControl(firstByte: u32): bool {
  return (firstByte & FIRST_CONTROL_OPCODE) != 0;
}

/** Status.OK, or why a frame must not begin like this here. */
export function firstByteStatus(firstByte: u32, isMessageOpen: bool, isDeflateAgreed: bool): i32 {
  // §5.2: RSV bits MUST be 0 unless an extension gives them a meaning.
  if ((firstByte & (FrameBit.RSV2 | FrameBit.RSV3)) != 0) return WsStatus.RESERVED_BITS;
  const isCompressed = (firstByte & FrameBit.RSV1) != 0;
  switch (opcodeOf(firstByte)) {
    case Opcode.TEXT:
    case Opcode.BINARY:
      if (isCompressed && !isDeflateAgreed) return WsStatus.RESERVED_BITS;
      // §5.4: fragments of one message MUST NOT be interleaved with those of another.
      return isMessageOpen ? WsStatus.CONTINUATION_EXPECTED : Status.OK;
    case Opcode.CONTINUATION:
      // RFC 7692 §6.1: RSV1 only on the first frame of a message.
      if (isCompressed) return WsStatus.RESERVED_BITS;
      return isMessageOpen ? Status.OK : WsStatus.CONTINUATION_UNEXPECTED;
    case Opcode.CLOSE:
    case Opcode.PING:
    case Opcode.PONG:
      if (isCompressed) return WsStatus.RESERVED_BITS;
      // §5.5: control frames MUST NOT be fragmented.
      return (firstByte & FrameBit.FIN) != 0 ? Status.OK : WsStatus.CONTROL_FRAGMENTED;
  }
  return WsStatus.OPCODE;
}
