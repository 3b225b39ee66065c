/**
 * Protection of packets, RFC 9001 §5.3 and §5.4: the payload is sealed with the header as its additional data, then the header's
 * packet number and the bits beside it are masked. Both happen where the packet lies; nothing is copied or allocated.
 *
 *   sealing    protectPacket
 *   opening    unprotectHeader tells number and key phase, by which 1-RTT keys are chosen, then unprotectPayload
 *
 * `unprotectHeader` does not know whether the packet is genuine, so what it found is not acted upon before
 * `unprotectPayload` says OK. A packet is unmasked once: when its payload does not open, it is dropped.
 */
import { QuicStatus } from "../../abi/quic_status.ts";
import { Status } from "../../abi/status.ts";
import { AEAD_NONCE_BYTES, AEAD_TAG_BYTES, aeadOpen, aeadSeal, headerMask } from "../../crypto/aead.ts";
import { PROTECTED_BYTES_MIN } from "../wire/packet_header.ts";
import { packetNumberDecode, packetNumberRead } from "../wire/packet_number.ts";
import {
  KEY_PHASE_BIT,
  LONG_HEADER_BIT,
  LONG_RESERVED_BITS,
  PACKET_NUMBER_LENGTH_MASK,
  SHORT_RESERVED_BITS,
} from "../wire/packet_type.ts";
import { PacketKeys, packetKeysAeadKey, packetKeysHeaderKey, packetKeysIv } from "./packet_keys.ts";

/** RFC 9001 §5.4.2: the sample begins where the payload would with a packet number of four bytes. */
const SAMPLE_OFFSET: u32 = 4;
/** RFC 9001 §5.4.1: bits of the first byte that are masked. */
const LONG_MASK: u32 = 0x0f;
const SHORT_MASK: u32 = 0x1f;

const mask: usize = memory.data(16, 16);
const nonce: usize = memory.data(16, 16);

/** What `unprotectHeader` found. */
export let unprotectedNumber: i64 = 0;
export let unprotectedNumberLen: u32 = 0;
/** 0 or 1; of a short header only. */
export let unprotectedKeyPhase: u32 = 0;
/** What `unprotectPayload` found: the frames, where the packet lies. */
export let unprotectedPayloadPtr: usize = 0;
export let unprotectedPayloadLen: u32 = 0;

/** RFC 9001 §5.3: the IV with the packet number over its last eight bytes. */
// @ts-ignore: decorator
@inline
function nonceMake(keys: PacketKeys, packetNumber: i64): void {
  const iv = packetKeysIv(keys);
  store<u32>(nonce, load<u32>(iv));
  store<u64>(nonce, load<u64>(iv, 4) ^ bswap<u64>(packetNumber), AEAD_NONCE_BYTES - 8);
}

// @ts-ignore: decorator
@inline
function maskedBits(firstByte: u32): u32 {
  return (firstByte & LONG_HEADER_BIT) != 0 ? LONG_MASK : SHORT_MASK;
}

/** Masks or unmasks the `len` bytes of a packet number. */
// @ts-ignore: decorator
@inline
function maskNumber(ptr: usize, len: u32): void {
  for (let index: u32 = 0; index < len; index++) {
    store<u8>(ptr + index, load<u8>(ptr + index) ^ load<u8>(mask + index, 1));
  }
}

/** Payload bytes that a packet needs at least, so that there is a sample: the rest is PADDING. */
// @ts-ignore: decorator
@inline
export function payloadBytesMin(packetNumberLen: u32): u32 {
  return SAMPLE_OFFSET - packetNumberLen;
}

/**
 * Protects the packet at `ptr`: a header of `headerLen` bytes, the last `packetNumberLen` of which are the packet number, then
 * `payloadLen` ≥ payloadBytesMin bytes of frames, then room for AEAD_TAG_BYTES. Answers the length of the packet.
 */
export function protectPacket(
  keys: PacketKeys,
  ptr: usize,
  headerLen: u32,
  packetNumberLen: u32,
  packetNumber: i64,
  payloadLen: u32,
): u32 {
  const payload = ptr + headerLen;
  nonceMake(keys, packetNumber);
  aeadSeal(keys.suite, packetKeysAeadKey(keys), nonce, ptr, headerLen, payload, payloadLen, payload);
  keys.sealed++;
  const numberAt = payload - packetNumberLen;
  headerMask(keys.suite, packetKeysHeaderKey(keys), numberAt + SAMPLE_OFFSET, mask);
  const firstByte: u32 = load<u8>(ptr);
  store<u8>(ptr, <u8>(firstByte ^ ((<u32>load<u8>(mask)) & maskedBits(firstByte))));
  maskNumber(numberAt, packetNumberLen);
  return headerLen + payloadLen + AEAD_TAG_BYTES;
}

/**
 * Takes the mask off the header of the packet at `ptr`, `len` bytes long, whose number begins `numberOffset` bytes behind it;
 * `largest` is the largest number received in its space, -1 when there is none.
 */
export function unprotectHeader(
  keys: PacketKeys,
  ptr: usize,
  len: u32,
  numberOffset: u32,
  largest: i64,
): i32 {
  if (numberOffset + PROTECTED_BYTES_MIN > len) return QuicStatus.PACKET_TOO_SHORT;
  const numberAt = ptr + numberOffset;
  headerMask(keys.suite, packetKeysHeaderKey(keys), numberAt + SAMPLE_OFFSET, mask);
  const maskedByte: u32 = load<u8>(ptr);
  const firstByte = maskedByte ^ ((<u32>load<u8>(mask)) & maskedBits(maskedByte));
  const numberLen = (firstByte & PACKET_NUMBER_LENGTH_MASK) + 1;
  store<u8>(ptr, <u8>firstByte);
  maskNumber(numberAt, numberLen);
  unprotectedNumberLen = numberLen;
  unprotectedNumber = packetNumberDecode(largest, packetNumberRead(numberAt, numberLen), numberLen);
  unprotectedKeyPhase = (firstByte & KEY_PHASE_BIT) != 0 ? 1 : 0;
  return Status.OK;
}

/**
 * Opens the payload of the packet whose header `unprotectHeader` read last. PACKET_FORGED: it is not genuine, and to be counted
 * and dropped; RESERVED_BITS and FRAME_MISSING: it is, and the connection ends.
 */
export function unprotectPayload(keys: PacketKeys, ptr: usize, len: u32, numberOffset: u32): i32 {
  const headerLen = numberOffset + unprotectedNumberLen;
  const payload = ptr + headerLen;
  nonceMake(keys, unprotectedNumber);
  const key = packetKeysAeadKey(keys);
  if (!aeadOpen(keys.suite, key, nonce, ptr, headerLen, payload, len - headerLen, payload)) {
    return QuicStatus.PACKET_FORGED;
  }
  unprotectedPayloadPtr = payload;
  unprotectedPayloadLen = len - headerLen - AEAD_TAG_BYTES;
  const firstByte: u32 = load<u8>(ptr);
  const reserved = (firstByte & LONG_HEADER_BIT) != 0 ? LONG_RESERVED_BITS : SHORT_RESERVED_BITS;
  // RFC 9000 §17.2, §17.3.1: reserved bits that are not 0, seen after both protections are gone, are a PROTOCOL_VIOLATION.
  if ((firstByte & reserved) != 0) return QuicStatus.RESERVED_BITS;
  // RFC 9000 §12.4: so is a packet without frames.
  return unprotectedPayloadLen > 0 ? Status.OK : QuicStatus.FRAME_MISSING;
}
