// The commands on QUIC endpoints, connections and raw streams: arguments written into the command region, then one door.

import { Layout } from "../../assembly/abi/layout.ts";
import { ADDRESS_BYTES, QuicStat } from "../../assembly/abi/quic.ts";
import { Status } from "../../assembly/abi/status.ts";
import {
  type DatagramVisitor,
  ReceiveBatch,
  type TransmitBatch,
  TransmitBuffers,
  visitBatch,
} from "./datagram_batch.ts";
import type { Doors } from "./doors.ts";
import type { EngineMemory } from "./memory.ts";

/** A certificate chain for QUIC's TLS. The private key stays with the host, which knows it by `keyId`. */
export interface QuicCertificate {
  readonly keyId: number;
  /** DNS names in lower case; may begin with "*.". */
  readonly names: readonly string[];
  /** Certificates in DER, the leaf first. */
  readonly chain: readonly Uint8Array[];
  /** Signature schemes of the key, RFC 8446 §4.2.3. */
  readonly schemes: readonly number[];
}

/** Whom to connect to. */
export interface QuicTarget {
  /** 20 bytes (encodeAddress). */
  readonly address: Uint8Array;
  readonly local?: number;
  /** A DNS name, or the 4 or 16 bytes of an IP address. */
  readonly serverName: string | Uint8Array;
  readonly ticket?: Uint8Array;
  readonly token?: Uint8Array;
}

export class QuicCommands {
  readonly #doors: Doors;
  readonly #memory: EngineMemory;
  readonly #commandPtr: number;
  readonly #commandLen: number;
  readonly #transmitPtr: number;
  /** Where datagrams are gathered before `receive`. */
  readonly batch: ReceiveBatch;
  /** Where batches are copied to. */
  readonly transmitBuffers: TransmitBuffers;
  /** The most that one `writeStream` or `sendDatagram` takes. */
  readonly writeMost: number;

  constructor(doors: Doors, memory: EngineMemory, layout: Uint32Array, receiveRegion: Uint8Array) {
    this.#doors = doors;
    this.#memory = memory;
    this.#commandPtr = layout[Layout.COMMAND_PTR] as number;
    this.#commandLen = layout[Layout.COMMAND_LEN] as number;
    this.#transmitPtr = layout[Layout.TRANSMIT_PTR] as number;
    this.batch = new ReceiveBatch(receiveRegion);
    this.transmitBuffers = new TransmitBuffers(layout[Layout.TRANSMIT_LEN] as number);
    this.writeMost = this.#commandLen;
  }

  /** A configuration's handle, or a status. */
  createConfig(): number {
    return this.#doors.createQuicConfig();
  }

  /** Sets a QuicOption. */
  setOption(config: number, option: number, value: number): number {
    return this.#doors.setQuicOption(config, option, value);
  }

  setAlpn(config: number, protocols: readonly string[]): number {
    return this.#doors.setQuicAlpn(config, this.#commandPtr, this.#write(0, prefixed(protocols)));
  }

  /** Groups by their number in RFC 8446 §4.2.7, in the order of preference; a client sends shares of the first `shareCount`. */
  setGroups(config: number, groups: readonly number[], shareCount: number): number {
    this.#write(0, little16(groups));
    return this.#doors.setQuicGroups(config, this.#commandPtr, groups.length, shareCount);
  }

  addCertificate(config: number, certificate: QuicCertificate): number {
    const names = prefixed(certificate.names);
    const chain = concat(certificate.chain.flatMap((der) => [big24(der.length), der]));
    const namesLen = this.#write(0, names);
    const chainLen = this.#write(namesLen, chain);
    this.#write(namesLen + chainLen, little16(certificate.schemes));
    return this.#doors.addQuicCertificate(
      config,
      certificate.keyId,
      this.#commandPtr,
      namesLen,
      chainLen,
      certificate.schemes.length,
    );
  }

  /** A trusted root, in DER. */
  addRoot(config: number, der: Uint8Array): number {
    return this.#doors.addQuicRoot(config, this.#commandPtr, this.#write(0, der));
  }

  /** A server's preferred_address, in the 24 bytes of RFC 9000 §18.2: IPv4 address and port, then those of IPv6. */
  setPreferredAddress(config: number, address: Uint8Array): number {
    this.#write(0, address);
    return this.#doors.setQuicPreferredAddress(config, this.#commandPtr);
  }

  /** A name of 16 bytes and a key of 32. */
  rotateTicketKey(config: number, key: Uint8Array): number {
    this.#write(0, key);
    return this.#doors.rotateQuicTicketKey(config, this.#commandPtr);
  }

  releaseConfig(config: number): number {
    return this.#doors.releaseQuicConfig(config);
  }

  /** 32 bytes that processes on one port share, and the number of this one among them. */
  setSecret(secret: Uint8Array, process: number): number {
    this.#write(0, secret);
    return this.#doors.setQuicSecret(this.#commandPtr, process);
  }

  openEndpoint(now: number): number {
    return this.#doors.openEndpoint(now);
  }

  listen(endpoint: number, config: number): number {
    return this.#doors.listenEndpoint(endpoint, config);
  }

  drainEndpoint(endpoint: number): number {
    return this.#doors.drainEndpoint(endpoint);
  }

  closeEndpoint(endpoint: number): number {
    return this.#doors.closeEndpoint(endpoint);
  }

  connectionCount(endpoint: number): number {
    return this.#doors.endpointConnections(endpoint);
  }

  /** Hands over the batch from `offset` on; answers how much was taken, or a status. */
  receive(endpoint: number, offset: number, now: number): number {
    return this.#doors.receiveDatagrams(endpoint, offset, this.batch.length - offset, now);
  }

  /** Hands over datagrams that lie in the receive region; answers how many of the `length` bytes were taken, or a status. */
  receiveRegion(endpoint: number, offset: number, length: number, now: number): number {
    return this.#doors.receiveDatagrams(endpoint, offset, length, now);
  }

  /**
   * Datagrams to send, copied out of the engine's memory; null when there are none. To be called until then. Who is through with a
   * batch may give it back (`transmitBuffers.release`).
   */
  pollBatch(endpoint: number, now: number): TransmitBatch | null {
    const len = this.#doors.pollDatagrams(endpoint, now);
    if (len <= 0) return null;
    return this.transmitBuffers.copy(this.#memory.bytes.subarray(this.#transmitPtr, this.#transmitPtr + len));
  }

  /** Visits datagrams to send; answers whether there were any. To be called until there are none. */
  poll(endpoint: number, now: number, visit: DatagramVisitor): boolean {
    const len = this.#doors.pollDatagrams(endpoint, now);
    if (len <= 0) return false;
    visitBatch(this.#memory.bytes, this.#transmitPtr, len, visit);
    return true;
  }

  /** A connection's handle, or a status. */
  connect(endpoint: number, config: number, target: QuicTarget, now: number): number {
    const isAddress = typeof target.serverName !== "string";
    const name = isAddress ? target.serverName : latin1(target.serverName);
    const ticket = target.ticket ?? new Uint8Array();
    const token = target.token ?? new Uint8Array();
    const head = new Uint8Array(ADDRESS_BYTES + 20);
    head.set(target.address);
    const words = new DataView(head.buffer, ADDRESS_BYTES);
    [target.local ?? 0, name.length, ticket.length, token.length, isAddress ? 1 : 0].forEach(
      (value, index) => {
        words.setUint32(4 * index, value, true);
      },
    );
    const len = this.#write(0, concat([head, name, ticket, token]));
    return this.#doors.connectQuic(endpoint, config, this.#commandPtr, len, now);
  }

  answer(connection: number, bytes: Uint8Array, now: number): number {
    return this.#doors.answerQuic(connection, this.#commandPtr, this.#write(0, bytes), now);
  }

  /** Answers VERIFY: how many signatures hold. */
  answerVerify(connection: number, validCount: number, now: number): number {
    return this.answer(connection, Uint8Array.of(validCount, 0, 0, 0), now);
  }

  fail(connection: number, now: number): number {
    return this.#doors.failQuic(connection, now);
  }

  close(connection: number, code: bigint, reason: string, now: number): number {
    const bytes = new TextEncoder().encode(reason).subarray(0, 256);
    const len = this.#write(0, bytes);
    return this.#doors.closeQuic(connection, low(code), high(code), this.#commandPtr, len, now);
  }

  ping(connection: number, now: number): number {
    return this.#doors.pingQuic(connection, now);
  }

  updateKeys(connection: number): number {
    return this.#doors.updateQuicKeys(connection);
  }

  /** Has the peer retire every connection ID of ours but the newest (RFC 9000 §5.1.2). */
  retireIds(connection: number): number {
    return this.#doors.retireQuicIds(connection);
  }

  migrate(connection: number, local: number, now: number): number {
    return this.#doors.migrateQuic(connection, local, now);
  }

  /** By QuicStat; null when the handle is stale. */
  stats(connection: number): Float64Array | null {
    if (this.#doors.quicStats(connection, this.#commandPtr) < 0) return null;
    const at = this.#commandPtr >>> 3;
    return this.#memory.doubles.slice(at, at + QuicStat.COUNT);
  }

  /** Keying material (RFC 8446 §7.5); null before the handshake is complete. */
  exportKey(connection: number, label: string, context: Uint8Array, length: number): Uint8Array | null {
    const labelLen = this.#write(0, latin1(label));
    this.#write(labelLen, context);
    const dest = this.#commandPtr + labelLen + context.length;
    const status = this.#doors.exportQuicKey(
      connection,
      this.#commandPtr,
      labelLen,
      context.length,
      dest,
      length,
    );
    return status < 0 ? null : this.#memory.bytes.slice(dest, dest + length);
  }

  /** A stream's handle, or WOULD_BLOCK. */
  openStream(connection: number, isUnidirectional: boolean): number {
    return this.#doors.openStream(connection, isUnidirectional ? 1 : 0);
  }

  streamId(stream: number): number {
    return this.#doors.streamId(stream);
  }

  /** Answers how many of the bytes were taken, from the first: fewer when buffers are full, and WRITABLE follows. */
  writeStream(connection: number, stream: number, bytes: Uint8Array, isFin: boolean, now: number): number {
    let total = 0;
    for (;;) {
      const part = bytes.subarray(total, total + this.#commandLen);
      this.#memory.bytes.set(part, this.#commandPtr);
      const isLast = total + part.length === bytes.length;
      const fin = isFin && isLast ? 1 : 0;
      const taken = this.#doors.writeStream(connection, stream, this.#commandPtr, part.length, fin, now);
      if (taken < 0) return taken;
      total += taken;
      if (taken < part.length || isLast) return total;
    }
  }

  /** The bytes at the front of a stream, as a view valid until the next call; empty when there are none now. */
  peekStream(stream: number): Uint8Array {
    const len = this.#doors.peekStream(stream);
    return this.#peeked(len);
  }

  consumeStream(connection: number, stream: number, length: number, now: number): number {
    return this.#doors.consumeStream(connection, stream, length, now);
  }

  isAtEnd(stream: number): boolean {
    return this.#doors.isStreamAtEnd(stream) === 1;
  }

  resetStream(connection: number, stream: number, code: bigint, now: number): number {
    return this.#doors.resetStream(connection, stream, low(code), high(code), now);
  }

  stopStream(connection: number, stream: number, code: bigint, now: number): number {
    return this.#doors.stopStream(connection, stream, low(code), high(code), now);
  }

  releaseStream(stream: number): number {
    return this.#doors.releaseStream(stream);
  }

  prioritize(stream: number, urgency: number, isIncremental: boolean): number {
    return this.#doors.prioritizeStream(stream, urgency, isIncremental ? 1 : 0);
  }

  sendDatagram(connection: number, bytes: Uint8Array, now: number): number {
    if (bytes.length > this.#commandLen) return Status.INVALID_ARGUMENT;
    return this.#doors.sendDatagram(connection, this.#commandPtr, this.#write(0, bytes), now);
  }

  /** A copy of the datagram that arrived first, taken from the queue; null when there is none. */
  readDatagram(connection: number): Uint8Array | null {
    const len = this.#doors.peekDatagram(connection);
    if (len < 0) return null;
    const datagram = this.#peeked(len).slice();
    this.#doors.consumeDatagram(connection);
    return datagram;
  }

  #peeked(len: number): Uint8Array {
    if (len <= 0) return this.#memory.bytes.subarray(0, 0);
    const ptr = this.#doors.peekedPtr();
    return this.#memory.bytes.subarray(ptr, ptr + len);
  }

  /** Writes into the command region; answers the length. Throws a RangeError when it does not fit. */
  #write(offset: number, bytes: Uint8Array): number {
    if (offset + bytes.length > this.#commandLen)
      throw new RangeError(
        `${offset + bytes.length} bytes do not fit a command; there is room for ${this.#commandLen}`,
      );
    this.#memory.bytes.set(bytes, this.#commandPtr + offset);
    return bytes.length;
  }
}

function low(code: bigint): number {
  return Number(code & 0xffff_ffffn);
}

function high(code: bigint): number {
  return Number(code >> 32n);
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function prefixed(texts: readonly string[]): Uint8Array {
  return concat(texts.flatMap((text) => [Uint8Array.of(text.length), latin1(text)]));
}

function big24(value: number): Uint8Array {
  return Uint8Array.of(value >>> 16, value >>> 8, value);
}

function little16(values: readonly number[]): Uint8Array {
  return Uint8Array.from(values.flatMap((value) => [value & 0xff, value >>> 8]));
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
