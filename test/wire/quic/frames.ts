// Frames of RFC 9000 §19, written and taken apart by tests: nothing here is checked, so that a test can write what nobody may send.

import { varint } from "../../fuzz/quic_frames.ts";

const PARTS = 2;

/** Integers as varints, bytes as they are. */
export function frame(type: number, ...parts: readonly (number | bigint | Uint8Array)[]): Buffer {
  return Buffer.concat([
    varint(BigInt(type)),
    ...parts.map((part) => (part instanceof Uint8Array ? part : varint(BigInt(part)))),
  ]);
}

export const padding = (length: number): Buffer => Buffer.alloc(length);
export const ping = (): Buffer => frame(0x01);
/** Acknowledges from `largest` down to `largest - first`. */
export const ack = (largest: number, first = 0): Buffer => frame(0x02, largest, 0, 0, first);
export const resetStream = (id: number, code: number, finalSize: number | bigint): Buffer =>
  frame(0x04, id, code, finalSize);
export const stopSending = (id: number, code: number): Buffer => frame(0x05, id, code);
export const crypto = (offset: number | bigint, data: Uint8Array): Buffer =>
  frame(0x06, offset, data.length, data);
export const stream = (
  id: number | bigint,
  offset: number | bigint,
  data: Uint8Array,
  isFin = false,
): Buffer => frame(isFin ? 0x0f : 0x0e, id, offset, data.length, data);
export const newConnectionId = (sequence: number, retirePriorTo: number, id: Uint8Array): Buffer =>
  frame(0x18, sequence, retirePriorTo, Buffer.of(id.length), id, Buffer.alloc(16, sequence + 1));
export const retireConnectionId = (sequence: number): Buffer => frame(0x19, sequence);
export const pathChallenge = (data: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(data, 4);
  return frame(0x1a, bytes);
};

/** How a frame goes on behind its type: numbers are bytes, "v" a varint, "b" bytes behind their length, "c" an ID, "r" all that is left. */
const SHAPES: Readonly<Record<number, readonly (string | number)[]>> = {
  0x04: ["v", "v", "v"],
  0x05: ["v", "v"],
  0x06: ["v", "b"],
  0x07: ["b"],
  0x10: ["v"],
  0x11: ["v", "v"],
  0x12: ["v"],
  0x13: ["v"],
  0x14: ["v"],
  0x15: ["v", "v"],
  0x16: ["v"],
  0x17: ["v"],
  0x18: ["v", "v", "c", 16],
  0x19: ["v"],
  0x1a: [8],
  0x1b: [8],
  0x1c: ["v", "v", "b"],
  0x1d: ["v", "b"],
  0x30: ["r"],
  0x31: ["b"],
};

export interface Frame {
  readonly type: number;
  /** Varints and what else the frame says, in its order; an ACK has its largest and how many ranges there are. */
  readonly values: readonly (number | Buffer)[];
}

/** Takes a payload apart; throws an Error when it is not whole. PADDING is passed over. */
export function readFrames(payload: Buffer): Frame[] {
  const found: Frame[] = [];
  let at = 0;
  const integer = (): number => {
    const length = 1 << ((payload[at] as number) >> 6);
    const value = Number(
      BigInt(`0x${payload.subarray(at, at + length).toString("hex")}`) &
        ((1n << BigInt(8 * length - 2)) - 1n),
    );
    at += length;
    return value;
  };
  const bytes = (length: number): Buffer => {
    if (at + length > payload.length) throw new Error("a frame is not whole");
    at += length;
    return payload.subarray(at - length, at);
  };
  while (at < payload.length) {
    const type = integer();
    if (type === 0) continue;
    if (type === 2 || type === 3) {
      const largest = integer();
      integer();
      const gaps = integer();
      const rest = PARTS * gaps + 1 + (type === 3 ? 3 : 0);
      for (let left = rest; left > 0; left--) integer();
      found.push({ type, values: [largest, gaps + 1] });
    } else if (type >= 0x08 && type <= 0x0f) {
      const id = integer();
      const offset = (type & 4) === 0 ? 0 : integer();
      const length = (type & 2) === 0 ? payload.length - at : integer();
      found.push({ type, values: [id, offset, bytes(length)] });
    } else {
      const values = (SHAPES[type] ?? []).map((shape) => {
        if (shape === "v") return integer();
        if (shape === "b") return bytes(integer());
        if (shape === "c") return bytes(bytes(1)[0] as number);
        return bytes(shape === "r" ? payload.length - at : (shape as number));
      });
      found.push({ type, values });
    }
  }
  return found;
}
