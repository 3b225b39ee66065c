// What a QUIC connection or stream ends with.

import { endText } from "./status_text.ts";

/** The end of a connection that was not the wish of this side. */
export class QuicConnectionError extends Error {
  override readonly name = "QuicConnectionError";
  /** The error code of CONNECTION_CLOSE. */
  readonly code: bigint;
  /** The code is the application's; else it is the transport's (RFC 9000 §20.1, RFC 9001 §4.8). */
  readonly isApplication: boolean;
  /** The peer closed. */
  readonly isRemote: boolean;
  readonly reason: string;
  /** The engine's status, 0 when there is none. */
  readonly status: number;

  constructor(end: QuicEnd) {
    super(describe(end));
    this.code = end.code;
    this.isApplication = end.isApplication;
    this.isRemote = end.isRemote;
    this.reason = end.reason;
    this.status = end.status;
  }
}

/** How a connection ended. */
export interface QuicEnd {
  readonly code: bigint;
  readonly isApplication: boolean;
  readonly isRemote: boolean;
  readonly reason: string;
  readonly status: number;
}

function describe(end: QuicEnd): string {
  const who = end.isRemote ? "the peer closed the connection" : "the connection ended";
  const kind = end.isApplication ? "application" : "transport";
  const why = end.reason === "" ? "" : `: ${end.reason}`;
  const cause = end.status < 0 && !end.isRemote ? ` (${endText(end.status)})` : "";
  return `${who} with ${kind} error 0x${end.code.toString(16)}${why}${cause}`;
}

/** The peer has reset a stream, or wants nothing more of it. */
export class QuicStreamError extends Error {
  override readonly name = "QuicStreamError";
  readonly code: bigint;

  constructor(what: string, code: bigint) {
    super(`the peer ${what} the stream with code 0x${code.toString(16)}`);
    this.code = code;
  }
}

/** The code that an error carries for its peer, 0 when it has none. */
export function codeOf(reason: unknown): bigint {
  const code = (reason as { code?: unknown } | null | undefined)?.code;
  if (typeof code === "bigint" && code >= 0n) return code;
  return typeof code === "number" && Number.isSafeInteger(code) && code >= 0 ? BigInt(code) : 0n;
}
