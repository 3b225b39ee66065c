/*
 * HPACK alone: field blocks of real traffic as nghttp2 encoded them (the stories of hpack-test-case), decoded by the
 * engine and by hpack.js, in one process, side by side. The stories are no part of the project: where they are not
 * beside it, the measure says so and takes none.
 */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { createEngineDecoder, createEngineEncoder, createHpackJsDecoder } from "../parsers/hpack.ts";
import type { Fields, StoryDecoder } from "../parsers/hpack.ts";
import { projectRoot } from "../paths.ts";
import { alternate } from "../rounds.ts";
import { BenchError } from "../suite.ts";
import type { Measure } from "../suite.ts";

const STORIES_FOLDER = join(projectRoot, "..", "shared", "data", "hpack-test-case", "nghttp2");
/** Nothing has to be started between rounds here, so there are more of them, each shorter. */
const SLICES = 4;
const MB = 1e6;
const KIB = 1024;
const NOT_THERE = "Left out: hpack-test-case is not at ../shared/data.";

interface Stories {
  stories: Uint8Array[][];
  /** The same, decoded. */
  sections: Fields[][];
  byteCount: number;
  fieldCount: number;
}

export const hpackDecode: Measure = {
  name: "hpack",
  title: "Decode the field blocks of the HPACK stories",
  peers: ["hpack.js", "engine"],
  async run(options) {
    if (!existsSync(STORIES_FOLDER)) {
      return { unit: "MB/s", better: "higher", series: [], bars: [], notes: [NOT_THERE] };
    }
    const data = readStories();
    const decoders = new Map<string, StoryDecoder>();
    for (const name of options.selectPeers(this.peers)) {
      const decoder = name === "engine" ? await createEngineDecoder() : createHpackJsDecoder();
      const fieldCount = data.stories.reduce((sum, blocks) => sum + decoder(blocks), 0);
      if (fieldCount !== data.fieldCount)
        throw new BenchError(`${name} saw ${fieldCount} fields, not ${data.fieldCount}`);
      megabytesPerSecond(decoder, data, options.warmupSeconds);
      decoders.set(name, decoder);
    }
    const series = await alternate([...decoders.keys()], options.rounds * SLICES, async (name) => ({
      value: megabytesPerSecond(decoders.get(name) as StoryDecoder, data, options.secondsPerRound / SLICES),
    }));
    return {
      unit: "MB/s",
      better: "higher",
      series,
      bars: [{ kind: "ratio", subject: "engine", peer: "hpack.js", direction: "at least", factor: 5 }],
      notes: [
        `${data.fieldCount.toLocaleString("en")} fields in ${data.byteCount.toLocaleString("en")} bytes as encoded; MB are those bytes.`,
        "hpack.js makes strings; the engine leaves records of spans, as the host reads them.",
      ],
    };
  },
};

export const hpackSize: Measure = {
  name: "hpack-size",
  title: "Size of the HPACK stories, encoded",
  peers: ["nghttp2", "engine"],
  async run() {
    const shape = { unit: "KiB", better: "lower" } as const;
    if (!existsSync(STORIES_FOLDER)) return { ...shape, series: [], bars: [], notes: [NOT_THERE] };
    const { sections, byteCount } = readStories();
    const encode = await createEngineEncoder();
    const ours = sections.reduce((sum, story) => sum + encode(story), 0);
    return {
      ...shape,
      series: [
        { peer: "nghttp2", samples: [{ value: byteCount / KIB }] },
        { peer: "engine", samples: [{ value: ours / KIB }] },
      ],
      bars: [{ kind: "ratio", subject: "engine", peer: "nghttp2", direction: "at most", factor: 1.02 }],
      notes: ["One table of 4,096 bytes for each story, as nghttp2 had when it encoded them."],
    };
  },
};

function readStories(): Stories {
  const result: Stories = { stories: [], sections: [], byteCount: 0, fieldCount: 0 };
  const names = readdirSync(STORIES_FOLDER).filter((name) => name.endsWith(".json"));
  for (const name of names.sort()) {
    const { cases } = JSON.parse(readFileSync(join(STORIES_FOLDER, name), "utf8")) as {
      cases: { headers: Record<string, string>[]; wire: string }[];
    };
    const blocks = cases.map(({ wire }) => Buffer.from(wire, "hex"));
    result.stories.push(blocks);
    result.sections.push(
      cases.map(({ headers }) => headers.flatMap((header) => Object.entries(header).slice(0, 1))),
    );
    for (const block of blocks) result.byteCount += block.length;
    for (const { headers } of cases) result.fieldCount += headers.length;
  }
  return result;
}

function megabytesPerSecond(decoder: StoryDecoder, { stories }: Stories, seconds: number): number {
  const startedAt = performance.now();
  let byteCount = 0;
  let elapsedMs = 0;
  for (let i = 0; elapsedMs < seconds * 1000; i = (i + 1) % stories.length) {
    const blocks = stories[i] as Uint8Array[];
    decoder(blocks);
    for (const block of blocks) byteCount += block.length;
    elapsedMs = performance.now() - startedAt;
  }
  return byteCount / MB / (elapsedMs / 1000);
}
