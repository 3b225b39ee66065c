/**
 * CRYPTO, RFC 9000 §19.6: bytes of the handshake of one encryption level.
 *
 *   Type (i) = 0x06, Offset (i), Length (i), Crypto Data (..)
 */
import { QuicStatus } from "../../abi/quic_status.ts";
import { Status } from "../../abi/status.ts";
import { readSpan, readVarint, Reader } from "../../core/reader.ts";
import { varintLength, VARINT_MAX, writeU8, writeVarint, Writer } from "../../core/writer.ts";
import { FrameType } from "./frame_type.ts";

/** What `readCrypto` found. */
export let cryptoOffset: u64 = 0;
export let cryptoPtr: usize = 0;
export let cryptoLen: u32 = 0;

export function readCrypto(reader: Reader): i32 {
  cryptoOffset = readVarint(reader);
  const len = readVarint(reader);
  cryptoPtr = readSpan(reader, len);
  cryptoLen = <u32>len;
  if (reader.failed != 0) return QuicStatus.FRAME_TRUNCATED;
  // RFC 9000 §19.6: offset and length together MUST NOT exceed 2^62 - 1.
  return cryptoOffset + len <= VARINT_MAX ? Status.OK : QuicStatus.CRYPTO_OFFSET;
}

/** Bytes in front of the data. */
export function cryptoHeaderBytes(offset: u64, len: u32): u32 {
  return 1 + varintLength(offset) + varintLength(len);
}

/** Writes what stands in front of the `len` bytes of data, which the caller writes next. */
export function writeCryptoHeader(writer: Writer, offset: u64, len: u32): void {
  writeU8(writer, FrameType.CRYPTO);
  writeVarint(writer, offset);
  writeVarint(writer, len);
}
