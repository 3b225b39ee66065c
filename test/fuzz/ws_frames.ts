// Frames of WebSockets for the fuzzer: random ones that are mostly right, so that something comes of them, and a reader that finds
// what an endpoint may not send (RFC 6455 §5).

import type { Random } from "./random.ts";

const LENGTHS = [0, 0, 1, 2, 5, 63, 64, 125, 126, 127, 300, 5000, 65_535, 65_536];
const TEXT = Buffer.from("Hello, wörld: €uros, 😀 and plain words. ".repeat(2000));

/** What a peer has said of the message it is in the middle of. */
export interface Talk {
  isMessageOpen: boolean;
}

/** A few frames, masked or not. One in some dozens breaks a rule; the rest go on from what was sent before. */
export function randomFrames(random: Random, isMasked: boolean, talk: Talk): Buffer {
  const frames: Buffer[] = [];
  for (let count = 1 + random.below(12); count > 0; count--) frames.push(randomFrame(random, isMasked, talk));
  return Buffer.concat(frames);
}

function randomFrame(random: Random, isMasked: boolean, talk: Talk): Buffer {
  if (random.oneIn(60)) {
    return frame(
      random,
      random.below(256),
      isMasked !== random.oneIn(4),
      payload(random, 200),
      random.oneIn(3),
    );
  }
  switch (random.below(random.oneIn(20) ? 12 : 10)) {
    case 0:
      return frame(random, 0x89, isMasked, payload(random, 125));
    case 1:
      return frame(random, 0x8a, isMasked, payload(random, 125));
    case 10: {
      const code = random.pick([1000, 1001, 1005, 1007, 2999, 3000, 4999, 5000]);
      const body = Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from("why")]);
      return frame(random, 0x88, isMasked, body.subarray(0, random.below(body.length + 1)));
    }
    default: {
      const opcode = talk.isMessageOpen ? 0 : random.pick([1, 1, 2]);
      const isFinal = !random.oneIn(3);
      talk.isMessageOpen = !isFinal;
      const isCompressed = opcode !== 0 && random.oneIn(8) ? 0x40 : 0;
      return frame(
        random,
        (isFinal ? 0x80 : 0) | isCompressed | opcode,
        isMasked,
        payload(random, TEXT.length),
      );
    }
  }
}

function payload(random: Random, most: number): Buffer {
  const length = Math.min(random.pick(LENGTHS), most);
  // From the start, so that text is mostly text.
  return Buffer.from(TEXT.subarray(0, length));
}

function frame(random: Random, firstByte: number, isMasked: boolean, bytes: Buffer, isLiar = false): Buffer {
  const length = isLiar ? random.pick([0, 125, 126, 65_535, 2 ** 32, 2 ** 53]) : bytes.length;
  const maskBit = isMasked ? 0x80 : 0;
  const header = Buffer.alloc(length <= 125 ? 2 : length <= 0xffff ? 4 : 10);
  header[0] = firstByte;
  if (length <= 125) header[1] = maskBit | length;
  else if (length <= 0xffff) {
    header[1] = maskBit | 126;
    header.writeUInt16BE(length, 2);
  } else {
    header[1] = maskBit | 127;
    header.writeBigUInt64BE(BigInt(length), 2);
  }
  if (!isMasked) return Buffer.concat([header, bytes]);
  const key = Buffer.alloc(4);
  key.writeUInt32LE(random.next() >>> 0, 0);
  for (let at = 0; at < bytes.length; at++) bytes[at] = (bytes[at] as number) ^ (key[at & 3] as number);
  return Buffer.concat([header, key, bytes]);
}

/** Reads what an endpoint sent, cut anywhere, and throws at the first frame that it may not send. */
export class FrameCheck {
  readonly #isMasked: boolean;
  readonly #isDeflateAgreed: boolean;
  #rest = Buffer.alloc(0);
  #toSkip = 0;
  #isMessageOpen = false;
  isClosed = false;

  constructor(isMasked: boolean, isDeflateAgreed: boolean) {
    this.#isMasked = isMasked;
    this.#isDeflateAgreed = isDeflateAgreed;
  }

  read(bytes: Buffer): void {
    if (bytes.length === 0) return;
    if (this.#toSkip >= bytes.length) {
      this.#toSkip -= bytes.length;
      return;
    }
    this.#rest = Buffer.concat([this.#rest, bytes.subarray(this.#toSkip)]);
    this.#toSkip = 0;
    while (this.#readHeader());
  }

  #readHeader(): boolean {
    const bytes = this.#rest;
    if (bytes.length > 0 && this.isClosed) throw new Error("bytes behind a close frame");
    if (bytes.length < 2) return false;
    const [first = 0, second = 0] = bytes;
    const short = second & 0x7f;
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    const headerLength = 2 + lengthBytes + (this.#isMasked ? 4 : 0);
    if (bytes.length < headerLength) return false;
    let length = short;
    if (lengthBytes === 2) length = bytes.readUInt16BE(2);
    else if (lengthBytes === 8) length = Number(bytes.readBigUInt64BE(2));
    this.#judge(first, second, length, lengthBytes);
    const end = headerLength + length;
    this.#rest = bytes.subarray(Math.min(end, bytes.length));
    this.#toSkip = Math.max(0, end - bytes.length);
    return this.#toSkip === 0;
  }

  #judge(first: number, second: number, length: number, lengthBytes: number): void {
    const opcode = first & 0x0f;
    const isFinal = (first & 0x80) !== 0;
    const what = `a frame that begins with ${first.toString(16)} ${second.toString(16)}, of ${length} bytes`;
    if (((second & 0x80) !== 0) !== this.#isMasked) throw new Error(`${what}: wrongly masked`);
    if (lengthBytes !== (length <= 125 ? 0 : length <= 0xffff ? 2 : 8))
      throw new Error(`${what}: not minimal`);
    if (opcode >= 8) {
      if (opcode > 10 || !isFinal || length > 125 || (first & 0x70) !== 0) throw new Error(what);
      if (opcode === 8) this.isClosed = true;
      return;
    }
    if (opcode > 2 || (opcode === 0) !== this.#isMessageOpen) throw new Error(what);
    const reserved = first & 0x70;
    if (reserved !== 0 && !(reserved === 0x40 && opcode !== 0 && this.#isDeflateAgreed))
      throw new Error(what);
    this.#isMessageOpen = !isFinal;
  }
}
