// A peer of HTTP/2 that mostly keeps the rules: frames whose streams, lengths and fields make sense, so that most of them get past
// the first check, and damage among them. It reads what the engine sends as far as any peer must be able to.

import { Role } from "../../assembly/abi/message.ts";
import { Flag, FrameType, PREFACE, frame, settings, settingsAck, uint32 } from "../wire/h2_frames.ts";
import type { Traffic } from "./door_round.ts";
import { fieldBlock } from "./hpack_blocks.ts";
import { mutate } from "./mutation.ts";
import type { Random } from "./random.ts";

const FRAME_HEADER_BYTES = 9;
/** What this peer says it takes; it never says more. */
const FRAME_SIZE_MAX = 16_384;
const WINDOW_MAX = 2 ** 31 - 1;
const CODES = 14;

export class H2Traffic implements Traffic {
  readonly #random: Random;
  readonly #role: Role;
  #hasBegun = false;
  #nextStream: number;
  /** What the engine sent and is not a whole frame yet. */
  #unread = Buffer.alloc(0);
  /** A client's preface comes before the first frame. */
  #prefaceLeft: number;
  /** Streams that the engine began, the last of them. */
  readonly #begun: number[] = [];
  /** Stream of a header block that is not complete: CONTINUATION has to follow. */
  #openBlock = 0;

  /** `role` is the engine's. */
  constructor(random: Random, role: Role) {
    this.#random = random;
    this.#role = role;
    this.#nextStream = role === Role.SERVER ? 1 : 2;
    this.#prefaceLeft = role === Role.CLIENT ? PREFACE.length : 0;
  }

  bytes(): Buffer {
    const random = this.#random;
    const parts: Buffer[] = [];
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      if (random.oneIn(30)) return random.bytes(random.below(100));
      if (this.#role === Role.SERVER) parts.push(PREFACE);
      parts.push(random.oneIn(20) ? this.#anyFrame() : this.#settings(), settingsAck);
    }
    // Most often few frames, now and then a flood.
    const count = random.oneIn(40) ? random.below(400) : random.below(6);
    const flood = random.oneIn(2) ? this.#anyFrame() : null;
    for (let i = 0; i < count; i++) parts.push(count > 10 && flood !== null ? flood : this.#anyFrame());
    const bytes = Buffer.concat(parts);
    if (random.oneIn(25)) return mutate(random, [bytes, ...parts, settingsAck]);
    return random.oneIn(100) ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes;
  }

  sent(bytes: Uint8Array): void {
    let unread = Buffer.concat([this.#unread, bytes]);
    const preface = Math.min(this.#prefaceLeft, unread.length);
    const at = PREFACE.length - this.#prefaceLeft;
    if (!unread.subarray(0, preface).equals(PREFACE.subarray(at, at + preface)))
      throw new Error(
        `the client's preface is wrong: ${JSON.stringify(unread.subarray(0, 40).toString("latin1"))} at ${at}`,
      );
    this.#prefaceLeft -= preface;
    unread = unread.subarray(preface);
    while (unread.length >= FRAME_HEADER_BYTES) {
      const length = unread.readUIntBE(0, 3);
      if (unread.length < FRAME_HEADER_BYTES + length) break;
      this.#check(length, unread[3] as number, unread[4] as number, unread.readUInt32BE(5));
      unread = unread.subarray(FRAME_HEADER_BYTES + length);
    }
    this.#unread = Buffer.from(unread);
  }

  /** RFC 9113 §4.2, §6.10 and the streams that each type is for. */
  #check(length: number, type: number, flags: number, streamId: number): void {
    const what = `a frame of type ${type}, flags ${flags}, stream ${streamId}, ${length} bytes`;
    if (length > FRAME_SIZE_MAX || type > FrameType.CONTINUATION) throw new Error(what);
    const isBlock = type === FrameType.CONTINUATION;
    if (isBlock !== (this.#openBlock !== 0) || (isBlock && streamId !== this.#openBlock))
      throw new Error(`${what} while stream ${this.#openBlock} has a block open`);
    const hasBlock = isBlock || type === FrameType.HEADERS || type === FrameType.PUSH_PROMISE;
    if (hasBlock) this.#openBlock = flags & Flag.END_HEADERS ? 0 : streamId;
    const isOfConnection =
      type === FrameType.SETTINGS || type === FrameType.PING || type === FrameType.GOAWAY;
    if (type === FrameType.HEADERS && this.#begun.push(streamId) > 8) this.#begun.shift();
    if (type !== FrameType.WINDOW_UPDATE && isOfConnection !== (streamId === 0)) throw new Error(what);
  }

  #settings(): Buffer {
    const random = this.#random;
    const entries = Array.from({ length: random.below(4) }, () => this.#setting());
    return settings(entries);
  }

  /** RFC 9113 §6.5.2; most values are allowed, and none allows larger frames than `sent` takes. */
  #setting(): [number, number] {
    const random = this.#random;
    if (random.oneIn(30)) return [random.below(12), random.next()];
    return random.pick<[number, number]>([
      [1, random.pick([0, 100, 4096, 65_536])],
      [2, random.below(this.#role === Role.SERVER ? 2 : 1)],
      [3, random.pick([0, 1, 100])],
      [4, random.pick([0, 1, 100, 65_535, 100_000, WINDOW_MAX])],
      [5, FRAME_SIZE_MAX],
      [6, random.pick([100, 10_000])],
      [8, 1],
      [9, 1],
    ]);
  }

  /** A stream that this peer begins. */
  #newStream(): number {
    if (this.#random.oneIn(40)) return this.#strangeStream();
    const id = this.#nextStream;
    this.#nextStream += 2;
    return id;
  }

  /** One that is probably open, begun by either side. */
  #oldStream(): number {
    const random = this.#random;
    if (random.oneIn(40)) return this.#strangeStream();
    if (this.#begun.length > 0 && (this.#role === Role.CLIENT || random.oneIn(9)))
      return random.pick(this.#begun);
    return Math.max(this.#nextStream - 2 * (1 + random.below(4)), 1);
  }

  #strangeStream(): number {
    return this.#random.oneIn(2) ? this.#random.below(20) : this.#random.next();
  }

  #anyFrame(): Buffer {
    const random = this.#random;
    const hasStreams = this.#nextStream > 2 || this.#begun.length > 0;
    if (!hasStreams && !random.oneIn(9)) return this.#headers();
    switch (random.below(16)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        return this.#headers();
      case 5:
      case 6:
      case 7:
        return this.#data();
      case 8:
        return frame(FrameType.RST_STREAM, 0, this.#oldStream(), uint32(random.below(CODES)));
      case 9:
        return random.oneIn(2) ? settingsAck : this.#settings();
      case 10:
        return frame(
          FrameType.PING,
          random.below(2),
          0,
          random.bytes(random.oneIn(9) ? random.below(20) : 8),
        );
      case 11: {
        const increment = random.oneIn(20)
          ? random.pick([0, WINDOW_MAX, random.next()])
          : random.pick([1, 1000, 65_535]);
        return frame(FrameType.WINDOW_UPDATE, 0, random.oneIn(2) ? 0 : this.#oldStream(), uint32(increment));
      }
      case 12: {
        const priority = Buffer.concat([uint32(this.#oldStream()), random.bytes(1)]);
        return frame(FrameType.PRIORITY, 0, this.#oldStream(), priority);
      }
      case 13: {
        const field = random.pick(["u=0", "u=7, i", "i", "u=9", "", "=", "u=1;x, i=?0"]);
        return frame(
          FrameType.PRIORITY_UPDATE,
          0,
          random.oneIn(40) ? this.#oldStream() : 0,
          Buffer.concat([uint32(this.#oldStream()), Buffer.from(field)]),
        );
      }
      case 14:
        if (!random.oneIn(6)) return this.#headers();
        return frame(
          FrameType.GOAWAY,
          0,
          random.oneIn(9) ? 1 : 0,
          Buffer.concat([
            uint32(random.below(30)),
            uint32(random.below(CODES)),
            random.bytes(random.below(9)),
          ]),
        );
      default:
        return frame(
          random.oneIn(9) ? random.below(17) : 17 + random.below(200),
          random.next() & 0xff,
          random.oneIn(2) ? 0 : this.#oldStream(),
          random.bytes(random.oneIn(9) ? random.below(20_000) : random.below(40)),
        );
    }
  }

  #data(): Buffer {
    const random = this.#random;
    const content = Buffer.alloc(
      random.pick([0, 1, 5, 5, 100, 1000, 16_384, random.oneIn(9) ? 16_385 : 0]),
      0x64,
    );
    const flags = random.oneIn(3) ? Flag.END_STREAM : 0;
    const padded = random.oneIn(5) ? this.#pad(content) : null;
    return frame(
      FrameType.DATA,
      padded === null ? flags : flags | Flag.PADDED,
      this.#oldStream(),
      padded ?? content,
    );
  }

  /** The whole block in one frame, or in several, of which the last may be missing. */
  #headers(): Buffer {
    const random = this.#random;
    const isPromise = this.#role === Role.CLIENT ? random.oneIn(4) : random.oneIn(60);
    const isAnswer = this.#role === Role.CLIENT || random.oneIn(12);
    const streamId = isAnswer ? this.#oldStream() : this.#newStream();
    const block = fieldBlock(random, this.#role === Role.SERVER || isPromise);
    let flags = random.oneIn(2) ? Flag.END_STREAM : 0;
    let payload: Buffer = isPromise ? Buffer.concat([uint32(this.#newStream()), block]) : block;
    if (isPromise) flags = 0;
    else if (random.oneIn(5)) {
      flags |= Flag.PRIORITY;
      payload = Buffer.concat([uint32(this.#oldStream()), random.bytes(1), payload]);
    }
    if (random.oneIn(6)) {
      flags |= Flag.PADDED;
      payload = this.#pad(payload);
    }
    const type = isPromise ? FrameType.PUSH_PROMISE : FrameType.HEADERS;
    if (!random.oneIn(5) && payload.length <= FRAME_SIZE_MAX)
      return frame(type, flags | Flag.END_HEADERS, streamId, payload);
    const parts: Buffer[] = [];
    for (let left = payload; left.length > 0 || parts.length === 0;) {
      const length = Math.min(left.length, random.pick([0, 1, 20, 1000, FRAME_SIZE_MAX]));
      const isEnd = length === left.length && !random.oneIn(9) ? Flag.END_HEADERS : 0;
      const kind = parts.length === 0 ? type : FrameType.CONTINUATION;
      parts.push(frame(kind, (parts.length === 0 ? flags : 0) | isEnd, streamId, left.subarray(0, length)));
      left = left.subarray(length);
      if (parts.length > 40) break;
    }
    return Buffer.concat(parts);
  }

  #pad(content: Buffer): Buffer {
    const length = this.#random.below(this.#random.oneIn(4) ? 256 : 10);
    const padding = Buffer.alloc(this.#random.oneIn(9) ? Math.max(length - 1, 0) : length);
    return Buffer.concat([Buffer.from([length]), content, padding]);
  }
}
