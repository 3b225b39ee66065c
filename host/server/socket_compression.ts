// permessage-deflate (RFC 7692 §7.2) by the runtime's zlib: what one WebSocket needs of it, within bounds.
//
// Inflating stops at the message limit, whatever the input promises. A compressor or decompressor is made when it is first needed;
// without context takeover it is made for each message and gone after it, so that an idle socket holds no window. Messages of
// one direction are worked on one after the other, which bounds the memory of a socket to one window each way.

import type { DeflateRaw, InflateRaw } from "node:zlib";
import { clientWindowBits, Deflate, serverWindowBits, WsStatus } from "../engine/index.ts";
import { zlib } from "./platform.ts";

/** What the server chooses for its compressor. */
export interface CompressorTerms {
  readonly threshold: number;
  readonly level: number;
  readonly memLevel: number;
}

/** RFC 7692 §7.2.1: what every compressed message ends in, and what is left out of it. */
const TAIL = Uint8Array.of(0x00, 0x00, 0xff, 0xff);
/** An empty message, compressed: one stored block of nothing, less its tail. */
const EMPTY = Uint8Array.of(0x00);
const LEAST_ZLIB_BITS = 9;
/** Where there is none, no socket agrees to compression (host/server/socket_opening.ts). */
const runtimeZlib = zlib as NonNullable<typeof zlib>;

export class SocketCompression {
  /** Messages below this many bytes are sent as they are. */
  readonly threshold: number;
  readonly #terms: CompressorTerms;
  readonly #messageBytesMax: number;
  readonly #local: Direction;
  readonly #remote: Direction;
  #deflating: Promise<unknown> = Promise.resolve();
  #deflate: DeflateRaw | null = null;
  #inflate: InflateRaw | null = null;
  #isClosed = false;

  /** `agreed` are the parameters that the handshake ended in (assembly/abi/deflate_parameters.ts). */
  constructor(agreed: number, isServer: boolean, terms: CompressorTerms, messageBytesMax: number) {
    this.threshold = terms.threshold;
    this.#terms = terms;
    this.#messageBytesMax = messageBytesMax;
    const server = {
      windowBits: serverWindowBits(agreed),
      keepsContext: (agreed & Deflate.SERVER_NO_CONTEXT_TAKEOVER) === 0,
    };
    const client = {
      windowBits: clientWindowBits(agreed),
      keepsContext: (agreed & Deflate.CLIENT_NO_CONTEXT_TAKEOVER) === 0,
    };
    this.#local = isServer ? server : client;
    this.#remote = isServer ? client : server;
  }

  /** The message, or why there is none: MESSAGE_TOO_LARGE, DEFLATE_INVALID. One at a time. */
  inflate(bytes: Uint8Array): Promise<Buffer | number> {
    const inflater = (this.#inflate ??= this.#makeInflater());
    const most = this.#messageBytesMax;
    return new Promise((resolve) => {
      const pieces: Buffer[] = [];
      let length = 0;
      let isSettled = false;
      const settle = (result: Buffer | number): void => {
        if (isSettled) return;
        isSettled = true;
        inflater.off("data", onData);
        inflater.off("error", onError);
        // After its final block an inflater takes nothing more (RFC 7692 §7.2.3.4): the next message begins a new one.
        const isSpent = typeof result === "number" || !this.#remote.keepsContext || inflater.readableEnded;
        if (isSpent || this.#isClosed) {
          inflater.close();
          if (this.#inflate === inflater) this.#inflate = null;
        }
        resolve(result);
      };
      const onData = (piece: Buffer): void => {
        length += piece.length;
        if (length > most) settle(WsStatus.MESSAGE_TOO_LARGE);
        else pieces.push(piece);
      };
      const onError = (): void => settle(WsStatus.DEFLATE_INVALID);
      // Deno tells the write of what is wrong with it, then calls `flush` back as if all was well, and only then has the error.
      const onWritten = (error?: Error | null): void => {
        if (error) onError();
      };
      inflater.on("data", onData);
      inflater.on("error", onError);
      inflater.write(bytes, onWritten);
      inflater.write(TAIL, onWritten);
      inflater.flush(() => {
        if (length <= most)
          settle(pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, length));
      });
    });
  }

  #makeInflater(): InflateRaw {
    const inflater = runtimeZlib.createInflateRaw({ windowBits: this.#remote.windowBits });
    // An error that nobody listens for ends the process, and this one may come after all that listened are through.
    return inflater.on("error", ignore);
  }

  /** The message compressed, in the order of the calls. */
  deflate(bytes: Uint8Array): Promise<Uint8Array> {
    const deflated = this.#deflating.then(() => this.#deflateNow(bytes));
    this.#deflating = deflated.catch(ignore);
    return deflated;
  }

  /** Frees what is held. Work under way is completed, and nobody hears of it. */
  close(): void {
    this.#isClosed = true;
    void this.#deflating.then(() => {
      this.#deflate?.close();
      this.#deflate = null;
    });
  }

  #deflateNow(bytes: Uint8Array): Promise<Uint8Array> {
    if (bytes.length === 0) return Promise.resolve(EMPTY);
    const deflater = (this.#deflate ??= runtimeZlib.createDeflateRaw({
      windowBits: Math.max(this.#local.windowBits, LEAST_ZLIB_BITS),
      level: this.#terms.level,
      memLevel: this.#terms.memLevel,
    }));
    return new Promise((resolve, reject) => {
      const pieces: Buffer[] = [];
      const onData = (piece: Buffer): void => void pieces.push(piece);
      const onError = (error: Error): void => {
        deflater.off("data", onData);
        this.#deflate = null;
        reject(error);
      };
      deflater.on("data", onData);
      deflater.once("error", onError);
      deflater.write(bytes);
      deflater.flush(runtimeZlib.constants.Z_SYNC_FLUSH, () => {
        deflater.off("data", onData);
        deflater.off("error", onError);
        const compressed = Buffer.concat(pieces);
        if (!this.#local.keepsContext) {
          deflater.close();
          this.#deflate = null;
        }
        resolve(compressed.subarray(0, compressed.length - TAIL.length));
      });
    });
  }
}

interface Direction {
  readonly windowBits: number;
  readonly keepsContext: boolean;
}

function ignore(): void {}
