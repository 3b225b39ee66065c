/**
 * Types of packets, RFC 9000 §17, the bits that say them in a long header, and the packet number space each counts in (§12.3).
 *
 *   first byte   long   1 1 T T R R P P      T: type, R: reserved, P: packet number length - 1
 *                short  0 1 S R R K P P      S: spin, K: key phase
 */
import { Version } from "./version.ts";

/** The first four are numbered as TLS levels are: Initial, 0-RTT, Handshake, Application. */
export const enum PacketType {
  INITIAL = 0,
  ZERO_RTT = 1,
  HANDSHAKE = 2,
  ONE_RTT = 3,
  RETRY = 4,
  VERSION_NEGOTIATION = 5,
}

export const enum PacketNumberSpace {
  INITIAL = 0,
  HANDSHAKE = 1,
  APPLICATION = 2,
  COUNT = 3,
}

export const LONG_HEADER_BIT: u32 = 0x80;
/** 1 in every packet but Version Negotiation, unless RFC 9287 was agreed on. */
export const FIXED_BIT: u32 = 0x40;
export const SPIN_BIT: u32 = 0x20;
export const KEY_PHASE_BIT: u32 = 0x04;
export const PACKET_NUMBER_LENGTH_MASK: u32 = 0x03;
export const LONG_RESERVED_BITS: u32 = 0x0c;
export const SHORT_RESERVED_BITS: u32 = 0x18;

/** 0-RTT and 1-RTT packets share a space. */
// @ts-ignore: decorator
@inline
export function packetNumberSpaceOf(type: PacketType): PacketNumberSpace {
  if (type == PacketType.INITIAL) return PacketNumberSpace.INITIAL;
  return type == PacketType.HANDSHAKE ? PacketNumberSpace.HANDSHAKE : PacketNumberSpace.APPLICATION;
}

/** RFC 9000 table 5, RFC 9369 §3.2: version 2 counts the four long types on by one. */
export function longTypeBits(type: PacketType, version: u32): u32 {
  const bits: u32 = type == PacketType.RETRY ? 3 : type;
  return ((version == Version.V2 ? bits + 1 : bits) & 3) << 4;
}

/** The inverse, from the first byte of a long header. */
export function longTypeOf(firstByte: u32, version: u32): PacketType {
  const bits = firstByte >> 4;
  const type = (version == Version.V2 ? bits - 1 : bits) & 3;
  return type == 3 ? PacketType.RETRY : type;
}
