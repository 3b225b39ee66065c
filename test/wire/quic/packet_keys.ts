// Packet protection of RFC 9001 §5 by node:crypto, with AES-128-GCM: what a test seals and opens packets with, apart from the engine.

import { createCipheriv, createDecipheriv, createHmac } from "node:crypto";

const TAG_BYTES = 16;
const SAMPLE_BYTES = 16;
/** RFC 9001 §5.2. */
const INITIAL_SALT = Buffer.from("38762cf7f55934b34d179ae6a4c80cadccbb7f0a", "hex");

/** HKDF-Expand-Label with SHA-256, RFC 8446 §7.1, for outputs of at most 32 bytes. */
export function expandLabel(secret: Uint8Array, label: string, length: number): Buffer {
  const full = Buffer.from(`tls13 ${label}`, "latin1");
  const info = Buffer.concat([Buffer.of(length >> 8, length & 0xff, full.length), full, Buffer.of(0, 1)]);
  return createHmac("sha256", secret).update(info).digest().subarray(0, length);
}

/** A packet that was opened. */
export interface OpenedPacket {
  readonly number: number;
  readonly payload: Buffer;
  readonly firstByte: number;
}

/** The keys of one direction at one level. */
export class PacketKeys {
  readonly secret: Buffer;
  readonly #key: Buffer;
  readonly #iv: Buffer;
  readonly #mask: Buffer;

  /** `headerKey` is that of the first keys: a key update keeps it (RFC 9001 §6). */
  constructor(secret: Uint8Array, headerKey?: Buffer) {
    this.secret = Buffer.from(secret);
    this.#key = expandLabel(secret, "quic key", 16);
    this.#iv = expandLabel(secret, "quic iv", 12);
    this.#mask = headerKey ?? expandLabel(secret, "quic hp", 16);
  }

  /** Client's and server's keys of Initial packets to this destination. */
  static initial(destination: Uint8Array): { client: PacketKeys; server: PacketKeys } {
    // HKDF-Extract is what HMAC makes of the salt and the ID.
    const initial = createHmac("sha256", INITIAL_SALT).update(destination).digest();
    return {
      client: new PacketKeys(expandLabel(initial, "client in", 32)),
      server: new PacketKeys(expandLabel(initial, "server in", 32)),
    };
  }

  /** The next generation, RFC 9001 §6.1. */
  next(): PacketKeys {
    return new PacketKeys(expandLabel(this.secret, "quic ku", 32), this.#mask);
  }

  /** Seals `payload` behind `header`, whose last four bytes become the packet number. */
  seal(header: Uint8Array, number: number, payload: Uint8Array): Buffer {
    const head = Buffer.from(header);
    head.writeUInt32BE(number >>> 0, head.length - 4);
    const cipher = createCipheriv("aes-128-gcm", this.#key, this.#nonce(number));
    cipher.setAAD(head);
    const packet = Buffer.concat([head, cipher.update(payload), cipher.final(), cipher.getAuthTag()]);
    this.#applyMask(packet, head.length - 4, 4);
    return packet;
  }

  /** Opens a packet whose number begins at `numberAt`, after one with the number `largest`; null when it is not genuine. */
  open(bytes: Uint8Array, numberAt: number, largest = -1): OpenedPacket | null {
    const packet = Buffer.from(bytes);
    if (packet.length < numberAt + 4 + SAMPLE_BYTES) return null;
    const numberLength = this.#applyMask(packet, numberAt);
    const number = expand(packet.readUIntBE(numberAt, numberLength), 256 ** numberLength, largest + 1);
    const headLength = numberAt + numberLength;
    const decipher = createDecipheriv("aes-128-gcm", this.#key, this.#nonce(number));
    decipher.setAAD(packet.subarray(0, headLength));
    decipher.setAuthTag(packet.subarray(packet.length - TAG_BYTES));
    const payload = decipher.update(packet.subarray(headLength, packet.length - TAG_BYTES));
    try {
      decipher.final();
    } catch {
      return null;
    }
    return { number, payload, firstByte: packet[0] as number };
  }

  #nonce(number: number): Buffer {
    const nonce = Buffer.from(this.#iv);
    nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ (number >>> 0)) >>> 0, 8);
    return nonce;
  }

  /** Masks, or unmasks, in place; answers the length of the number, which a masked packet does not tell before. */
  #applyMask(packet: Buffer, numberAt: number, knownLength?: number): number {
    const cipher = createCipheriv("aes-128-ecb", this.#mask, null);
    const mask = cipher.update(packet.subarray(numberAt + 4, numberAt + 4 + SAMPLE_BYTES));
    const isLong = ((packet[0] as number) & 0x80) !== 0;
    packet[0] = (packet[0] as number) ^ ((mask[0] as number) & (isLong ? 0x0f : 0x1f));
    const length = knownLength ?? (packet[0] & 0x03) + 1;
    for (let index = 0; index < length; index++)
      packet[numberAt + index] = (packet[numberAt + index] as number) ^ (mask[1 + index] as number);
    return length;
  }
}

/** RFC 9000 §A.3: the number that ends in `truncated`, out of a window around the one that is expected. */
function expand(truncated: number, window: number, expected: number): number {
  const near = expected - (expected % window) + truncated;
  if (near <= expected - window / 2) return near + window;
  return near > expected + window / 2 && near >= window ? near - window : near;
}
