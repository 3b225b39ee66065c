// QPACK against ls-qpack, by aioquic's pylsqpack: every QIF in both directions, with acknowledgments of each side for the other. Prints how
// our encodings compare in size.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { isDeepStrictEqual } from "node:util";
import { hasQifs, readQif } from "../wire/qpack/interop.ts";
import type { Field } from "../wire/qpack/room.ts";
import { QpackDecoder, QpackEncoder, QpackRoom } from "../wire/qpack/room.ts";
import { results, skipped } from "./suite.ts";
import type { Suite } from "./suite.ts";
import { pythonWith } from "./tools.ts";

const PYLSQPACK_OF_PYPI = "pylsqpack==1.0.0";
const qifs = ["fb-req", "fb-req-hq", "fb-resp", "fb-resp-hq", "netbsd", "netbsd-hq"];
const setups = [
  { maxCapacity: 4096, blockedStreams: 16 },
  { maxCapacity: 4096, blockedStreams: 0 },
  { maxCapacity: 512, blockedStreams: 100 },
  { maxCapacity: 0, blockedStreams: 0 },
];

type Decoded = [stream: number, acknowledgments: string, fields: [string, string][]];

/** The program qpack_peer.py: one answer for each command. */
class Peer {
  readonly #child;
  readonly #lines: AsyncIterator<string>;

  constructor(python: string) {
    this.#child = spawn(python, ["test/conformance/qpack_peer.py"], { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async ask<T>(command: string, ...operands: (string | number)[]): Promise<T> {
    this.#child.stdin.write(`${[command, ...operands].join(" ")}\n`);
    const line = await this.#lines.next();
    if (line.done === true) throw new Error("the peer has ended");
    const answer = JSON.parse(line.value) as T | { error: string } | null;
    if (answer !== null && typeof answer === "object" && "error" in answer) throw new Error(answer.error);
    return answer as T;
  }

  end(): void {
    this.#child.kill();
  }
}

interface Setup {
  maxCapacity: number;
  blockedStreams: number;
}

/** Our encoder, their decoder. Answers the bytes of sections and instructions. */
async function encodeForPeer(room: QpackRoom, peer: Peer, lists: Field[][], setup: Setup): Promise<number> {
  await peer.ask("open", setup.maxCapacity, setup.blockedStreams);
  const encoder = new QpackEncoder(room);
  encoder.setSettings(setup.maxCapacity, setup.blockedStreams);
  let bytes = 0;
  try {
    for (const [index, list] of lists.entries()) {
      const stream = 4 * index;
      const section = encoder.encode(stream, list);
      if (typeof section === "number") throw new Error(`list ${index}: the encoder answered ${section}`);
      const instructions = encoder.takeStream();
      bytes += section.length + instructions.length;
      // Every third section arrives before its instructions, so that it may be blocked.
      const isEarly = index % 3 === 0;
      const early = isEarly
        ? await peer.ask<Decoded | null>("section", stream, section.toString("hex"))
        : null;
      const answers = await peer.ask<Decoded[]>("instructions", instructions.toString("hex"));
      if (early !== null) answers.push(early);
      if (!isEarly) answers.push(await peer.ask<Decoded>("section", stream, section.toString("hex")));
      if (answers.length !== 1) throw new Error(`list ${index}: ${answers.length} answers`);
      const [[, acknowledgments, fields]] = answers as [Decoded];
      const decoded = fields.map((field) => field.map((text) => Buffer.from(text, "hex").toString("latin1")));
      if (!isDeepStrictEqual(decoded, list)) throw new Error(`list ${index}: other fields came out`);
      const status = encoder.receiveDecoderStream(Buffer.from(acknowledgments, "hex"));
      if (status !== 0) throw new Error(`list ${index}: their acknowledgment was answered ${status}`);
    }
  } finally {
    encoder.free();
  }
  return bytes;
}

/** Their encoder, our decoder. Answers the bytes of sections and instructions. */
async function decodeFromPeer(room: QpackRoom, peer: Peer, lists: Field[][], setup: Setup): Promise<number> {
  const capacityInstruction = await peer.ask<string>("open", setup.maxCapacity, setup.blockedStreams);
  const decoder = new QpackDecoder(room, setup.maxCapacity, setup.blockedStreams);
  let bytes = 0;
  const receive = (hex: string): void => {
    const status = decoder.receiveEncoderStream(Buffer.from(hex, "hex"));
    if (status !== 0) throw new Error(`their encoder stream was answered ${status}`);
  };
  try {
    receive(capacityInstruction);
    for (const [index, list] of lists.entries()) {
      const stream = 4 * index;
      const texts = list.flat().map((text) => Buffer.from(text, "latin1").toString("hex"));
      const [instructions, hex] = await peer.ask<[string, string]>("encode", stream, ...texts);
      bytes += (instructions.length + hex.length) / 2;
      const section = Buffer.from(hex, "hex");
      let fields = index % 3 === 0 ? decoder.decode(stream, section) : null;
      receive(instructions);
      if (fields === null || fields === "blocked") {
        fields = decoder.decode(stream, section, { wasBlocked: fields === "blocked" });
      }
      if (!isDeepStrictEqual(fields, list)) throw new Error(`list ${index}: other fields came out`);
      await peer.ask("acknowledge", decoder.takeStream().toString("hex"));
    }
  } finally {
    decoder.free();
  }
  return bytes;
}

export const qpackSuites: Suite[] = [
  {
    name: "qpack: ls-qpack of aioquic's pylsqpack",
    async run() {
      if (!hasQifs) return skipped("no ../shared/data/qifs");
      const python = pythonWith("pylsqpack", [PYLSQPACK_OF_PYPI]);
      if (python === null) return skipped("no Python that can install PyPI's pylsqpack");
      const room = await QpackRoom.create();
      const peer = new Peer(python);
      const checks: [string, string | null][] = [];
      try {
        for (const setup of setups) {
          const bytes = { ours: 0, theirs: 0 };
          for (const qif of qifs) {
            const lists = readQif(qif);
            const name = `${qif}, table ${setup.maxCapacity}, blocked ${setup.blockedStreams}`;
            checks.push([
              `${name}: our encoder, their decoder`,
              await problemIn(async () => (bytes.ours += await encodeForPeer(room, peer, lists, setup))),
            ]);
            checks.push([
              `${name}: their encoder, our decoder`,
              await problemIn(async () => (bytes.theirs += await decodeFromPeer(room, peer, lists, setup))),
            ]);
          }
          const { maxCapacity, blockedStreams } = setup;
          // Nothing inserted may be used before it is acknowledged there, which pylsqpack's decoder does for whole sections alone.
          if (maxCapacity !== 0 && blockedStreams === 0) continue;
          console.log(
            `qpack: table ${maxCapacity}, blocked ${blockedStreams}: ${bytes.ours} bytes, ls-qpack ${bytes.theirs} ` +
              `(${(bytes.ours / bytes.theirs).toFixed(3)})`,
          );
        }
      } finally {
        peer.end();
      }
      return results(checks);
    },
  },
];

async function problemIn(check: () => Promise<unknown>): Promise<string | null> {
  try {
    await check();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
