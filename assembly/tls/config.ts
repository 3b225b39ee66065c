/**
 * What the sessions of one listener, or of one client, have in common: certificates by name, application protocols, suites and
 * groups in order of preference, trusted roots, ticket keys, and what is asked of the peer.
 *
 * A config is built before its first session and then changed only by rotating ticket keys. Sessions hold it: it is freed
 * when its owner and all of them have released it. It never holds a private key: `keyId` is the host's name for one.
 *
 * Everything is a block of the slab; what does not fit answers false or 0, and nothing has changed.
 */
import { slabAllocate, slabFree } from "../core/slab.ts";
import { Suite } from "../crypto/aead.ts";
import { TrustAnchor, trustAnchorCreate } from "../x509/trust_anchor.ts";
import { Group } from "./algorithm.ts";

/** Whether a server asks its clients for certificates. */
export const enum ClientAuth {
  NONE = 0,
  OPTIONAL = 1,
  REQUIRED = 2,
}

export const enum ConfigFlag {
  /** 0-RTT: a server accepts it, a client offers it where its ticket allows. */
  EARLY_DATA = 1,
  /** Lines for a key log are written (see key_log.ts). */
  KEY_LOG = 2,
  /** The peer's chain is not checked, only that it holds its key. For tests, and for hosts that judge the chain themselves. */
  ANY_CERTIFICATE = 4,
}

export const SUITE_COUNT: u32 = 3;
export const GROUP_COUNT_MAX: u32 = 4;
export const SCHEME_COUNT_MAX: u32 = 8;
export const TICKET_KEY_COUNT: u32 = 3;
export const TICKET_KEY_NAME_BYTES: u32 = 16;
/** A name and a key of ChaCha20-Poly1305. */
export const TICKET_KEY_BYTES: u32 = TICKET_KEY_NAME_BYTES + 32;
export const EARLY_CONTEXT_BYTES: u32 = 32;
/** RFC 8446 §4.6.1: servers MUST NOT use a lifetime of more than seven days; a day is enough for a key that rotates. */
const TICKET_LIFETIME_S: u32 = 86400;
const TICKETS_PER_SESSION: u32 = 2;
/** The messages of every known peer fit in half of this; a chain of nine certificates is 14 KiB. */
const MESSAGE_BYTES_MAX: u32 = 32768;

/** One slab block, all bytes zero before `tlsConfigCreate` fills it. Lists of u16 are in the order of preference. */
@unmanaged
export class TlsConfig {
  holders: u32;
  flags: u32;
  clientAuth: u32;
  /** First of the certificates, which is the default. */
  certificates: usize;
  lastCertificate: usize;
  /** First of the trust anchors. */
  roots: usize;
  /** Names with a length of one byte each, as ALPN writes them. */
  alpn: usize;
  alpnLen: u32;
  groupCount: u32;
  /** How many of the groups, from the first, a client sends shares of at once. */
  shareCount: u32;
  ticketKeyCount: u32;
  ticketLifetimeS: u32;
  ticketCount: u32;
  messageBytesMax: u32;
}

/** Behind the struct. */
const SUITES: u32 = offsetof<TlsConfig>();
const GROUPS: u32 = SUITES + 8;
const TICKET_KEYS: u32 = GROUPS + 2 * GROUP_COUNT_MAX;
const EARLY_CONTEXT: u32 = TICKET_KEYS + TICKET_KEY_COUNT * TICKET_KEY_BYTES;
const CONFIG_BYTES: u32 = EARLY_CONTEXT + EARLY_CONTEXT_BYTES;

/** A chain and the key it certifies. */
@unmanaged
export class TlsCertificate {
  next: usize;
  /** The host's name for the private key. */
  keyId: u32;
  schemeCount: u32;
  /** Names with a length of one byte each, in lower case; may begin with "*.". */
  names: usize;
  namesLen: u32;
  /** The certificate_list of RFC 8446 §4.4.2, as it goes on the wire. */
  list: usize;
  listLen: u32;
}

const SCHEMES: u32 = offsetof<TlsCertificate>();
const CERTIFICATE_BYTES: u32 = SCHEMES + 2 * SCHEME_COUNT_MAX;
const LIST_LENGTH_BYTES: u32 = 3;
const NO_EXTENSIONS_BYTES: u32 = 2;

/** A config with every suite, X25519 before P-256, no certificate and no protocol. 0 when the slab is full. */
export function tlsConfigCreate(): usize {
  const ptr = slabAllocate(CONFIG_BYTES);
  if (ptr == 0) return 0;
  memory.fill(ptr, 0, CONFIG_BYTES);
  const config = changetype<TlsConfig>(ptr);
  config.holders = 1;
  // ChaCha20 first: without AES instructions it is the faster one here by a factor of three.
  store<u16>(ptr + SUITES, Suite.CHACHA20_POLY1305_SHA256);
  store<u16>(ptr + SUITES + 2, Suite.AES_128_GCM_SHA256);
  store<u16>(ptr + SUITES + 4, Suite.AES_256_GCM_SHA384);
  store<u16>(ptr + GROUPS, Group.X25519);
  store<u16>(ptr + GROUPS + 2, Group.SECP256R1);
  config.groupCount = 2;
  config.shareCount = 1;
  config.ticketLifetimeS = TICKET_LIFETIME_S;
  config.ticketCount = TICKETS_PER_SESSION;
  config.messageBytesMax = MESSAGE_BYTES_MAX;
  return ptr;
}

export function tlsConfigHold(config: TlsConfig): void {
  config.holders++;
}

/** Gives up one hold, the creator's or a session's. */
export function tlsConfigRelease(config: TlsConfig): void {
  config.holders--;
  if (config.holders != 0) return;
  const ptr = changetype<usize>(config);
  let at = config.certificates;
  while (at != 0) {
    const next = changetype<TlsCertificate>(at).next;
    freeCertificate(changetype<TlsCertificate>(at));
    at = next;
  }
  at = config.roots;
  while (at != 0) {
    const next = changetype<TrustAnchor>(at).next;
    slabFree(at);
    at = next;
  }
  if (config.alpn != 0) slabFree(config.alpn);
  memory.fill(ptr, 0, CONFIG_BYTES);
  slabFree(ptr);
}

// @ts-ignore: decorator
@inline
export function configSuite(config: TlsConfig, index: u32): u32 {
  return load<u16>(changetype<usize>(config) + SUITES + (index << 1));
}

// @ts-ignore: decorator
@inline
export function configGroup(config: TlsConfig, index: u32): u32 {
  return load<u16>(changetype<usize>(config) + GROUPS + (index << 1));
}

/** Whether `group` is one of the config's. */
export function configHasGroup(config: TlsConfig, group: u32): bool {
  for (let index: u32 = 0; index < config.groupCount; index++) {
    if (configGroup(config, index) == group) return true;
  }
  return false;
}

/** Puts `suite` first; the others keep their order. */
export function tlsConfigPrefer(config: TlsConfig, suite: Suite): void {
  const suites = changetype<usize>(config) + SUITES;
  let index: u32 = 0;
  while (index < SUITE_COUNT - 1 && load<u16>(suites + (index << 1)) != suite) index++;
  memory.copy(suites + 2, suites, index << 1);
  store<u16>(suites, <u16>suite);
}

/** Leaves only `suite` to choose: for tests, and for hosts with a rule. */
export function tlsConfigOnly(config: TlsConfig, suite: Suite): void {
  for (let index: u32 = 0; index < SUITE_COUNT; index++) {
    store<u16>(changetype<usize>(config) + SUITES + (index << 1), <u16>suite);
  }
}

/** Sets the groups, `count` numbers of 16 bits in the machine's order at `ptr`. X25519MLKEM768 only where the host has it. */
export function tlsConfigSetGroups(config: TlsConfig, ptr: usize, count: u32, shareCount: u32): bool {
  if (count == 0 || count > GROUP_COUNT_MAX || shareCount == 0 || shareCount > count) return false;
  memory.copy(changetype<usize>(config) + GROUPS, ptr, count << 1);
  config.groupCount = count;
  config.shareCount = shareCount;
  return true;
}

/** Sets the application protocols: names with a length of one byte each. */
export function tlsConfigSetAlpn(config: TlsConfig, ptr: usize, len: u32): bool {
  const copy = copyBlock(ptr, len);
  if (copy == 0) return false;
  if (config.alpn != 0) slabFree(config.alpn);
  config.alpn = copy;
  config.alpnLen = len;
  return true;
}

/**
 * Adds a certificate, the first being the default. `names` as in TlsCertificate; `chain` is certificates in DER, the leaf
 * first, each with a length of three bytes before it; `schemes` are numbers of 16 bits in the machine's order. 0 when it
 * does not fit or is not well formed.
 */
export function tlsConfigAddCertificate(
  config: TlsConfig,
  keyId: u32,
  names: usize,
  namesLen: u32,
  chain: usize,
  chainLen: u32,
  schemes: usize,
  schemeCount: u32,
): bool {
  if (schemeCount == 0 || schemeCount > SCHEME_COUNT_MAX) return false;
  const listLen = listLength(chain, chainLen);
  if (listLen == 0) return false;
  const ptr = slabAllocate(CERTIFICATE_BYTES);
  if (ptr == 0) return false;
  const certificate = changetype<TlsCertificate>(ptr);
  certificate.next = 0;
  certificate.keyId = keyId;
  certificate.schemeCount = schemeCount;
  memory.copy(ptr + SCHEMES, schemes, schemeCount << 1);
  certificate.namesLen = namesLen;
  certificate.names = namesLen == 0 ? 0 : copyBlock(names, namesLen);
  certificate.listLen = listLen;
  certificate.list = slabAllocate(listLen);
  if ((namesLen != 0 && certificate.names == 0) || certificate.list == 0) {
    freeCertificate(certificate);
    return false;
  }
  writeList(certificate.list, chain, chainLen);
  if (config.lastCertificate != 0) changetype<TlsCertificate>(config.lastCertificate).next = ptr;
  else config.certificates = ptr;
  config.lastCertificate = ptr;
  return true;
}

// @ts-ignore: decorator
@inline
export function certificateScheme(certificate: TlsCertificate, index: u32): u32 {
  return load<u16>(changetype<usize>(certificate) + SCHEMES + (index << 1));
}

/** Adds a trust anchor, a certificate in DER. */
export function tlsConfigAddRoot(config: TlsConfig, ptr: usize, len: u32): bool {
  const anchor = trustAnchorCreate(ptr, len, config.roots);
  if (anchor == 0) return false;
  config.roots = anchor;
  return true;
}

/** Seals with this key (TICKET_KEY_BYTES: name, then key) from now on. The ones before it still open what they sealed. */
export function tlsConfigRotateTicketKey(config: TlsConfig, ptr: usize): void {
  const keys = changetype<usize>(config) + TICKET_KEYS;
  memory.copy(keys + TICKET_KEY_BYTES, keys, (TICKET_KEY_COUNT - 1) * TICKET_KEY_BYTES);
  memory.copy(keys, ptr, TICKET_KEY_BYTES);
  config.ticketKeyCount = min(config.ticketKeyCount + 1, TICKET_KEY_COUNT);
}

export function configTicketKey(config: TlsConfig, index: u32): usize {
  return changetype<usize>(config) + TICKET_KEYS + index * TICKET_KEY_BYTES;
}

/**
 * What early data relies on, as a hash of EARLY_CONTEXT_BYTES: the transport parameters and settings that a ticket remembers
 * (RFC 9000 §7.4.1). Early data of a ticket with another one is rejected.
 */
export function configEarlyContext(config: TlsConfig): usize {
  return changetype<usize>(config) + EARLY_CONTEXT;
}

function copyBlock(ptr: usize, len: u32): usize {
  const block = slabAllocate(len);
  if (block != 0) memory.copy(block, ptr, len);
  return block;
}

/** Bytes of the certificate_list that `chain` makes; 0 when its lengths do not add up. */
function listLength(chain: usize, chainLen: u32): u32 {
  let total: u32 = 0;
  let rest = chainLen;
  while (rest != 0) {
    if (rest < LIST_LENGTH_BYTES) return 0;
    const len = certificateLength(chain + chainLen - rest);
    if (len == 0 || len > rest - LIST_LENGTH_BYTES) return 0;
    total += LIST_LENGTH_BYTES + len + NO_EXTENSIONS_BYTES;
    rest -= LIST_LENGTH_BYTES + len;
  }
  return total;
}

function writeList(dest: usize, chain: usize, chainLen: u32): void {
  const end = chain + chainLen;
  let to = dest;
  while (chain < end) {
    const len = LIST_LENGTH_BYTES + certificateLength(chain);
    memory.copy(to, chain, len);
    store<u16>(to + len, 0);
    to += len + NO_EXTENSIONS_BYTES;
    chain += len;
  }
}

function certificateLength(at: usize): u32 {
  return ((<u32>load<u8>(at)) << 16) | (<u32>bswap<u16>(load<u16>(at, 1)));
}

function freeCertificate(certificate: TlsCertificate): void {
  if (certificate.names != 0) slabFree(certificate.names);
  if (certificate.list != 0) slabFree(certificate.list);
  slabFree(changetype<usize>(certificate));
}
