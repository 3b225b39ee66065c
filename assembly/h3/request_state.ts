/**
 * Which frames may follow which on a request stream, RFC 9114 §4.1 and §4.4: one table for both roles, since requests and responses
 * are built alike.
 *
 *          interim HEADERS          DATA                            DATA
 *              ┌──┐                 ┌──┐                            ┌──┐
 *              │  ▼                 │  ▼                            │  ▼
 *   ──────▶   HEAD  ── HEADERS ──▶ CONTENT ── HEADERS ──▶ TRAILERS  TUNNEL ◀── a CONNECT
 *              │                    │                        │        │
 *              ▼ FIN: incomplete    └────────── FIN ─────────┴────────┘──▶ ENDED
 *
 * Frames that nobody knows are passed over in every state and are no input.
 */
export const enum RequestState {
  /** The head is still to come. */
  HEAD = 0,
  CONTENT = 1,
  TRAILERS = 2,
  /** CONNECT: nothing but DATA from here on. */
  TUNNEL = 3,
  ENDED = 4,
  COUNT = 5,
}

export const enum RequestInput {
  HEADERS = 0,
  /** The head of an interim response. */
  INTERIM = 1,
  /** The head of a CONNECT, or of what opens its tunnel. */
  CONNECT = 2,
  DATA = 3,
  FIN = 4,
  COUNT = 5,
}

export const enum RequestFault {
  NONE = 0,
  /** Connection error H3_FRAME_UNEXPECTED. */
  UNEXPECTED = 1,
  /** Stream error H3_REQUEST_INCOMPLETE. */
  INCOMPLETE = 2,
}

/** Above the states: 0x10 + RequestFault. */
const FAULT: u8 = 0x10;

// prettier-ignore
const TABLE: StaticArray<u8> = [
  // HEADERS INTERIM CONNECT DATA  FIN
  0x01,    0x00,   0x03,   0x11, 0x12, // HEAD
  0x02,    0x11,   0x11,   0x01, 0x04, // CONTENT
  0x11,    0x11,   0x11,   0x11, 0x04, // TRAILERS
  0x11,    0x11,   0x11,   0x03, 0x04, // TUNNEL
  0x11,    0x11,   0x11,   0x11, 0x04, // ENDED
];

// @ts-ignore: decorator
@inline
function entry(state: u32, input: u32): u8 {
  return unchecked(TABLE[state * <u32>RequestInput.COUNT + input]);
}

/** Why the input is not allowed in the state, or NONE. */
export function requestFault(state: u32, input: RequestInput): RequestFault {
  const value = entry(state, input);
  return value >= FAULT ? <RequestFault>(value - FAULT) : RequestFault.NONE;
}

/** The state after the input; the same one where the input is a fault. */
export function requestNext(state: u32, input: RequestInput): u8 {
  const value = entry(state, input);
  return value >= FAULT ? <u8>state : value;
}
