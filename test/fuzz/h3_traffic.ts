// What a peer of HTTP/3 sends that has gone mad: frames, settings, field sections, instructions of QPACK, capsules and datagrams, each right,
// right in the wrong place, damaged, or garbage.

import {
  data,
  Frame,
  frame,
  GET,
  headers,
  POST,
  prefixed,
  section,
  settings,
  Stream,
  varint,
} from "../wire/h3/frames.ts";
import type { Fields } from "../wire/h3/frames.ts";
import type { Random } from "./random.ts";

const CONNECT: Fields = [[":method", "CONNECT"], [":protocol", "webtransport"], ...GET.slice(1)];
const SOCKET: Fields = [
  [":method", "CONNECT"],
  [":protocol", "websocket"],
  ...GET.slice(1),
  ["sec-websocket-version", "13"],
];
const RESPONSES: readonly Fields[] = [
  [[":status", "200"]],
  [[":status", "103"]],
  [
    [":status", "200"],
    ["content-length", "5"],
  ],
  [[":status", "404"]],
];
const REQUESTS: readonly Fields[] = [
  GET,
  POST,
  CONNECT,
  CONNECT,
  SOCKET,
  [...POST, ["content-length", "5"]],
  [...GET, ["priority", "u=1, i"]],
  [...GET, ["x", ""]],
  GET.slice(1),
  [["x-checksum", "1"]],
];
const FRAME_TYPES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 0x21, 0x41, 0xf0700, 0xf0701];
const SETTING_IDS = [0x01, 0x02, 0x06, 0x07, 0x08, 0x33, 0x2b603742, 0xc671706a, 0x14e9cd29, 0x21, 0x4242];
const CAPSULES = [0x00, 0x00, 0x2843, 0x78ae, 0x21, 0x190b4d3d];
/** Numbers at which lengths and identifiers change their form. */
const EDGES = [0n, 1n, 3n, 4n, 63n, 64n, 16383n, 16384n, 1n << 30n, 1n << 60n, (1n << 62n) - 1n];

export function someNumber(random: Random): bigint {
  return random.oneIn(3) ? random.pick(EDGES) : BigInt(random.below(40));
}

/** Now and then with a byte that is another, that is missing, or twice there. */
export function perhapsDamaged(random: Random, bytes: Buffer, often = 8): Buffer {
  if (!random.oneIn(often) || bytes.length === 0) return bytes;
  const copy = Buffer.from(bytes);
  const at = random.below(copy.length);
  switch (random.below(4)) {
    case 0:
      copy[at] = random.next() & 0xff;
      return copy;
    case 1:
      return copy.subarray(0, at);
    case 2:
      return Buffer.concat([copy.subarray(0, at), copy.subarray(at + 1)]);
    default:
      return Buffer.concat([copy.subarray(0, at), random.bytes(1 + random.below(4)), copy.subarray(at)]);
  }
}

/** What follows the type on the control stream. */
export function controlFrame(random: Random): Buffer {
  switch (random.below(6)) {
    case 0:
      return frame(Frame.goaway, varint(someNumber(random)));
    case 1:
      return frame(Frame.maxPushId, varint(someNumber(random)));
    case 2: {
      const value = Buffer.from(random.pick(["u=0", "u=7,i", "", "u=9", "x;y", "i=?0"]));
      return frame(Frame.priorityUpdate, Buffer.concat([varint(random.below(12) * 4), value]));
    }
    case 3:
      return frame(0x21 + 0x1f * random.below(3), random.bytes(random.below(40)));
    case 4:
      return frame(Frame.cancelPush, varint(someNumber(random)));
    default:
      return frame(random.pick(FRAME_TYPES), random.bytes(random.below(30)));
  }
}

export function someSettings(random: Random): Buffer {
  const right = settings([0x01, 4096], [0x07, 16], [0x08, 1], [0x33, 1], [0x2b603742, 1]);
  if (!random.oneIn(3)) return right;
  const pairs = Array.from({ length: random.below(6) }, (): [number, bigint] => [
    random.pick(SETTING_IDS),
    someNumber(random),
  ]);
  return perhapsDamaged(random, settings(...pairs), 4);
}

/** Instructions of an encoder: capacity, insertions, duplicates. RFC 9204 §4.3. */
export function encoderInstruction(random: Random): Buffer {
  const text = Buffer.from("x".repeat(random.below(30)));
  switch (random.below(5)) {
    case 0:
      return prefixed(0x20, 5, random.oneIn(4) ? 100_000 : random.below(4097));
    case 1:
      return Buffer.concat([
        prefixed(0x80 | (random.below(2) << 6), 6, random.below(100)),
        prefixed(0, 7, text.length),
        text,
      ]);
    case 2:
      return Buffer.concat([prefixed(0x40, 5, text.length), text, prefixed(0, 7, text.length), text]);
    case 3:
      return prefixed(0, 5, random.below(5));
    default:
      return random.bytes(random.below(12));
  }
}

/** Acknowledgments, cancellations, increments. RFC 9204 §4.4. */
export function decoderInstruction(random: Random): Buffer {
  const first = random.pick([0x80, 0x40, 0x00]);
  return prefixed(first, first === 0x80 ? 7 : 6, random.below(12) * (first === 0 ? 1 : 4));
}

function capsule(random: Random): Buffer {
  const type = random.pick(CAPSULES);
  const length = random.oneIn(10) ? 4000 + random.below(200) : random.below(12);
  return perhapsDamaged(random, frame(type, random.bytes(type === 0x78ae ? 0 : length)));
}

/** A field section: literals, or references to a table that may not be there. */
function someSection(random: Random, isServer: boolean): Buffer {
  if (random.oneIn(6)) {
    const count = random.below(6);
    const lines = Array.from({ length: 1 + random.below(4) }, () => prefixed(0x80, 6, random.below(6)));
    return Buffer.concat([prefixed(0, 8, count), prefixed(0, 7, random.below(3)), ...lines]);
  }
  return section(random.pick(isServer ? REQUESTS : RESPONSES));
}

/** Of a request's stream. */
export function requestFrame(random: Random, isServer: boolean): Buffer {
  switch (random.below(9)) {
    case 0:
    case 1:
      return perhapsDamaged(random, frame(Frame.headers, someSection(random, isServer)));
    case 2:
      return headers([["x-trailer", "1"]]);
    case 3:
      return data(random.bytes(random.below(300)));
    case 4:
    case 5:
      return data(Buffer.concat(Array.from({ length: 1 + random.below(3) }, () => capsule(random))));
    case 6:
      return frame(0x21 + 0x1f * random.below(3), random.bytes(random.below(40)));
    case 7:
      return frame(random.pick(FRAME_TYPES), random.bytes(random.below(30)));
    default:
      return Buffer.concat([varint(random.pick(FRAME_TYPES)), varint(someNumber(random))]);
  }
}

/** The beginning of a unidirectional stream. */
export function uniBeginning(random: Random): Buffer {
  switch (random.below(6)) {
    case 0:
      return varint(Stream.encoder);
    case 1:
      return varint(Stream.decoder);
    case 2:
    case 3:
      return Buffer.concat([varint(Stream.webTransport), varint(random.below(6) * 4)]);
    case 4:
      return Buffer.concat([varint(Stream.webTransport), varint(someNumber(random))]);
    default:
      return varint(someNumber(random));
  }
}

export function sessionBeginning(random: Random): Buffer {
  const id = random.oneIn(5) ? someNumber(random) : BigInt(random.below(6) * 4);
  return Buffer.concat([varint(Frame.webTransport), varint(id), random.bytes(random.below(20))]);
}

export function httpDatagram(random: Random): Buffer {
  const quarter = random.oneIn(6) ? someNumber(random) : BigInt(random.below(6));
  return perhapsDamaged(random, Buffer.concat([varint(quarter), random.bytes(random.below(100))]));
}
