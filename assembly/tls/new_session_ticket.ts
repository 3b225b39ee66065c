/**
 * NewSessionTicket, RFC 8446 §4.6.1: sent by a server when the handshake is over, kept by the client for the next one.
 *
 * In QUIC max_early_data_size says only whether 0-RTT is allowed: it is 0xffffffff (RFC 9001 §4.6.1).
 */
import { Status } from "../abi/status.ts";
import { byteQueueWrite } from "../core/byte_queue.ts";
import { Reader, readU32, readerIsExact, readerLeft, readerOpen } from "../core/reader.ts";
import { writeBytes, writeU16, writeU32, writeU8 } from "../core/writer.ts";
import { randomFill } from "../crypto/drbg.ts";
import { HASH_LENGTH_MAX } from "../crypto/hash.ts";
import { ClientAuth, ConfigFlag } from "./config.ts";
import { draft, draftBegin, draftEnd, draftLength, draftPtr } from "./draft.ts";
import { Carrier, ExtensionType, extensionIsPresent, extensionOpen, readExtensions } from "./extension.ts";
import { TlsSession, hashOfSession, resumptionSecretOf, send, ticketsOf } from "./handshake.ts";
import { Level } from "./handshake_state.ts";
import { HandshakeType } from "./handshake_type.ts";
import { resumptionPsk } from "./key_schedule.ts";
import { RESUMPTION_BYTES_MAX, resumptionWrite } from "./resumption.ts";
import { TICKET_BYTES_MAX, TicketFlag, sealTicket } from "./ticket.ts";
import { TlsStatus } from "./tls_status.ts";
import { beginVector, endVector, readVector16, readVector8 } from "./vector.ts";

/** RFC 9001 §4.6.1. */
const EARLY_DATA_ALLOWED: u32 = 0xffffffff;
/** RFC 8446 §4.6.1: seven days, in seconds. */
const LIFETIME_MAX_S: u32 = 604800;
/** Tickets that the host has not taken yet are not added to; a server may send this many in all before it is a flood. */
const UNREAD_BYTES_MAX: u32 = 16384;
const TICKETS_RECEIVED_MAX: u32 = 64;

const message = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const nonce = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const ticket = changetype<Reader>(memory.data(offsetof<Reader>(), 4));
const psk: usize = memory.data(HASH_LENGTH_MAX, 16);
const ticketNonce: usize = memory.data(1);
const ageAddBytes: usize = memory.data(4, 4);
const sealed: usize = memory.data(TICKET_BYTES_MAX, 16);
const record: usize = memory.data(2 + RESUMPTION_BYTES_MAX, 16);

/** Sends as many tickets as the config says; none where there is no key, or where clients have certificates. */
export function sendTickets(session: TlsSession): i32 {
  const config = session.config;
  if (config.ticketKeyCount == 0 || config.clientAuth != ClientAuth.NONE) return Status.OK;
  const isEarlyDataAllowed = (config.flags & ConfigFlag.EARLY_DATA) != 0;
  for (let index: u32 = 0; index < config.ticketCount; index++) {
    store<u8>(ticketNonce, <u8>index);
    randomFill(ageAddBytes, 4);
    const ageAdd = load<u32>(ageAddBytes);
    resumptionPsk(hashOfSession(session), resumptionSecretOf(session), ticketNonce, 1, psk);
    const flags: u32 = isEarlyDataAllowed ? TicketFlag.EARLY_DATA : 0;
    const len = sealTicket(session, psk, ageAdd, flags, sealed);
    draftBegin(HandshakeType.NEW_SESSION_TICKET);
    writeU32(draft, config.ticketLifetimeS);
    writeU32(draft, ageAdd);
    writeU8(draft, 1);
    writeBytes(draft, ticketNonce, 1);
    writeU16(draft, len);
    writeBytes(draft, sealed, len);
    const extensions = beginVector(draft, 2);
    if (isEarlyDataAllowed) {
      writeU16(draft, ExtensionType.EARLY_DATA);
      writeU16(draft, 4);
      writeU32(draft, EARLY_DATA_ALLOWED);
    }
    endVector(draft, extensions, 2);
    if (!draftEnd()) return TlsStatus.INTERNAL;
    const status = send(session, Level.APPLICATION, draftPtr(), draftLength());
    if (status < 0) return status;
  }
  memory.fill(psk, 0, HASH_LENGTH_MAX);
  return Status.OK;
}

/** Reads a ticket, message without header, and queues what the host has to keep to resume with it. */
export function takeTicket(session: TlsSession, ptr: usize, len: u32): i32 {
  readerOpen(message, ptr, len);
  const lifetimeS = readU32(message);
  const ageAdd = readU32(message);
  readVector8(message, nonce);
  readVector16(message, ticket);
  const status = readExtensions(message, Carrier.NEW_SESSION_TICKET, 0);
  if (status < 0) return status;
  if (!readerIsExact(message) || readerLeft(ticket) == 0) return TlsStatus.DECODE;
  const earlyData = readEarlyDataSize();
  if (earlyData < 0) return earlyData;
  if (lifetimeS > LIFETIME_MAX_S) return TlsStatus.ILLEGAL_PARAMETER;
  if (++session.ticketsReceived > TICKETS_RECEIVED_MAX) return TlsStatus.TICKET_FLOOD;
  // "The value of zero indicates that the ticket should be discarded immediately."
  if (lifetimeS == 0) return Status.OK;
  const isEarlyDataAllowed = earlyData != 0;
  resumptionPsk(hashOfSession(session), resumptionSecretOf(session), nonce.at, readerLeft(nonce), psk);
  const bytes = record + 2;
  const recordLen = resumptionWrite(session, lifetimeS, ageAdd, isEarlyDataAllowed, psk, ticket, bytes);
  memory.fill(psk, 0, HASH_LENGTH_MAX);
  const queue = ticketsOf(session);
  // A ticket that is too large, or that nobody waits for, is let go: the next connection starts afresh.
  if (recordLen != 0 && queue.length + recordLen <= UNREAD_BYTES_MAX) {
    store<u16>(record, <u16>recordLen);
    byteQueueWrite(queue, record, 2 + recordLen);
  }
  memory.fill(record, 0, 2 + recordLen);
  return Status.OK;
}

/** 1 when early data is allowed, 0 when not, or a status. */
function readEarlyDataSize(): i32 {
  if (!extensionIsPresent(ExtensionType.EARLY_DATA)) return 0;
  const reader = extensionOpen(ExtensionType.EARLY_DATA);
  const size = readU32(reader);
  if (!readerIsExact(reader)) return TlsStatus.DECODE;
  return size == EARLY_DATA_ALLOWED ? 1 : TlsStatus.EARLY_DATA_SIZE;
}
