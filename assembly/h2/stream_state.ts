/**
 * The states of a stream, RFC 9113 §5.1, as a table: state × input → next, and beside it what an input means that is not
 * allowed there.
 *
 *                              +--------+
 *                      send PP |        | recv PP
 *                     ,--------+  idle  +--------.
 *                    /         |        |         \
 *                   v          +--------+          v
 *            +----------+          |           +----------+
 *            |          |          | send H /  |          |
 *     ,------+ reserved |          | recv H    | reserved +------.
 *     |      | (local)  |          |           | (remote) |      |
 *     |      +---+------+          v           +------+---+      |
 *     |          |             +--------+             |          |
 *     |          |     recv ES |        | send ES     |          |
 *     |   send H |     ,-------+  open  +-------.     | recv H   |
 *     |          |    /        |        |        \    |          |
 *     |          v   v         +---+----+         v   v          |
 *     |      +----------+          |           +----------+      |
 *     |      |   half-  |          |           |   half-  |      |
 *     |      |  closed  |          | send R /  |  closed  |      |
 *     |      | (remote) |          | recv R    | (local)  |      |
 *     |      +----+-----+          |           +-----+----+      |
 *     |           | send ES /      |       recv ES / |           |
 *     |           |  send R /      v        send R / |           |
 *     |           |  recv R    +--------+   recv R   |           |
 *     | send R /  `----------->|        |<-----------'  send R / |
 *     | recv R                 | closed |               recv R   |
 *     `----------------------->|        |<-----------------------'
 *                              +--------+
 *
 * "Closed" is three states here, since what a late frame means depends on how the stream was closed: frames that were on their
 * way when it was reset by this side are to be expected (§5.1), those after END_STREAM or after the peer's own reset are not.
 * PRIORITY may come in every state and changes none, so it is no input.
 */
export const enum StreamState {
  IDLE = 0,
  RESERVED_LOCAL = 1,
  RESERVED_REMOTE = 2,
  OPEN = 3,
  HALF_CLOSED_LOCAL = 4,
  HALF_CLOSED_REMOTE = 5,
  /** Both sides sent END_STREAM. */
  CLOSED = 6,
  RESET_LOCAL = 7,
  RESET_REMOTE = 8,
  COUNT = 9,
}

export const enum StreamInput {
  RECEIVE_HEADERS = 0,
  RECEIVE_HEADERS_END = 1,
  RECEIVE_DATA = 2,
  RECEIVE_DATA_END = 3,
  RECEIVE_RST_STREAM = 4,
  RECEIVE_WINDOW_UPDATE = 5,
  /** The stream is promised by a PUSH_PROMISE on another one. */
  RECEIVE_PUSH_PROMISE = 6,
  SEND_HEADERS = 7,
  SEND_HEADERS_END = 8,
  SEND_DATA = 9,
  SEND_DATA_END = 10,
  SEND_RST_STREAM = 11,
  SEND_PUSH_PROMISE = 12,
  COUNT = 13,
}

/** What an input means that changes no state. */
export const enum StreamFault {
  NONE = 0,
  /** A late frame that is to be expected: it is dropped. */
  IGNORED = 1,
  /** Stream error STREAM_CLOSED. */
  STREAM_CLOSED = 2,
  /** Connection error STREAM_CLOSED. */
  CONNECTION_CLOSED = 3,
  /** Connection error PROTOCOL_ERROR. */
  PROTOCOL = 4,
  /** This side may not send that: a fault of the caller, never of the peer. */
  LOCAL = 5,
}

const I: u8 = <u8>StreamState.IDLE;
const L: u8 = <u8>StreamState.RESERVED_LOCAL;
const R: u8 = <u8>StreamState.RESERVED_REMOTE;
const O: u8 = <u8>StreamState.OPEN;
const HL: u8 = <u8>StreamState.HALF_CLOSED_LOCAL;
const HR: u8 = <u8>StreamState.HALF_CLOSED_REMOTE;
const C: u8 = <u8>StreamState.CLOSED;
const RL: u8 = <u8>StreamState.RESET_LOCAL;
const RR: u8 = <u8>StreamState.RESET_REMOTE;

/** By state, then input. Where the fault below is not NONE the state stays. */
// prettier-ignore
const nextStates: usize = memory.data<u8>([
  // receive                        send
  // H   H+ES D   D+ES RST WU  PP   H   H+ES D   D+ES RST PP
  O,  HR, I,  I,  I,  I,  R,   O,  HL, I,  I,  RL, L,  // idle
  L,  L,  L,  L,  RR, L,  L,   HR, C,  L,  L,  RL, L,  // reserved (local)
  HL, C,  R,  R,  RR, R,  R,   R,  R,  R,  R,  RL, R,  // reserved (remote)
  O,  HR, O,  HR, RR, O,  O,   O,  HL, O,  HL, RL, O,  // open
  HL, C,  HL, C,  RR, HL, HL,  HL, HL, HL, HL, RL, HL, // half-closed (local)
  HR, HR, HR, HR, RR, HR, HR,  HR, C,  HR, C,  RL, HR, // half-closed (remote)
  C,  C,  C,  C,  C,  C,  C,   C,  C,  C,  C,  C,  C,  // closed
  RL, RL, RL, RL, RL, RL, RL,  RL, RL, RL, RL, RL, RL, // reset by this side
  RR, RR, RR, RR, RR, RR, RR,  RR, RR, RR, RR, RL, RR, // reset by the peer
]);

const __: u8 = <u8>StreamFault.NONE;
const IG: u8 = <u8>StreamFault.IGNORED;
const SC: u8 = <u8>StreamFault.STREAM_CLOSED;
const CC: u8 = <u8>StreamFault.CONNECTION_CLOSED;
const PE: u8 = <u8>StreamFault.PROTOCOL;
const LO: u8 = <u8>StreamFault.LOCAL;

// prettier-ignore
const faults: usize = memory.data<u8>([
  // receive                        send
  // H   H+ES D   D+ES RST WU  PP   H   H+ES D   D+ES RST PP
  __, __, PE, PE, PE, PE, __,  __, __, LO, LO, __, __, // idle
  PE, PE, PE, PE, __, __, PE,  __, __, LO, LO, __, LO, // reserved (local)
  __, __, PE, PE, __, PE, PE,  LO, LO, LO, LO, __, LO, // reserved (remote)
  __, __, __, __, __, __, PE,  __, __, __, __, __, LO, // open
  __, __, __, __, __, __, PE,  LO, LO, LO, LO, __, LO, // half-closed (local)
  SC, SC, SC, SC, __, __, PE,  __, __, __, __, __, LO, // half-closed (remote)
  CC, CC, CC, CC, IG, IG, PE,  LO, LO, LO, LO, LO, LO, // closed
  IG, IG, IG, IG, IG, IG, PE,  LO, LO, LO, LO, LO, LO, // reset by this side
  SC, SC, SC, SC, IG, IG, PE,  LO, LO, LO, LO, __, LO, // reset by the peer
]);

// @ts-ignore: decorator
@inline
export function nextState(state: u32, input: StreamInput): u32 {
  return load<u8>(nextStates + state * StreamInput.COUNT + input);
}

// @ts-ignore: decorator
@inline
export function faultOf(state: u32, input: StreamInput): StreamFault {
  return load<u8>(faults + state * StreamInput.COUNT + input);
}

// @ts-ignore: decorator
@inline
export function isClosed(state: u32): bool {
  return state >= <u32>StreamState.CLOSED;
}

/** Whether the peer may still send content. */
// @ts-ignore: decorator
@inline
export function isRemoteOpen(state: u32): bool {
  return state == StreamState.OPEN || state == StreamState.HALF_CLOSED_LOCAL;
}
