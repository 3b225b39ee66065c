/**
 * The transcript hash, RFC 8446 §4.4.1: the messages of a handshake, hashed as they are sent and received.
 *
 * Until the suite is known both hashes run; from then on the one it names. A HelloRetryRequest replaces what was hashed before
 * by a message_hash. Nothing is kept of the messages themselves.
 */
import {
  HASH_LENGTH_MAX,
  HashId,
  HashState,
  hashDigest,
  hashLength,
  hashStart,
  hashUpdate,
} from "../crypto/hash.ts";
import { HandshakeType, MESSAGE_HEADER_BYTES, writeMessageHeader } from "./handshake_type.ts";

/**
 *   0      4                          4 + state
 *   ┌──────┬──────────────────────────┬───────────────────┐
 *   │ hash │ state of SHA-256 or `hash` │ state of SHA-384 │
 *   └──────┴──────────────────────────┴───────────────────┘
 *
 * All bytes zero is not a transcript: `transcriptStart` makes one.
 */
@unmanaged
export class Transcript {
  /** The suite's hash; 0 as long as there is no suite. */
  hash: u32;
}

/** States hold words of 64 bits. */
const FIRST_STATE: u32 = 8;
const STATE_BYTES: u32 = (offsetof<HashState>() + 7) & ~7;
export const TRANSCRIPT_BYTES: u32 = FIRST_STATE + 2 * STATE_BYTES;

const synthetic: usize = memory.data(MESSAGE_HEADER_BYTES + HASH_LENGTH_MAX, 8);
const branch = changetype<HashState>(memory.data(offsetof<HashState>(), 16));

// @ts-ignore: decorator
@inline
function stateAt(transcript: Transcript, index: u32): HashState {
  return changetype<HashState>(changetype<usize>(transcript) + FIRST_STATE + index * STATE_BYTES);
}

export function transcriptStart(transcript: Transcript): void {
  transcript.hash = 0;
  hashStart(HashId.SHA_256, stateAt(transcript, 0));
  hashStart(HashId.SHA_384, stateAt(transcript, 1));
}

/** Appends a message, its header included, or a part of one. */
export function transcriptUpdate(transcript: Transcript, ptr: usize, len: u32): void {
  if (transcript.hash != 0) {
    hashUpdate(<HashId>transcript.hash, stateAt(transcript, 0), ptr, len);
    return;
  }
  hashUpdate(HashId.SHA_256, stateAt(transcript, 0), ptr, len);
  hashUpdate(HashId.SHA_384, stateAt(transcript, 1), ptr, len);
}

/** Settles the hash. It stays what it was when it is settled already. */
export function transcriptDecide(transcript: Transcript, hash: HashId): void {
  if (transcript.hash != 0) return;
  transcript.hash = hash;
  if (hash == HashId.SHA_384) {
    memory.copy(
      changetype<usize>(stateAt(transcript, 0)),
      changetype<usize>(stateAt(transcript, 1)),
      STATE_BYTES,
    );
  }
}

/** Writes the hash of all messages so far to `dest`. The hash must be settled. */
export function transcriptDigest(transcript: Transcript, dest: usize): void {
  hashDigest(<HashId>transcript.hash, stateAt(transcript, 0), dest);
}

/**
 * Writes the hash `hash` of all messages so far and [ptr, ptr + len), which is not appended, to `dest`: what a binder covers
 * (RFC 8446 §4.2.11.2). The hash need not be settled.
 */
export function transcriptDigestWith(
  transcript: Transcript,
  hash: HashId,
  ptr: usize,
  len: u32,
  dest: usize,
): void {
  const index: u32 = transcript.hash == 0 && hash == HashId.SHA_384 ? 1 : 0;
  memory.copy(
    changetype<usize>(branch),
    changetype<usize>(stateAt(transcript, index)),
    offsetof<HashState>(),
  );
  hashUpdate(hash, branch, ptr, len);
  hashDigest(hash, branch, dest);
}

/** RFC 8446 §4.4.1: after a HelloRetryRequest the first ClientHello counts as a message_hash. The hash must be settled. */
export function transcriptReplaceByHash(transcript: Transcript): void {
  const hash = <HashId>transcript.hash;
  const len = hashLength(hash);
  writeMessageHeader(synthetic, HandshakeType.MESSAGE_HASH, len);
  transcriptDigest(transcript, synthetic + MESSAGE_HEADER_BYTES);
  hashStart(hash, stateAt(transcript, 0));
  transcriptUpdate(transcript, synthetic, MESSAGE_HEADER_BYTES + len);
}
