/** Finished, RFC 8446 §4.4.4: the MAC that proves a handshake's keys and all of its messages. */
import { Status } from "../abi/status.ts";
import { equalConstantTime } from "../core/constant_time.ts";
import { writeBytes } from "../core/writer.ts";
import { HASH_LENGTH_MAX, hashLength } from "../crypto/hash.ts";
import { draft, draftBegin, draftSend } from "./draft.ts";
import { Secret, TlsSession, hashOfSession, secretOf, transcriptOf } from "./handshake.ts";
import { Level } from "./handshake_state.ts";
import { HandshakeType } from "./handshake_type.ts";
import { finishedMac } from "./key_schedule.ts";
import { TlsStatus } from "./tls_status.ts";
import { transcriptDigest } from "./transcript.ts";

const digest: usize = memory.data(HASH_LENGTH_MAX, 16);
const mac: usize = memory.data(HASH_LENGTH_MAX, 16);

/** Sends our Finished under our handshake secret. */
export function sendFinished(session: TlsSession, secret: Secret): i32 {
  computeMac(session, secret);
  draftBegin(HandshakeType.FINISHED);
  writeBytes(draft, mac, hashLength(hashOfSession(session)));
  return draftSend(session, Level.HANDSHAKE);
}

/** Checks the peer's Finished, before it becomes a part of the transcript. */
export function checkFinished(session: TlsSession, secret: Secret, ptr: usize, len: u32): i32 {
  if (len != hashLength(hashOfSession(session))) return TlsStatus.DECODE;
  computeMac(session, secret);
  return equalConstantTime(ptr, mac, len) ? Status.OK : TlsStatus.FINISHED_INVALID;
}

function computeMac(session: TlsSession, secret: Secret): void {
  transcriptDigest(transcriptOf(session.handshake), digest);
  finishedMac(hashOfSession(session), secretOf(session.handshake, secret), digest, mac);
}
