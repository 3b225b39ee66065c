/**
 * Types of unidirectional streams, RFC 9114 §6.2, RFC 9204 §4.2, draft-ietf-webtrans-http3 §4.2, and what a stream is to this side.
 * A type that is not known, reserved ones (§6.2.3) among them, is no error: reading is stopped.
 */
import { Role } from "../abi/message.ts";

export const enum StreamType {
  CONTROL = 0x00,
  PUSH = 0x01,
  QPACK_ENCODER = 0x02,
  QPACK_DECODER = 0x03,
  WEBTRANSPORT = 0x54,
}

/** What a stream of the peer, or a request of this side, is. */
export const enum StreamKind {
  /** A unidirectional stream whose type is not complete. */
  UNTYPED = 0,
  CONTROL = 1,
  ENCODER = 2,
  DECODER = 3,
  /** Request and response, RFC 9114 §4.1. */
  REQUEST = 4,
  /** A stream of a WebTransport session, either direction. */
  WEBTRANSPORT = 5,
}

/** Whether there is one stream of the kind for as long as the connection lives, RFC 9114 §6.2.1, RFC 9204 §4.2. */
// @ts-ignore: decorator
@inline
export function isCritical(kind: u32): bool {
  return kind >= <u32>StreamKind.CONTROL && kind <= <u32>StreamKind.DECODER;
}

/** Whether the peer of this role may open a push stream, §6.2.2: only a server pushes. */
export function mayPush(role: u32): bool {
  return role == <u32>Role.CLIENT;
}
