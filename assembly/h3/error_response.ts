/** The engine's own answer to a request that did not become an exchange: a head without content. */
import { streamIsAtEnd, streamStopSending } from "../quic/stream/application.ts";
import { markDirty } from "../session/dirty.ts";
import { spendReset } from "./budget.ts";
import { H3Connection, transportOf } from "./connection.ts";
import { H3Error } from "./error_code.ts";
import { connectionError } from "./failure.ts";
import { encodeDate, encodeLength, encodeStatus } from "./field_sections.ts";
import { headersBegin, headersEnd } from "./headers.ts";
import { Status } from "../abi/status.ts";
import { H3Stream, h3StreamEnd, quicOf } from "./stream.ts";

const RESPONSE_BYTES_MAX: u32 = 512;

/** Answers by status code; where the request goes on, its rest is not wanted. It counts as a reset. */
export function answerRefused(h3: H3Connection, stream: H3Stream, code: u32): void {
  headersBegin(stream, RESPONSE_BYTES_MAX);
  encodeStatus(code);
  encodeLength(0);
  encodeDate();
  const sent = headersEnd(stream, true);
  if (sent != Status.OK) return connectionError(h3, sent);
  const quic = quicOf(stream);
  if (!streamIsAtEnd(quic)) streamStopSending(quic, H3Error.NO_ERROR);
  h3StreamEnd(h3, stream);
  markDirty(transportOf(h3));
  spendReset(h3);
}
