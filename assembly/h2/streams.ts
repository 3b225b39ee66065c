/**
 * Opening and detaching streams.
 *
 * A stream is in its connection's table from the frame that opens it until it is closed; the exchange lives on until the
 * host has released it. A server counts it against the limit of concurrent streams for all that time, so that resetting a
 * stream does not make room for the next one while its handler still runs (CVE-2023-44487).
 */
import { Counter } from "../abi/counter.ts";
import { Limit } from "../abi/limit.ts";
import { URGENCY_DEFAULT } from "../http/priority.ts";
import { count } from "../session/counters.ts";
import {
  exchangeCreate,
  exchangeDestroy,
  exchangeDetach,
  ExchangeFlag,
  hasFlag,
} from "../session/exchange.ts";
import { limitU32 } from "../session/limits.ts";
import { H2Connection } from "./connection.ts";
import { H2Stream, STREAM_BYTES } from "./stream.ts";
import { streamTableAdd } from "./stream_table.ts";

/**
 * Opens a stream in `state` with room for a head. 0 when a pool is full. The caller enters it into the table's counts by
 * `isLocal`.
 */
export function streamCreate(
  connection: H2Connection,
  streamId: u32,
  state: u32,
  isLocal: bool,
  fieldCount: u32,
  byteCount: u32,
): usize {
  const ptr = exchangeCreate(connection, fieldCount, byteCount, STREAM_BYTES);
  if (ptr == 0) return 0;
  const stream = changetype<H2Stream>(ptr);
  stream.streamId = streamId;
  stream.state = state;
  stream.isLocal = isLocal ? 1 : 0;
  stream.sendWindow = connection.remoteInitialWindow;
  // What SETTINGS announced. A target that has grown since is reached with the stream's first WINDOW_UPDATE.
  stream.recvWindow = limitU32(Limit.STREAM_WINDOW_BYTES);
  stream.urgency = <u8>URGENCY_DEFAULT;
  stream.isShared = 1;
  if (isLocal) connection.localExchangeCount++;
  else connection.remoteExchangeCount++;
  if (!streamTableAdd(connection, stream)) {
    streamForget(stream);
    exchangeDestroy(stream);
    return 0;
  }
  count(Counter.EXCHANGES_H2);
  return ptr;
}

/** Takes the exchange off its connection; it is freed once the host has released it. */
export function streamDetach(stream: H2Stream): void {
  streamForget(stream);
  if (hasFlag(stream, ExchangeFlag.RELEASED)) exchangeDestroy(stream);
}

function streamForget(stream: H2Stream): void {
  const connection = changetype<H2Connection>(stream.connection);
  if (stream.isLocal) connection.localExchangeCount--;
  else connection.remoteExchangeCount--;
  exchangeDetach(stream);
}
