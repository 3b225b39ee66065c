// A stream of a QUIC connection of the host's own, as web streams.

import { codeOf, QuicStreamError } from "./quic_error.ts";
import { StreamEnds, type StreamCarrier, type StreamCodes } from "./stream_ends.ts";

const CODES: StreamCodes = {
  codeOf,
  resetError: (code) => new QuicStreamError("has reset", code),
  stopError: (code) => new QuicStreamError("no longer reads", code),
};

/** The connection that a stream is on. */
export interface StreamConnection extends StreamCarrier {
  /** Urgency 0 (first) … 7, and whether streams of the same urgency share (RFC 9218 §4). */
  prioritize(stream: number, urgency: number, isIncremental: boolean): void;
}

/** A stream of a QUIC connection as web streams, both ways or one. */
export class QuicStream<Connection extends StreamConnection = StreamConnection> extends StreamEnds {
  /** RFC 9000 §2.1: who opened it and whether it goes one way are its two low bits. */
  readonly id: number;
  readonly connection: Connection;

  constructor(connection: Connection, handle: number, id: number, isLocal: boolean) {
    const isUnidirectional = (id & 2) !== 0;
    super(connection, CODES, handle, {
      reads: !isUnidirectional || !isLocal,
      writes: !isUnidirectional || isLocal,
    });
    this.connection = connection;
    this.id = id;
  }

  /** Urgency 0 (first) … 7, and whether streams of the same urgency share (RFC 9218 §4). */
  prioritize(urgency: number, isIncremental = false): void {
    if (!Number.isInteger(urgency) || urgency < 0 || urgency > 7) {
      throw new RangeError(`urgency is ${urgency}; it must be a whole number from 0 to 7`);
    }
    if (!this.isGone) this.connection.prioritize(this.handle, urgency, isIncremental);
  }

  /** Resets both directions with a code. */
  abort(code = 0n): void {
    this.cut(code, new QuicStreamError("no longer reads", code));
  }
}
