/**
 * The states of a handshake and what each expects, RFC 8446 appendix A, as a table: state × message → step.
 *
 *     client                                        server
 *     START: send ClientHello                       WAIT_CLIENT_HELLO
 *     WAIT_SERVER_HELLO ⟲ HelloRetryRequest         ⟲ WAIT_SECOND_CLIENT_HELLO after a HelloRetryRequest
 *     WAIT_ENCRYPTED_EXTENSIONS                     send its flight
 *       PSK → WAIT_FINISHED                           asked for a certificate → WAIT_CERTIFICATE → WAIT_CERTIFICATE_VERIFY
 *     WAIT_CERTIFICATE_OR_REQUEST                       (an empty one → WAIT_FINISHED)
 *     WAIT_CERTIFICATE                              WAIT_FINISHED
 *     WAIT_CERTIFICATE_VERIFY                       CONNECTED
 *     WAIT_FINISHED: send the rest
 *     CONNECTED: NewSessionTicket
 *
 * QUIC has neither EndOfEarlyData nor KeyUpdate nor authentication after the handshake (RFC 9001 §8.3, §6, §4.4). Which
 * level a message must come at is decided by the state too: keys change at the boundaries of messages (RFC 8446 §5.1).
 */
import { HandshakeType } from "./handshake_type.ts";

export const enum State {
  CLIENT_START = 0,
  CLIENT_WAIT_SERVER_HELLO = 1,
  CLIENT_WAIT_ENCRYPTED_EXTENSIONS = 2,
  CLIENT_WAIT_CERTIFICATE_OR_REQUEST = 3,
  CLIENT_WAIT_CERTIFICATE = 4,
  CLIENT_WAIT_CERTIFICATE_VERIFY = 5,
  CLIENT_WAIT_FINISHED = 6,
  CLIENT_CONNECTED = 7,
  SERVER_WAIT_CLIENT_HELLO = 8,
  SERVER_WAIT_SECOND_CLIENT_HELLO = 9,
  SERVER_WAIT_CERTIFICATE = 10,
  SERVER_WAIT_CERTIFICATE_VERIFY = 11,
  SERVER_WAIT_FINISHED = 12,
  SERVER_CONNECTED = 13,
  FAILED = 14,
}

/** What is to be done with a message. */
export const enum Step {
  /** RFC 8446 §4: unexpected_message. */
  REFUSE = 0,
  /** The same, but QUIC has an error of its own for it (RFC 9001 §4.4). */
  REFUSE_REQUEST = 1,
  SERVER_HELLO = 2,
  ENCRYPTED_EXTENSIONS = 3,
  CERTIFICATE_REQUEST = 4,
  SERVER_CERTIFICATE = 5,
  SERVER_CERTIFICATE_VERIFY = 6,
  SERVER_FINISHED = 7,
  NEW_SESSION_TICKET = 8,
  CLIENT_HELLO = 9,
  SECOND_CLIENT_HELLO = 10,
  CLIENT_CERTIFICATE = 11,
  CLIENT_CERTIFICATE_VERIFY = 12,
  CLIENT_FINISHED = 13,
}

/** Encryption levels by the numbers that QUIC's rooms use. */
export const enum Level {
  INITIAL = 0,
  EARLY = 1,
  HANDSHAKE = 2,
  APPLICATION = 3,
}

export const LEVEL_COUNT: u32 = 4;

/** What to do with a message of `type` in `state`. Total. */
export function stepOf(state: State, type: u32): Step {
  switch (state) {
    case State.CLIENT_WAIT_SERVER_HELLO:
      return type == HandshakeType.SERVER_HELLO ? Step.SERVER_HELLO : Step.REFUSE;
    case State.CLIENT_WAIT_ENCRYPTED_EXTENSIONS:
      return type == HandshakeType.ENCRYPTED_EXTENSIONS ? Step.ENCRYPTED_EXTENSIONS : Step.REFUSE;
    case State.CLIENT_WAIT_CERTIFICATE_OR_REQUEST:
      if (type == HandshakeType.CERTIFICATE_REQUEST) return Step.CERTIFICATE_REQUEST;
      return type == HandshakeType.CERTIFICATE ? Step.SERVER_CERTIFICATE : Step.REFUSE;
    case State.CLIENT_WAIT_CERTIFICATE:
      return type == HandshakeType.CERTIFICATE ? Step.SERVER_CERTIFICATE : Step.REFUSE;
    case State.CLIENT_WAIT_CERTIFICATE_VERIFY:
      return type == HandshakeType.CERTIFICATE_VERIFY ? Step.SERVER_CERTIFICATE_VERIFY : Step.REFUSE;
    case State.CLIENT_WAIT_FINISHED:
      return type == HandshakeType.FINISHED ? Step.SERVER_FINISHED : Step.REFUSE;
    case State.CLIENT_CONNECTED:
      if (type == HandshakeType.CERTIFICATE_REQUEST) return Step.REFUSE_REQUEST;
      return type == HandshakeType.NEW_SESSION_TICKET ? Step.NEW_SESSION_TICKET : Step.REFUSE;
    case State.SERVER_WAIT_CLIENT_HELLO:
      return type == HandshakeType.CLIENT_HELLO ? Step.CLIENT_HELLO : Step.REFUSE;
    case State.SERVER_WAIT_SECOND_CLIENT_HELLO:
      return type == HandshakeType.CLIENT_HELLO ? Step.SECOND_CLIENT_HELLO : Step.REFUSE;
    case State.SERVER_WAIT_CERTIFICATE:
      return type == HandshakeType.CERTIFICATE ? Step.CLIENT_CERTIFICATE : Step.REFUSE;
    case State.SERVER_WAIT_CERTIFICATE_VERIFY:
      return type == HandshakeType.CERTIFICATE_VERIFY ? Step.CLIENT_CERTIFICATE_VERIFY : Step.REFUSE;
    case State.SERVER_WAIT_FINISHED:
      return type == HandshakeType.FINISHED ? Step.CLIENT_FINISHED : Step.REFUSE;
  }
  return Step.REFUSE;
}

/** The level that messages come at in `state`. */
export function levelOf(state: State): Level {
  switch (state) {
    case State.CLIENT_START:
    case State.CLIENT_WAIT_SERVER_HELLO:
    case State.SERVER_WAIT_CLIENT_HELLO:
    case State.SERVER_WAIT_SECOND_CLIENT_HELLO:
      return Level.INITIAL;
    case State.CLIENT_CONNECTED:
    case State.SERVER_CONNECTED:
      return Level.APPLICATION;
  }
  return Level.HANDSHAKE;
}
