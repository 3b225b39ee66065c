// Frames as tests write and read them: RFC 6455 §5.2, from the client's side.

/** A frame that a server sent. */
export interface ServerFrame {
  firstByte: number;
  payload: Buffer;
}

const KEY = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/** A masked frame. */
export function frame(firstByte: number, payload: Uint8Array | string = "", key: Uint8Array = KEY): Buffer {
  const bytes = Buffer.from(payload as string);
  const header = lengthBytes(bytes.length, 0x80);
  for (let at = 0; at < bytes.length; at++) bytes[at] = (bytes[at] as number) ^ (key[at & 3] as number);
  return Buffer.concat([Buffer.from([firstByte]), header, key, bytes]);
}

/** The bytes of a server's frame. */
export function serverFrame(firstByte: number, payload: Uint8Array | string = ""): Buffer {
  const bytes = Buffer.from(payload as string);
  return Buffer.concat([Buffer.from([firstByte]), lengthBytes(bytes.length, 0), bytes]);
}

/** The second byte and the extended length, in the shortest form. */
function lengthBytes(length: number, maskBit: number): Buffer {
  if (length <= 125) return Buffer.from([maskBit | length]);
  const bytes = Buffer.alloc(length <= 0xffff ? 3 : 9);
  bytes[0] = maskBit | (length <= 0xffff ? 126 : 127);
  if (length <= 0xffff) bytes.writeUInt16BE(length, 1);
  else bytes.writeBigUInt64BE(BigInt(length), 1);
  return bytes;
}

export function closeFrame(code: number, reason = ""): Buffer {
  return frame(0x88, closeBody(code, reason));
}

export function closeBody(code: number, reason = ""): Buffer {
  return Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]);
}

/** The frames in what a server sent, and what is left of one that is not complete. Throws on a masked one. */
export function readFrames(bytes: Buffer): { frames: ServerFrame[]; rest: number } {
  const frames: ServerFrame[] = [];
  let at = 0;
  while (at + 2 <= bytes.length) {
    const second = bytes[at + 1] as number;
    if (second >= 0x80) throw new Error("a server's frame is masked");
    const headerLength = second <= 125 ? 2 : second === 126 ? 4 : 10;
    if (at + headerLength > bytes.length) break;
    const length =
      second <= 125
        ? second
        : second === 126
          ? bytes.readUInt16BE(at + 2)
          : Number(bytes.readBigUInt64BE(at + 2));
    if (at + headerLength + length > bytes.length) break;
    const payload = Buffer.from(bytes.subarray(at + headerLength, at + headerLength + length));
    frames.push({ firstByte: bytes[at] as number, payload });
    at += headerLength + length;
  }
  return { frames, rest: bytes.length - at };
}
