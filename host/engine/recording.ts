// What was given to an engine, connection by connection: the form in which it is kept and replayed.
//
// A recording is text: a line of JSON that says how the engine was set up, then a line for each connection. It holds the calls of
// the engine's doors in their order with their numbers and bytes, and what each answered, so that an engine elsewhere can be given
// the same and its answers compared. Bytes are kept as they were, with every secret that was in them: the first line says so. Of a
// connection of QUIC that is all there is to it: what the host answered to TLS, and what random bytes followed from.

import { OTHER_DOORS, RECORDED_DOORS } from "./recorded_doors.ts";

/** The first line. */
export interface RecordingHead {
  readonly format: "httpy-recording";
  readonly version: 2;
  readonly abi: number;
  /** Cookies, credentials and content are in it as they came, and the keys of QUIC. */
  readonly holdsSecrets: true;
  readonly limits: readonly number[];
  readonly memoryBytes: number;
  /** What the engine was started with: bytes in Base64, and the monotonic clock's time. */
  readonly entropy: string;
  readonly startMs: number;
  /** Configurations and endpoints of QUIC, as they were made. */
  readonly setup: readonly RecordedCall[];
}

/**
 * One call: the door, its numbers, the bytes that they point to in Base64, what it answered (null: it trapped), and the key of the
 * random generator before it, where something was drawn.
 */
export type RecordedCall = readonly [
  door: string,
  args: number[],
  bytes: string,
  answer: number | null,
  key?: string,
];

/** A line for a connection. */
export interface RecordedConnection {
  readonly connection: number;
  /** Exchanges in the order in which the engine told of them. */
  readonly exchanges: number[];
  /** Streams of QUIC that are the host's own, likewise. */
  readonly streams: number[];
  /** Of a connection of QUIC: how many calls of the setup came before it. Of others 0. */
  readonly setupCount: number;
  readonly calls: RecordedCall[];
  /** False: the connection was longer than there was room for, and its calls were dropped. */
  readonly isWhole: boolean;
}

/** A recording, read. */
export interface Recording {
  readonly head: RecordingHead;
  readonly connections: readonly RecordedConnection[];
}

const VERSION = 2;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Reads a recording. Throws a SyntaxError that says what is wrong with it, and in which line. */
export function readRecording(text: string): Recording {
  const [first = "", ...rest] = text.split("\n").filter((line) => line !== "");
  let head: RecordingHead;
  try {
    head = JSON.parse(first) as RecordingHead;
  } catch (cause) {
    throw new SyntaxError("this is no recording: its first line is not JSON", { cause });
  }
  if (head?.format !== "httpy-recording" || head.version !== VERSION) {
    const { format, version } = head ?? {};
    throw new SyntaxError(
      `this is no recording of version ${VERSION}: its format is ${JSON.stringify(format)}, its version ${JSON.stringify(version)}`,
    );
  }
  if (!isHead(head)) throw damaged(1, "it does not say how the engine was set up");
  return { head, connections: rest.map((line, index) => readConnection(line, index + 2, head.setup.length)) };
}

function isHead({ limits, memoryBytes, entropy, startMs, setup }: RecordingHead): boolean {
  return (
    isNumbers(limits) &&
    Number.isSafeInteger(memoryBytes) &&
    isBase64(entropy) &&
    typeof startMs === "number" &&
    Array.isArray(setup) &&
    setup.every(isCall)
  );
}

function readConnection(line: string, number: number, setupCount: number): RecordedConnection {
  let connection: RecordedConnection;
  try {
    connection = JSON.parse(line) as RecordedConnection;
  } catch (cause) {
    throw damaged(number, "it is not JSON, and was perhaps cut off", cause);
  }
  const { calls, exchanges, streams, isWhole } = connection ?? {};
  if (typeof isWhole !== "boolean" || !Array.isArray(calls) || !isNumbers(exchanges) || !isNumbers(streams))
    throw damaged(number, "it is no connection");
  const wrong = calls.findIndex((call) => !isCall(call));
  if (wrong >= 0) throw damaged(number, `its call ${wrong + 1} is none`);
  if (!(connection.setupCount >= 0 && connection.setupCount <= setupCount))
    throw damaged(number, "it needs more of the setup than there is");
  return connection;
}

function isCall(call: unknown): boolean {
  if (!Array.isArray(call)) return false;
  const [door, args, bytes, answer, key] = call as unknown[];
  return (
    typeof door === "string" &&
    (Object.hasOwn(RECORDED_DOORS, door) || OTHER_DOORS.has(door)) &&
    isNumbers(args) &&
    typeof bytes === "string" &&
    bytes.split(" ").every(isBase64) &&
    (answer === null || typeof answer === "number") &&
    (key === undefined || isBase64(key))
  );
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === "number");
}

function isBase64(value: unknown): boolean {
  return typeof value === "string" && BASE64.test(value);
}

function damaged(line: number, why: string, cause?: unknown): SyntaxError {
  return new SyntaxError(`line ${line} of the recording is damaged: ${why}`, { cause });
}

export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
