// The QPACK room by its doors: the examples of RFC 9204 Appendix B, every error by its cause, what a peer may make this side hold, and
// what the encoder never does.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { qpackErrorCodeOf, qpackStatusText, QpackStatus } from "../../../assembly/abi/qpack_status.ts";
import { Status } from "../../../assembly/abi/status.ts";
import { statusText } from "../../../assembly/abi/status_text.ts";
import { qpackTarget } from "../../fuzz/qpack_target.ts";
import { fuzz } from "../../fuzz/target.ts";
import { bytesOf } from "./bytes.ts";
import { Receiver } from "./interop.ts";
import type { Field } from "./room.ts";
import { QpackDecoder, QpackEncoder, QpackRoom } from "./room.ts";

const COMPILE_TIMEOUT_MS = 60_000;
const SLAB_BYTES = 1 << 21;
const DECOMPRESSION_FAILED = 0x200;
const ENCODER_STREAM_ERROR = 0x201;
const DECODER_STREAM_ERROR = 0x202;
const EXCESSIVE_LOAD = 0x107;

/** Set capacity 220; :authority www.example.com and :path /sample/path; custom-key: custom-value. RFC 9204 Appendix B. */
const exampleInstructions = [
  "3fbd01 c00f 7777772e6578616d706c652e636f6d c10c 2f73616d706c652f70617468",
  "4a 637573746f6d2d6b6579 0c 637573746f6d2d76616c7565",
  "02",
  "810d 637573746f6d2d76616c756532",
];

let room: QpackRoom;

beforeAll(async () => {
  room = await QpackRoom.create();
}, COMPILE_TIMEOUT_MS);

beforeEach(() => {
  room.doors.restart(SLAB_BYTES);
});

function decoderWith(instructions: string[], { maxCapacity = 220, blockedStreams = 16 } = {}): QpackDecoder {
  const decoder = new QpackDecoder(room, maxCapacity, blockedStreams);
  for (const instruction of instructions) expect(decoder.receiveEncoderStream(bytesOf(instruction))).toBe(0);
  return decoder;
}

describe("the examples of RFC 9204 Appendix B", () => {
  test("decode, and are acknowledged as there", () => {
    const decoder = new QpackDecoder(room, 220, 1);
    const [tables, speculative, duplicate, evicting] = exampleInstructions.map(bytesOf);
    expect(decoder.decode(0, bytesOf("0000 510b 2f696e6465782e68746d6c"))).toEqual([
      [":path", "/index.html"],
    ]);
    expect(decoder.takeStream().toString("hex")).toBe("");

    expect(decoder.decode(4, bytesOf("0381 10 11"))).toBe("blocked");
    expect(decoder.receiveEncoderStream(tables!)).toBe(0);
    const list = [
      [":authority", "www.example.com"],
      [":path", "/sample/path"],
    ];
    expect(decoder.decode(4, bytesOf("0381 10 11"), { wasBlocked: true })).toEqual(list);
    expect(decoder.takeStream().toString("hex")).toBe("84");

    expect(decoder.receiveEncoderStream(speculative!)).toBe(0);
    expect(decoder.takeStream().toString("hex")).toBe("01");

    expect(decoder.receiveEncoderStream(duplicate!)).toBe(0);
    expect(decoder.decode(8, bytesOf("0500 80 c1 81"))).toEqual([
      [":authority", "www.example.com"],
      [":path", "/"],
      ["custom-key", "custom-value"],
    ]);
    expect(decoder.takeStream().toString("hex")).toBe("88");
    expect(decoder.cancel(12, false)).toBe(0);
    expect(decoder.takeStream().toString("hex")).toBe("4c");

    expect(decoder.receiveEncoderStream(evicting!)).toBe(0);
    expect(decoder.insertCount).toBe(5);
    expect(decoder.decode(16, bytesOf("0600 80"))).toEqual([["custom-key", "custom-value2"]]);
    // The first two have been evicted, :authority and its duplicate are two entries.
    expect(decoder.decode(20, bytesOf("0600 84"))).toBe(QpackStatus.SECTION_INDEX);
  });

  test("decode when the encoder stream comes in any two parts, and byte by byte", () => {
    const stream = Buffer.concat(exampleInstructions.map(bytesOf));
    const cuts = Array.from({ length: stream.length + 1 }, (_, cut) => [
      stream.subarray(0, cut),
      stream.subarray(cut),
    ]);
    for (const parts of [...cuts, [...stream].map((byte) => Buffer.of(byte))]) {
      const decoder = new QpackDecoder(room, 220, 0);
      for (const part of parts) expect(decoder.receiveEncoderStream(part)).toBe(0);
      expect(decoder.insertCount).toBe(5);
      expect(decoder.decode(4, bytesOf("0600 80 81 82 83"))).toEqual([
        ["custom-key", "custom-value2"],
        [":authority", "www.example.com"],
        ["custom-key", "custom-value"],
        [":path", "/sample/path"],
      ]);
      decoder.free();
      expect(room.doors.bytesInUse()).toBe(0);
    }
  });
});

describe("field sections", () => {
  // A required insert count of 4 is written as 5; the table holds four entries.
  const wrong: [string, string, QpackStatus][] = [
    ["nothing", "", QpackStatus.SECTION_TRUNCATED],
    ["no base", "00", QpackStatus.SECTION_TRUNCATED],
    ["an integer cut", "0000 ff", QpackStatus.SECTION_TRUNCATED],
    ["an integer beyond 62 bits", "0000 ff ff ff ff ff ff ff ff ff 7f", QpackStatus.SECTION_INTEGER],
    [
      "an integer padded beyond 62 bits",
      "0000 ff 80 80 80 80 80 80 80 80 80 00",
      QpackStatus.SECTION_INTEGER,
    ],
    ["a name cut", "0000 23 61", QpackStatus.SECTION_TRUNCATED],
    ["no value", "0000 21 61", QpackStatus.SECTION_TRUNCATED],
    ["a value cut", "0000 21 61 02 62", QpackStatus.SECTION_TRUNCATED],
    ["padding of zeros", "0000 51 81 00", QpackStatus.SECTION_HUFFMAN],
    ["the end of string code", "0000 51 84 ffffffff", QpackStatus.SECTION_HUFFMAN],
    ["a static index of none", "0000 ff24", QpackStatus.SECTION_INDEX],
    ["a static name of none", "0000 5f54 00", QpackStatus.SECTION_INDEX],
    ["an entry without a required insert count", "0000 80", QpackStatus.SECTION_INDEX],
    ["a name without a required insert count", "0000 40 00", QpackStatus.SECTION_INDEX],
    ["a post-base index without one", "0000 10", QpackStatus.SECTION_INDEX],
    ["a post-base name without one", "0000 00 00", QpackStatus.SECTION_INDEX],
    ["an entry that the count does not cover", "0401 80", QpackStatus.SECTION_INDEX],
    ["a post-base entry that it does not cover", "0500 10", QpackStatus.SECTION_INDEX],
    ["an index before the first", "0500 84", QpackStatus.SECTION_INDEX],
    ["a base of less than zero", "0584 80", QpackStatus.BASE],
    ["a required insert count beyond the range", "0d00", QpackStatus.REQUIRED_INSERT_COUNT],
    ["a required insert count that nobody can mean", "0c00", QpackStatus.REQUIRED_INSERT_COUNT],
  ];

  test.each(wrong)("with %s are refused", (_name, section, status) => {
    const decoder = decoderWith(exampleInstructions.slice(0, 3));
    expect(decoder.decode(4, bytesOf(section))).toBe(status);
    expect(qpackErrorCodeOf(status)).toBe(DECOMPRESSION_FAILED);
    expect(decoder.takeStream().toString("hex")).toBe("04");
  });

  test("cut anywhere within a field line are refused", () => {
    const decoder = decoderWith(exampleInstructions.slice(0, 3));
    const section = bytesOf("0500 80 5106 2f696e646578 c1 2261 6203 783d31 4102 7171");
    const ends = [2, 3, 11, 12, 19, 23];
    for (let cut = 0; cut <= section.length; cut++) {
      const answer = decoder.decode(4, section.subarray(0, cut));
      if (ends.includes(cut)) expect(answer, `cut at ${cut}`).toBeTypeOf("object");
      else expect(answer, `cut at ${cut}`).toBe(QpackStatus.SECTION_TRUNCATED);
    }
  });

  test("take integers of 62 bits where such a number may stand", () => {
    const decoder = decoderWith(exampleInstructions.slice(0, 1));
    // The base is 2 + 2^61, so the first entry has the index 2^61 + 1.
    const section = bytesOf("03 7f 81ffffffffffffff1f bf c2ffffffffffffff1f");
    expect(decoder.decode(4, section)).toEqual([[":authority", "www.example.com"]]);
  });

  test("keep the mark of fields that may never be indexed, in each form of literal", () => {
    const decoder = decoderWith(exampleInstructions.slice(0, 3));
    const section = "0481 d1 71 01 61 31 62 01 63 60 01 64 09 01 65 21 62 01 66";
    expect(decoder.decode(4, bytesOf(section))).toEqual([
      [":method", "GET"],
      [":path", "a"],
      ["b", "c"],
      [":authority", "d"],
      ["custom-key", "e"],
      ["b", "f"],
    ]);
    const marks = [0, 1, 2, 3, 4, 5].map((index) => room.doors.isNeverIndexed(index) !== 0);
    expect(marks).toEqual([false, true, true, true, true, false]);
  });

  test("over a limit are acknowledged, and the connection goes on", () => {
    const decoder = decoderWith(exampleInstructions.slice(0, 3));
    decoder.takeStream();
    const section = bytesOf(`0500 ${"80".repeat(40)} ffffffffff`);
    expect(decoder.decode(4, section, { countLimit: 39 })).toBe(-410);
    expect(decoder.decode(8, section, { sizeLimit: 40 * 57 - 1 })).toBe(-411);
    expect(decoder.takeStream().toString("hex")).toBe("8488");
    expect(decoder.decode(12, bytesOf("0500 80"), { countLimit: 1, sizeLimit: 57 })).toHaveLength(1);
  });

  test("of more bytes than can be decoded are refused", () => {
    const decoder = decoderWith([]);
    expect(decoder.decode(4, Buffer.alloc(65_537))).toBe(QpackStatus.SECTION_TOO_LONG);
    expect(qpackErrorCodeOf(QpackStatus.SECTION_TOO_LONG)).toBe(EXCESSIVE_LOAD);
  });

  test("of 64 KiB that repeat the largest entry end at the limit", () => {
    const decoder = decoderWith(["3fe11f", `c0 7f d71e ${"61".repeat(4054)}`], {
      maxCapacity: 4096,
    });
    const section = Buffer.concat([bytesOf("0280"), Buffer.alloc(65_000, 0x10)]);
    expect(decoder.decode(4, section)).toBe(-411);
  });
});

describe("blocked streams", () => {
  test("are counted up to the limit, once each, and free when they go on or are cancelled", () => {
    const decoder = decoderWith([], { blockedStreams: 2 });
    const section = bytesOf("0381 10 11");
    expect(decoder.decode(4, section)).toBe("blocked");
    expect(room.doors.requiredInsertCount()).toBe(2);
    expect(decoder.decode(4, section, { wasBlocked: true })).toBe("blocked");
    expect(decoder.decode(8, section)).toBe("blocked");
    expect(decoder.blockedCount).toBe(2);
    expect(decoder.cancel(8, true)).toBe(0);
    expect(decoder.decode(12, section)).toBe("blocked");
    expect(decoder.decode(16, section)).toBe(QpackStatus.TOO_MANY_BLOCKED);
    expect(qpackErrorCodeOf(QpackStatus.TOO_MANY_BLOCKED)).toBe(DECOMPRESSION_FAILED);
    expect(decoder.receiveEncoderStream(bytesOf(exampleInstructions[0]!))).toBe(0);
    expect(decoder.decode(4, section, { wasBlocked: true })).toHaveLength(2);
    expect(decoder.decode(12, section, { wasBlocked: true })).toHaveLength(2);
    expect(decoder.blockedCount).toBe(0);
    expect(decoder.takeStream().toString("hex")).toBe("48848c");
  });

  test("are not allowed where the limit is zero, but sections that need nothing are", () => {
    const decoder = decoderWith([], { blockedStreams: 0 });
    expect(decoder.decode(4, bytesOf("0000 d1"))).toEqual([[":method", "GET"]]);
    expect(decoder.decode(4, bytesOf("0200 80"))).toBe(QpackStatus.TOO_MANY_BLOCKED);
  });

  test("that are cancelled are not told of where there can be no table", () => {
    const decoder = decoderWith([], { maxCapacity: 0 });
    expect(decoder.cancel(4, false)).toBe(0);
    expect(decoder.takeStream()).toHaveLength(0);
  });
});

describe("the encoder stream", () => {
  const wrong: [string, string, QpackStatus][] = [
    ["a capacity above the maximum", "3fbe01", QpackStatus.ENCODER_CAPACITY],
    ["a capacity beyond 32 bits", "3f ff ff ff ff ff 7f", QpackStatus.ENCODER_CAPACITY],
    ["an integer beyond 62 bits", "3f ff ff ff ff ff ff ff ff 7f", QpackStatus.ENCODER_INTEGER],
    ["an integer without an end", "3f 80 80 80 80 80 80 80 80 80", QpackStatus.ENCODER_INTEGER],
    ["a static name of none", "ff24", QpackStatus.ENCODER_INDEX],
    ["a name of no entry", "85", QpackStatus.ENCODER_INDEX],
    ["a duplicate of no entry", "05", QpackStatus.ENCODER_INDEX],
    ["an entry larger than the table", `c07f34 ${"61".repeat(179)}`, QpackStatus.ENCODER_ENTRY_TOO_LARGE],
    ["a value that cannot fit, before it comes", "c0 7fb401", QpackStatus.ENCODER_ENTRY_TOO_LARGE],
    ["a name that cannot fit, before it comes", "5fff01", QpackStatus.ENCODER_ENTRY_TOO_LARGE],
    ["Huffman code that cannot fit, before it comes", "c0 ffffff01", QpackStatus.ENCODER_ENTRY_TOO_LARGE],
    ["an invalid Huffman code", "c0 81 00", QpackStatus.ENCODER_HUFFMAN],
    ["an invalid Huffman code in a name", "61 00 00", QpackStatus.ENCODER_HUFFMAN],
  ];

  test.each(wrong)("with %s is refused, however it is cut", (_name, bytes, status) => {
    const wire = bytesOf(bytes);
    for (const parts of [[wire], [...wire].map((byte) => Buffer.of(byte))]) {
      const decoder = decoderWith(exampleInstructions);
      const answers = parts.map((part) => decoder.receiveEncoderStream(part));
      expect(answers.find((answer) => answer !== 0)).toBe(status);
      decoder.free();
    }
    expect(qpackErrorCodeOf(status)).toBe(ENCODER_STREAM_ERROR);
    expect(room.doors.bytesInUse()).toBe(0);
  });

  test("inserts nothing before a capacity is set, nor after it is zero again", () => {
    expect(decoderWith([]).receiveEncoderStream(bytesOf("c000"))).toBe(QpackStatus.ENCODER_ENTRY_TOO_LARGE);
    const decoder = decoderWith(exampleInstructions);
    const held = room.doors.bytesInUse();
    expect(decoder.receiveEncoderStream(bytesOf("20"))).toBe(0);
    expect(room.doors.bytesInUse()).toBeLessThan(held);
    expect(decoder.receiveEncoderStream(bytesOf("00"))).toBe(QpackStatus.ENCODER_INDEX);
  });

  test("may insert an entry whose name, or whose original, is evicted for it", () => {
    const decoder = decoderWith(["3f29", "43 616161 05 6262626262"], { maxCapacity: 72 });
    expect(decoder.receiveEncoderStream(bytesOf("80 06 636363636363"))).toBe(0);
    expect(decoder.decode(4, bytesOf("0300 80"))).toEqual([["aaa", "cccccc"]]);
    expect(decoder.receiveEncoderStream(bytesOf("00"))).toBe(0);
    expect(decoder.decode(8, bytesOf("0400 80"))).toEqual([["aaa", "cccccc"]]);
    expect(decoder.decode(8, bytesOf("0300 80"))).toBe(QpackStatus.SECTION_INDEX);
  });

  test("holds no more of an instruction than has come, and no more than four times the table", () => {
    const decoder = decoderWith(["3fe11f"], { maxCapacity: 4096 });
    const idle = room.doors.bytesInUse();
    // A value of 16,000 bytes of Huffman code is announced; the shortest it can mean is not known to be too long.
    expect(decoder.receiveEncoderStream(bytesOf("c0 ff817c"))).toBe(0);
    expect(room.doors.bytesInUse() - idle).toBeLessThanOrEqual(64);
    for (let i = 0; i < 15_000; i++) expect(decoder.receiveEncoderStream(Buffer.of(0x55))).toBe(0);
    expect(room.doors.bytesInUse() - idle).toBeLessThanOrEqual(4 * 4096 + 8192);
    decoder.free();
  });

  test("is answered when the memory is full", () => {
    const decoder = decoderWith(["3fbd01"]);
    room.fill();
    expect(decoder.receiveEncoderStream(bytesOf("43 616161 05 6262626262"))).toBe(Status.MEMORY_FULL);
    expect(qpackErrorCodeOf(Status.MEMORY_FULL)).toBe(0x102);
  });
});

describe("the decoder stream", () => {
  function encoderWithSection(): QpackEncoder {
    const encoder = new QpackEncoder(room);
    encoder.setSettings(4096, 16);
    expect(encoder.encode(4, [["custom-key", "custom-value"]])).toBeInstanceOf(Buffer);
    return encoder;
  }

  const wrong: [string, string, QpackStatus][] = [
    ["an increment of zero", "00", QpackStatus.DECODER_INCREMENT],
    ["an increment beyond what was inserted", "02", QpackStatus.DECODER_INCREMENT],
    ["a second increment for the same", "0101", QpackStatus.DECODER_INCREMENT],
    ["an acknowledgment of a stream without a section", "88", QpackStatus.DECODER_ACKNOWLEDGMENT],
    ["a second acknowledgment", "8484", QpackStatus.DECODER_ACKNOWLEDGMENT],
    ["an acknowledgment after a cancellation", "4484", QpackStatus.DECODER_ACKNOWLEDGMENT],
    ["an integer beyond 62 bits", "ffffffffffffffffffff", QpackStatus.DECODER_INTEGER],
    ["an integer without an end", "7f808080808080808080", QpackStatus.DECODER_INTEGER],
  ];

  test.each(wrong)("with %s is refused, however it is cut", (_name, bytes, status) => {
    const wire = bytesOf(bytes);
    for (const parts of [[wire], [...wire].map((byte) => Buffer.of(byte))]) {
      const encoder = encoderWithSection();
      const answers = parts.map((part) => encoder.receiveDecoderStream(part));
      expect(answers.find((answer) => answer !== 0)).toBe(status);
      encoder.free();
    }
    expect(qpackErrorCodeOf(status)).toBe(DECODER_STREAM_ERROR);
    expect(room.doors.bytesInUse()).toBe(0);
  });

  test("may name streams of 62 bits, and cancel what was never sent", () => {
    const encoder = encoderWithSection();
    expect(encoder.receiveDecoderStream(bytesOf("7f c0ffffffffffffff3f 84"))).toBe(0);
    const stream = 2 ** 52 + 4;
    expect(encoder.encode(stream, [["custom-key", "custom-value"]])).toBeInstanceOf(Buffer);
    expect(encoder.receiveDecoderStream(bytesOf("ff 85ffffffffffff07"))).toBe(0);
  });

  test("ends the connection of a peer that does not read it", () => {
    const decoder = decoderWith(exampleInstructions.slice(0, 1));
    let answer: unknown;
    let count = 0;
    for (; typeof answer !== "number" && count < 5000; count++)
      answer = decoder.decode(4, bytesOf("0300 80"));
    expect(answer).toBe(QpackStatus.DECODER_STREAM_FULL);
    expect(count).toBeGreaterThan(4000);
    expect(qpackErrorCodeOf(QpackStatus.DECODER_STREAM_FULL)).toBe(EXCESSIVE_LOAD);
  });
});

describe("the encoder", () => {
  /** Encodes, checks that a decoder of the same settings understands, and answers section and instructions. */
  function encode(
    encoder: QpackEncoder,
    receiver: Receiver,
    stream: number,
    fields: Field[],
  ): [Buffer, Buffer] {
    const section = encoder.encode(stream, fields);
    if (typeof section === "number") throw new Error(`the encoder answered ${section}`);
    const instructions = encoder.takeStream();
    receiver.receive({ stream: 0, bytes: instructions });
    receiver.receive({ stream, bytes: section });
    expect(receiver.lists.get(stream)).toEqual(fields);
    return [section, instructions];
  }

  function pair(maxCapacity: number, blockedStreams: number): [QpackEncoder, Receiver] {
    const encoder = new QpackEncoder(room);
    encoder.setSettings(maxCapacity, blockedStreams);
    return [encoder, new Receiver(room, maxCapacity, blockedStreams)];
  }

  test("uses the static table alone before the peer's settings, and with a peer that has no table", () => {
    const encoder = new QpackEncoder(room);
    const idle = room.doors.bytesInUse();
    for (const settings of [undefined, 0, 31]) {
      if (settings !== undefined) encoder.setSettings(settings, 100);
      expect(
        encoder.encode(4, [
          [":method", "GET"],
          ["custom-key", "v"],
        ]),
      ).toEqual(bytesOf("0000 d1 2f01 25a849e95ba97d7f 01 76"));
      expect(encoder.takeStream()).toHaveLength(0);
    }
    expect(room.doors.bytesInUse() - idle).toBeLessThanOrEqual(512);
  });

  test("says its capacity once, with the first insertion", () => {
    const [encoder, receiver] = pair(100_000, 1);
    expect(encode(encoder, receiver, 4, [[":method", "GET"]])[1]).toHaveLength(0);
    const [section, instructions] = encode(encoder, receiver, 8, [["custom-key", "custom-value"]]);
    expect(instructions.subarray(0, 3).toString("hex")).toBe("3fe11f");
    expect(section.toString("hex")).toBe("028010");
    expect(encode(encoder, receiver, 8, [["custom-key", "custom-value"]])[0].toString("hex")).toBe("020080");
    expect(encoder.takeStream()).toHaveLength(0);
  });

  test("never indexes secrets, and marks them", () => {
    const [encoder, receiver] = pair(4096, 16);
    const secrets: Field[] = [
      ["authorization", "Basic dXNlcjpwYXNz"],
      ["proxy-authorization", "Basic dXNlcjpwYXNz"],
      ["cookie", "a=short"],
      ["set-cookie", "session=0123456789abcdef0123456789abcdef; HttpOnly"],
    ];
    for (let stream = 4; stream < 40; stream += 4) {
      const [section, instructions] = encode(encoder, receiver, stream, secrets);
      expect(instructions).toHaveLength(0);
      expect(section.subarray(0, 2).toString("hex")).toBe("0000");
      expect([0, 1, 2, 3].map((index) => room.doors.isNeverIndexed(index))).toEqual([1, 1, 1, 1]);
    }
  });

  test("refers to nothing unacknowledged on more streams than may be blocked", () => {
    const [encoder, receiver] = pair(4096, 2);
    const needs = (stream: number) =>
      encode(encoder, receiver, stream, [["custom-key", "custom-value"]])[0][0] !== 0;
    expect([4, 8, 12, 16].map(needs)).toEqual([true, true, false, false]);
    // A stream that may be blocked already may have another section.
    expect(needs(8)).toBe(true);
    expect(encoder.receiveDecoderStream(bytesOf("84"))).toBe(0);
    expect([12, 16, 20, 24].map(needs)).toEqual([true, true, true, true]);
  });

  test("refers to insertions once they are acknowledged where no stream may be blocked", () => {
    const [encoder, receiver] = pair(4096, 0);
    const field: Field[] = [["custom-key", "custom-value"]];
    expect(encode(encoder, receiver, 4, field)[1]).toHaveLength(0);
    // Twice in a short time is worth an insertion.
    const [second, insertion] = encode(encoder, receiver, 8, field);
    expect(second[0]).toBe(0);
    expect(insertion.length).toBeGreaterThan(0);
    expect(encode(encoder, receiver, 12, field)[0][0]).toBe(0);
    expect(encoder.receiveDecoderStream(bytesOf("01"))).toBe(0);
    expect(encode(encoder, receiver, 16, field)[0].toString("hex")).toBe("020080");
  });

  test("evicts nothing that is referred to or not acknowledged", () => {
    const [encoder, receiver] = pair(128, 100);
    const value = (letter: string) => letter.repeat(20);
    encode(encoder, receiver, 4, [["x-a", value("a")]]);
    encode(encoder, receiver, 8, [["x-b", value("b")]]);
    // Full: the third would evict the first, which stream 4 refers to.
    for (let i = 0; i < 4; i++)
      expect(encode(encoder, receiver, 12, [["x-c", value("c")]])[1]).toHaveLength(0);
    expect(encoder.receiveDecoderStream(bytesOf("01"))).toBe(0);
    expect(encode(encoder, receiver, 16, [["x-c", value("c")]])[1]).toHaveLength(0);
    expect(encoder.receiveDecoderStream(bytesOf("84"))).toBe(0);
    expect(encode(encoder, receiver, 20, [["x-c", value("c")]])[1].length).toBeGreaterThan(0);
    expect(
      encode(encoder, receiver, 24, [
        ["x-b", value("b")],
        ["x-c", value("c")],
      ])[0],
    ).toHaveLength(4);
  });

  test("duplicates what is used and will soon be evicted", () => {
    const [encoder, receiver] = pair(512, 100);
    let duplicates = 0;
    for (let round = 0; round < 60; round++) {
      const stream = 4 * (round + 1);
      const fields: Field[] = [
        ["x-kept", "k".repeat(30)],
        [`x-${round >> 1}`, "v".repeat(20)],
      ];
      const [, instructions] = encode(encoder, receiver, stream, fields);
      if (instructions.length > 0 && instructions[0]! < 0x20) duplicates++;
      encoder.receiveDecoderStream(receiver.decoder.takeStream());
    }
    expect(duplicates).toBeGreaterThan(2);
    expect(encode(encoder, receiver, 400, [["x-kept", "k".repeat(30)]])[0]).toHaveLength(3);
  });

  test("writes an instruction whole or not at all, within the credit of the encoder stream", () => {
    const encoder = new QpackEncoder(room);
    encoder.setSettings(4096, 16);
    const fields: Field[] = [["custom-key", "custom-value"]];
    for (const credit of [0, 1, 10, 20]) {
      expect(encoder.encode(4, fields, { credit })).toHaveLength(22);
      expect(encoder.takeStream().length).toBeLessThanOrEqual(credit);
    }
    expect(encoder.encode(4, fields, { credit: 60 })).toHaveLength(3);
  });

  test("does not fill the memory with instructions that nobody reads", () => {
    const encoder = new QpackEncoder(room);
    encoder.setSettings(4096, 4096);
    for (let i = 0; i < 3000; i++) {
      encoder.encode(4 * i, [[`x-${i}`, "v".repeat(60)]]);
      encoder.receiveDecoderStream(bytesOf("01"));
      encoder.receiveDecoderStream(Buffer.concat([bytesOf("ff"), varint(4 * i - 127)]));
    }
    expect(room.doors.bytesInUse()).toBeLessThan(40_000);
    expect(encoder.takeStream().length).toBeLessThanOrEqual(16_384);
  });

  test("remembers no more unacknowledged sections than its limit, and goes on without the table", () => {
    const [encoder, receiver] = pair(4096, 65_535);
    const lengths = new Set<number>();
    for (let i = 1; i <= 300; i++) {
      const [section] = encode(encoder, receiver, 4 * i, [["custom-key", "custom-value"]]);
      if (i <= 256) expect(section.length, `section ${i}`).toBeLessThan(5);
      else lengths.add(section.length);
    }
    expect([...lengths]).toEqual([22]);
  });

  test("answers when a section does not fit, and is right after it", () => {
    const [encoder, receiver] = pair(4096, 16);
    const fields: Field[] = [
      ["custom-key", "custom-value"],
      ["x-second", "y".repeat(50)],
    ];
    for (let capacity = 0; capacity < 60; capacity++) {
      expect(encoder.encode(4, fields, { capacity })).toBe(Status.OUT_OF_BOUNDS);
    }
    receiver.receive({ stream: 0, bytes: encoder.takeStream() });
    encode(encoder, receiver, 4, fields);
    expect(encoder.receiveDecoderStream(receiver.decoder.takeStream())).toBe(0);
  });

  test("forgets the sections of a stream that was never sent", () => {
    const [encoder, receiver] = pair(128, 100);
    encode(encoder, receiver, 4, [["x-a", "a".repeat(20)]]);
    encoder.encode(8, [["x-a", "a".repeat(20)]]);
    encoder.receiveDecoderStream(bytesOf("84"));
    encoder.forget(8);
    for (let i = 0; i < 3; i++) encode(encoder, receiver, 12 + 4 * i, [[`x-${i}`, "b".repeat(90)]]);
    expect(encoder.receiveDecoderStream(bytesOf("88"))).toBe(QpackStatus.DECODER_ACKNOWLEDGMENT);
  });

  test("writes a date as a literal, then inserts it, then refers to it", () => {
    const [encoder, receiver] = pair(4096, 16);
    const date: Field[] = [["date", "Thu, 26 Nov 2026 12:00:00 GMT"]];
    const lengths = [1, 2, 3].map((stream) => {
      const section = encoder.encode(4 * stream, date, { second: 1_795_694_400 });
      receiver.receive({ stream: 0, bytes: encoder.takeStream() });
      receiver.receive({ stream: 4 * stream, bytes: section as Buffer });
      expect(receiver.lists.get(4 * stream)).toEqual(date);
      return (section as Buffer).length;
    });
    expect(lengths).toEqual([26, 3, 3]);
    expect(
      encoder.encode(16, [["date", "Thu, 26 Nov 2026 12:00:01 GMT"]], { second: 1_795_694_401 }),
    ).toHaveLength(26);
  });

  test("writes literals when the memory is full", () => {
    const encoder = new QpackEncoder(room);
    encoder.setSettings(4096, 16);
    room.fill();
    expect(encoder.encode(4, [["custom-key", "custom-value"]])).toHaveLength(22);
    expect(encoder.takeStream()).toHaveLength(0);
  });
});

describe("memory", () => {
  test("of an encoder and a decoder that nothing was put into is small, and comes back", () => {
    const encoder = new QpackEncoder(room);
    const decoder = new QpackDecoder(room, 4096, 16);
    encoder.setSettings(4096, 16);
    expect(room.doors.bytesInUse()).toBeLessThanOrEqual(512);
    encoder.free();
    decoder.free();
    expect(room.doors.bytesInUse()).toBe(0);
  });
});

test("garbage neither traps nor leaves anything behind", () => {
  expect(fuzz(qpackTarget(room), { seed: 1, seconds: 2 })).toBeGreaterThan(10);
});

describe("statuses", () => {
  const source = readFileSync(resolve("assembly/abi/qpack_status.ts"), "utf8");
  const statuses = [...source.matchAll(/^ {2}(\w+) = (-\d+),/gm)].map(([, name, value]) => [
    name,
    Number(value),
  ]);

  test.each(statuses as [string, number][])(
    "%s has a text and an error code of its own room",
    (_name, status) => {
      expect(qpackStatusText(status)).toMatch(/^[ -~]{10,120}$/);
      expect(statusText(status)).toBe(qpackStatusText(status));
      expect([DECOMPRESSION_FAILED, ENCODER_STREAM_ERROR, DECODER_STREAM_ERROR, EXCESSIVE_LOAD]).toContain(
        qpackErrorCodeOf(status),
      );
    },
  );

  test("of other rooms have the code of an internal error and no text of their own", () => {
    for (const status of [0, -12, -849, -858, -859, -865, -880]) {
      expect(qpackStatusText(status)).toBe("unknown status");
    }
    for (const status of [0, -12, -849, -880]) expect(qpackErrorCodeOf(status)).toBe(0x102);
  });
});

function varint(rest: number): Buffer {
  const bytes: number[] = [];
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}
