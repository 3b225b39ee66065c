/**
 * When each secret of a session comes into being, RFC 8446 §7.1, and which of them is handed out at which level.
 *
 * A server may write at the application level once its Finished is sent, but is given the secret to read there only when the
 * client's Finished was good (RFC 9001 §5.7).
 */
import { HASH_LENGTH_MAX } from "../crypto/hash.ts";
import {
  Direction,
  Handshake,
  HandshakeFlag,
  Secret,
  TlsRole,
  TlsSession,
  exporterSecretOf,
  hashOfSession,
  logSecret,
  pskOf,
  publishSecret,
  resumptionSecretOf,
  runningSecretOf,
  secretOf,
  transcriptOf,
} from "./handshake.ts";
import { Level } from "./handshake_state.ts";
import { deriveSecret, earlySecret, handshakeSecret, masterSecret } from "./key_schedule.ts";
import { transcriptDigest } from "./transcript.ts";

const digest: usize = memory.data(HASH_LENGTH_MAX, 16);

/** After ServerHello: the handshake traffic secrets, from the shared secret and the PSK that was selected. */
export function deriveHandshakeSecrets(session: TlsSession, shared: usize, sharedLen: u32): void {
  const handshake = session.handshake;
  const hash = hashOfSession(session);
  const running = runningSecretOf(handshake);
  const isPsk = (handshake.flags & HandshakeFlag.PSK_SELECTED) != 0;
  earlySecret(hash, pskOf(handshake), isPsk ? handshake.pskLen : 0, running);
  handshakeSecret(hash, running, shared, sharedLen, running);
  derive(session, "c hs traffic", Secret.CLIENT_HANDSHAKE);
  derive(session, "s hs traffic", Secret.SERVER_HANDSHAKE);
  logSecret(session, "CLIENT_HANDSHAKE_TRAFFIC_SECRET", secretOf(handshake, Secret.CLIENT_HANDSHAKE));
  logSecret(session, "SERVER_HANDSHAKE_TRAFFIC_SECRET", secretOf(handshake, Secret.SERVER_HANDSHAKE));
  publishSecret(session, ownSecret(session, Secret.CLIENT_HANDSHAKE), Level.HANDSHAKE, Direction.WRITE);
  publishSecret(session, peerSecret(session, Secret.CLIENT_HANDSHAKE), Level.HANDSHAKE, Direction.READ);
}

/** After the server's Finished: the application traffic secrets and the exporter's. None is handed out yet. */
export function deriveApplicationSecrets(session: TlsSession): void {
  const handshake = session.handshake;
  const running = runningSecretOf(handshake);
  masterSecret(hashOfSession(session), running, running);
  derive(session, "c ap traffic", Secret.CLIENT_APPLICATION);
  derive(session, "s ap traffic", Secret.SERVER_APPLICATION);
  transcriptDigest(transcriptOf(handshake), digest);
  const exporter = exporterSecretOf(session);
  deriveSecret(hashOfSession(session), running, "exp master", digest, exporter);
  logSecret(session, "CLIENT_TRAFFIC_SECRET_0", secretOf(handshake, Secret.CLIENT_APPLICATION));
  logSecret(session, "SERVER_TRAFFIC_SECRET_0", secretOf(handshake, Secret.SERVER_APPLICATION));
  logSecret(session, "EXPORTER_SECRET", exporter);
}

/** After the client's Finished: what tickets are derived from. */
export function deriveResumptionSecret(session: TlsSession): void {
  const handshake = session.handshake;
  transcriptDigest(transcriptOf(handshake), digest);
  const running = runningSecretOf(handshake);
  deriveSecret(hashOfSession(session), running, "res master", digest, resumptionSecretOf(session));
}

export function publishApplicationSecret(session: TlsSession, direction: Direction): void {
  const secret =
    direction == Direction.WRITE
      ? ownSecret(session, Secret.CLIENT_APPLICATION)
      : peerSecret(session, Secret.CLIENT_APPLICATION);
  publishSecret(session, secret, Level.APPLICATION, direction);
}

/** Of a client's secret and the server's behind it, our own. */
export function ownSecret(session: TlsSession, client: Secret): Secret {
  return <Secret>(<u32>client + (session.role == TlsRole.SERVER ? 1 : 0));
}

export function peerSecret(session: TlsSession, client: Secret): Secret {
  return <Secret>(<u32>client + (session.role == TlsRole.SERVER ? 0 : 1));
}

function derive(session: TlsSession, label: string, secret: Secret): void {
  const handshake: Handshake = session.handshake;
  transcriptDigest(transcriptOf(handshake), digest);
  const running = runningSecretOf(handshake);
  deriveSecret(hashOfSession(session), running, label, digest, secretOf(handshake, secret));
}
