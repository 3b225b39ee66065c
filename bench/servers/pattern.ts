/*
 * The bodies of `GET /bytes/:n` and `GET /fresh/:n`, the same for every server: byte i is i mod 251. The block's
 * length is a multiple of 251, so that one block, sent again and again, continues the pattern.
 *
 * /bytes sends that one block over and over: it times the server, not the making of bytes. /fresh makes a new block
 * for each piece, as a handler that reads a file does: a server that queues what it should hold back then shows it.
 */

const PERIOD = 251;
const BLOCK_LEN = PERIOD * 256;

const block: Uint8Array = Uint8Array.from({ length: BLOCK_LEN }, (_, i) => i % PERIOD);

export function* patternBlocks(byteCount: number): Generator<Uint8Array> {
  let left = byteCount;
  for (; left >= BLOCK_LEN; left -= BLOCK_LEN) yield block;
  if (left > 0) yield block.subarray(0, left);
}

export function* freshBlocks(byteCount: number): Generator<Uint8Array> {
  for (const piece of patternBlocks(byteCount)) yield piece.slice();
}
