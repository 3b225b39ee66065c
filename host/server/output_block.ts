// What one session puts together before it is written in one piece: content in frames, and whatever the engine has to send
// between it. Bytes of a block leave in the order in which they came.

import type { Engine } from "../engine/index.ts";
import type { Socket } from "../transport/transport.ts";
import { BLOCK_BYTES, type WriteBlocks } from "./write_blocks.ts";

/** A write below this is copied out of its block, which a slow peer would hold else. */
const BLOCK_WRITE_LEAST_BYTES = BLOCK_BYTES / 4;
/** Framing of a whole block of content: some bytes for each FRAMED_CONTENT_BYTES. */
const FRAMING_BYTES_MAX = 256;
/** Less room than this is not worth another frame. */
const LEAST_ROOM_BYTES = 4096;

export class OutputBlock {
  readonly #blocks: WriteBlocks;
  readonly #socket: Socket;
  #block: Uint8Array | null = null;
  #length = 0;

  constructor(blocks: WriteBlocks, socket: Socket) {
    this.#blocks = blocks;
    this.#socket = socket;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Room that is left. */
  get room(): number {
    return BLOCK_BYTES - this.#length;
  }

  /** Content that fits, with its framing. */
  get contentRoom(): number {
    return this.room - FRAMING_BYTES_MAX;
  }

  get isFull(): boolean {
    return this.room < LEAST_ROOM_BYTES;
  }

  /** Appends a copy of `bytes`, which fit. */
  append(bytes: Uint8Array): void {
    this.#open().set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Appends content in the frames that the engine made for it: `framingLength` bytes that were polled. */
  appendFramed(engine: Engine, framingLength: number, content: Uint8Array): void {
    this.#length += engine.layFrames(framingLength, content, this.#open(), this.#length);
  }

  /** Writes what there is. False: the socket takes nothing more for now. */
  write(): boolean {
    const block = this.#block;
    const length = this.#length;
    if (block === null || length === 0) return true;
    this.#block = null;
    this.#length = 0;
    if (length < BLOCK_WRITE_LEAST_BYTES) {
      const bytes = block.slice(0, length);
      this.#blocks.give(block);
      return this.#socket.write(bytes);
    }
    return this.#socket.write(block.subarray(0, length), () => this.#blocks.give(block));
  }

  /** Gives the block back; what is in it is dropped. */
  close(): void {
    if (this.#block !== null) this.#blocks.give(this.#block);
    this.#block = null;
    this.#length = 0;
  }

  #open(): Uint8Array {
    return (this.#block ??= this.#blocks.take());
  }
}
