/** The engine's own answer to a request that was too large to become an exchange: a head without content. */
import { httpStatusOf, Status } from "../abi/status.ts";
import { hpackEncodeDate, hpackEncodeLength, hpackEncodeStatus } from "../hpack/encoder.ts";
import { datePtr, dateSecond } from "../http/date.ts";
import { spendReset } from "./budget.ts";
import { H2Connection } from "./connection.ts";
import { commit, queueRstStream, reserve } from "./control_output.ts";
import { ErrorCode } from "./error_code.ts";
import { FrameFlag, FrameType } from "./frame.ts";
import { blockBegin, blockEnd } from "./header_block.ts";
import { connectionError } from "./lifecycle.ts";
import { rememberClosed } from "./recent_streams.ts";
import { StreamState } from "./stream_state.ts";

const RESPONSE_BYTES_MAX: u32 = 512;

/** Answers by status code; where the request goes on, its rest is not wanted. It counts as a reset. */
export function answerRefused(connection: H2Connection, streamId: u32, status: i32, isEnd: bool): void {
  const dest = reserve(connection, RESPONSE_BYTES_MAX);
  blockBegin(connection, dest, RESPONSE_BYTES_MAX);
  hpackEncodeStatus(<u32>httpStatusOf(status));
  hpackEncodeLength(0);
  hpackEncodeDate(<u32>dateSecond(), datePtr());
  const len = blockEnd(FrameType.HEADERS, FrameFlag.END_STREAM, streamId);
  commit(connection, <u32>max(len, 0));
  rememberClosed(connection, streamId, isEnd ? StreamState.CLOSED : StreamState.RESET_LOCAL);
  if (!isEnd) queueRstStream(connection, streamId, ErrorCode.NO_ERROR);
  if (!spendReset(connection)) connectionError(connection, Status.H2_RESET_FLOOD);
}
