/**
 * The states of the receiving part of a stream, RFC 9000 §3.2, as a table: state × input → next, and beside it what an input
 * means that changes nothing there.
 *
 *          o
 *          | Recv STREAM / STREAM_DATA_BLOCKED / RESET_STREAM
 *          | Create Bidirectional Stream (Sending)
 *          | Recv MAX_STREAM_DATA / STOP_SENDING (Bidirectional)
 *          | Create Higher-Numbered Stream
 *          v
 *      +-------+
 *      | Recv  | Recv RESET_STREAM
 *      |       |-----------------------.
 *      +-------+                       |
 *          |                           |
 *          | Recv STREAM + FIN         |
 *          v                           |
 *      +-------+                       |
 *      | Size  | Recv RESET_STREAM     |
 *      | Known |---------------------->|
 *      +-------+                       |
 *          |                           |
 *          | Recv All Data             |
 *          v                           v
 *      +-------+ Recv RESET_STREAM +-------+
 *      | Data  |--- (optional) --->| Reset |
 *      | Recvd |  Recv All Data    | Recvd |
 *      +-------+<-- (optional) ----+-------+
 *          |                           |
 *          | App Read All Data         | App Read Reset
 *          v                           v
 *      +-------+                   +-------+
 *      | Data  |                   | Reset |
 *      | Read  |                   | Read  |
 *      +-------+                   +-------+
 *
 * Neither optional arrow is taken: data that has all arrived is delivered, and a reset that has arrived stands. A
 * unidirectional stream of this side has no receiving part: ABSENT.
 */
import { StreamFault } from "./send_state.ts";

export const enum ReceiveState {
  ABSENT = 0,
  RECV = 1,
  SIZE_KNOWN = 2,
  DATA_RECVD = 3,
  DATA_READ = 4,
  RESET_RECVD = 5,
  RESET_READ = 6,
  COUNT = 7,
}

export const enum ReceiveInput {
  RECEIVE_DATA = 0,
  RECEIVE_FIN = 1,
  /** Nothing is missing up to the final size. */
  RECEIVE_ALL = 2,
  RECEIVE_RESET = 3,
  RECEIVE_BLOCKED = 4,
  READ_ALL = 5,
  READ_RESET = 6,
  SEND_STOP_SENDING = 7,
  COUNT = 8,
}

const A: u8 = <u8>ReceiveState.ABSENT;
const R: u8 = <u8>ReceiveState.RECV;
const K: u8 = <u8>ReceiveState.SIZE_KNOWN;
const D: u8 = <u8>ReceiveState.DATA_RECVD;
const DR: u8 = <u8>ReceiveState.DATA_READ;
const RS: u8 = <u8>ReceiveState.RESET_RECVD;
const RR: u8 = <u8>ReceiveState.RESET_READ;

/** By state, then input. Where the fault below is not NONE the state stays. */
// prettier-ignore
const nextStates: usize = memory.data<u8>([
  // data fin  all  reset blkd read rdrs stop
  A,  A,  A,  A,  A,  A,  A,  A,  // absent
  R,  K,  R,  RS, R,  R,  R,  R,  // receive
  K,  K,  D,  RS, K,  K,  K,  K,  // size known
  D,  D,  D,  D,  D,  DR, D,  D,  // data received
  DR, DR, DR, DR, DR, DR, DR, DR, // data read
  RS, RS, RS, RS, RS, RS, RR, RS, // reset received
  RR, RR, RR, RR, RR, RR, RR, RR, // reset read
]);

const __: u8 = <u8>StreamFault.NONE;
const IG: u8 = <u8>StreamFault.IGNORED;
const SS: u8 = <u8>StreamFault.STREAM_STATE;
const LO: u8 = <u8>StreamFault.LOCAL;

// prettier-ignore
const faults: usize = memory.data<u8>([
  // data fin  all  reset blkd read rdrs stop
  SS, SS, IG, SS, SS, LO, LO, LO, // absent
  __, __, IG, __, __, LO, LO, __, // receive
  __, __, __, __, __, LO, LO, __, // size known
  IG, IG, IG, IG, IG, __, LO, LO, // data received
  IG, IG, IG, IG, IG, LO, LO, LO, // data read
  IG, IG, IG, IG, IG, LO, __, LO, // reset received
  IG, IG, IG, IG, IG, LO, LO, LO, // reset read
]);

// @ts-ignore: decorator
@inline
export function receiveNext(state: u32, input: ReceiveInput): u8 {
  return load<u8>(nextStates + state * ReceiveInput.COUNT + input);
}

// @ts-ignore: decorator
@inline
export function receiveFault(state: u32, input: ReceiveInput): StreamFault {
  return load<u8>(faults + state * ReceiveInput.COUNT + input);
}

/** Whether nothing more will happen to the receiving part. */
// @ts-ignore: decorator
@inline
export function isReceiveDone(state: u32): bool {
  return state == ReceiveState.DATA_READ || state == ReceiveState.RESET_READ || state == ReceiveState.ABSENT;
}
