/**
 * Versions of QUIC: 1 (RFC 9000) and 2 (RFC 9369), which differ on the wire in their number and the type bits of long headers,
 * and in protection in a salt and labels (quic/protection/initial_secrets.ts).
 *
 * What is common to all versions is read before a version is known (RFC 8999): packet_header.ts.
 */

export const enum Version {
  /** Marks a Version Negotiation packet, RFC 8999 §6. */
  NEGOTIATION = 0,
  V1 = 0x00000001,
  V2 = 0x6b3343cf,
}

/** Whether connections are made in this version. */
// @ts-ignore: decorator
@inline
export function isSupportedVersion(version: u32): bool {
  return version == Version.V1 || version == Version.V2;
}

/** RFC 9000 §15: 0x?a?a?a?a is reserved to exercise version negotiation, and never chosen. */
// @ts-ignore: decorator
@inline
export function isReservedVersion(version: u32): bool {
  return (version & 0x0f0f0f0f) == 0x0a0a0a0a;
}
