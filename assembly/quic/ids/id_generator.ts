/**
 * The connection IDs that this endpoint gives out: eight bytes, the same length in every short header.
 *
 * Several processes may share one port; the kernel spreads datagrams by address, so one that moved with its client arrives
 * anywhere, and whoever gets it must be able to tell whose it is. One byte of the ID names the process:
 *
 *     process ⊕ first byte of the mask (8) ‖ random (56)
 *
 * The mask is a block of ChaCha20 under the endpoint's routing key for the random bytes, as header protection makes one for
 * a sample. To anybody without the key all eight bytes are random: two IDs of one connection cannot be linked by their process
 * (RFC 9000 §5.1, §9.5). That is a stream cipher with the random bytes as its nonce, which repeats after some 2^28 IDs, and then
 * tells whether two of them are of one process. Encrypting a whole ID as a block would take twelve or sixteen bytes in every
 * packet and say no more.
 *
 * Anyone can make up an ID that leads to some process, as anyone can send to the port; that process does not know it.
 */
import { Suite, headerMask } from "../../crypto/aead.ts";
import { CHACHA20_KEY_BYTES } from "../../crypto/chacha20.ts";
import { randomFill } from "../../crypto/drbg.ts";
import { HEADER_MASK_BYTES, HEADER_SAMPLE_BYTES } from "../../crypto/header_protection.ts";

/** Length of all connection IDs that are issued here. */
export const LOCAL_ID_BYTES: u32 = 8;

const RANDOM_AT: u32 = 1;
const RANDOM_BYTES: u32 = LOCAL_ID_BYTES - RANDOM_AT;

/** The process, and behind it the routing key. */
@unmanaged
export class IdGenerator {
  /** 0 … 255: which of the processes that share the routing key this is. */
  process: u32;
}

const KEY: usize = offsetof<IdGenerator>();
export const ID_GENERATOR_BYTES: u32 = <u32>KEY + CHACHA20_KEY_BYTES;

const sample: usize = memory.data(HEADER_SAMPLE_BYTES, 16);
const mask: usize = memory.data(HEADER_MASK_BYTES, 16);

/** `key` has CHACHA20_KEY_BYTES: `endpointKey` gives it. `process` ≤ 255. */
export function idGeneratorOpen(generator: IdGenerator, key: usize, process: u32): void {
  generator.process = process;
  memory.copy(changetype<usize>(generator) + KEY, key, CHACHA20_KEY_BYTES);
}

/** Writes a new connection ID of LOCAL_ID_BYTES to `dest`. */
export function idGenerate(generator: IdGenerator, dest: usize): void {
  randomFill(dest + RANDOM_AT, RANDOM_BYTES);
  store<u8>(dest, generator.process ^ maskOf(generator, dest));
}

/** The process that made the connection ID at `ptr`, of LOCAL_ID_BYTES; any process when nobody here did. */
export function idProcess(generator: IdGenerator, ptr: usize): u32 {
  return load<u8>(ptr) ^ maskOf(generator, ptr);
}

function maskOf(generator: IdGenerator, id: usize): u32 {
  memory.fill(sample, 0, HEADER_SAMPLE_BYTES);
  memory.copy(sample, id + RANDOM_AT, RANDOM_BYTES);
  headerMask(Suite.CHACHA20_POLY1305_SHA256, changetype<usize>(generator) + KEY, sample, mask);
  return load<u8>(mask);
}
