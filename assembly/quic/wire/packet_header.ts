/**
 * Headers of packets, RFC 9000 §17.2, §17.3 and RFC 8999: where a packet in a datagram begins and ends, and what it says in the
 * open. The packet number and the bits that are protected are read in quic/protection/, after this.
 *
 *   long    first byte, Version (32), DCID Length (8), DCID, SCID Length (8), SCID,
 *           [Token Length (i), Token] Initial only, Length (i), Packet Number (8..32), Payload
 *   short   first byte, DCID, Packet Number (8..32), Payload
 *
 * Whatever is found, `packetLength` says how many bytes to pass over, at least one: a packet that is dropped does not hide the
 * ones behind it, unless its own length cannot be believed; then the rest of the datagram is dropped with it.
 *
 * Nothing here is authentic. Every fault is a packet to drop, never an error of the connection.
 */
import { QuicStatus } from "../../abi/quic_status.ts";
import { Status } from "../../abi/status.ts";
import { readerLeft, readerOpen, readSpan, readU32, readU8, readVarint, Reader } from "../../core/reader.ts";
import {
  varintLength,
  writeBytes,
  writeSpan,
  writeU32,
  writeU8,
  writeVarint,
  Writer,
} from "../../core/writer.ts";
import { CONNECTION_ID_LENGTH_MAX } from "./connection_id.ts";
import {
  FIXED_BIT,
  KEY_PHASE_BIT,
  LONG_HEADER_BIT,
  longTypeBits,
  longTypeOf,
  PacketType,
  SPIN_BIT,
} from "./packet_type.ts";
import { packetNumberWrite } from "./packet_number.ts";
import { isSupportedVersion, Version } from "./version.ts";

/** Bytes of the tag at the end of a Retry packet, RFC 9001 §5.8. */
export const RETRY_TAG_BYTES: u32 = 16;
/** RFC 9001 §5.4.2: the mask's sample begins four bytes after the packet number does and has sixteen. */
export const PROTECTED_BYTES_MIN: u32 = 4 + 16;

/** What `readPacketHeader` found. */
export let packetType: PacketType = 0;
/** 0 in a short header, which has none. */
export let packetVersion: u32 = 0;
/** Bytes from the packet's start to its end. */
export let packetLength: u32 = 0;
/** Bytes from the packet's start to its packet number. */
export let packetNumberOffset: u32 = 0;
export let packetDestinationPtr: usize = 0;
export let packetDestinationLen: u32 = 0;
/** A short header has no source. */
export let packetSourcePtr: usize = 0;
export let packetSourceLen: u32 = 0;
/** An Initial's or a Retry's token; the versions of a Version Negotiation packet, four bytes each. */
export let packetTokenPtr: usize = 0;
export let packetTokenLen: u32 = 0;

const reader = changetype<Reader>(memory.data(offsetof<Reader>(), 8));

/**
 * Reads the header of the packet at `ptr`, of which the datagram has `len` ≥ 1 bytes left. Short headers name a connection ID of
 * `localIdLen` bytes. `isGreased`: this side has let its peer leave the fixed bit at 0 (RFC 9287). PACKET_VERSION tells a version
 * that is not spoken here, with connection IDs of up to 255 bytes, so that Version Negotiation can be answered.
 */
export function readPacketHeader(ptr: usize, len: u32, localIdLen: u32, isGreased: bool): i32 {
  const firstByte: u32 = load<u8>(ptr);
  packetVersion = 0;
  packetLength = len;
  packetSourceLen = 0;
  packetDestinationLen = 0;
  packetTokenLen = 0;
  readerOpen(reader, ptr + 1, len - 1);
  if ((firstByte & LONG_HEADER_BIT) != 0) return readLongHeader(ptr, firstByte, isGreased);
  packetType = PacketType.ONE_RTT;
  // RFC 9000 §17.3.1: packets with a fixed bit of 0 MUST be discarded.
  if ((firstByte & FIXED_BIT) == 0 && !isGreased) return QuicStatus.PACKET_FIXED_BIT;
  packetDestinationPtr = readSpan(reader, localIdLen);
  if (reader.failed != 0) return QuicStatus.PACKET_TRUNCATED;
  packetDestinationLen = localIdLen;
  packetNumberOffset = 1 + localIdLen;
  return readerLeft(reader) >= PROTECTED_BYTES_MIN ? Status.OK : QuicStatus.PACKET_TOO_SHORT;
}

function readLongHeader(ptr: usize, firstByte: u32, isGreased: bool): i32 {
  packetVersion = readU32(reader);
  packetDestinationLen = readU8(reader);
  packetDestinationPtr = readSpan(reader, packetDestinationLen);
  packetSourceLen = readU8(reader);
  packetSourcePtr = readSpan(reader, packetSourceLen);
  if (reader.failed != 0) {
    packetDestinationLen = 0;
    packetSourceLen = 0;
    return QuicStatus.PACKET_TRUNCATED;
  }
  if (packetVersion == Version.NEGOTIATION) return readVersions();
  if (!isSupportedVersion(packetVersion)) return QuicStatus.PACKET_VERSION;
  if ((firstByte & FIXED_BIT) == 0 && !isGreased) return QuicStatus.PACKET_FIXED_BIT;
  // RFC 9000 §17.2: packets with a longer connection ID MUST be dropped.
  if (packetDestinationLen > CONNECTION_ID_LENGTH_MAX || packetSourceLen > CONNECTION_ID_LENGTH_MAX) {
    return QuicStatus.PACKET_CONNECTION_ID;
  }
  packetType = longTypeOf(firstByte, packetVersion);
  if (packetType == PacketType.RETRY) return readRetry();
  if (packetType == PacketType.INITIAL) {
    const tokenLen = readVarint(reader);
    packetTokenPtr = readSpan(reader, tokenLen);
    packetTokenLen = <u32>tokenLen;
  }
  const protectedLen = readVarint(reader);
  if (reader.failed != 0) {
    packetTokenLen = 0;
    return QuicStatus.PACKET_TRUNCATED;
  }
  // RFC 9000 §17.2: a length beyond the datagram. Nothing can be said of what lies behind.
  if (protectedLen > readerLeft(reader)) return QuicStatus.PACKET_LENGTH;
  packetNumberOffset = <u32>(reader.at - ptr);
  packetLength = packetNumberOffset + <u32>protectedLen;
  return protectedLen >= PROTECTED_BYTES_MIN ? Status.OK : QuicStatus.PACKET_TOO_SHORT;
}

/** RFC 9000 §17.2.1: the rest is versions, of which there is one at least. */
function readVersions(): i32 {
  packetType = PacketType.VERSION_NEGOTIATION;
  packetTokenPtr = reader.at;
  packetTokenLen = readerLeft(reader);
  return packetTokenLen >= 4 && (packetTokenLen & 3) == 0 ? Status.OK : QuicStatus.PACKET_TRUNCATED;
}

/** RFC 9000 §17.2.5: the rest is a token and the tag. A client MUST discard a Retry without a token (§17.2.5.2). */
function readRetry(): i32 {
  const left = readerLeft(reader);
  if (left <= RETRY_TAG_BYTES) return QuicStatus.PACKET_TRUNCATED;
  packetTokenPtr = reader.at;
  packetTokenLen = left - RETRY_TAG_BYTES;
  return Status.OK;
}

/** Bytes of Length in a long header: always two, so that it can be filled in when the payload is known. */
const LENGTH_BYTES: u32 = 2;
/** The most that two bytes of a variable-length integer can say. */
export const LONG_PAYLOAD_LENGTH_MAX: u32 = 0x3fff;

function writeIds(
  writer: Writer,
  destination: usize,
  destinationLen: u32,
  source: usize,
  sourceLen: u32,
): void {
  writeU8(writer, destinationLen);
  writeBytes(writer, destination, destinationLen);
  writeU8(writer, sourceLen);
  writeBytes(writer, source, sourceLen);
}

/**
 * Writes a long header down to its packet number, of `packetNumberLen` bytes, and answers the address of its Length, for
 * `writeLongLength`; 0 when there is no room. Only an Initial has a token.
 */
export function writeLongHeader(
  writer: Writer,
  type: PacketType,
  version: u32,
  destination: usize,
  destinationLen: u32,
  source: usize,
  sourceLen: u32,
  token: usize,
  tokenLen: u32,
  packetNumber: i64,
  packetNumberLen: u32,
): usize {
  writeU8(writer, LONG_HEADER_BIT | FIXED_BIT | longTypeBits(type, version) | (packetNumberLen - 1));
  writeU32(writer, version);
  writeIds(writer, destination, destinationLen, source, sourceLen);
  if (type == PacketType.INITIAL) {
    writeVarint(writer, tokenLen);
    writeBytes(writer, token, tokenLen);
  }
  const lengthAt = writeSpan(writer, LENGTH_BYTES);
  const numberAt = writeSpan(writer, packetNumberLen);
  if (numberAt == 0) return 0;
  packetNumberWrite(numberAt, packetNumber, packetNumberLen);
  return lengthAt;
}

/** Fills in Length: the packet number, the payload and the tag, at most LONG_PAYLOAD_LENGTH_MAX. */
// @ts-ignore: decorator
@inline
export function writeLongLength(lengthAt: usize, len: u32): void {
  store<u16>(lengthAt, bswap<u16>(<u16>(0x4000 | len)));
}

/** Bytes that `writeLongHeader` takes. */
export function longHeaderBytes(
  type: PacketType,
  destinationLen: u32,
  sourceLen: u32,
  tokenLen: u32,
  packetNumberLen: u32,
): u32 {
  const tokenBytes = type == PacketType.INITIAL ? varintLength(tokenLen) + tokenLen : 0;
  return 7 + destinationLen + sourceLen + tokenBytes + LENGTH_BYTES + packetNumberLen;
}

/** Writes a short header, 1 + destinationLen + packetNumberLen bytes. */
export function writeShortHeader(
  writer: Writer,
  destination: usize,
  destinationLen: u32,
  isSpinning: bool,
  keyPhase: u32,
  packetNumber: i64,
  packetNumberLen: u32,
): void {
  let firstByte = FIXED_BIT | (packetNumberLen - 1);
  if (isSpinning) firstByte |= SPIN_BIT;
  if (keyPhase != 0) firstByte |= KEY_PHASE_BIT;
  writeU8(writer, firstByte);
  writeBytes(writer, destination, destinationLen);
  const numberAt = writeSpan(writer, packetNumberLen);
  if (numberAt != 0) packetNumberWrite(numberAt, packetNumber, packetNumberLen);
}

/**
 * Writes a Retry packet without its tag (quic/protection/retry_integrity.ts), RFC 9000 §17.2.5. The destination is the client's
 * source, the source is what the client is to use from now on.
 */
export function writeRetry(
  writer: Writer,
  version: u32,
  destination: usize,
  destinationLen: u32,
  source: usize,
  sourceLen: u32,
  token: usize,
  tokenLen: u32,
): void {
  writeU8(writer, LONG_HEADER_BIT | FIXED_BIT | longTypeBits(PacketType.RETRY, version));
  writeU32(writer, version);
  writeIds(writer, destination, destinationLen, source, sourceLen);
  writeBytes(writer, token, tokenLen);
}

/**
 * Writes a Version Negotiation packet, RFC 9000 §17.2.1, in answer to one from `source` to `destination`, which change places.
 * `unused` fills the first byte's free bits and, with the rest of it, makes the reserved version that keeps clients honest
 * (§6.3): give it random bits.
 */
export function writeVersionNegotiation(
  writer: Writer,
  destination: usize,
  destinationLen: u32,
  source: usize,
  sourceLen: u32,
  unused: u32,
): void {
  writeU8(writer, LONG_HEADER_BIT | FIXED_BIT | (unused & 0x3f));
  writeU32(writer, Version.NEGOTIATION);
  writeIds(writer, source, sourceLen, destination, destinationLen);
  writeU32(writer, Version.V1);
  writeU32(writer, Version.V2);
  writeU32(writer, (unused & 0xf0f0f0f0) | 0x0a0a0a0a);
}
