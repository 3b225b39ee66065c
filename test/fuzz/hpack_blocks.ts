// Field blocks of HPACK (RFC 7541) for garbage: mostly well formed, in every representation, with references to whatever the table
// may hold, and damage in lengths, indices and Huffman codes among them.

import type { Random } from "./random.ts";

const STATIC_COUNT = 61;
const NAMES = ["cookie", "x-a", "priority", "accept", "x-b"];
const STRANGE_NAMES = [":path", ":method", ":status", "te", "content-length", "host", "connection", "X", ""];
const VALUES = ["/", "GET", "a", "trailers", "5", "u=1, i", "a=b; c=d", ""];
const STRANGE_VALUES = [" x", "a\r\nb", "\0", "v".repeat(4100), "v".repeat(40_000)];
/** Indexed: GET or POST, http, `/`; then `:authority: a` as a literal. What most requests begin with. */
const REQUEST = [[0x82], [0x83], [0x86], [0x84], [0x01, 0x01, 0x61]];
const GET_HEAD = Buffer.from([0x82, 0x86, 0x84, 0x01, 0x01, 0x61]);
const POST_HEAD = Buffer.from([0x83, 0x86, 0x84, 0x01, 0x01, 0x61]);
/** `a`, Huffman-coded (RFC 7541 appendix B). */
const HUFFMAN_A = Buffer.from([0x1f]);
/** `:status: 200`. */
const STATUS_HEAD = Buffer.from([0x88]);

/** A block: of a request, or of a response. */
export function fieldBlock(random: Random, isRequest: boolean): Buffer {
  const parts: Buffer[] = [];
  // RFC 7541 §4.2: a change of the table's size comes first, where it is right.
  if (random.oneIn(12)) parts.push(integer(random, 5, 0x20, random.pick([0, 1, 100, 4096, 4097, 70_000])));
  if (!random.oneIn(25)) parts.push(isRequest ? (random.oneIn(3) ? POST_HEAD : GET_HEAD) : STATUS_HEAD);
  else if (isRequest) for (const one of REQUEST) if (random.oneIn(2)) parts.push(Buffer.from(one));
  const count = random.oneIn(50) ? random.below(3000) : random.below(6);
  for (let i = 0; i < count; i++) parts.push(representation(random));
  const block = Buffer.concat(parts);
  return random.oneIn(100) ? Buffer.concat([block, random.bytes(random.below(30))]) : block;
}

/** RFC 7541 §6. */
function representation(random: Random): Buffer {
  const index = random.oneIn(200)
    ? random.pick([0, 1000, 2 ** 31, 2 ** 32, 2 ** 52])
    : 1 + random.below(random.oneIn(10) ? STATIC_COUNT + 12 : STATIC_COUNT);
  const kind = random.below(10);
  // Pseudo-fields in the wrong place end most requests: the regular part of the static table begins at 15.
  if (kind < 4) return integer(random, 7, 0x80, random.oneIn(40) ? index : Math.max(index, 15));
  const [bits, pattern] = random.pick([
    [6, 0x40],
    [6, 0x40],
    [4, 0x00],
    [4, 0x10],
  ] as const);
  const isNamed = random.oneIn(2);
  const name = isNamed ? integer(random, bits, pattern, Math.max(index, 15)) : Buffer.from([pattern]);
  return Buffer.concat(
    isNamed
      ? [name, text(random, VALUES, STRANGE_VALUES)]
      : [name, text(random, NAMES, STRANGE_NAMES), text(random, VALUES, STRANGE_VALUES)],
  );
}

/** RFC 7541 §5.2; a string said to be Huffman-coded is noise, of which some decodes. */
function text(random: Random, usual: readonly string[], strange: readonly string[]): Buffer {
  if (random.oneIn(12)) {
    const coded = random.oneIn(2) ? HUFFMAN_A : random.bytes(random.below(12));
    return Buffer.concat([integer(random, 7, 0x80, coded.length), coded]);
  }
  const bytes = Buffer.from(random.pick(random.oneIn(30) ? strange : usual), "latin1");
  const said = random.oneIn(200) ? random.pick([0, 1, 65_536, 2 ** 32, 2 ** 40]) : bytes.length;
  return Buffer.concat([integer(random, 7, 0, said), bytes]);
}

/** RFC 7541 §5.1, now and then with more zeros at its end than it needs. */
function integer(random: Random, bits: number, pattern: number, value: number): Buffer {
  const most = 2 ** bits - 1;
  if (value < most) return Buffer.from([pattern | value]);
  const bytes = [pattern | most];
  let left = value - most;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  if (random.oneIn(30)) bytes.push(left | 128, ...Array<number>(random.below(8)).fill(128), 0);
  else bytes.push(left);
  return Buffer.from(bytes);
}
