// Datagrams in batches, as they go into the engine and come out of it (assembly/abi/quic.ts).

import { ADDRESS_BYTES, AddressFamily, DatagramRecord } from "../../assembly/abi/quic.ts";

export { ADDRESS_BYTES };

/** The length of the datagram in the record at `at`. */
export function datagramLengthAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at + DatagramRecord.LENGTH] as number) | ((bytes[at + DatagramRecord.LENGTH + 1] as number) << 8)
  );
}

/** The length of the record at `at`, with what fills it up. */
export function recordLengthAt(bytes: Uint8Array, at: number): number {
  return aligned(DatagramRecord.PAYLOAD + datagramLengthAt(bytes, at));
}

/** Gathers datagrams in the receive region. */
export class ReceiveBatch {
  readonly #bytes: Uint8Array;
  #len = 0;

  /** `region` is the engine's receive region. */
  constructor(region: Uint8Array) {
    this.#bytes = region;
  }

  /** Bytes of the batch so far. */
  get length(): number {
    return this.#len;
  }

  /** Whether a datagram of that length fits. */
  fits(length: number): boolean {
    return this.#len + DatagramRecord.PAYLOAD + length + DatagramRecord.ALIGNMENT <= this.#bytes.length;
  }

  /** Adds a datagram that fits, from a peer at `address` (encodeAddress). */
  add(payload: Uint8Array, address: Uint8Array, local = 0, ecn = 0): void {
    const at = this.#len;
    const bytes = this.#bytes;
    // Whole records are written, what is unused too, so that the same datagrams are the same bytes. A loop is faster than a call.
    for (let unused = at + DatagramRecord.LOCAL; unused < at + DatagramRecord.PAYLOAD; unused++)
      bytes[unused] = 0;
    bytes[at + DatagramRecord.ECN + 1] = 0;
    bytes[at + DatagramRecord.LENGTH] = payload.length;
    bytes[at + DatagramRecord.LENGTH + 1] = payload.length >>> 8;
    bytes[at + DatagramRecord.ECN] = ecn;
    bytes.set(address, at + DatagramRecord.ADDRESS);
    bytes[at + DatagramRecord.LOCAL] = local;
    bytes.set(payload, at + DatagramRecord.PAYLOAD);
    this.#len = aligned(at + DatagramRecord.PAYLOAD + payload.length);
  }

  clear(): void {
    this.#len = 0;
  }
}

/**
 * A datagram to send: views into the transmit region, valid until the engine is called again. `address` is the same object as the
 * call before had where its bytes are the same, so that what was made of it can be kept.
 */
export type DatagramVisitor = (
  payload: Uint8Array,
  address: Uint8Array,
  local: number,
  isLast: boolean,
) => void;

/** Visits the datagrams of a batch that was polled into [ptr, ptr + len). */
export function visitBatch(bytes: Uint8Array, ptr: number, len: number, visit: DatagramVisitor): void {
  let address: Uint8Array | null = null;
  for (let at = ptr; at < ptr + len;) {
    const size = datagramLengthAt(bytes, at);
    const addressAt = at + DatagramRecord.ADDRESS;
    const payloadAt = at + DatagramRecord.PAYLOAD;
    if (address === null || !isAddressAt(bytes, addressAt, address))
      address = bytes.subarray(addressAt, addressAt + ADDRESS_BYTES);
    const local = bytes[at + DatagramRecord.LOCAL] as number;
    at = aligned(payloadAt + size);
    visit(bytes.subarray(payloadAt, payloadAt + size), address, local, at >= ptr + len);
  }
}

/** The end of at most `most` of the records that lie in [at, end), of which there is one at least. */
export function recordsEnd(bytes: Uint8Array, at: number, end: number, most: number): number {
  let next = at;
  for (let count = 0; count < most && next < end; count++) {
    const size =
      (bytes[next + DatagramRecord.LENGTH] as number) |
      ((bytes[next + DatagramRecord.LENGTH + 1] as number) << 8);
    next = aligned(next + DatagramRecord.PAYLOAD + size);
  }
  return next;
}

/** Whether the address that lies there is this one. */
export function isAddressAt(bytes: Uint8Array, at: number, address: Uint8Array): boolean {
  for (let index = 0; index < ADDRESS_BYTES; index++) {
    if (bytes[at + index] !== address[index]) return false;
  }
  return true;
}

/** A batch of this size or more is worth a buffer that is used again: making one of it costs more than copying to it. */
const LARGE_BYTES = 16 * 1024;
/** Buffers that are kept; more batches than that are not on their way at once. */
const SPARE_MOST = 4;

/** Buffers for batches on their way out. */
export class TransmitBuffers {
  readonly #bytes: number;
  readonly #spare: Uint8Array[] = [];

  /** `bytes` is the most that a batch has. */
  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /** Copies a batch. */
  copy(batch: Uint8Array): TransmitBatch {
    if (batch.length < LARGE_BYTES) return new TransmitBatch(batch.slice(), batch.length);
    const buffer = this.#spare.pop() ?? new Uint8Array(this.#bytes);
    buffer.set(batch);
    return new TransmitBatch(buffer, batch.length);
  }

  /** Nobody reads the batch any more, whose bytes are used again. */
  release({ bytes }: TransmitBatch): void {
    if (this.#spare.length < SPARE_MOST) this.#spare.push(bytes);
  }
}

/** Datagrams to send, in bytes of their own. */
export class TransmitBatch {
  readonly bytes: Uint8Array;
  readonly #len: number;

  constructor(bytes: Uint8Array, len: number) {
    this.bytes = bytes;
    this.#len = len;
  }

  /** Whether the bytes are used again once the batch is released. */
  get isReused(): boolean {
    return this.bytes.length > this.#len;
  }

  visit(visitor: DatagramVisitor): void {
    visitBatch(this.bytes, 0, this.#len, visitor);
  }
}

function aligned(length: number): number {
  return (length + DatagramRecord.ALIGNMENT - 1) & -DatagramRecord.ALIGNMENT;
}

/** An IP address and port as the engine's 20 bytes. Throws a RangeError when the address is none. */
export function encodeAddress(host: string, port: number): Uint8Array {
  const address = new Uint8Array(ADDRESS_BYTES);
  address[2] = port >>> 8;
  address[3] = port;
  const bytes = parseIp(host);
  address[0] = bytes.length === 4 ? AddressFamily.IPV4 : AddressFamily.IPV6;
  address.set(bytes, 4);
  return address;
}

/** The 4 or 16 bytes of an IP address. Throws a RangeError when it is none. */
export function parseIp(host: string): number[] {
  const bytes = host.includes(":") ? parseIpv6(host) : parseIpv4(host);
  if (bytes === null) throw new RangeError(`"${host}" is not an IP address`);
  return bytes;
}

function parseIpv4(text: string): number[] | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return null;
  return parts.map(Number);
}

function parseIpv6(text: string): number[] | null {
  // A zone names an interface of this machine and is no part of the address.
  let address = text.split("%", 1)[0] as string;
  const embedded = /(^|:)(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  if (embedded !== null) {
    const v4 = parseIpv4(embedded[2] as string);
    if (v4 === null) return null;
    const [a, b, c, d] = v4 as [number, number, number, number];
    const words = [((a << 8) | b).toString(16), ((c << 8) | d).toString(16)];
    address = address.slice(0, address.length - (embedded[2] as string).length) + words.join(":");
  }
  const halves = address.split("::");
  if (halves.length > 2) return null;
  const groups = halves.map((half) => (half === "" ? [] : half.split(":")));
  const count = groups.reduce((sum, half) => sum + half.length, 0);
  if (halves.length === 1 ? count !== 8 : count > 7) return null;
  const all = [...(groups[0] as string[]), ...(Array(8 - count).fill("0") as string[]), ...(groups[1] ?? [])];
  if (!all.every((group) => /^[\da-f]{1,4}$/i.test(group))) return null;
  return all.flatMap((group) => [Number.parseInt(group, 16) >>> 8, Number.parseInt(group, 16) & 0xff]);
}

/** The address in the engine's 20 bytes, as the runtime writes it. */
export function decodeAddress(address: Uint8Array): { host: string; port: number; family: 4 | 6 } {
  const port = ((address[2] as number) << 8) | (address[3] as number);
  if (address[0] === AddressFamily.IPV4) return { host: address.subarray(4, 8).join("."), port, family: 4 };
  const groups: string[] = [];
  for (let at = 4; at < ADDRESS_BYTES; at += 2) {
    groups.push((((address[at] as number) << 8) | (address[at + 1] as number)).toString(16));
  }
  return { host: groups.join(":"), port, family: 6 };
}
