/**
 * A message being written: the fixed memory in which every message but Certificate takes shape.
 *
 * `draftBegin`, then writes to `draft`, then `draftSend`, which fills in the length, appends the message to the transcript and
 * queues it. There is one draft at a time; a message that does not fit is a failure, never a cut one.
 */
import { Writer, writeSpan, writerOpen } from "../core/writer.ts";
import { TlsSession, send, transcriptOf } from "./handshake.ts";
import { Level } from "./handshake_state.ts";
import { HandshakeType, MESSAGE_HEADER_BYTES, writeMessageHeader } from "./handshake_type.ts";
import { TlsStatus } from "./tls_status.ts";
import { transcriptUpdate } from "./transcript.ts";

/** A ClientHello with a hybrid share, a ticket and a cookie is below 8 KiB. */
const DRAFT_BYTES: u32 = 12288;

const bytes: usize = memory.data(DRAFT_BYTES, 16);
export const draft = changetype<Writer>(memory.data(offsetof<Writer>(), 4));
let draftType: u32 = 0;

export function draftBegin(type: HandshakeType): void {
  draftType = type;
  writerOpen(draft, bytes, DRAFT_BYTES);
  writeSpan(draft, MESSAGE_HEADER_BYTES);
}

/** Where the message begins, its header included. */
export function draftPtr(): usize {
  return bytes;
}

/** Bytes so far, the header included. */
export function draftLength(): u32 {
  return <u32>(draft.at - bytes);
}

/** Fills in the header. False when the message did not fit. */
export function draftEnd(): bool {
  writeMessageHeader(bytes, <HandshakeType>draftType, draftLength() - MESSAGE_HEADER_BYTES);
  return draft.failed == 0;
}

/** Ends the message, hashes it and queues it. */
export function draftSend(session: TlsSession, level: Level): i32 {
  if (!draftEnd()) return TlsStatus.INTERNAL;
  transcriptUpdate(transcriptOf(session.handshake), bytes, draftLength());
  return send(session, level, bytes, draftLength());
}
