// A QUIC endpoint of the engine on a datagram socket of the runtime: batches in and out, and the answers to TLS' questions.
//
// Datagrams that arrive in one turn are handed over as one batch. Whatever is sent is polled once after each batch, each timeout and
// each turn in which something was written, and copied out first: a runtime may keep what it is given until the kernel takes it.

import type { KeyObject } from "node:crypto";
import { QuestionKind } from "../engine/index.ts";
import { ConnectionKeys, countValidSignatures, readSignQuestion } from "../crypto/question.ts";
import { signWith } from "../crypto/signature.ts";
import { checked } from "../engine/engine_error.ts";
import {
  decodeAddress,
  encodeAddress,
  isAddressAt,
  ReceiveBatch,
  recordsEnd,
  type TransmitBatch,
} from "../engine/datagram_batch.ts";
import type { Engine } from "../engine/engine.ts";
import { afterTurn } from "../transport/after_turn.ts";
import type { DatagramSink, DatagramSocket } from "../transport/datagrams.ts";

/** Who runs the engine that an endpoint belongs to: its events, its timer, its failure. */
export interface EngineOwner {
  readonly engine: Engine;
  readonly isFailed: boolean;
  now(): number;
  /** Reads the engine's events. */
  readEvents(): void;
  armTimer(): void;
  fail(error: unknown): void;
}

/** Datagrams that are handed over before it is looked at what was written; the rest follows at once where that is little. */
const SLICE_DATAGRAMS = 2;
/** Writes after which is sent what there is, before the rest of a batch is read: so many small answers fill a datagram or two. */
const SLICE_WRITES = 32;
/** Peers whose address is remembered in the form of the other side: the last one of each of so many ports. A power of two. */
const PEERS_MOST = 1024;

interface Peer {
  readonly host: string;
  readonly port: number;
  readonly family: 4 | 6;
}

interface KnownPeer {
  readonly peer: Peer;
  readonly address: Uint8Array;
}

export class Endpoint implements DatagramSink {
  readonly handle: number;
  readonly #owner: EngineOwner;
  /** Sockets by the number that the engine knows them by. */
  readonly #sockets: DatagramSocket[] = [];
  /** Gathered here and not in the engine's region, where stream sockets read to meanwhile. */
  readonly #batch: ReceiveBatch;
  readonly #gathered: Uint8Array;
  readonly #keys = new Map<number, ConnectionKeys>();
  readonly #privateKeys: readonly KeyObject[];
  /** By port: peers that datagrams came from, and that they went to. */
  readonly #sources: (KnownPeer | undefined)[] = [];
  readonly #targets: (KnownPeer | undefined)[] = [];
  #isScheduled = false;
  #isFlushScheduled = false;
  #isReceiving = false;
  /** How often something was written since the last flush. */
  #writes = 0;
  #isClosed = false;

  /** `privateKeys` are those that certificates name by their index. */
  constructor(owner: EngineOwner, privateKeys: readonly KeyObject[]) {
    this.#owner = owner;
    this.#privateKeys = privateKeys;
    const { engine } = owner;
    this.#gathered = new Uint8Array(engine.receiveBuffer.length);
    this.#batch = new ReceiveBatch(this.#gathered);
    this.handle = checked(engine.quic.openEndpoint(owner.now()), "opening an endpoint");
  }

  /** Sends and receives by this socket too; answers its number. */
  addSocket(socket: DatagramSocket): number {
    return this.#sockets.push(socket) - 1;
  }

  get sockets(): readonly DatagramSocket[] {
    return this.#sockets;
  }

  /** A sink for a further socket, whose number is `local`. */
  sinkFor(local: number): DatagramSink {
    return {
      onDatagram: (payload, host, port) => this.#take(payload, host, port, local),
      onClose: () => undefined,
    };
  }

  onDatagram(payload: Uint8Array, host: string, port: number): void {
    this.#take(payload, host, port, 0);
  }

  onClose(): void {
    this.#isClosed = true;
  }

  #take(payload: Uint8Array, host: string, port: number, local: number): void {
    if (this.#isClosed || this.#owner.isFailed) return;
    if (!this.#batch.fits(payload.length)) {
      this.#receive();
      if (!this.#batch.fits(payload.length)) return;
    }
    this.#batch.add(payload, this.#encode(host, port), local);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#receive();
    });
  }

  /** Hands over what was gathered. */
  #receive(): void {
    const length = this.#batch.length;
    if (length === 0 || this.#owner.isFailed) return;
    this.#batch.clear();
    this.#isReceiving = true;
    try {
      const { engine } = this.#owner;
      engine.receiveBuffer.set(this.#gathered.subarray(0, length));
      let offset = 0;
      let isSliced = true;
      while (offset < length) {
        const end = isSliced ? recordsEnd(this.#gathered, offset, length, SLICE_DATAGRAMS) : length;
        const taken = engine.quic.receiveRegion(this.handle, offset, end - offset, this.#owner.now());
        this.#owner.readEvents();
        if (taken <= 0) break;
        offset += taken;
        isSliced = this.#writes >= SLICE_WRITES;
        if (isSliced && offset < length) this.flush();
      }
      this.#isReceiving = false;
      this.flush();
      this.#owner.armTimer();
    } catch (error) {
      this.#owner.fail(error);
    } finally {
      this.#isReceiving = false;
    }
  }

  /** Sends whatever there is to send. */
  flush(): void {
    this.#writes = 0;
    const { engine } = this.#owner;
    const { quic } = engine;
    const now = this.#owner.now();
    for (
      let batch = quic.pollBatch(this.handle, now);
      batch !== null;
      batch = quic.pollBatch(this.handle, now)
    ) {
      this.#send(batch);
      this.#owner.readEvents();
    }
    this.#owner.readEvents();
  }

  /** Hands a batch to the sockets; its buffer comes back with the last datagram, if one socket had them all. */
  #send(batch: TransmitBatch): void {
    let last: Uint8Array | null = null;
    let peer: Peer;
    let socket: DatagramSocket | undefined;
    let sharing = 0;
    batch.visit((payload, address, local, isLast) => {
      if (address !== last) peer = this.#decode((last = address));
      const next = this.#sockets[local] ?? this.#sockets[0];
      if (next !== socket) sharing++;
      socket = next;
      const isOver = isLast && sharing === 1 && batch.isReused;
      const onSent = isOver ? () => this.#owner.engine.quic.transmitBuffers.release(batch) : undefined;
      socket?.send(payload, peer.host, peer.port, peer.family, onSent);
    });
  }

  /** Flushes once the code that is running is through, and with it whatever promises it keeps. */
  flushLater(): void {
    this.#writes++;
    if (this.#isFlushScheduled || this.#isReceiving || this.#owner.isFailed) return;
    this.#isFlushScheduled = true;
    afterTurn(() => {
      this.#isFlushScheduled = false;
      if (this.#owner.isFailed || this.#writes === 0) return;
      try {
        this.flush();
        this.#owner.armTimer();
      } catch (error) {
        this.#owner.fail(error);
      }
    });
  }

  /** Answers a question of TLS at once. What cannot be answered fails that handshake alone. */
  answer(connection: number, kind: number, question: Uint8Array): void {
    const { quic } = this.#owner.engine;
    const now = this.#owner.now();
    let answer: Uint8Array;
    try {
      if (kind === QuestionKind.VERIFY) {
        quic.answerVerify(connection, countValidSignatures(question.slice()), now);
        return;
      }
      answer = kind === QuestionKind.SIGN ? this.#sign(question) : this.#exchange(connection, question);
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) throw error;
      quic.fail(connection, now);
      return;
    }
    quic.answer(connection, answer, now);
  }

  #sign(question: Uint8Array): Uint8Array {
    const { keyId, scheme, content } = readSignQuestion(question);
    const key = this.#privateKeys[keyId];
    if (key === undefined) throw new RangeError(`there is no key ${keyId}`);
    return signWith(key, scheme, content);
  }

  #exchange(connection: number, question: Uint8Array): Uint8Array {
    let keys = this.#keys.get(connection);
    if (keys === undefined) this.#keys.set(connection, (keys = new ConnectionKeys()));
    return keys.answer(question);
  }

  /** The connection needs its keys no longer. */
  forget(connection: number): void {
    this.#keys.delete(connection);
  }

  /** Frees the endpoint; its connections end without a word. The sockets are closed. */
  async close(): Promise<void> {
    if (!this.#owner.isFailed) this.#owner.engine.quic.closeEndpoint(this.handle);
    this.#isClosed = true;
    await Promise.all(this.#sockets.map((socket) => socket.close()));
  }

  #encode(host: string, port: number): Uint8Array {
    const slot = port & (PEERS_MOST - 1);
    const known = this.#sources[slot];
    if (known !== undefined && known.peer.port === port && known.peer.host === host) return known.address;
    const address = encodeAddress(host, port);
    this.#sources[slot] = { peer: { host, port, family: host.includes(":") ? 6 : 4 }, address };
    return address;
  }

  #decode(address: Uint8Array): Peer {
    const slot = (((address[2] as number) << 8) | (address[3] as number)) & (PEERS_MOST - 1);
    const known = this.#targets[slot];
    if (known !== undefined && isAddressAt(address, 0, known.address)) return known.peer;
    const peer = decodeAddress(address);
    this.#targets[slot] = { peer, address: address.slice() };
    return peer;
  }
}
