// Bytes of QUIC for the fuzzer, made whole so that damage gets deep: frames, headers and transport parameters by their shape.

import type { Random } from "./random.ts";

/**
 * What follows a frame's type, RFC 9000 §19: i a varint, L bytes behind their length as a varint, C a connection ID behind its length
 * as a byte, R what is left of the packet, A ranges of an ACK behind their count, numbers that many bytes.
 */
const shapes: readonly (readonly [type: number, ...parts: readonly (string | number)[]])[] = [
  [0x00],
  [0x01],
  [0x02, "i", "i", "A"],
  [0x03, "i", "i", "A", "i", "i", "i"],
  [0x04, "i", "i", "i"],
  [0x05, "i", "i"],
  [0x06, "i", "L"],
  [0x07, "L"],
  [0x08, "i", "R"],
  [0x0a, "i", "L"],
  [0x0b, "i", "L"],
  [0x0c, "i", "i", "R"],
  [0x0e, "i", "i", "L"],
  [0x0f, "i", "i", "L"],
  [0x10, "i"],
  [0x11, "i", "i"],
  [0x12, "i"],
  [0x13, "i"],
  [0x14, "i"],
  [0x15, "i", "i"],
  [0x16, "i"],
  [0x17, "i"],
  [0x18, "i", "i", "C", 16],
  [0x19, "i"],
  [0x1a, 8],
  [0x1b, 8],
  [0x1c, "i", "i", "L"],
  [0x1d, "i", "L"],
  [0x1e],
  [0x30, "R"],
  [0x31, "L"],
];

const EDGES = [0n, 1n, 63n, 64n, 16383n, 16384n, (1n << 30n) - 1n, 1n << 30n, 1n << 60n, (1n << 62n) - 1n];

/** A variable-length integer in at least as many bytes as it needs. */
export function varint(value: bigint, least = 1): Buffer {
  const needed = value < 64n ? 1 : value < 16384n ? 2 : value < 1n << 30n ? 4 : 8;
  const length = Math.max(needed, least);
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value | (BigInt(Math.log2(length)) << BigInt(8 * length - 2)));
  return bytes.subarray(8 - length);
}

export function anyVarint(random: Random): Buffer {
  const value = random.oneIn(3) ? random.pick(EDGES) : BigInt(random.next()) % BigInt(1 << random.below(20));
  return varint(value, random.oneIn(4) ? random.pick([2, 4, 8]) : 1);
}

function withLength(bytes: Buffer): Buffer {
  return Buffer.concat([varint(BigInt(bytes.length)), bytes]);
}

export function connectionId(random: Random): Buffer {
  return random.bytes(random.oneIn(8) ? random.below(256) : random.below(21));
}

function part(random: Random, kind: string | number): Buffer {
  if (typeof kind === "number") return random.bytes(kind);
  switch (kind) {
    case "L":
      return withLength(random.bytes(random.below(random.oneIn(10) ? 2000 : 40)));
    case "C": {
      const id = connectionId(random);
      return Buffer.concat([Buffer.of(id.length), id]);
    }
    case "R":
      return random.bytes(random.below(100));
    case "A": {
      const count = random.below(random.oneIn(10) ? 300 : 5);
      const numbers = Array.from({ length: 2 * count + 1 }, () => varint(BigInt(random.below(9))));
      return Buffer.concat([varint(BigInt(count)), ...numbers]);
    }
    default:
      return anyVarint(random);
  }
}

/** One to twelve frames. An ACK's largest number is raised so that its ranges fit, most of the time. */
export function frames(random: Random): Buffer {
  const made: Buffer[] = [];
  for (let left = 1 + random.below(12); left > 0; left--) {
    const [type, ...parts] = random.pick(shapes);
    made.push(varint(BigInt(type), random.oneIn(30) ? 2 : 1));
    const isAck = type === 0x02 || type === 0x03;
    parts.forEach((kind, index) => {
      const isLargest = isAck && index === 0 && !random.oneIn(4);
      made.push(isLargest ? varint(5000n + BigInt(random.below(100))) : part(random, kind));
    });
  }
  return Buffer.concat(made);
}

const VERSIONS = [0x00000001, 0x6b3343cf, 0x00000000, 0x1a2a3a4a];

/** A datagram of up to four packets, the last of which may have a short header. */
export function datagram(random: Random, localIdLen: number): Buffer {
  const destination = random.oneIn(3) ? connectionId(random) : random.bytes(localIdLen);
  const made: Buffer[] = [];
  for (let left = random.below(4); left > 0; left--) {
    made.push(longPacket(random, random.oneIn(6) ? connectionId(random) : destination));
  }
  if (random.oneIn(2))
    made.push(Buffer.of(0x40 | random.below(64)), destination, random.bytes(random.below(60)));
  if (random.oneIn(4)) made.push(Buffer.alloc(random.below(1200)));
  return Buffer.concat([...made, Buffer.of(random.next() & 0xff)]);
}

function longPacket(random: Random, destination: Buffer): Buffer {
  const source = connectionId(random);
  const head = Buffer.alloc(5);
  head[0] = 0xc0 | random.below(64);
  head.writeUInt32BE(random.oneIn(5) ? random.pick(VERSIONS) : random.pick(VERSIONS.slice(0, 2)), 1);
  const token = random.oneIn(2) ? withLength(random.bytes(random.below(80))) : Buffer.alloc(0);
  const ids = [Buffer.of(destination.length), destination, Buffer.of(source.length), source];
  return Buffer.concat([head, ...ids, token, withLength(random.bytes(random.below(80)))]);
}

const PARAMETER_IDS = Array.from({ length: 0x12 }, (_, id) => BigInt(id)).concat(
  0x20n,
  0x2ab2n,
  27n,
  1n << 61n,
);

/** Transport parameters, RFC 9000 §18, with those that are required, most of the time. */
export function parameters(random: Random): Buffer {
  const ids = random.oneIn(8) ? [] : [0x00n, 0x0fn];
  for (let left = random.below(12); left > 0; left--) {
    const id = random.pick(PARAMETER_IDS);
    if (random.oneIn(20) || !ids.includes(id)) ids.push(id);
  }
  return Buffer.concat(ids.flatMap((id) => [varint(id), withLength(parameterValue(random, Number(id)))]));
}

function parameterValue(random: Random, id: number): Buffer {
  switch (id) {
    case 0x00:
    case 0x0f:
    case 0x10:
      return random.bytes(random.below(21));
    case 0x02:
      return random.bytes(16);
    case 0x0c:
    case 0x2ab2:
      return Buffer.alloc(0);
    case 0x0d: {
      const connection = random.bytes(1 + random.below(20));
      return Buffer.concat([random.bytes(24), Buffer.of(connection.length), connection, random.bytes(16)]);
    }
    case 0x11: {
      const chosen = Buffer.from("00000001", "hex");
      return Buffer.concat([chosen, chosen, Buffer.from("6b3343cf", "hex").subarray(0, random.pick([0, 4]))]);
    }
    case 0x03:
      return varint(1200n + BigInt(random.below(5000)));
    case 0x0a:
      return varint(BigInt(random.below(21)));
    case 0x0e:
      return varint(2n + BigInt(random.below(9)));
    default:
      return random.oneIn(2) ? varint(BigInt(random.below(16384))) : anyVarint(random);
  }
}

/** A damaged copy: a byte or a bit changed, bytes cut out, doubled or put in, a varint at its edge, or the end cut off. */
export function damaged(random: Random, bytes: Buffer): Buffer {
  const at = random.below(bytes.length + 1);
  const before = bytes.subarray(0, at);
  switch (random.below(6)) {
    case 0:
      return Buffer.concat([before, Buffer.of(random.next() & 0xff), bytes.subarray(at + 1)]);
    case 1:
      return Buffer.concat([
        before,
        Buffer.of((bytes[at] ?? 0) ^ (1 << random.below(8))),
        bytes.subarray(at + 1),
      ]);
    case 2:
      return Buffer.concat([before, bytes.subarray(at + 1 + random.below(20))]);
    case 3:
      return Buffer.concat([before, bytes.subarray(Math.max(0, at - random.below(20)))]);
    case 4:
      return Buffer.concat([before, anyVarint(random), bytes.subarray(at + 1)]);
    default:
      return Buffer.from(before);
  }
}
