// Initial packets, whose keys everybody knows (RFC 9001 §5.2): taken apart, changed and sealed again.

import { varint } from "../../fuzz/quic_frames.ts";
import { crypto, readFrames } from "./frames.ts";
import { PacketKeys } from "./packet_keys.ts";

const VERSION_1 = Buffer.of(0, 0, 0, 1);
const TAG_BYTES = 16;
const NUMBER_BYTES = 4;
export const INITIAL_BYTES = 1200;
/** RFC 9001 §8.2. */
const QUIC_TRANSPORT_PARAMETERS = 0x39;

export interface Initial {
  readonly destination: Uint8Array;
  readonly source: Uint8Array;
  readonly token?: Uint8Array;
  readonly payload: Uint8Array;
  readonly number?: number;
}

/** A datagram with an Initial of a client, padded to `length`. */
export function sealInitial(initial: Initial, length = INITIAL_BYTES): Buffer {
  const { destination, source, token = Buffer.alloc(0), payload, number = 0 } = initial;
  const head = Buffer.concat([
    Buffer.of(0xc0 | (NUMBER_BYTES - 1)),
    VERSION_1,
    Buffer.of(destination.length),
    destination,
    Buffer.of(source.length),
    source,
    varint(BigInt(token.length)),
    token,
  ]);
  const padded = Buffer.alloc(Math.max(payload.length, length - head.length - 2 - NUMBER_BYTES - TAG_BYTES));
  padded.set(payload);
  const header = Buffer.concat([
    head,
    varint(BigInt(NUMBER_BYTES + padded.length + TAG_BYTES), 2),
    Buffer.alloc(NUMBER_BYTES),
  ]);
  return PacketKeys.initial(destination).client.seal(header, number, padded);
}

export interface OpenedInitial {
  readonly destination: Buffer;
  readonly source: Buffer;
  readonly token: Buffer;
  readonly payload: Buffer;
  /** Length of the packet. */
  readonly length: number;
}

/** Takes the Initial at the beginning of a datagram apart; null when it is none, or none under these keys. */
export function openInitial(
  datagram: Buffer,
  role: "client" | "server",
  first?: Uint8Array,
): OpenedInitial | null {
  if (((datagram[0] as number) & 0xf0) !== 0xc0 || datagram.readUInt32BE(1) !== 1) return null;
  let at = 5;
  const take = (length: number): Buffer => datagram.subarray(at, (at += length));
  const integer = (): number => {
    const bytes = take(1 << ((datagram[at] as number) >> 6));
    return Number(BigInt(`0x${bytes.toString("hex")}`) & ((1n << BigInt(8 * bytes.length - 2)) - 1n));
  };
  const destination = take(take(1)[0] as number);
  const source = take(take(1)[0] as number);
  const token = take(integer());
  const length = integer() + at;
  const opened = PacketKeys.initial(first ?? destination)[role].open(datagram.subarray(0, length), at);
  return opened === null ? null : { destination, source, token, payload: opened.payload, length };
}

/** The ClientHello in the first flight of a client, which may take several datagrams. */
export function clientHelloOf(flight: readonly Buffer[]): Buffer {
  const parts: { offset: number; data: Buffer }[] = [];
  for (const datagram of flight) {
    const opened = openInitial(datagram, "client");
    for (const { type, values } of opened === null ? [] : readFrames(opened.payload))
      if (type === 0x06) parts.push({ offset: values[0] as number, data: values[1] as Buffer });
  }
  parts.sort((a, b) => a.offset - b.offset);
  return Buffer.concat(parts.map(({ data }) => data));
}

/** The payload of an Initial with a whole ClientHello. */
export function helloPayload(hello: Uint8Array): Buffer {
  return crypto(0, hello);
}

/** Replaces the transport parameters of a ClientHello by what `change` makes of them. */
export function withParameters(hello: Buffer, change: (parameters: Buffer) => Buffer): Buffer {
  // Type and length, version, random, session ID, suites, compression, then the extensions.
  let at = 4 + 2 + 32;
  at += 1 + (hello[at] as number);
  at += 2 + hello.readUInt16BE(at);
  at += 1 + (hello[at] as number);
  const extensionsAt = at + 2;
  const changed: Buffer[] = [];
  for (at = extensionsAt; at < hello.length;) {
    const type = hello.readUInt16BE(at);
    const content = hello.subarray(at + 4, at + 4 + hello.readUInt16BE(at + 2));
    at += 4 + content.length;
    const next = type === QUIC_TRANSPORT_PARAMETERS ? change(content) : content;
    changed.push(Buffer.of(type >> 8, type & 0xff, next.length >> 8, next.length & 0xff), next);
  }
  const extensions = Buffer.concat(changed);
  const whole = Buffer.concat([hello.subarray(0, extensionsAt), extensions]);
  whole.writeUInt16BE(extensions.length, extensionsAt - 2);
  whole.writeUIntBE(whole.length - 4, 1, 3);
  return whole;
}

/** A transport parameter. */
export function parameter(id: number, value: Uint8Array): Buffer {
  return Buffer.concat([varint(BigInt(id)), varint(BigInt(value.length)), value]);
}

/** Transport parameters without one of them. */
export function withoutParameter(parameters: Buffer, id: number): Buffer {
  const kept: Buffer[] = [];
  for (let at = 0; at < parameters.length;) {
    const start = at;
    const [type, length] = [0, 0].map(() => {
      const size = 1 << ((parameters[at] as number) >> 6);
      const bytes = BigInt(`0x${parameters.subarray(at, at + size).toString("hex")}`);
      at += size;
      return Number(bytes & ((1n << BigInt(8 * size - 2)) - 1n));
    }) as [number, number];
    at += length;
    if (type !== id) kept.push(parameters.subarray(start, at));
  }
  return Buffer.concat(kept);
}
