// Handshake messages by hand: as they should be, so that a test can make one thing wrong.

import { shortStrings } from "./config.ts";

export const enum Type {
  CLIENT_HELLO = 1,
  SERVER_HELLO = 2,
  NEW_SESSION_TICKET = 4,
  ENCRYPTED_EXTENSIONS = 8,
  CERTIFICATE = 11,
  CERTIFICATE_REQUEST = 13,
  CERTIFICATE_VERIFY = 15,
  FINISHED = 20,
}

export type Extension = readonly [type: number, content: Uint8Array];

export const u8 = (value: number): Buffer => Buffer.of(value);
export const u16 = (...values: number[]): Buffer =>
  Buffer.concat(values.map((value) => Buffer.of(value >> 8, value & 255)));
export const u32 = (value: number): Buffer =>
  Buffer.of(value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255);

/** Bytes with their length before them. */
export function vector(lengthBytes: number, ...parts: Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntBE(content.length, 0, lengthBytes);
  return Buffer.concat([length, content]);
}

export function message(type: number, ...parts: Uint8Array[]): Buffer {
  return Buffer.concat([u8(type), vector(3, ...parts)]);
}

export function extensions(list: readonly Extension[]): Buffer {
  return vector(2, ...list.flatMap(([type, content]) => [u16(type), vector(2, content)]));
}

export const serverName: Extension = [0, vector(2, u8(0), vector(2, Buffer.from("localhost")))];
export const groups: Extension = [10, vector(2, u16(0x001d, 0x0017))];
export const schemes: Extension = [13, vector(2, u16(0x0403, 0x0807))];
export const alpn: Extension = [16, vector(2, shortStrings(["h3"]))];
export const versions: Extension = [43, vector(1, u16(0x0304))];
export const pskModes: Extension = [45, vector(1, u8(1))];
export const shares: Extension = [51, vector(2, u16(0x001d), vector(2, Buffer.alloc(32, 9)))];
export const parameters: Extension = [57, Buffer.of(1, 2, 3)];

/** What a good ClientHello has. */
export const helloExtensions: readonly Extension[] = [
  serverName,
  groups,
  schemes,
  alpn,
  versions,
  pskModes,
  shares,
  parameters,
];

export interface ClientHelloParts {
  readonly version?: number;
  readonly sessionId?: Uint8Array;
  readonly suites?: Uint8Array;
  readonly compression?: Uint8Array;
  readonly extensions?: readonly Extension[];
  /** Behind the last extension. */
  readonly rest?: Uint8Array;
}

export function clientHello(parts: ClientHelloParts = {}): Buffer {
  return message(
    Type.CLIENT_HELLO,
    u16(parts.version ?? 0x0303),
    Buffer.alloc(32, 5),
    vector(1, parts.sessionId ?? Buffer.alloc(0)),
    vector(2, parts.suites ?? u16(0x1301, 0x1303)),
    vector(1, parts.compression ?? u8(0)),
    extensions(parts.extensions ?? helloExtensions),
    parts.rest ?? Buffer.alloc(0),
  );
}

const retryRandom = Buffer.from("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c", "hex");

export const serverVersion: Extension = [43, u16(0x0304)];
export const serverShare: Extension = [51, Buffer.concat([u16(0x001d), vector(2, Buffer.alloc(32, 9))])];

export interface ServerHelloParts {
  readonly version?: number;
  readonly isRetry?: boolean;
  readonly sessionId?: Uint8Array;
  readonly suite?: number;
  readonly compression?: number;
  readonly extensions?: readonly Extension[];
}

export function serverHello(parts: ServerHelloParts = {}): Buffer {
  return message(
    Type.SERVER_HELLO,
    u16(parts.version ?? 0x0303),
    parts.isRetry === true ? retryRandom : Buffer.alloc(32, 6),
    vector(1, parts.sessionId ?? Buffer.alloc(0)),
    u16(parts.suite ?? 0x1303),
    u8(parts.compression ?? 0),
    extensions(parts.extensions ?? [serverVersion, serverShare]),
  );
}

export const chosenAlpn: Extension = [16, vector(2, shortStrings(["h3"]))];

export function encryptedExtensions(list: readonly Extension[] = [chosenAlpn, parameters]): Buffer {
  return message(Type.ENCRYPTED_EXTENSIONS, extensions(list));
}

/** A list with one extension in place of that of the same type, or behind all. */
export function withExtension(list: readonly Extension[], changed: Extension): Extension[] {
  const others = list.filter(([type]) => type !== changed[0]);
  return [...others, changed];
}

export function without(list: readonly Extension[], ...types: number[]): Extension[] {
  return list.filter(([type]) => !types.includes(type));
}

/** The messages that a flight is made of. */
export function splitMessages(flight: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at < flight.length;) {
    const end = at + 4 + flight.readUIntBE(at + 1, 3);
    messages.push(flight.subarray(at, end));
    at = end;
  }
  return messages;
}

/** The same message with another body, its length corrected. */
export function withBody(original: Buffer, body: Uint8Array): Buffer {
  return message(original[0] as number, body);
}
