/**
 * Messages out of bytes, RFC 8446 §4: framing, what is held of them, and which function each goes to.
 *
 * A message that is whole is read where it lies; only what is cut off, or waits for the host, is held, and never more than
 * the config's `messageBytesMax`. What the state does not expect is refused by its first byte.
 */
import { Status } from "../abi/status.ts";
import { slabAllocate, slabCapacity } from "../core/slab.ts";
import {
  clientOnCertificate,
  clientOnCertificateRequest,
  clientOnCertificateVerify,
  clientOnEncryptedExtensions,
  clientOnFinished,
  clientOnServerHello,
} from "./client.ts";
import { TlsSession, Wanted, fail, freeBlock, wantNothing } from "./handshake.ts";
import { Step, levelOf, stepOf } from "./handshake_state.ts";
import { MESSAGE_HEADER_BYTES, messageLength } from "./handshake_type.ts";
import { takeTicket } from "./new_session_ticket.ts";
import {
  serverOnCertificate,
  serverOnCertificateVerify,
  serverOnClientHello,
  serverOnFinished,
  serverOnSecondClientHello,
} from "./server.ts";
import { TlsStatus } from "./tls_status.ts";

/** Fails the session where a step did. */
export function settle(session: TlsSession, status: i32): i32 {
  if (status >= 0) return Status.OK;
  wantNothing(session);
  return fail(session, status);
}

/** Appends to the bytes that wait. */
export function hold(session: TlsSession, ptr: usize, len: u32): i32 {
  if (len == 0) return Status.OK;
  const held = session.inputLen;
  const max = session.config.messageBytesMax;
  if (len > max || held + len > max) return TlsStatus.MESSAGE_TOO_LARGE;
  if (session.inputPtr == 0 || slabCapacity(session.inputPtr) < held + len) {
    const block = slabAllocate(held + len);
    if (block == 0) return TlsStatus.INTERNAL;
    if (held != 0) memory.copy(block, session.inputPtr, held);
    freeBlock(session.inputPtr);
    session.inputPtr = block;
  }
  memory.copy(session.inputPtr + held, ptr, len);
  session.inputLen = held + len;
  return Status.OK;
}

/** Reads the messages that are held, as far as they go. */
export function readHeld(session: TlsSession): i32 {
  if (session.inputLen == 0 || session.wantedKind != Wanted.NONE) return session.status;
  const taken = readMessages(session, session.inputPtr, session.inputLen);
  const left = session.inputLen - taken;
  session.inputLen = left;
  if (left != 0) {
    memory.copy(session.inputPtr, session.inputPtr + taken, left);
  } else {
    freeBlock(session.inputPtr);
    session.inputPtr = 0;
  }
  return session.status;
}

/** Acts on each whole message of [ptr, ptr + len) until a question is asked. Answers how many bytes it took. */
export function readMessages(session: TlsSession, ptr: usize, len: u32): u32 {
  let at = ptr;
  const end = ptr + len;
  while (at < end && session.wantedKind == Wanted.NONE && session.status >= 0) {
    // A first byte is enough to refuse what is not expected: nothing of it is held.
    if (session.inputLevel != levelOf(session.state)) {
      fail(session, TlsStatus.UNEXPECTED_MESSAGE);
      break;
    }
    const step = stepOf(session.state, load<u8>(at));
    if (step <= Step.REFUSE_REQUEST) {
      fail(session, step == Step.REFUSE ? TlsStatus.UNEXPECTED_MESSAGE : TlsStatus.POST_HANDSHAKE_REQUEST);
      break;
    }
    if (end - at < MESSAGE_HEADER_BYTES) break;
    const messageLen = MESSAGE_HEADER_BYTES + messageLength(at);
    if (messageLen > session.config.messageBytesMax) {
      fail(session, TlsStatus.MESSAGE_TOO_LARGE);
      break;
    }
    if (<u32>(end - at) < messageLen) break;
    settle(session, act(session, step, at, messageLen));
    at += messageLen;
  }
  return <u32>(at - ptr);
}

function act(session: TlsSession, step: Step, ptr: usize, len: u32): i32 {
  switch (step) {
    case Step.SERVER_HELLO:
      return clientOnServerHello(session, ptr, len);
    case Step.ENCRYPTED_EXTENSIONS:
      return clientOnEncryptedExtensions(session, ptr, len);
    case Step.CERTIFICATE_REQUEST:
      return clientOnCertificateRequest(session, ptr, len);
    case Step.SERVER_CERTIFICATE:
      return clientOnCertificate(session, ptr, len);
    case Step.SERVER_CERTIFICATE_VERIFY:
      return clientOnCertificateVerify(session, ptr, len);
    case Step.SERVER_FINISHED:
      return clientOnFinished(session, ptr, len);
    case Step.NEW_SESSION_TICKET:
      return takeTicket(session, ptr + MESSAGE_HEADER_BYTES, len - MESSAGE_HEADER_BYTES);
    case Step.CLIENT_HELLO:
      return serverOnClientHello(session, ptr, len);
    case Step.SECOND_CLIENT_HELLO:
      return serverOnSecondClientHello(session, ptr, len);
    case Step.CLIENT_CERTIFICATE:
      return serverOnCertificate(session, ptr, len);
    case Step.CLIENT_CERTIFICATE_VERIFY:
      return serverOnCertificateVerify(session, ptr, len);
    case Step.CLIENT_FINISHED:
      return serverOnFinished(session, ptr, len);
  }
  return TlsStatus.UNEXPECTED_MESSAGE;
}
