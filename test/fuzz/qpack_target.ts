// QPACK under garbage: an encoder and a decoder whose streams are cut, delayed and, in some rounds, damaged, in memory that may be full
// at any moment.
//
// A round fails when the module traps, when a status is none of the room's, when what was not damaged decodes to something else or is
// refused, when a decoder counts other blocked streams than there are, or when something is left over after everything was freed.

import { isDeepStrictEqual } from "node:util";
import { qpackErrorCodeOf } from "../../assembly/abi/qpack_status.ts";
import type { Field, QpackRoom } from "../wire/qpack/room.ts";
import { QpackDecoder, QpackEncoder } from "../wire/qpack/room.ts";
import { mutate } from "./mutation.ts";
import { Random } from "./random.ts";
import type { FuzzTarget } from "./target.ts";

const STEPS = 120;
const PAGE_BYTES = 65_536;
const MEMORY_FULL = -12;
const OUT_OF_BOUNDS = -4;
const INTERNAL_ERROR = 0x102;
const names = [
  ":method",
  ":path",
  ":status",
  "cookie",
  "authorization",
  "accept",
  "x-a",
  "x-b",
  "x-long-name",
  "date",
];
const corpus = [
  "3fbd01c00f7777772e6578616d706c652e636f6d",
  "0381101184",
  "050080c181",
  "4a637573746f6d2d6b65790c6375",
];

interface Sent {
  stream: number;
  section: Buffer;
  fields: Field[];
}

export function qpackTarget(room: QpackRoom): FuzzTarget {
  return {
    round(seed) {
      const random = new Random(seed);
      const isTight = random.oneIn(4);
      room.doors.restart(isTight ? 2 * PAGE_BYTES + random.below(4 * PAGE_BYTES) : 16 * PAGE_BYTES);
      let round: Round;
      try {
        round = new Round(room, random, isTight);
      } catch (error) {
        if (isTight && error instanceof Error && error.message.startsWith("no room")) return;
        throw error;
      }
      round.run();
      const left = room.doors.bytesInUse();
      if (left !== 0) throw new Error(`${left} bytes are left over`);
    },
  };
}

class Round {
  readonly #random: Random;
  readonly #encoder: QpackEncoder;
  readonly #decoder: QpackDecoder;
  readonly #isTight: boolean;
  readonly #isDamaging: boolean;
  readonly #world: Field[];
  /** On their way to the decoder, and to the encoder. */
  #instructions = Buffer.alloc(0);
  #acknowledgments = Buffer.alloc(0);
  readonly #sections: Sent[] = [];
  readonly #blocked = new Map<number, Sent>();
  #stream = 0;
  #isOver = false;

  constructor(room: QpackRoom, random: Random, isTight: boolean) {
    this.#random = random;
    this.#isTight = isTight;
    this.#isDamaging = random.oneIn(2);
    const capacity = random.pick([0, 40, 64, 200, 512, 4096, 16_384]);
    const blockedStreams = random.pick([0, 1, 3, 16]);
    this.#encoder = new QpackEncoder(room);
    try {
      this.#decoder = new QpackDecoder(room, capacity, blockedStreams);
    } catch (error) {
      this.#encoder.free();
      throw error;
    }
    this.#encoder.setSettings(capacity, blockedStreams);
    this.#world = Array.from({ length: 12 }, () => this.#field());
  }

  #field(): Field {
    const random = this.#random;
    const len = random.oneIn(12) ? random.below(3000) : random.below(40);
    return [random.pick(names), random.pick(["a", "0", "é", "\u0000"]).repeat(len)];
  }

  run(): void {
    for (let step = 0; step < STEPS && !this.#isOver; step++) {
      switch (this.#random.below(7)) {
        case 0:
        case 1:
          this.#encode();
          break;
        case 2:
          this.#deliverInstructions();
          break;
        case 3:
          this.#deliverSection();
          break;
        case 4:
          this.#deliverAcknowledgments();
          break;
        case 5:
          this.#cancel();
          break;
        default:
          if (this.#isDamaging && this.#random.oneIn(4)) this.#garbage();
      }
    }
    this.#encoder.free();
    this.#decoder.free();
  }

  #encode(): void {
    const random = this.#random;
    const fields = Array.from({ length: random.below(8) }, () =>
      random.oneIn(5) ? this.#field() : random.pick(this.#world),
    );
    const stream = random.oneIn(6) ? Math.max(0, this.#stream - 4) : (this.#stream += 4);
    const section = this.#encoder.encode(stream, fields, {
      capacity: random.oneIn(12) ? random.below(200) : 100_000,
      credit: random.oneIn(4) ? random.below(200) : 100_000,
    });
    this.#instructions = Buffer.concat([this.#instructions, this.#encoder.takeStream()]);
    if (typeof section !== "number") this.#sections.push({ stream, section, fields });
    else if (section !== OUT_OF_BOUNDS) throw new Error(`the encoder answered ${section}`);
  }

  #deliverInstructions(): void {
    const cut = this.#random.oneIn(2)
      ? this.#instructions.length
      : this.#random.below(this.#instructions.length + 1);
    const part = this.#damage(this.#instructions.subarray(0, cut));
    this.#instructions = this.#instructions.subarray(cut);
    if (this.#isFatal(this.#decoder.receiveEncoderStream(part), "the encoder stream")) return;
    for (const sent of [...this.#blocked.values()]) this.#decode(sent, true);
  }

  #deliverSection(): void {
    // Streams arrive in any order, the sections of one stream in theirs.
    const at = this.#random.below(this.#sections.length);
    const wanted = this.#sections[at]?.stream;
    const first = this.#sections.findIndex(({ stream }) => stream === wanted);
    if (wanted === undefined || this.#blocked.has(wanted)) return;
    const [sent] = this.#sections.splice(first, 1);
    this.#decode({ ...sent!, section: this.#damage(sent!.section) }, false);
  }

  #decode(sent: Sent, wasBlocked: boolean): void {
    const answer = this.#decoder.decode(sent.stream, sent.section, { wasBlocked });
    if (typeof answer === "number") {
      // The limits of a section refuse a stream, not the connection.
      if (answer !== -410 && answer !== -411) this.#isFatal(answer, "a section");
      this.#blocked.delete(sent.stream);
      return;
    }
    if (answer === "blocked") this.#blocked.set(sent.stream, sent);
    else {
      this.#blocked.delete(sent.stream);
      if (!this.#isDamaging && !isDeepStrictEqual(answer, sent.fields))
        throw new Error("other fields came out");
    }
    if (this.#decoder.blockedCount !== this.#blocked.size) throw new Error("blocked streams are miscounted");
  }

  #deliverAcknowledgments(): void {
    this.#acknowledgments = Buffer.concat([this.#acknowledgments, this.#decoder.takeStream()]);
    const cut = this.#random.below(this.#acknowledgments.length + 1);
    const part = this.#damage(this.#acknowledgments.subarray(0, cut));
    this.#acknowledgments = this.#acknowledgments.subarray(cut);
    this.#isFatal(this.#encoder.receiveDecoderStream(part), "the decoder stream");
  }

  /** A stream is reset: what is on its way never arrives. */
  #cancel(): void {
    if (!this.#random.oneIn(4) || this.#stream === 0) return;
    const stream = this.#stream;
    const wasBlocked = this.#blocked.delete(stream);
    for (let i = this.#sections.length; i-- > 0;)
      if (this.#sections[i]!.stream === stream) this.#sections.splice(i, 1);
    this.#isFatal(this.#decoder.cancel(stream, wasBlocked), "a cancellation");
    // Nothing is sent on it any more.
    this.#stream += 8;
  }

  #garbage(): void {
    const bytes = mutate(
      this.#random,
      corpus.map((hex) => Buffer.from(hex, "hex")),
    );
    switch (this.#random.below(3)) {
      case 0:
        this.#isFatal(this.#decoder.receiveEncoderStream(bytes), "the encoder stream");
        break;
      case 1:
        this.#isFatal(this.#encoder.receiveDecoderStream(bytes), "the decoder stream");
        break;
      default:
        this.#decode({ stream: 1, section: bytes, fields: [] }, this.#blocked.has(1));
    }
  }

  #damage(bytes: Buffer): Buffer {
    return this.#isDamaging && bytes.length > 0 && this.#random.oneIn(20)
      ? mutate(this.#random, [bytes])
      : bytes;
  }

  /** Whether the connection is over; only what was damaged, or full memory, may end it. */
  #isFatal(status: number, where: string): boolean {
    if (status === 0) return false;
    const isKnown = status === MEMORY_FULL ? this.#isTight : qpackErrorCodeOf(status) !== INTERNAL_ERROR;
    if (!isKnown || (!this.#isDamaging && status !== MEMORY_FULL))
      throw new Error(`${where} was answered ${status}`);
    this.#isOver = true;
    return true;
  }
}
