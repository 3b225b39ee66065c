// The files of QPACK Offline Interop: header lists as text (QIF), and what an encoder made of them: blocks of eight bytes of stream
// number, four of length, and that many bytes; stream 0 is the encoder stream.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { projectRoot } from "../project_root.ts";
import type { Field, QpackEncoder } from "./room.ts";
import { QpackDecoder } from "./room.ts";
import type { QpackRoom } from "./room.ts";

export const qifsDir = resolve(projectRoot, "../shared/data/qifs");
export const hasQifs = existsSync(qifsDir);

/** What the name of an encoded file says: the decoder's SETTINGS, and whether the encoder was told of everything at once. */
export interface Setup {
  qif: string;
  maxCapacity: number;
  blockedStreams: number;
  isAcknowledged: boolean;
}

export interface EncodedFile extends Setup {
  path: string;
}

export interface Block {
  stream: number;
  bytes: Buffer;
}

export function readQif(name: string): Field[][] {
  const text = readFileSync(join(qifsDir, "qifs", `${name}.qif`), "latin1");
  const lists: Field[][] = [];
  let list: Field[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("#")) continue;
    if (line !== "") {
      const tab = line.indexOf("\t");
      list.push([line.slice(0, tab), line.slice(tab + 1)]);
    } else if (list.length > 0) {
      lists.push(list);
      list = [];
    }
  }
  if (list.length > 0) lists.push(list);
  return lists;
}

/** Every file that an encoder wrote and whose name says with what. */
export function encodedFiles(): EncodedFile[] {
  const folder = join(qifsDir, "encoded", "qpack-05");
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return paths.flatMap((path) => {
    const match = /([\w-]+)\.out\.(\d+)\.(\d+)\.([01])$/.exec(path);
    if (!match) return [];
    const [, qif, maxCapacity, blockedStreams, isAcknowledged] = match;
    return [
      {
        path: join(folder, path),
        qif: qif!,
        maxCapacity: Number(maxCapacity),
        blockedStreams: Number(blockedStreams),
        isAcknowledged: isAcknowledged === "1",
      },
    ];
  });
}

export function readBlocks(path: string): Block[] {
  const bytes = readFileSync(path);
  const blocks: Block[] = [];
  for (let at = 0; at < bytes.length;) {
    const stream = Number(bytes.readBigUInt64BE(at));
    const len = bytes.readUInt32BE(at + 8);
    blocks.push({ stream, bytes: bytes.subarray(at + 12, at + 12 + len) });
    at += 12 + len;
  }
  return blocks;
}

export function payloadBytes(blocks: readonly Block[]): number {
  return blocks.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

/** A decoder with the streams that wait for it, as HTTP/3 keeps them. */
export class Receiver {
  readonly decoder: QpackDecoder;
  readonly lists = new Map<number, Field[]>();
  readonly #waiting = new Map<number, Buffer>();

  constructor(room: QpackRoom, maxCapacity: number, blockedStreams: number) {
    this.decoder = new QpackDecoder(room, maxCapacity, blockedStreams);
  }

  receive({ stream, bytes }: Block): void {
    if (stream !== 0) {
      this.#decode(stream, bytes, false);
      return;
    }
    const status = this.decoder.receiveEncoderStream(bytes);
    if (status !== 0) throw new Error(`the encoder stream was answered ${status}`);
    for (const [waiting, section] of [...this.#waiting]) this.#decode(waiting, section, true);
  }

  #decode(stream: number, section: Buffer, wasBlocked: boolean): void {
    const answer = this.decoder.decode(stream, section, { wasBlocked });
    if (typeof answer === "number") throw new Error(`stream ${stream} was answered ${answer}`);
    if (answer === "blocked") this.#waiting.set(stream, section);
    else {
      this.#waiting.delete(stream);
      this.lists.set(stream, answer);
    }
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }
}

/** Encodes lists on streams 1, 2, …, each with the blocks it made; `onList` may bring acknowledgments. */
export function encodeLists(
  encoder: QpackEncoder,
  lists: readonly (readonly Field[])[],
  onList: (blocks: Block[]) => void,
): Block[] {
  const all: Block[] = [];
  for (const [index, list] of lists.entries()) {
    const section = encoder.encode(index + 1, list);
    if (typeof section === "number") throw new Error(`the encoder answered ${section}`);
    const instructions = encoder.takeStream();
    const blocks = [{ stream: index + 1, bytes: section }];
    if (instructions.length > 0) blocks.unshift({ stream: 0, bytes: instructions });
    onList(blocks);
    all.push(...blocks);
  }
  return all;
}
