// Mutations of wire bytes: small damage that keeps most of the grammar, so that the damage gets past the first check.

import type { Random } from "./random.ts";

/** Bytes and phrases on which readers disagree. */
const PHRASES = [
  "\r",
  "\n",
  "\r\n",
  "\r\n\r\n",
  "\r\n ",
  "\0",
  "\t",
  " ",
  ":",
  ",",
  ";",
  '"',
  "\\",
  "\x7f",
  "\x80",
  "\xff",
  "0",
  "0\r\n\r\n",
  "ffffffffffffffff",
  "9007199254740992",
  "Content-Length: 5\r\n",
  "Content-Length: 4294967296\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Connection: close\r\n",
  "Connection: keep-alive, upgrade\r\nUpgrade: x\r\n",
  "Expect: 100-continue\r\n",
  "Host: b\r\n",
  "HTTP/1.0",
  "HTTP/1.1",
  "HEAD ",
  "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
];

/** A damaged copy of one of the corpus' entries, or several joined. */
export function mutate(random: Random, corpus: readonly Buffer[]): Buffer {
  let bytes: Buffer = Buffer.from(random.pick(corpus));
  while (random.oneIn(3)) bytes = Buffer.concat([bytes, random.pick(corpus)]);
  for (let count = random.oneIn(2) ? 0 : random.below(4); count > 0; count--)
    bytes = damage(random, bytes, corpus);
  return bytes.length > 300_000 ? bytes.subarray(0, 300_000) : bytes;
}

function damage(random: Random, bytes: Buffer, corpus: readonly Buffer[]): Buffer {
  const at = random.below(bytes.length + 1);
  const before = bytes.subarray(0, at);
  const length = random.oneIn(2) ? 1 : random.below(20);
  switch (random.below(8)) {
    case 0: {
      const copy = Buffer.from(bytes);
      if (at < copy.length) copy[at] = random.next() & 0xff;
      return copy;
    }
    case 1: {
      const copy = Buffer.from(bytes);
      if (at < copy.length) copy[at] = (copy[at] as number) ^ (1 << random.below(8));
      return copy;
    }
    case 2:
      return Buffer.concat([before, bytes.subarray(at + length)]);
    case 3:
      return Buffer.concat([before, bytes.subarray(at, at + length), bytes.subarray(at)]);
    case 4:
      return Buffer.from(before);
    case 5: {
      const other = random.pick(corpus);
      return Buffer.concat([before, other.subarray(random.below(other.length + 1))]);
    }
    case 6: {
      const times = random.oneIn(10) ? random.below(70_000) : random.below(300);
      const repeated = Buffer.alloc(times, bytes[at] ?? 0x20);
      return Buffer.concat([before, repeated, bytes.subarray(at)]);
    }
    default:
      return Buffer.concat([before, Buffer.from(random.pick(PHRASES), "latin1"), bytes.subarray(at)]);
  }
}
