/**
 * The address of a peer as the host names it: family, port, and the bytes of IPv4 or IPv6.
 *
 * The host fills these 20 bytes for every datagram and reads them for every one it sends. Two addresses are the same when all
 * bytes are, so unused bytes are zero. A socket for both families shows IPv4 peers as ::ffff:a.b.c.d; the host's next `send`
 * wants that form back, so it is kept, but what counts peers by network sees through it.
 */
import { hashBytes } from "../../core/hash.ts";
import { equalBytes } from "../../core/scan.ts";

export const enum AddressFamily {
  IPV4 = 4,
  IPV6 = 6,
}

/**
 *   0        1      2      4                       20
 *   ┌────────┬──────┬──────┬───────────────────────┐
 *   │ family │ zero │ port │ 4 bytes, 0… │ 16 bytes │
 *   └────────┴──────┴──────┴───────────────────────┘
 *
 * The port is in network byte order.
 */
@unmanaged
export class Address {
  family: u8;
  zero: u8;
  portBytes: u16;
  bytes0: u32;
  bytes4: u32;
  bytes8: u32;
  bytes12: u32;
}

export const ADDRESS_BYTES: u32 = <u32>offsetof<Address>();

const BYTES: usize = offsetof<Address>("bytes0");
const IPV4_BYTES: u32 = 4;
const IPV6_BYTES: u32 = 16;
/** RFC 4291 §2.5.5.2: ::ffff:0:0/96, as two words of linear memory. */
const MAPPED_WORD: u32 = 0xffff0000;
/** What one customer of a network usually holds: a /24 of IPv4, a /64 of IPv6. */
const IPV4_PREFIX_BYTES: u32 = 3;
const IPV6_PREFIX_BYTES: u32 = 8;
/** The family, and the prefix behind it. */
const prefix: usize = memory.data(1 + IPV6_PREFIX_BYTES);
const PREFIX_AT: u32 = 1;

/** Sets the address: `ptr` has 4 or 16 bytes, after the family. */
export function addressSet(address: Address, family: AddressFamily, ptr: usize, port: u32): void {
  memory.fill(changetype<usize>(address), 0, ADDRESS_BYTES);
  address.family = <u8>family;
  address.portBytes = bswap<u16>(<u16>port);
  memory.copy(addressHost(address), ptr, family == AddressFamily.IPV4 ? IPV4_BYTES : IPV6_BYTES);
}

/** Whether the bytes are an address as this file has it: what the host wrote is checked once. */
export function addressIsValid(address: Address): bool {
  if (address.zero != 0) return false;
  if (address.family == AddressFamily.IPV6) return true;
  return address.family == AddressFamily.IPV4 && (address.bytes4 | address.bytes8 | address.bytes12) == 0;
}

// @ts-ignore: decorator
@inline
export function addressPort(address: Address): u32 {
  return bswap<u16>(address.portBytes);
}

/** Address of the host's 16 bytes, of which IPv4 uses four. */
// @ts-ignore: decorator
@inline
export function addressHost(address: Address): usize {
  return changetype<usize>(address) + BYTES;
}

/** Whether both are the same host and port. */
export function addressIs(a: Address, b: Address): bool {
  return equalBytes(changetype<usize>(a), changetype<usize>(b), ADDRESS_BYTES);
}

/** Whether both are the same host: a NAT that gave out another port looks so (RFC 9000 §9.4). */
export function addressHostIs(a: Address, b: Address): bool {
  return a.family == b.family && equalBytes(addressHost(a), addressHost(b), IPV6_BYTES);
}

/** Whether the host is an IPv4 one, be it in the form of IPv6. */
export function addressIsIpv4(address: Address): bool {
  if (address.family == AddressFamily.IPV4) return true;
  return (address.bytes0 | address.bytes4) == 0 && address.bytes8 == MAPPED_WORD;
}

/** The keyed hash of the host's network, by which the connections of one source are counted. */
export function addressPrefixHash(address: Address): u32 {
  const isIpv4 = addressIsIpv4(address);
  let host = addressHost(address);
  if (isIpv4 && address.family == AddressFamily.IPV6) host += IPV6_BYTES - IPV4_BYTES;
  const len = isIpv4 ? IPV4_PREFIX_BYTES : IPV6_PREFIX_BYTES;
  store<u8>(prefix, isIpv4 ? AddressFamily.IPV4 : AddressFamily.IPV6);
  memory.copy(prefix + PREFIX_AT, host, len);
  return hashBytes(prefix, PREFIX_AT + len);
}
