/*
 * QPACK alone: how many bytes the header lists of real traffic (the QIFs of QPACK Offline Interop) take, encoded by the engine and by
 * nghttp3, whose encodings lie beside the QIFs. Sections and instructions count, frames and streams do not. Sizes do not
 * vary, so each is taken once. The QIFs are no part of the project: where they are not beside it, a measure says so and takes none.
 */
import {
  encodedFiles,
  encodeLists,
  hasQifs,
  payloadBytes,
  readBlocks,
  readQif,
  Receiver,
} from "../../test/wire/qpack/interop.ts";
import type { EncodedFile } from "../../test/wire/qpack/interop.ts";
import { QpackEncoder, QpackRoom } from "../../test/wire/qpack/room.ts";
import { BenchError } from "../suite.ts";
import type { Measure, Suite } from "../suite.ts";

function sizes(name: string, title: string, isMeant: (file: EncodedFile) => boolean): Measure {
  return {
    name,
    title,
    peers: ["nghttp3", "engine"],
    async run() {
      const bars = [
        { kind: "ratio", subject: "engine", peer: "nghttp3", direction: "at most", factor: 1.02 } as const,
      ];
      if (!hasQifs) {
        const notes = ["Left out: qifs is not at ../shared/data."];
        return { unit: "bytes", better: "lower", series: [], bars: [], notes };
      }
      const room = await QpackRoom.create();
      const files = encodedFiles().filter((file) => file.path.includes("nghttp3") && isMeant(file));
      const theirs = files.reduce((sum, { path }) => sum + payloadBytes(readBlocks(path)), 0);
      const ours = files.reduce((sum, file) => sum + encodedBytes(room, file), 0);
      return {
        unit: "bytes",
        better: "lower",
        series: [
          { peer: "nghttp3", samples: [{ value: theirs }] },
          { peer: "engine", samples: [{ value: ours }] },
        ],
        bars,
        notes: [
          `${files.length} encodings at the limits that nghttp3 had; each was decoded again and compared.`,
        ],
      };
    },
  };
}

function encodedBytes(room: QpackRoom, file: EncodedFile): number {
  const lists = readQif(file.qif);
  const encoder = new QpackEncoder(room);
  encoder.setSettings(file.maxCapacity, file.blockedStreams);
  const receiver = new Receiver(room, file.maxCapacity, file.blockedStreams);
  const blocks = encodeLists(encoder, lists, (made) => {
    for (const block of made) receiver.receive(block);
    const told = receiver.decoder.takeStream();
    if (file.isAcknowledged) encoder.receiveDecoderStream(told);
  });
  encoder.free();
  receiver.decoder.free();
  if (JSON.stringify(lists) !== JSON.stringify(lists.map((_, index) => receiver.lists.get(index + 1)))) {
    throw new BenchError(`what was encoded of ${file.qif} decodes to something else`);
  }
  return payloadBytes(blocks);
}

export const h3Qpack: Suite = {
  name: "h3-qpack",
  prepare: () => Promise.resolve(),
  measures: [
    sizes("all", "All QIFs at all limits", () => true),
    sizes(
      "table-4096",
      "A table of 4,096 bytes, 100 blocked streams, acknowledged at once",
      (file) => file.maxCapacity === 4096 && file.blockedStreams > 0 && file.isAcknowledged,
    ),
    sizes(
      "table-512",
      "A table of 512 bytes, 100 blocked streams, acknowledged at once",
      (file) => file.maxCapacity === 512 && file.blockedStreams > 0 && file.isAcknowledged,
    ),
    sizes(
      "table-256",
      "A table of 256 bytes, 100 blocked streams, acknowledged at once",
      (file) => file.maxCapacity === 256 && file.blockedStreams > 0 && file.isAcknowledged,
    ),
    sizes(
      "not-blocked",
      "A table of 4,096 bytes, no blocked streams, acknowledged at once",
      (file) => file.maxCapacity === 4096 && file.blockedStreams === 0 && file.isAcknowledged,
    ),
    sizes(
      "not-acknowledged",
      "A table of 4,096 bytes, 100 blocked streams, never acknowledged",
      (file) => file.maxCapacity === 4096 && file.blockedStreams > 0 && !file.isAcknowledged,
    ),
  ],
};
