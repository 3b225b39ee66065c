// The QIFs: header lists of real traffic, and what other encoders made of them at many limits (QPACK Offline Interop).
//
// Every encoded file is decoded exactly. Every list is encoded by our encoder at the same limits, decoded by our decoder, with
// acknowledgments at once, late or never, and compared in size with nghttp3's encoding.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { qpackErrorCodeOf } from "../../../assembly/abi/qpack_status.ts";
import {
  encodedFiles,
  encodeLists,
  hasQifs,
  payloadBytes,
  qifsDir,
  readBlocks,
  readQif,
  Receiver,
} from "./interop.ts";
import type { Block } from "./interop.ts";
import type { Field } from "./room.ts";
import { QpackDecoder, QpackEncoder, QpackRoom } from "./room.ts";

/** The most our encoder may write, as a multiple of nghttp3's: over all files, and in the worst of them. */
const SIZE_BAR = 1.02;
const WORST_BAR = 1.05;
const COMPILE_TIMEOUT_MS = 60_000;

if (!hasQifs) process.stdout.write("qifs: left out, no ../shared/data/qifs\n");

let room: QpackRoom;
const qifs = new Map<string, Field[][]>();

function listsOf(name: string): Field[][] {
  const lists = qifs.get(name) ?? readQif(name);
  qifs.set(name, lists);
  return lists;
}

/** `expect` alone is slow for thousands of lists: it is asked only where two differ. */
function expectLists(receiver: Receiver, lists: Field[][], where: string): void {
  expect(receiver.waitingCount, where).toBe(0);
  for (const [index, list] of lists.entries()) {
    const decoded = receiver.lists.get(index + 1);
    if (!isDeepStrictEqual(decoded, list)) expect(decoded, `${where}, list ${index}`).toEqual(list);
  }
  expect(receiver.lists.size, where).toBe(lists.length);
}

describe.skipIf(!hasQifs)("the QIFs", () => {
  beforeAll(async () => {
    room = await QpackRoom.create();
  }, COMPILE_TIMEOUT_MS);

  const files = hasQifs ? encodedFiles().filter(({ qif }) => qif !== "examples") : [];

  test("decode exactly from what nghttp3 made of them", () => {
    for (const file of files) {
      const receiver = new Receiver(room, file.maxCapacity, file.blockedStreams);
      // The interop has the capacity set from the start; nghttp3's files have no instruction for it.
      receiver.receive({ stream: 0, bytes: capacityInstruction(file.maxCapacity) });
      for (const block of readBlocks(file.path)) receiver.receive(block);
      expectLists(receiver, listsOf(file.qif), file.path);
      receiver.decoder.free();
      expect(room.doors.bytesInUse()).toBe(0);
    }
    expect(files.length).toBe(96);
  }, 60_000);

  test("decode when all sections arrive before the instructions, which come byte by byte", () => {
    // Where nothing is acknowledged nothing is evicted, so all entries are there in the end.
    const early = files.filter(({ blockedStreams, isAcknowledged }) => blockedStreams > 0 && !isAcknowledged);
    for (const file of early) {
      const receiver = new Receiver(room, file.maxCapacity, file.blockedStreams);
      receiver.receive({ stream: 0, bytes: capacityInstruction(file.maxCapacity) });
      const blocks = readBlocks(file.path);
      for (const block of blocks) if (block.stream !== 0) receiver.receive(block);
      for (const { stream, bytes } of blocks) {
        if (stream === 0) for (const byte of bytes) receiver.receive({ stream, bytes: Buffer.of(byte) });
      }
      expectLists(receiver, listsOf(file.qif), file.path);
      receiver.decoder.free();
      expect(room.doors.bytesInUse()).toBe(0);
    }
    expect(early.length).toBe(24);
  });

  test("encode to no more than 1.02 times the size of nghttp3's, and decode to themselves", () => {
    let ours = 0;
    let theirs = 0;
    for (const file of files) {
      const blocks = roundTrip(file, file.isAcknowledged ? "at once" : "never");
      const [mine, other] = [payloadBytes(blocks), payloadBytes(readBlocks(file.path))];
      expect(mine / other, file.path).toBeLessThanOrEqual(WORST_BAR);
      ours += mine;
      theirs += other;
    }
    process.stdout.write(`qifs: ${(ours / theirs).toFixed(3)} of the size of nghttp3's\n`);
    expect(ours / theirs).toBeLessThanOrEqual(SIZE_BAR);
  }, 60_000);

  test("encode and decode with acknowledgments that come late and cut into bytes", () => {
    for (const qif of ["fb-req", "fb-resp", "netbsd"]) {
      roundTrip({ qif, maxCapacity: 4096, blockedStreams: 16 }, "late");
      roundTrip({ qif, maxCapacity: 1000, blockedStreams: 2 }, "late");
      roundTrip({ qif, maxCapacity: 220, blockedStreams: 0 }, "late");
    }
  });

  test("that are wrong end the connection with the error for it", () => {
    const folder = join(qifsDir, "encoded", "errors");
    const codes: Record<string, number> = {};
    for (const name of readdirSync(folder)) {
      const decoder = new QpackDecoder(room, 0, 0);
      for (const { stream, bytes } of readBlocks(join(folder, name))) {
        const answer = stream === 0 ? decoder.receiveEncoderStream(bytes) : decoder.decode(stream, bytes);
        if (typeof answer === "number" && answer < 0) codes[name] = qpackErrorCodeOf(answer);
      }
      decoder.free();
    }
    // The static table of an early draft was shorter: err9 and err10 are right by RFC 9204.
    const decompression = [1, 2, 3, 4, 5, 6, 7, 8].map((number) => [`err${number}`, 0x200]);
    expect(codes).toEqual({ ...Object.fromEntries(decompression), err11: 0x201, err12: 0x201 });
  });

  /** Encodes and decodes; the encoder hears of it at once, some lists later byte by byte, or never. */
  function roundTrip(
    { qif, maxCapacity, blockedStreams }: { qif: string; maxCapacity: number; blockedStreams: number },
    acknowledgments: "at once" | "late" | "never",
  ): Block[] {
    const lists = listsOf(qif);
    const encoder = new QpackEncoder(room);
    encoder.setSettings(maxCapacity, blockedStreams);
    const receiver = new Receiver(room, maxCapacity, blockedStreams);
    const late: Buffer[] = [];
    const blocks = encodeLists(encoder, lists, (made) => {
      for (const block of made) receiver.receive(block);
      const told = receiver.decoder.takeStream();
      if (acknowledgments === "at once") expect(encoder.receiveDecoderStream(told)).toBe(0);
      if (acknowledgments !== "late" || late.push(told) < 5) return;
      for (const byte of late.shift()!) expect(encoder.receiveDecoderStream(Buffer.of(byte))).toBe(0);
    });
    expectLists(receiver, lists, `${qif} ${maxCapacity} ${blockedStreams} ${acknowledgments}`);
    encoder.free();
    receiver.decoder.free();
    expect(room.doors.bytesInUse()).toBe(0);
    return blocks;
  }
});

function capacityInstruction(capacity: number): Buffer {
  if (capacity < 31) return Buffer.of(0x20 | capacity);
  const bytes = [0x3f];
  let rest = capacity - 31;
  for (; rest >= 0x80; rest >>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

// Kept apart so that a change of the files shows: what was read is what the README says.
test.skipIf(!hasQifs)("the header lists are read whole", () => {
  const text = readFileSync(join(qifsDir, "qifs", "fb-req.qif"), "latin1");
  const fieldLines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length;
  expect(listsOf("fb-req").flat()).toHaveLength(fieldLines);
});
