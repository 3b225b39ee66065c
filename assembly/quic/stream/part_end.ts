/**
 * How the two parts of a stream end for the application's reasons or the peer's: the sending part by a reset, the receiving part
 * when everything is read. RFC 9000 §3.1, §3.2, §3.5.
 */
import { ReceiveInput, receiveNext, ReceiveState } from "./receive_state.ts";
import { scheduleRemove } from "./schedule.ts";
import { sendBufferClear } from "./send_buffer.ts";
import { tellRoom } from "./send_room.ts";
import { sendFault, SendInput, sendNext, StreamFault } from "./send_state.ts";
import {
  clearStreamFlag,
  owe,
  QuicStream,
  receiveBufferOf,
  sendBufferOf,
  settleOwed,
  StreamEvent,
  StreamFlag,
  streamHeld,
  StreamOwed,
  untell,
} from "./stream.ts";
import { streamCheckDone } from "./stream_table.ts";
import { QuicStreams } from "./streams.ts";

/** The sending part is reset, for this side's reasons or by the peer's wish. RFC 9000 §3.1, §3.5. */
export function resetSending(set: QuicStreams, stream: QuicStream, code: u64): void {
  if (sendFault(stream.sendState, SendInput.SEND_RESET) != StreamFault.NONE) return;
  stream.sendState = sendNext(stream.sendState, SendInput.SEND_RESET);
  stream.resetCode = code;
  set.heldBytes -= streamHeld(stream);
  clearStreamFlag(stream, StreamFlag.FIN_QUEUED);
  sendBufferClear(sendBufferOf(stream));
  scheduleRemove(set, stream);
  settleOwed(stream, StreamOwed.STREAM_DATA_BLOCKED);
  untell(stream, StreamEvent.WRITABLE);
  owe(stream, StreamOwed.RESET_STREAM);
  tellRoom(set);
}

/** The application has read everything there is. */
export function readAll(stream: QuicStream): void {
  if (stream.receiveState != ReceiveState.DATA_RECVD) return;
  if (receiveBufferOf(stream).readOffset != stream.finalSize) return;
  stream.receiveState = receiveNext(stream.receiveState, ReceiveInput.READ_ALL);
  settleOwed(stream, StreamOwed.STOP_SENDING | StreamOwed.MAX_STREAM_DATA);
  streamCheckDone(stream);
}
