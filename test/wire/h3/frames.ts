// HTTP/3 as bytes: what a bare end sends, and what is seen of what it was sent. Field sections are literals without a table.

/** A variable-length integer, RFC 9000 §16, in `size` bytes or the fewest. */
export function varint(value: number | bigint, size = 0): Buffer {
  const number = BigInt(value);
  const sizes = [1, 2, 4, 8];
  const length = size || sizes.find((bytes) => number < 1n << BigInt(bytes * 8 - 2)) || 8;
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(number);
  const cut = bytes.subarray(8 - length);
  cut[0] = (cut[0] as number) | (sizes.indexOf(length) << 6);
  return Buffer.from(cut);
}

export function readVarint(bytes: Buffer, at: number): { value: bigint; end: number } {
  const length = 1 << ((bytes[at] as number) >> 6);
  let value = BigInt((bytes[at] as number) & 0x3f);
  for (let index = 1; index < length; index++) value = (value << 8n) | BigInt(bytes[at + index] as number);
  return { value, end: at + length };
}

export const Frame = {
  data: 0x00,
  headers: 0x01,
  cancelPush: 0x03,
  settings: 0x04,
  pushPromise: 0x05,
  goaway: 0x07,
  maxPushId: 0x0d,
  webTransport: 0x41,
  priorityUpdate: 0xf0700,
  priorityUpdatePush: 0xf0701,
} as const;

export const Stream = { control: 0, push: 1, encoder: 2, decoder: 3, webTransport: 0x54 } as const;

export function frame(type: number | bigint, payload: Uint8Array | readonly number[] = []): Buffer {
  return Buffer.concat([varint(type), varint(payload.length), Uint8Array.from(payload)]);
}

export function settings(
  ...pairs: readonly (readonly [id: number | bigint, value: number | bigint])[]
): Buffer {
  return frame(Frame.settings, Buffer.concat(pairs.flatMap(([id, value]) => [varint(id), varint(value)])));
}

export type Fields = readonly (readonly [name: string, value: string])[];

/** A field section of literals, RFC 9204 §4.5.6. */
export function section(fields: Fields): Buffer {
  const parts: Buffer[] = [Buffer.from([0, 0])];
  for (const [name, value] of fields) {
    parts.push(prefixed(0x20, 3, name.length), Buffer.from(name, "latin1"));
    parts.push(prefixed(0x00, 7, value.length), Buffer.from(value, "latin1"));
  }
  return Buffer.concat(parts);
}

/** An integer with a prefix of `bits` bits, RFC 9204 §4.1.1. */
export function prefixed(first: number, bits: number, value: number): Buffer {
  const most = (1 << bits) - 1;
  if (value < most) return Buffer.from([first | value]);
  const bytes = [first | most];
  let rest = value - most;
  for (; rest >= 128; rest >>>= 7) bytes.push((rest & 127) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

export function headers(fields: Fields): Buffer {
  return frame(Frame.headers, section(fields));
}

export function data(content: string | Uint8Array): Buffer {
  return frame(Frame.data, Buffer.from(content as string));
}

export const GET: Fields = [
  [":method", "GET"],
  [":scheme", "https"],
  [":authority", "example.org"],
  [":path", "/"],
];

export const POST: Fields = [[":method", "POST"], ...GET.slice(1)];

/** The frames in bytes, each with its type and payload; what is left over is an error. */
export function readFrames(bytes: Buffer): { type: number; payload: Buffer }[] {
  const frames: { type: number; payload: Buffer }[] = [];
  for (let at = 0; at < bytes.length;) {
    const type = readVarint(bytes, at);
    const length = readVarint(bytes, type.end);
    const end = length.end + Number(length.value);
    if (end > bytes.length) throw new Error("a frame is cut");
    frames.push({ type: Number(type.value), payload: bytes.subarray(length.end, end) });
    at = end;
  }
  return frames;
}

/** The settings of a payload. */
export function readSettings(payload: Buffer): Map<number, number> {
  const found = new Map<number, number>();
  for (let at = 0; at < payload.length;) {
    const id = readVarint(payload, at);
    const value = readVarint(payload, id.end);
    found.set(Number(id.value), Number(value.value));
    at = value.end;
  }
  return found;
}

export const Code = {
  noError: 0x100,
  generalProtocolError: 0x101,
  internalError: 0x102,
  streamCreationError: 0x103,
  closedCriticalStream: 0x104,
  frameUnexpected: 0x105,
  frameError: 0x106,
  excessiveLoad: 0x107,
  idError: 0x108,
  settingsError: 0x109,
  missingSettings: 0x10a,
  requestRejected: 0x10b,
  requestCancelled: 0x10c,
  requestIncomplete: 0x10d,
  messageError: 0x10e,
  decompressionFailed: 0x200,
  encoderStreamError: 0x201,
  decoderStreamError: 0x202,
  datagramError: 0x33,
} as const;

export const bytesOf = (...parts: (Uint8Array | readonly number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array)));
