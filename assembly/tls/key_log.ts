/**
 * Lines of a key log, in the format that NSS began and packet analysers read: label, client random and secret in hexadecimal.
 *
 * Only a config that asks for it has them written. A line that does not fit is left out: it never fails a handshake.
 */
import { ByteQueue, byteQueueCommit, byteQueueReserve } from "../core/byte_queue.ts";

const CLIENT_RANDOM_BYTES: u32 = 32;
/** A log that nobody reads is not written further: a handshake has five lines of at most 200 bytes. */
const KEY_LOG_BYTES_MAX: u32 = 4096;

export function writeKeyLogLine(
  queue: ByteQueue,
  label: string,
  random: usize,
  secret: usize,
  secretLen: u32,
): void {
  const labelLen = <u32>label.length;
  const len = labelLen + 1 + 2 * CLIENT_RANDOM_BYTES + 1 + 2 * secretLen + 1;
  if (queue.length + len > KEY_LOG_BYTES_MAX) return;
  let at = byteQueueReserve(queue, len);
  if (at == 0) return;
  // A literal lies in linear memory as UTF-16: nothing is allocated.
  for (let index: u32 = 0; index < labelLen; index++) {
    store<u8>(at + index, load<u8>(changetype<usize>(label) + (index << 1)));
  }
  at += labelLen;
  store<u8>(at, 0x20);
  at = writeHex(at + 1, random, CLIENT_RANDOM_BYTES);
  store<u8>(at, 0x20);
  at = writeHex(at + 1, secret, secretLen);
  store<u8>(at, 0x0a);
  byteQueueCommit(queue, len);
}

function writeHex(dest: usize, ptr: usize, len: u32): usize {
  for (let index: u32 = 0; index < len; index++) {
    const byte = load<u8>(ptr + index);
    store<u8>(dest, hexDigit(byte >> 4));
    store<u8>(dest, hexDigit(byte & 15), 1);
    dest += 2;
  }
  return dest;
}

function hexDigit(value: u32): u8 {
  return <u8>(value < 10 ? 0x30 + value : 0x57 + value);
}
