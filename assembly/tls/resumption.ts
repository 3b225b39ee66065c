/**
 * What a client keeps of a session to resume it: one record of bytes that the host stores, secret as a private key is, and gives
 * back at the start of a later session with the same server. Numbers are in network byte order.
 *
 *     u8 version, u8 whether early data is allowed, u16 suite, u32 lifetime in s, u32 age_add, f64 received ms,
 *     PSK<1>, ALPN<1>, server name<1>, ticket<2>, server's transport parameters<2>
 *
 * A record that is not of this form is refused as a whole.
 */
import {
  Reader,
  readU16,
  readU32,
  readU64,
  readU8,
  readerIsExact,
  readerLeft,
  readerOpen,
} from "../core/reader.ts";
import { Writer, writeBytes, writeU16, writeU32, writeU64, writeU8, writerOpen } from "../core/writer.ts";
import { Suite, suiteHash } from "../crypto/aead.ts";
import { hashLength } from "../crypto/hash.ts";
import { SUITE_COUNT } from "./config.ts";
import { TlsSession, hashOfSession } from "./handshake.ts";
import { readVector16, readVector8 } from "./vector.ts";

const VERSION: u32 = 1;
/** A record with a larger ticket is not kept. */
export const RESUMPTION_BYTES_MAX: u32 = 4096;

const reader = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const writer = changetype<Writer>(memory.data(offsetof<Writer>(), 4));
export const resumptionPskSpan = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
export const resumptionAlpn = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
export const resumptionName = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
export const resumptionTicket = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
export const resumptionParameters = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
export let resumptionSuite: u32 = 0;
export let resumptionLifetimeS: u32 = 0;
export let resumptionAgeAdd: u32 = 0;
export let resumptionReceivedMs: f64 = 0;
export let resumptionHasEarlyData: bool = false;

/** Writes a record to `dest`, which has room for RESUMPTION_BYTES_MAX. Answers its length; 0 when it does not fit. */
export function resumptionWrite(
  session: TlsSession,
  lifetimeS: u32,
  ageAdd: u32,
  isEarlyDataAllowed: bool,
  psk: usize,
  ticket: Reader,
  dest: usize,
): u32 {
  writerOpen(writer, dest, RESUMPTION_BYTES_MAX);
  writeU8(writer, VERSION);
  writeU8(writer, isEarlyDataAllowed ? 1 : 0);
  writeU16(writer, session.suite);
  writeU32(writer, lifetimeS);
  writeU32(writer, ageAdd);
  writeU64(writer, reinterpret<u64>(session.nowMs));
  const pskLen = hashLength(hashOfSession(session));
  writeU8(writer, pskLen);
  writeBytes(writer, psk, pskLen);
  writeU8(writer, session.alpnLen);
  writeBytes(writer, session.alpnPtr, session.alpnLen);
  writeU8(writer, session.serverNameLen);
  writeBytes(writer, session.serverNamePtr, session.serverNameLen);
  writeU16(writer, readerLeft(ticket));
  writeBytes(writer, ticket.at, readerLeft(ticket));
  writeU16(writer, session.remoteParametersLen);
  writeBytes(writer, session.remoteParametersPtr, session.remoteParametersLen);
  return writer.failed != 0 ? 0 : <u32>(writer.at - dest);
}

/** Reads a record into this file's variables. False when it is not one. */
export function resumptionRead(ptr: usize, len: u32): bool {
  readerOpen(reader, ptr, len);
  const version = readU8(reader);
  resumptionHasEarlyData = readU8(reader) == 1;
  resumptionSuite = readU16(reader);
  resumptionLifetimeS = readU32(reader);
  resumptionAgeAdd = readU32(reader);
  resumptionReceivedMs = reinterpret<f64>(readU64(reader));
  readVector8(reader, resumptionPskSpan);
  readVector8(reader, resumptionAlpn);
  readVector8(reader, resumptionName);
  readVector16(reader, resumptionTicket);
  readVector16(reader, resumptionParameters);
  if (!readerIsExact(reader) || version != VERSION || readerLeft(resumptionTicket) == 0) return false;
  if (resumptionSuite - Suite.AES_128_GCM_SHA256 >= SUITE_COUNT) return false;
  return readerLeft(resumptionPskSpan) == hashLength(suiteHash(<Suite>resumptionSuite));
}
