/**
 * Content that the host was told of and has not consumed: what it holds of the windows, of a stream and of the connection.
 *
 * Invariant: the connection's count is the sum over its open streams.
 */
import { H2Connection } from "./connection.ts";
import { H2Stream } from "./stream.ts";

/** Content was told to the host. */
export function holdContent(connection: H2Connection, stream: H2Stream, len: u32): void {
  stream.unconsumedBytes += len;
  connection.heldBytes += len;
}

/** The host has consumed content. */
export function consumeContent(connection: H2Connection, stream: H2Stream, len: u32): void {
  stream.unconsumedBytes -= len;
  connection.heldBytes -= len;
}

/** Nobody reads what the stream was told any more. */
export function releaseHeld(connection: H2Connection, stream: H2Stream): void {
  connection.heldBytes -= stream.unconsumedBytes;
  stream.unconsumedBytes = 0;
}
