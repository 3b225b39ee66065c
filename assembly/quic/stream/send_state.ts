/**
 * The states of the sending part of a stream, RFC 9000 §3.1, as a table: state × input → next, and beside it what an input means
 * that changes nothing there.
 *
 *          o
 *          | Create Stream (Sending)
 *          | Peer Creates Bidirectional Stream
 *          v
 *      +-------+
 *      | Ready | Send RESET_STREAM
 *      |       |-----------------------.
 *      +-------+                       |
 *          |                           |
 *          | Send STREAM /             |
 *          |      STREAM_DATA_BLOCKED  |
 *          v                           |
 *      +-------+                       |
 *      | Send  | Send RESET_STREAM     |
 *      |       |---------------------->|
 *      +-------+                       |
 *          |                           |
 *          | Send STREAM + FIN         |
 *          v                           v
 *      +-------+                   +-------+
 *      | Data  | Send RESET_STREAM | Reset |
 *      | Sent  |------------------>| Sent  |
 *      +-------+                   +-------+
 *          |                           |
 *          | Recv ACKs                 | Recv ACK
 *          v                           v
 *      +-------+                   +-------+
 *      | Data  |                   | Reset |
 *      | Recvd |                   | Recvd |
 *      +-------+                   +-------+
 *
 * A unidirectional stream of the peer has no sending part: ABSENT, in which what speaks of one is the peer's error.
 */
export const enum SendState {
  ABSENT = 0,
  READY = 1,
  SEND = 2,
  DATA_SENT = 3,
  DATA_RECVD = 4,
  RESET_SENT = 5,
  RESET_RECVD = 6,
  COUNT = 7,
}

export const enum SendInput {
  SEND_DATA = 0,
  SEND_FIN = 1,
  SEND_RESET = 2,
  /** All data and the FIN are acknowledged. */
  ACK_ALL = 3,
  ACK_RESET = 4,
  RECEIVE_STOP_SENDING = 5,
  RECEIVE_MAX_STREAM_DATA = 6,
  COUNT = 7,
}

/** What an input means that changes no state. */
export const enum StreamFault {
  NONE = 0,
  /** Late or repeated: dropped. */
  IGNORED = 1,
  /** The peer's: connection error STREAM_STATE_ERROR. */
  STREAM_STATE = 2,
  /** This side may not do that: a fault of the caller, never of the peer. */
  LOCAL = 3,
}

const A: u8 = <u8>SendState.ABSENT;
const R: u8 = <u8>SendState.READY;
const S: u8 = <u8>SendState.SEND;
const D: u8 = <u8>SendState.DATA_SENT;
const DR: u8 = <u8>SendState.DATA_RECVD;
const RS: u8 = <u8>SendState.RESET_SENT;
const RR: u8 = <u8>SendState.RESET_RECVD;

/** By state, then input. Where the fault below is not NONE the state stays. */
// prettier-ignore
const nextStates: usize = memory.data<u8>([
  // data fin  reset ack  ackr stop maxd
  A,  A,  A,  A,  A,  A,  A,  // absent
  S,  D,  RS, R,  R,  R,  R,  // ready
  S,  D,  RS, S,  S,  S,  S,  // send
  D,  D,  RS, DR, D,  D,  D,  // data sent
  DR, DR, DR, DR, DR, DR, DR, // data received
  RS, RS, RS, RS, RR, RS, RS, // reset sent
  RR, RR, RR, RR, RR, RR, RR, // reset received
]);

const __: u8 = <u8>StreamFault.NONE;
const IG: u8 = <u8>StreamFault.IGNORED;
const SS: u8 = <u8>StreamFault.STREAM_STATE;
const LO: u8 = <u8>StreamFault.LOCAL;

// prettier-ignore
const faults: usize = memory.data<u8>([
  // data fin  reset ack  ackr stop maxd
  LO, LO, LO, IG, IG, SS, SS, // absent
  __, __, __, IG, IG, __, __, // ready
  __, __, __, IG, IG, __, __, // send
  LO, LO, __, __, IG, __, IG, // data sent
  LO, LO, LO, IG, IG, IG, IG, // data received
  LO, LO, LO, IG, __, IG, IG, // reset sent
  LO, LO, LO, IG, IG, IG, IG, // reset received
]);

// @ts-ignore: decorator
@inline
export function sendNext(state: u32, input: SendInput): u8 {
  return load<u8>(nextStates + state * SendInput.COUNT + input);
}

// @ts-ignore: decorator
@inline
export function sendFault(state: u32, input: SendInput): StreamFault {
  return load<u8>(faults + state * SendInput.COUNT + input);
}

/** Whether nothing more will happen to the sending part. */
// @ts-ignore: decorator
@inline
export function isSendDone(state: u32): bool {
  return state == SendState.DATA_RECVD || state == SendState.RESET_RECVD || state == SendState.ABSENT;
}
