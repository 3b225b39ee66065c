/**
 * Types of frames and what holds for each, RFC 9000 §12.4 (table 3), §12.5 and RFC 9221: in which packets a frame may stand, who
 * may send it, and whether it is to be acknowledged, counts as in flight, or may probe a path. All of that is one table.
 *
 * Every frame has a file of its own with its `readX`, which begins after the type and leaves what it found in the file's
 * variables until the next call, and its `writeX`, which writes the type too. `readX` answers OK or a negative status; the
 * reader then stands after the frame. Spans point into the packet.
 */
import { QuicStatus } from "../../abi/quic_status.ts";
import { Status } from "../../abi/status.ts";
import { readVarint, Reader } from "../../core/reader.ts";
import { varintLength } from "../../core/writer.ts";
import { PacketType } from "./packet_type.ts";

export const enum FrameType {
  PADDING = 0x00,
  PING = 0x01,
  ACK = 0x02,
  ACK_ECN = 0x03,
  RESET_STREAM = 0x04,
  STOP_SENDING = 0x05,
  CRYPTO = 0x06,
  NEW_TOKEN = 0x07,
  /** To 0x0f: with the bits of StreamBit. */
  STREAM = 0x08,
  MAX_DATA = 0x10,
  MAX_STREAM_DATA = 0x11,
  MAX_STREAMS_BIDI = 0x12,
  MAX_STREAMS_UNI = 0x13,
  DATA_BLOCKED = 0x14,
  STREAM_DATA_BLOCKED = 0x15,
  STREAMS_BLOCKED_BIDI = 0x16,
  STREAMS_BLOCKED_UNI = 0x17,
  NEW_CONNECTION_ID = 0x18,
  RETIRE_CONNECTION_ID = 0x19,
  PATH_CHALLENGE = 0x1a,
  PATH_RESPONSE = 0x1b,
  CONNECTION_CLOSE = 0x1c,
  CONNECTION_CLOSE_APPLICATION = 0x1d,
  HANDSHAKE_DONE = 0x1e,
  /** RFC 9221 §4. */
  DATAGRAM = 0x30,
  DATAGRAM_WITH_LENGTH = 0x31,
}

/** Low bits of the type of a STREAM frame, RFC 9000 §19.8. */
export const enum StreamBit {
  FIN = 0x01,
  LENGTH = 0x02,
  OFFSET = 0x04,
}

/** The packets a frame may stand in: 1 << PacketType. */
const I: u8 = 1 << (<u8>PacketType.INITIAL);
const Z: u8 = 1 << (<u8>PacketType.ZERO_RTT);
const H: u8 = 1 << (<u8>PacketType.HANDSHAKE);
const A: u8 = 1 << (<u8>PacketType.ONE_RTT);

/** Rules beside the packets. */
const ELICITING: u8 = 0x10;
const PROBING: u8 = 0x20;
const FROM_SERVER: u8 = 0x40;
const IN_FLIGHT: u8 = 0x80;

/** The usual: acknowledged, and so in flight (RFC 9002 §2). */
const E: u8 = ELICITING | IN_FLIGHT;

const TYPES_END: u32 = 0x32;

/**
 * RFC 9000 table 3, by type; 0 is a type that does not exist. §12.5 is stricter than the table where it names what a client
 * cannot have reason to send in 0-RTT: ACK, CRYPTO, HANDSHAKE_DONE, NEW_TOKEN, PATH_RESPONSE and RETIRE_CONNECTION_ID.
 */
// prettier-ignore
const rules: usize = memory.data<u8>([
  I | H | Z | A | IN_FLIGHT | PROBING, // PADDING
  I | H | Z | A | E, // PING
  I | H | A, I | H | A, // ACK
  Z | A | E, // RESET_STREAM
  Z | A | E, // STOP_SENDING
  I | H | A | E, // CRYPTO
  A | E | FROM_SERVER, // NEW_TOKEN
  Z | A | E, Z | A | E, Z | A | E, Z | A | E, Z | A | E, Z | A | E, Z | A | E, Z | A | E, // STREAM
  Z | A | E, // MAX_DATA
  Z | A | E, // MAX_STREAM_DATA
  Z | A | E, Z | A | E, // MAX_STREAMS
  Z | A | E, // DATA_BLOCKED
  Z | A | E, // STREAM_DATA_BLOCKED
  Z | A | E, Z | A | E, // STREAMS_BLOCKED
  Z | A | E | PROBING, // NEW_CONNECTION_ID
  A | E, // RETIRE_CONNECTION_ID
  Z | A | E | PROBING, // PATH_CHALLENGE
  A | E | PROBING, // PATH_RESPONSE
  I | H | Z | A, // CONNECTION_CLOSE of the transport
  Z | A, // CONNECTION_CLOSE of the application
  A | E | FROM_SERVER, // HANDSHAKE_DONE
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  Z | A | E, Z | A | E, // DATAGRAM
]);

// @ts-ignore: decorator
@inline
function rulesOf(type: u64): u32 {
  return type < TYPES_END ? load<u8>(rules + <usize>type) : 0;
}

/** Whether a packet with this frame is to be acknowledged, RFC 9000 §13.2.1. */
export function isAckEliciting(type: u32): bool {
  return (rulesOf(type) & ELICITING) != 0;
}

/** Whether a packet with this frame counts as in flight, RFC 9002 §2: acknowledged, or padded. */
export function isInFlight(type: u32): bool {
  return (rulesOf(type) & IN_FLIGHT) != 0;
}

/** Whether a packet of such frames alone probes a path and moves no connection to it, RFC 9000 §9.1. */
export function isProbing(type: u32): bool {
  return (rulesOf(type) & PROBING) != 0;
}

/** Whether a frame of this type, sent by a server or by a client, may stand in such a packet. */
export function frameStatus(type: u64, packetType: PacketType, isFromServer: bool): i32 {
  const rule = rulesOf(type);
  // RFC 9000 §12.4: an unknown type is a FRAME_ENCODING_ERROR, a known one in the wrong packet a PROTOCOL_VIOLATION.
  if (rule == 0) return QuicStatus.FRAME_TYPE_UNKNOWN;
  // Version Negotiation and Retry have no frames.
  const packets = packetType <= PacketType.ONE_RTT ? 1 << packetType : 0;
  if ((rule & packets) == 0) return QuicStatus.FRAME_NOT_ALLOWED;
  // RFC 9000 §19.7, §19.20: only servers send NEW_TOKEN and HANDSHAKE_DONE.
  if ((rule & FROM_SERVER) != 0 && !isFromServer) return QuicStatus.FRAME_NOT_ALLOWED;
  return Status.OK;
}

/** Reads the type of the next frame. Answers it, or the status that the connection ends with. */
export function readFrameType(reader: Reader, packetType: PacketType, isFromServer: bool): i32 {
  const start = reader.at;
  const type = readVarint(reader);
  if (reader.failed != 0) return QuicStatus.FRAME_TRUNCATED;
  const status = frameStatus(type, packetType, isFromServer);
  if (status == QuicStatus.FRAME_TYPE_UNKNOWN) return status;
  // RFC 9000 §12.4: a type in more bytes than it needs MAY be a PROTOCOL_VIOLATION. No honest peer sends one.
  if (<u32>(reader.at - start) != varintLength(type)) return QuicStatus.FRAME_TYPE_NOT_MINIMAL;
  return status == Status.OK ? <i32>type : status;
}

/** What every `readX` ends with. */
// @ts-ignore: decorator
@inline
export function frameEnd(reader: Reader): i32 {
  return reader.failed == 0 ? Status.OK : QuicStatus.FRAME_TRUNCATED;
}
