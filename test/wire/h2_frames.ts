// Frames of HTTP/2 as bytes, written and read by the tests themselves, so that they do not lean on what they test.

export const FrameType = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
  PRIORITY_UPDATE: 16,
} as const;

export const Flag = { ACK: 1, END_STREAM: 1, END_HEADERS: 4, PADDED: 8, PRIORITY: 32 } as const;

export const ErrorCode = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  SETTINGS_TIMEOUT: 4,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  ENHANCE_YOUR_CALM: 11,
} as const;

export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

export type Fields = readonly (readonly [name: string, value: string])[];

export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, payload]);
}

/** Every whole frame in the bytes; what is left over is an error. */
export function readFrames(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = bytes.readUIntBE(at, 3);
    const end = at + 9 + length;
    if (end > bytes.length)
      throw new Error(`a frame of ${length} bytes ends ${end - bytes.length} bytes too late`);
    frames.push({
      type: bytes[at + 3] as number,
      flags: bytes[at + 4] as number,
      streamId: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + 9, end),
    });
    at = end;
  }
  return frames;
}

export function settings(entries: readonly (readonly [id: number, value: number])[] = []): Buffer {
  const payload = Buffer.alloc(entries.length * 6);
  entries.forEach(([id, value], index) => {
    payload.writeUInt16BE(id, index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  });
  return frame(FrameType.SETTINGS, 0, 0, payload);
}

export const settingsAck = frame(FrameType.SETTINGS, Flag.ACK, 0);

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function windowUpdate(streamId: number, increment: number): Buffer {
  return frame(FrameType.WINDOW_UPDATE, 0, streamId, uint32(increment));
}

export function rstStream(streamId: number, code: number = ErrorCode.CANCEL): Buffer {
  return frame(FrameType.RST_STREAM, 0, streamId, uint32(code));
}

export function ping(data = "12345678", flags = 0): Buffer {
  return frame(FrameType.PING, flags, 0, Buffer.from(data, "latin1"));
}

export function goaway(lastStreamId: number, code: number = ErrorCode.NO_ERROR): Buffer {
  return frame(FrameType.GOAWAY, 0, 0, Buffer.concat([uint32(lastStreamId), uint32(code)]));
}

export function data(streamId: number, content: string | Uint8Array, flags = 0): Buffer {
  return frame(FrameType.DATA, flags, streamId, typeof content === "string" ? Buffer.from(content) : content);
}

/** A header block of literals that are not indexed and not Huffman-coded. */
export function block(fields: Fields): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [Buffer.from([0]), hpackString(name), hpackString(value)]),
  );
}

function hpackString(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest >>>= 7) length.push((rest & 127) | 128);
  length.push(rest);
  return Buffer.concat([Buffer.from(length), bytes]);
}

export const GET: Fields = [
  [":method", "GET"],
  [":scheme", "http"],
  [":path", "/"],
  [":authority", "example.org"],
];

export const POST: Fields = [[":method", "POST"], ...GET.slice(1)];

/** HEADERS with the whole block. */
export function headers(streamId: number, fields: Fields = GET, flags: number = Flag.END_STREAM): Buffer {
  return frame(FrameType.HEADERS, flags | Flag.END_HEADERS, streamId, block(fields));
}

/** The first frame of a type, or undefined. */
export function firstOf(frames: readonly Frame[], type: number): Frame | undefined {
  return frames.find((one) => one.type === type);
}

/** One line for a frame: what a test wants to see of it. */
export function describeFrame({ type, flags, streamId, payload }: Frame): string {
  const name = Object.entries(FrameType).find(([, value]) => value === type)?.[0] ?? `type ${type}`;
  switch (type) {
    case FrameType.RST_STREAM:
      return `${name} ${streamId} ${codeName(payload.readUInt32BE(0))}`;
    case FrameType.GOAWAY:
      return `${name} ${payload.readUInt32BE(0)} ${codeName(payload.readUInt32BE(4))}`;
    case FrameType.SETTINGS:
    case FrameType.PING:
      return flags & Flag.ACK ? `${name} ACK` : name;
    case FrameType.WINDOW_UPDATE:
      return `${name} ${streamId} ${payload.readUInt32BE(0)}`;
    case FrameType.DATA:
      return `${name} ${streamId} ${payload.length}${flags & Flag.END_STREAM ? " END" : ""}`;
    case FrameType.HEADERS:
      return `${name} ${streamId}${flags & Flag.END_STREAM ? " END" : ""}`;
  }
  return `${name} ${streamId}`;
}

function codeName(code: number): string {
  return Object.entries(ErrorCode).find(([, value]) => value === code)?.[0] ?? String(code);
}
