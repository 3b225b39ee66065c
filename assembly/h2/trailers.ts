/** Trailers on their way in, RFC 9113 §8.1: a second field section, which ends its stream. */
import { Status } from "../abi/status.ts";
import { ExchangeFlag, hasFlag } from "../session/exchange.ts";
import { readTrailerRules } from "../session/message_rules.ts";
import { sectionStatus, storeTrailers } from "../session/received_head.ts";
import { H2Connection } from "./connection.ts";
import { connectionError, streamError } from "./lifecycle.ts";
import { messageReceived } from "./message.ts";
import { H2Stream } from "./stream.ts";
import { StreamInput } from "./stream_state.ts";

/** A section on a stream whose head was received; it was decoded last. */
export function receiveTrailers(connection: H2Connection, stream: H2Stream, isEnd: bool): void {
  if (!isEnd || hasFlag(stream, ExchangeFlag.TUNNEL))
    return streamError(connection, stream, Status.H2_TRAILERS);
  const section = sectionStatus();
  if (section != Status.OK) return streamError(connection, stream, section);
  const status = readTrailerRules();
  if (status != Status.OK) return streamError(connection, stream, status);
  // §8.1.1: the content ends here.
  const declared = ((<u64>stream.contentLengthHigh) << 32) | stream.contentLengthLow;
  if (declared != u64.MAX_VALUE && stream.receivedBytes != declared) {
    return streamError(connection, stream, Status.H2_CONTENT_LENGTH);
  }
  if (!hasFlag(stream, ExchangeFlag.DISCARD) && !storeTrailers(stream)) {
    return connectionError(connection, Status.MEMORY_FULL);
  }
  messageReceived(connection, stream, StreamInput.RECEIVE_HEADERS_END);
}
