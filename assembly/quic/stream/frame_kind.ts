/** The types of the frames that streams send, RFC 9000 §19 and RFC 9221 §4, as their records name them (quic/wire/sent_frame.ts). */
export const enum FrameKind {
  RESET_STREAM = 0x04,
  STOP_SENDING = 0x05,
  STREAM = 0x08,
  MAX_DATA = 0x10,
  MAX_STREAM_DATA = 0x11,
  MAX_STREAMS_BIDI = 0x12,
  MAX_STREAMS_UNI = 0x13,
  DATA_BLOCKED = 0x14,
  STREAM_DATA_BLOCKED = 0x15,
  STREAMS_BLOCKED_BIDI = 0x16,
  STREAMS_BLOCKED_UNI = 0x17,
  DATAGRAM = 0x31,
}

/** Bits of the type of a STREAM frame, RFC 9000 §19.8. */
export const enum StreamBit {
  FIN = 1,
  LEN = 2,
  OFF = 4,
}
