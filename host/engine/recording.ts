// What was given to an engine, connection by connection: the form in which it is kept and replayed.
//
// A recording is text: a line of JSON that says how the engine was set up, then a line for each connection. It holds the calls of
// the engine's doors in their order with their numbers and bytes, and what each answered, so that an engine elsewhere can be given
// the same and its answers compared. Bytes are kept as they were, with every secret that was in them: the first line says so.

/** The first line. */
export interface RecordingHead {
  readonly format: "httpy-recording";
  readonly version: 1;
  readonly abi: number;
  /** Cookies, credentials and content are in it as they came. */
  readonly holdsSecrets: true;
  readonly limits: readonly number[];
  readonly memoryBytes: number;
}

/** One call: the door, its numbers, the bytes that they point to in Base64, what it answered. */
export type RecordedCall = readonly [door: string, args: number[], bytes: string, answer: number];

/** A line for a connection. */
export interface RecordedConnection {
  readonly connection: number;
  /** Exchanges in the order in which the engine told of them. */
  readonly exchanges: number[];
  readonly calls: RecordedCall[];
  /** False: the connection was longer than there was room for, and its calls were dropped. */
  readonly isWhole: boolean;
}

/** A recording, read. */
export interface Recording {
  readonly head: RecordingHead;
  readonly connections: readonly RecordedConnection[];
}

/** Whose handle a door's first number is, and which of its numbers are a pointer with a length behind it. */
export interface DoorShape {
  readonly of: "connection" | "exchange";
  readonly pointers: readonly number[];
}

/** The doors that are recorded: those that change a connection. */
export const RECORDED_DOORS: Readonly<Record<string, DoorShape>> = {
  receive: { of: "connection", pointers: [] },
  receiveEnd: { of: "connection", pointers: [] },
  pollTransmit: { of: "connection", pointers: [] },
  transmitBlocked: { of: "connection", pointers: [] },
  transmitDrained: { of: "connection", pointers: [] },
  drainConnection: { of: "connection", pointers: [] },
  closeConnection: { of: "connection", pointers: [] },
  sendInformational: { of: "exchange", pointers: [2] },
  sendHead: { of: "exchange", pointers: [2] },
  sendBody: { of: "exchange", pointers: [1] },
  respond: { of: "exchange", pointers: [2, 4] },
  frameBody: { of: "exchange", pointers: [] },
  sendTrailers: { of: "exchange", pointers: [1] },
  readBody: { of: "exchange", pointers: [] },
  push: { of: "exchange", pointers: [1, 3] },
  releaseExchange: { of: "exchange", pointers: [] },
  acceptSocket: { of: "exchange", pointers: [1, 3] },
  sendMessage: { of: "exchange", pointers: [2] },
  beginMessage: { of: "exchange", pointers: [] },
  sendPayload: { of: "exchange", pointers: [1] },
  sendPing: { of: "exchange", pointers: [1] },
  sendPong: { of: "exchange", pointers: [1] },
  closeSocket: { of: "exchange", pointers: [2] },
  failSocket: { of: "exchange", pointers: [] },
  holdSocket: { of: "exchange", pointers: [] },
};

/** Reads a recording. Throws a SyntaxError that says what is wrong with it. */
export function readRecording(text: string): Recording {
  const [first = "", ...rest] = text.split("\n").filter((line) => line !== "");
  let head: RecordingHead;
  try {
    head = JSON.parse(first) as RecordingHead;
  } catch (cause) {
    throw new SyntaxError("this is no recording: its first line is not JSON", { cause });
  }
  if (head.format !== "httpy-recording" || head.version !== 1) {
    throw new SyntaxError(`this is no recording of version 1: its format is ${JSON.stringify(head.format)}`);
  }
  return { head, connections: rest.map((line) => JSON.parse(line) as RecordedConnection) };
}

export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
