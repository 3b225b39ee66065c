/** Trailers on their way in, RFC 9114 §4.1: a second field section, after which only the end may come. */
import { Status } from "../abi/status.ts";
import { ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { readTrailerRules } from "../session/message_rules.ts";
import { sectionStatus, storeTrailers } from "../session/received_head.ts";
import { H3Connection } from "./connection.ts";
import { connectionError } from "./failure.ts";
import { streamError } from "./lifecycle.ts";
import { fitsLength, H3Exchange, H3Stream } from "./stream.ts";

/** A section on a stream whose head was received; it was decoded last. */
export function receiveTrailers(h3: H3Connection, stream: H3Stream): void {
  const exchange = changetype<H3Exchange>(stream.exchange);
  const section = sectionStatus();
  if (section != Status.OK) return streamError(stream, section);
  const status = readTrailerRules();
  if (status != Status.OK) return streamError(stream, status);
  // §4.1.2: the content ends here.
  if (!fitsLength(exchange)) return streamError(stream, Status.H2_CONTENT_LENGTH);
  if (hasFlag(exchange, ExchangeFlag.DISCARD) || storeTrailers(exchange)) return;
  connectionError(h3, Status.MEMORY_FULL);
}
