/**
 * The keys of 1-RTT packets, in one block: the state of key updates (RFC 9001 §6), then the keys to write with, those to read with
 * in three phases, and the secrets that the next ones are derived from.
 */
import { HASH_LENGTH_MAX } from "../../crypto/hash.ts";
import { PACKET_KEYS_BYTES, PacketKeys } from "../protection/packet_keys.ts";


@unmanaged
export class OneRttKeys {
  /** Key phase bits of what is sent, and of the keys to read with. */
  writePhase: u32;
  readPhase: u32;
  hasRead: bool;
  hasWrite: bool;
  /** The lowest number that arrived in the present phase. */
  readFrom: i64;
  /** The number of the first packet that was sent in the present phase. */
  writeFrom: u64;
  /** Until when the previous keys are kept. */
  previousUntilMs: f64;
  updateCount: u32;
  suite: u32;
}

/** Behind the struct. */
const WRITE: usize = (offsetof<OneRttKeys>() + 15) & ~15;
const READ: usize = WRITE + PACKET_KEYS_BYTES;
const NEXT: usize = READ + PACKET_KEYS_BYTES;
const PREVIOUS: usize = NEXT + PACKET_KEYS_BYTES;
export const WRITE_SECRET: usize = PREVIOUS + PACKET_KEYS_BYTES;
/** Of the next phase. */
export const READ_SECRET: usize = WRITE_SECRET + HASH_LENGTH_MAX;
export const ONE_RTT_BYTES: u32 = <u32>(READ_SECRET + HASH_LENGTH_MAX);

export const enum ReadKey {
  PRESENT = 0,
  NEXT = 1,
  PREVIOUS = 2,
}

export function writeKeys(keys: OneRttKeys): PacketKeys {
  return changetype<PacketKeys>(changetype<usize>(keys) + WRITE);
}

export function readKeys(keys: OneRttKeys, which: ReadKey): PacketKeys {
  return changetype<PacketKeys>(changetype<usize>(keys) + READ + which * PACKET_KEYS_BYTES);
}
