/**
 * Session tickets, RFC 8446 §4.6.1 and RFC 5077 §4: everything that a server wants to know again, sealed under a key that only
 * it has. Nothing is kept in the server.
 *
 *     name of the key (16) ‖ nonce (12) ‖ ChaCha20-Poly1305(state), with the name as associated data
 *
 * Keys rotate (config.ts): the first seals, all open. A ticket that does not open is no error: it is as if none was sent.
 */
import { equalBytes } from "../core/scan.ts";
import { AEAD_NONCE_BYTES, AEAD_TAG_BYTES, Suite, aeadOpen, aeadSeal } from "../crypto/aead.ts";
import { randomFill } from "../crypto/drbg.ts";
import { HASH_LENGTH_MAX, hashLength } from "../crypto/hash.ts";
import {
  EARLY_CONTEXT_BYTES,
  TICKET_KEY_NAME_BYTES,
  TlsConfig,
  configEarlyContext,
  configTicketKey,
} from "./config.ts";
import { TlsSession, hashOfSession } from "./handshake.ts";

export const enum TicketFlag {
  EARLY_DATA = 1,
}

/** Followed by PSK, early context, protocol and server name. */
@unmanaged
export class TicketState {
  issuedMs: f64;
  lifetimeS: u32;
  ageAdd: u32;
  suite: u32;
  flags: u32;
  alpnLen: u32;
  nameLen: u32;
}

const PSK: u32 = offsetof<TicketState>();
const EARLY_CONTEXT: u32 = PSK + HASH_LENGTH_MAX;
const NAMES: u32 = EARLY_CONTEXT + EARLY_CONTEXT_BYTES;
const NAME_BYTES_MAX: u32 = 255;
const STATE_BYTES_MAX: u32 = NAMES + 2 * NAME_BYTES_MAX;
const HEAD_BYTES: u32 = TICKET_KEY_NAME_BYTES + AEAD_NONCE_BYTES;
export const TICKET_BYTES_MAX: u32 = HEAD_BYTES + STATE_BYTES_MAX + AEAD_TAG_BYTES;

/** The state that is being sealed, or that was opened last. */
const state: usize = memory.data(STATE_BYTES_MAX, 16);
export const ticketState = changetype<TicketState>(state);

// @ts-ignore: decorator
@inline
export function ticketPsk(): usize {
  return state + PSK;
}

// @ts-ignore: decorator
@inline
export function ticketEarlyContext(): usize {
  return state + EARLY_CONTEXT;
}

// @ts-ignore: decorator
@inline
export function ticketAlpn(): usize {
  return state + NAMES;
}

// @ts-ignore: decorator
@inline
export function ticketName(): usize {
  return state + NAMES + ticketState.alpnLen;
}

/** Seals the session to `dest`, which has room for TICKET_BYTES_MAX; `psk` is the ticket's. Answers the ticket's length. */
export function sealTicket(session: TlsSession, psk: usize, ageAdd: u32, flags: u32, dest: usize): u32 {
  const config = session.config;
  memory.fill(state, 0, STATE_BYTES_MAX);
  ticketState.issuedMs = session.nowMs;
  ticketState.lifetimeS = config.ticketLifetimeS;
  ticketState.ageAdd = ageAdd;
  ticketState.suite = session.suite;
  ticketState.flags = flags;
  ticketState.alpnLen = session.alpnLen;
  ticketState.nameLen = session.serverNameLen;
  memory.copy(ticketPsk(), psk, hashLength(hashOfSession(session)));
  memory.copy(ticketEarlyContext(), configEarlyContext(config), EARLY_CONTEXT_BYTES);
  memory.copy(ticketAlpn(), session.alpnPtr, session.alpnLen);
  memory.copy(ticketName(), session.serverNamePtr, session.serverNameLen);
  const len = NAMES + session.alpnLen + session.serverNameLen;
  const key = configTicketKey(config, 0);
  memory.copy(dest, key, TICKET_KEY_NAME_BYTES);
  const nonce = dest + TICKET_KEY_NAME_BYTES;
  randomFill(nonce, AEAD_NONCE_BYTES);
  aeadSeal(
    Suite.CHACHA20_POLY1305_SHA256,
    key + TICKET_KEY_NAME_BYTES,
    nonce,
    dest,
    TICKET_KEY_NAME_BYTES,
    state,
    len,
    dest + HEAD_BYTES,
  );
  memory.fill(state, 0, STATE_BYTES_MAX);
  return HEAD_BYTES + len + AEAD_TAG_BYTES;
}

/** Opens a ticket into `ticketState`. False for one that is not ours, or no more. */
export function openTicket(config: TlsConfig, ptr: usize, len: u32): bool {
  if (len < HEAD_BYTES + NAMES + AEAD_TAG_BYTES || len > TICKET_BYTES_MAX) return false;
  for (let index: u32 = 0; index < config.ticketKeyCount; index++) {
    const key = configTicketKey(config, index);
    if (!equalBytes(key, ptr, TICKET_KEY_NAME_BYTES)) continue;
    const isGenuine = aeadOpen(
      Suite.CHACHA20_POLY1305_SHA256,
      key + TICKET_KEY_NAME_BYTES,
      ptr + TICKET_KEY_NAME_BYTES,
      ptr,
      TICKET_KEY_NAME_BYTES,
      ptr + HEAD_BYTES,
      len - HEAD_BYTES,
      state,
    );
    if (!isGenuine) return false;
    return NAMES + ticketState.alpnLen + ticketState.nameLen == len - HEAD_BYTES - AEAD_TAG_BYTES;
  }
  return false;
}

/** Forgets what was opened. */
export function wipeTicket(): void {
  memory.fill(state, 0, STATE_BYTES_MAX);
}

/** What tells one ticket from another: a part of its tag. */
export function ticketIdentity(ptr: usize, len: u32): u64 {
  return load<u64>(ptr + len - sizeof<u64>());
}
