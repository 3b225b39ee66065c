/**
 * WebSockets as the host sees them: the flags of their events and of the commands that send.
 *
 * This file is read by both compilers (AssemblyScript and TypeScript): it keeps to their common subset.
 */

/** Flags of SOCKET_DATA and SOCKET_CLOSE. */
export const enum SocketFlag {
  NONE = 0,
  /** The message begins with this piece. */
  FIRST = 1,
  /** The message ends with this piece. */
  LAST = 2,
  /** The message is compressed (RFC 7692): the host inflates it, up to the message limit, and checks that text is UTF-8. */
  COMPRESSED = 4,
  /** The message is binary, else text. */
  BINARY = 8,
  /** On SOCKET_CLOSE: the peer closed first, or broke a rule, and the host is to answer. */
  ANSWER_OWED = 16,
}

/** What a message is sent as. */
export const enum MessageKind {
  TEXT = 0,
  BINARY = 1,
  /** The payload is compressed; only where the extension was agreed. */
  COMPRESSED = 2,
}

/** Room in front of a payload in the command region, where the engine writes the frame's header. */
export const FRAME_HEADER_ROOM: i32 = 16;

/** What `beginMessage` answers. */
export const enum PayloadPath {
  /** By `sendPayload`, as far as there is room. */
  ENGINE = 0,
  /** By the socket itself, right after what `pollTransmit` gives. */
  SOCKET = 1,
}
