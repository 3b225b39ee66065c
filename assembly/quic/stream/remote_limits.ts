/**
 * What the peer's transport parameters allow, RFC 9000 §18.2, told once they are known: by a client that remembers some for 0-RTT
 * a second time, with those of this connection (§7.4.1), which allow no less unless 0-RTT was refused.
 */
import { flowConnectionLimit, flowStreamLimit } from "./flow_control.ts";
import { streamsOnMaxStreams } from "./receive_frames.ts";
import { SendState } from "./send_state.ts";
import { isLocalId, isUnidirectional, QuicStream, STREAM_COUNT_MAX } from "./stream.ts";
import { streamNext } from "./stream_table.ts";
import { QuicStreams } from "./streams.ts";

/**
 * Takes the peer's initial_max_data, initial_max_stream_data_bidi_local, …_bidi_remote, …_uni, initial_max_streams_bidi, …_uni
 * and max_datagram_frame_size, in this order. "Local" and "remote" there are the peer's point of view.
 */
export function streamsSetRemoteLimits(
  set: QuicStreams,
  data: u64,
  bidiLocal: u64,
  bidiRemote: u64,
  uni: u64,
  streamsBidi: u64,
  streamsUni: u64,
  datagram: u64,
): void {
  set.sendMostRemoteBidi = bidiLocal;
  set.sendMostLocalBidi = bidiRemote;
  set.sendMostLocalUni = uni;
  set.datagramMost = datagram;
  streamsOnMaxStreams(set, false, min(streamsBidi, STREAM_COUNT_MAX));
  streamsOnMaxStreams(set, true, min(streamsUni, STREAM_COUNT_MAX));
  flowConnectionLimit(set, data);
  for (let ptr = streamNext(set, 0); ptr != 0; ptr = streamNext(set, set.walkSlot)) {
    const stream = changetype<QuicStream>(ptr);
    if (stream.sendState == SendState.ABSENT) continue;
    if (!isLocalId(set, stream.id)) flowStreamLimit(set, stream, bidiLocal);
    else flowStreamLimit(set, stream, isUnidirectional(stream.id) ? uni : bidiRemote);
  }
}
