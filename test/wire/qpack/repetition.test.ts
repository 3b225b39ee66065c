// Sections that say what the one before said: used again only where the encoder would write the same, and right whatever lies between.

import { beforeAll, beforeEach, expect, test } from "vitest";
import { Random } from "../../fuzz/random.ts";
import { Receiver } from "./interop.ts";
import type { Field } from "./room.ts";
import { QpackEncoder, QpackRoom } from "./room.ts";

const COMPILE_TIMEOUT_MS = 60_000;
const SLAB_BYTES = 1 << 21;
const SECOND = 1_795_694_400;
const answer: Field[] = [
  ["x-a", "custom-value"],
  ["set-cookie", "secret"],
  ["etag", "5"],
];

let room: QpackRoom;

beforeAll(async () => {
  room = await QpackRoom.create();
}, COMPILE_TIMEOUT_MS);

beforeEach(() => {
  room.doors.restart(SLAB_BYTES);
});

/** An encoder and its peer, which acknowledges when it is told to. */
class Pair {
  readonly encoder = new QpackEncoder(room);
  readonly receiver: Receiver;
  #stream = 0;

  constructor(capacity: number, blockedStreams: number) {
    this.encoder.setSettings(capacity, blockedStreams);
    this.receiver = new Receiver(room, capacity, blockedStreams);
  }

  /** Encodes fields, and a date if there is a second; answers the section, and whether it was the one before again. */
  send(fields: readonly Field[], second = 0): { section: string; isRepeat: boolean } {
    const stream = (this.#stream += 4);
    const all: Field[] = second === 0 ? [...fields] : [...fields, ["date", dateOf(second)]];
    const before = room.doors.repeatCount();
    const section = this.encoder.encode(stream, all, { second });
    if (typeof section === "number") throw new Error(`the encoder answered ${section}`);
    const isRepeat = room.doors.repeatCount() > before;
    this.receiver.receive({ stream: 0, bytes: this.encoder.takeStream() });
    this.receiver.receive({ stream, bytes: section });
    expect(this.receiver.lists.get(stream)).toEqual(all);
    return { section: section.toString("hex"), isRepeat };
  }

  acknowledge(): void {
    expect(this.encoder.receiveDecoderStream(this.receiver.decoder.takeStream())).toBe(0);
  }
}

function dateOf(second: number): string {
  return new Date(second * 1000).toUTCString();
}

test("the third answer of a second is the second one again, and another second's is none", () => {
  const pair = new Pair(4096, 16);
  const sent = [0, 0, 0, 0, 0, 1, 1, 1, 1].map((later) => pair.send(answer, SECOND + later));
  expect(sent.map(({ isRepeat }) => isRepeat)).toEqual([
    ...[false, false, false, true, true],
    ...[false, false, false, true],
  ]);
  expect(sent[3]!.section).toBe(sent[2]!.section);
});

test("what the peer acknowledges, and another value, are seen", () => {
  const pair = new Pair(4096, 0);
  const first = [pair.send(answer), pair.send(answer), pair.send(answer)];
  pair.acknowledge();
  const indexed = pair.send(answer);
  expect(indexed.isRepeat).toBe(false);
  expect(indexed.section.length).toBeLessThan(first[2]!.section.length);
  expect(pair.send(answer).isRepeat).toBe(true);
  expect(pair.send([...answer.slice(0, 2), ["etag", "6"]]).isRepeat).toBe(false);
  expect(pair.send(answer.slice(0, 2)).isRepeat).toBe(false);
});

test("another encoder's section is none of this one's, nor is one of the encoder that lay there before", () => {
  const [one, other] = [new Pair(4096, 16), new Pair(4096, 16)];
  for (let count = 0; count < 4; count++) one.send(answer);
  expect(other.send(answer).isRepeat).toBe(false);
  for (let count = 0; count < 4; count++) one.send([["x-a", "one"]]);
  one.encoder.free();
  const next = new Pair(4096, 16);
  // As many insertions as the other one has made.
  next.send([
    ["x-b", "two"],
    ["x-c", "three"],
  ]);
  expect(next.send([["x-a", "one"]]).isRepeat).toBe(false);
});

test("nor is a section used again for which there would be no room", () => {
  const pair = new Pair(4096, 16);
  for (let count = 0; count < 4; count++) pair.send(answer);
  expect(pair.encoder.encode(400, answer, { capacity: 24 })).toBeTypeOf("number");
  pair.send(answer);
});

test.each([
  [0, 0],
  [120, 0],
  [120, 3],
  [300, 16],
  [4096, 16],
])(
  "lists in any order are decoded as they were, table of %i bytes, %i streams blocked",
  (capacity, blocked) => {
    const random = new Random(capacity + blocked);
    const pairs = [new Pair(capacity, blocked), new Pair(capacity, blocked)];
    const lists = Array.from({ length: 5 }, (_, list): Field[] =>
      Array.from({ length: list }, (__, at) => [`x-${at}`, `${list * at} `.repeat(at * 7).trim()]),
    );
    const before = room.doors.repeatCount();
    let [pair, list] = [pairs[0]!, lists[1]!];
    for (let count = 0; count < 1500; count++) {
      if (random.below(6) === 0) pair = pairs[random.below(2)]!;
      if (random.below(4) === 0) list = lists[random.below(lists.length)]!;
      pair.send(list, random.below(2) * (SECOND + Math.floor(count / 100)));
      if (random.below(5) === 0) pair.acknowledge();
    }
    for (const each of pairs) each.acknowledge();
    expect(room.doors.repeatCount()).toBeGreaterThan(before + 20);
  },
);
