// Frames that go to many sockets: each is encoded once, and what one turn publishes to a socket is one piece of bytes that all sockets
// with the same frames share.
//
// A piece is a node: the frames so far, and the node that one more frame leads to. Sockets that get the same frames in the same
// order walk the same nodes, so the bytes of a turn are joined once for all of them.

import { concatenated } from "./platform.ts";

export class SharedFrames {
  readonly #before: SharedFrames | null;
  readonly #frame: Uint8Array;
  #bytes: Uint8Array | null = null;
  #nextFrame: Uint8Array | null = null;
  #next: SharedFrames | null = null;

  constructor(before: SharedFrames | null, frame: Uint8Array) {
    this.#before = before;
    this.#frame = frame;
  }

  /** These frames, and then the one of `other`. */
  followedBy(other: SharedFrames): SharedFrames {
    const frame = other.#frame;
    if (this.#nextFrame === frame && this.#next !== null) return this.#next;
    this.#nextFrame = frame;
    return (this.#next = new SharedFrames(this, frame));
  }

  /** All bytes, in order; not to be changed. */
  get bytes(): Uint8Array {
    if (this.#bytes !== null) return this.#bytes;
    const frames: Uint8Array[] = [];
    for (let node: SharedFrames | null = this; node !== null; node = node.#before) frames.push(node.#frame);
    return (this.#bytes = frames.length === 1 ? this.#frame : concatenated(frames.reverse()));
  }
}
