// Errors of WebTransport, and their codes on the wire (draft-ietf-webtrans-http3 §4.4): the application has 32 bits, which lie in a
// range of HTTP/3's codes that leaves out those reserved for greasing.

const FIRST_CODE = 0x52e4a40fa8dbn;
const LAST_CODE = 0x52e5ac983162n;
const RESERVED_EVERY = 0x1fn;
const RESERVED_OFFSET = 0x21n;

/** What went wrong with a stream or a session, after the browser's class of this name. */
export class WebTransportError extends Error {
  override readonly name = "WebTransportError";
  readonly source: "stream" | "session";
  /** The application's code, 0 … 4294967295, where the peer has reset or stopped a stream with one; else null. */
  readonly streamErrorCode: number | null;

  constructor(
    message: string,
    options: {
      readonly source?: "stream" | "session";
      readonly streamErrorCode?: number | null;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.source = options.source ?? "stream";
    this.streamErrorCode = options.streamErrorCode ?? null;
  }
}

/** The code of HTTP/3 for an application's. */
export function wireCodeOf(code: number): bigint {
  const number = BigInt(code);
  return FIRST_CODE + number + number / 0x1en;
}

/** The application's code for one of HTTP/3, or null when it is none. */
export function applicationCodeOf(wire: bigint): number | null {
  if (wire < FIRST_CODE || wire > LAST_CODE) return null;
  if ((wire - RESERVED_OFFSET) % RESERVED_EVERY === 0n) return null;
  const shifted = wire - FIRST_CODE;
  return Number(shifted - shifted / RESERVED_EVERY);
}
