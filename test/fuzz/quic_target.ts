// Whatever of QUIC reads a peer's bytes, under garbage: frames, headers of coalesced packets, transport parameters, and packets that
// were sealed and then damaged.
//
// A round fails when the module traps, when a reader goes beyond what it was given (what lies behind must make no difference), when
// it takes no step, when a frame or parameters that were understood are not the same once written and read again, when a
// packet that was not changed does not open, and when one that was changed does.

import { compileEntry } from "../wire/compile_entry.ts";
import { damaged, datagram, frames, parameters } from "./quic_frames.ts";
import { Random } from "./random.ts";
import type { FuzzTarget } from "./target.ts";

/** test/assembly/quic/wire/wire_entry.ts */
interface Doors {
  readonly memory: WebAssembly.Memory;
  inputPtr(): number;
  fault(): number;
  found(): number;
  frames(ptr: number, len: number, packet: number, isFromServer: number): number;
  packets(ptr: number, len: number, localIdLen: number, isServer: number, isGreased: number): number;
  transportParameters(ptr: number, len: number, isFromServer: number): number;
  setKeys(suite: number, version: number, seed: number): void;
  seal(ptr: number, headerLen: number, numberLen: number, number: number, payloadLen: number): number;
  open(ptr: number, len: number, numberOffset: number, largest: number): number;
}

const CASES_PER_ROUND = 5;
/** Bytes behind the input that are looked after. */
const BEHIND_BYTES = 64;
const FAULTS = ["none", "a span outside of the input", "a step of no or too many bytes", "a round trip"];
const SUITES = [0x1301, 0x1302, 0x1303];
const VERSIONS = [0x00000001, 0x6b3343cf];
const OK = 0;

export async function quicTarget(): Promise<FuzzTarget> {
  const doors = await compileEntry<Doors>("test/assembly/quic/wire/wire_entry.ts");
  return {
    round(seed) {
      const round = new Round(doors, new Random(seed));
      for (let left = CASES_PER_ROUND; left > 0; left--) round.run();
    },
  };
}

class Round {
  readonly #doors: Doors;
  readonly #random: Random;
  readonly #memory: Buffer;
  readonly #ptr: number;

  constructor(doors: Doors, random: Random) {
    this.#doors = doors;
    this.#random = random;
    this.#memory = Buffer.from(doors.memory.buffer);
    this.#ptr = doors.inputPtr();
  }

  run(): void {
    const random = this.#random;
    const doors = this.#doors;
    switch (random.below(4)) {
      case 0: {
        const packet = random.below(6);
        const isFromServer = random.below(2);
        this.#read(frames(random), (ptr, len) => doors.frames(ptr, len, packet, isFromServer));
        return;
      }
      case 1: {
        const localIdLen = random.pick([0, 8, 20]);
        const isServer = random.below(2);
        const isGreased = random.below(2);
        const bytes = datagram(random, localIdLen);
        this.#read(bytes, (ptr, len) => doors.packets(ptr, len, localIdLen, isServer, isGreased));
        return;
      }
      case 2: {
        const isFromServer = random.below(2);
        this.#read(parameters(random), (ptr, len) => doors.transportParameters(ptr, len, isFromServer));
        return;
      }
      default:
        this.#openDamaged();
    }
  }

  /** Reads the bytes, whole and damaged, each with two kinds of what lies behind. */
  #read(whole: Buffer, read: (ptr: number, len: number) => number): void {
    const random = this.#random;
    let bytes = whole;
    for (let damages = random.below(4); damages > 0; damages--) bytes = damaged(random, bytes);
    const [first, second] = [0x00, 0xff].map((behind) => {
      this.#put(bytes, behind);
      const status = read(this.#ptr, bytes.length);
      this.#check(bytes, behind);
      return `${status} ${this.#doors.found()}`;
    });
    if (first !== second)
      throw new Error(`what lies behind changes ${first} to ${second}: ${bytes.toString("hex")}`);
  }

  /** Seals a packet, opens it, and opens it damaged. */
  #openDamaged(): void {
    const random = this.#random;
    const doors = this.#doors;
    const numberLen = 1 + random.below(4);
    const isLong = random.oneIn(2);
    const header = random.bytes(1 + random.below(60));
    header[0] = (isLong ? 0xc0 : 0x40) | (numberLen - 1);
    const numberOffset = header.length;
    const payload = random.bytes(4 + random.below(random.oneIn(4) ? 1400 : 60));
    doors.setKeys(random.pick(SUITES), random.pick(VERSIONS), random.next());
    const number = random.next() % 2 ** (8 * numberLen - 1);
    this.#put(Buffer.concat([header, Buffer.alloc(numberLen), payload]), 0);
    const len = doors.seal(this.#ptr, numberOffset + numberLen, numberLen, number, payload.length);
    const packet = Buffer.from(this.#memory.subarray(this.#ptr, this.#ptr + len));
    this.#put(packet, 0);
    const largest = number - 1;
    if (doors.open(this.#ptr, len, numberOffset, largest) !== OK) throw new Error("a packet does not open");
    const opened = this.#memory.subarray(this.#ptr + numberOffset + numberLen).subarray(0, payload.length);
    if (!opened.equals(payload)) throw new Error("a packet opens to something else");
    const changed = damaged(random, packet);
    if (changed.equals(packet) || changed.length < numberOffset) return;
    this.#put(changed, 0);
    const status = doors.open(this.#ptr, changed.length, numberOffset, largest);
    if (status >= 0) throw new Error(`a damaged packet opens: ${changed.toString("hex")}`);
    if (!this.#isBehind(changed.length, 0)) throw new Error("opening writes behind the packet");
  }

  #put(bytes: Buffer, behind: number): void {
    bytes.copy(this.#memory, this.#ptr);
    this.#memory.fill(behind, this.#ptr + bytes.length, this.#ptr + bytes.length + BEHIND_BYTES);
  }

  /** Readers change nothing, and nothing that must not be was found. */
  #check(bytes: Buffer, behind: number): void {
    const fault = this.#doors.fault();
    if (fault !== 0) throw new Error(`${FAULTS[fault]}: ${bytes.toString("hex")}`);
    const left = this.#memory.subarray(this.#ptr, this.#ptr + bytes.length);
    if (!left.equals(bytes) || !this.#isBehind(bytes.length, behind)) throw new Error("a reader has written");
  }

  #isBehind(len: number, behind: number): boolean {
    const start = this.#ptr + len;
    return this.#memory.subarray(start, start + BEHIND_BYTES).every((byte) => byte === behind);
  }
}
