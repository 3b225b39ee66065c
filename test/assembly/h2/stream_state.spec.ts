// The stream table of RFC 9113 §5.1 against the prose of the same section: every state with every input.

import {
  faultOf,
  isClosed,
  isRemoteOpen,
  nextState,
  StreamFault,
  StreamInput,
  StreamState,
} from "../../../assembly/h2/stream_state.ts";

/** What §5.1 says, written as rules rather than as a table: the fault, or -1 - next state. */
function expected(state: u32, input: u32): i32 {
  if (input >= <u32>StreamInput.SEND_HEADERS) return expectedToSend(state, input);
  const isHead = input == StreamInput.RECEIVE_HEADERS || input == StreamInput.RECEIVE_HEADERS_END;
  const isData = input == StreamInput.RECEIVE_DATA || input == StreamInput.RECEIVE_DATA_END;
  const isEnd = input == StreamInput.RECEIVE_HEADERS_END || input == StreamInput.RECEIVE_DATA_END;
  // A promise opens an idle stream and no other.
  if (input == StreamInput.RECEIVE_PUSH_PROMISE) {
    return state == StreamState.IDLE ? next(StreamState.RESERVED_REMOTE) : StreamFault.PROTOCOL;
  }
  switch (state) {
    case StreamState.IDLE:
      // "Receiving any frame other than HEADERS or PRIORITY … PROTOCOL_ERROR"
      if (!isHead) return StreamFault.PROTOCOL;
      return next(isEnd ? StreamState.HALF_CLOSED_REMOTE : StreamState.OPEN);
    case StreamState.RESERVED_LOCAL:
      // "any type of frame other than RST_STREAM, PRIORITY, or WINDOW_UPDATE … PROTOCOL_ERROR"
      if (input == StreamInput.RECEIVE_RST_STREAM) return next(StreamState.RESET_REMOTE);
      return input == StreamInput.RECEIVE_WINDOW_UPDATE ? next(state) : StreamFault.PROTOCOL;
    case StreamState.RESERVED_REMOTE:
      // "any type of frame other than HEADERS, RST_STREAM, or PRIORITY … PROTOCOL_ERROR"
      if (input == StreamInput.RECEIVE_RST_STREAM) return next(StreamState.RESET_REMOTE);
      if (!isHead) return StreamFault.PROTOCOL;
      return next(isEnd ? StreamState.CLOSED : StreamState.HALF_CLOSED_LOCAL);
    case StreamState.OPEN:
    case StreamState.HALF_CLOSED_LOCAL:
      if (input == StreamInput.RECEIVE_RST_STREAM) return next(StreamState.RESET_REMOTE);
      if (!isEnd) return next(state);
      return next(state == StreamState.OPEN ? StreamState.HALF_CLOSED_REMOTE : StreamState.CLOSED);
    case StreamState.HALF_CLOSED_REMOTE:
      // "other than WINDOW_UPDATE, PRIORITY, or RST_STREAM … stream error of type STREAM_CLOSED"
      if (input == StreamInput.RECEIVE_RST_STREAM) return next(StreamState.RESET_REMOTE);
      return isHead || isData ? StreamFault.STREAM_CLOSED : next(state);
    case StreamState.CLOSED:
      return isHead || isData ? StreamFault.CONNECTION_CLOSED : StreamFault.IGNORED;
    case StreamState.RESET_REMOTE:
      return isHead || isData ? StreamFault.STREAM_CLOSED : StreamFault.IGNORED;
  }
  return StreamFault.IGNORED;
}

function expectedToSend(state: u32, input: u32): i32 {
  const isEnd = input == StreamInput.SEND_HEADERS_END || input == StreamInput.SEND_DATA_END;
  const isHead = input == StreamInput.SEND_HEADERS || input == StreamInput.SEND_HEADERS_END;
  if (input == StreamInput.SEND_RST_STREAM) {
    const isOver = state == StreamState.CLOSED || state == StreamState.RESET_LOCAL;
    return isOver ? StreamFault.LOCAL : next(StreamState.RESET_LOCAL);
  }
  if (input == StreamInput.SEND_PUSH_PROMISE) {
    return state == StreamState.IDLE ? next(StreamState.RESERVED_LOCAL) : StreamFault.LOCAL;
  }
  switch (state) {
    case StreamState.IDLE:
      if (!isHead) return StreamFault.LOCAL;
      return next(isEnd ? StreamState.HALF_CLOSED_LOCAL : StreamState.OPEN);
    case StreamState.RESERVED_LOCAL:
      if (!isHead) return StreamFault.LOCAL;
      return next(isEnd ? StreamState.CLOSED : StreamState.HALF_CLOSED_REMOTE);
    case StreamState.OPEN:
      return next(isEnd ? StreamState.HALF_CLOSED_LOCAL : state);
    case StreamState.HALF_CLOSED_REMOTE:
      return next(isEnd ? StreamState.CLOSED : state);
  }
  return StreamFault.LOCAL;
}

function next(state: u32): i32 {
  return -1 - <i32>state;
}

describe("the stream table", () => {
  test("answers every state and every input as RFC 9113 §5.1 says", () => {
    for (let state: u32 = 0; state < <u32>StreamState.COUNT; state++) {
      for (let input: u32 = 0; input < <u32>StreamInput.COUNT; input++) {
        const wanted = expected(state, input);
        const fault = <i32>faultOf(state, input);
        const label = `state ${state} input ${input}`;
        if (wanted < 0) {
          expect(fault).toBe(StreamFault.NONE, label);
          expect(nextState(state, input)).toBe(<u32>(-1 - wanted), label);
        } else {
          expect(fault).toBe(wanted, label);
        }
      }
    }
  });

  test("never leaves the states that are closed, except that a reset by the peer may be answered", () => {
    for (let state: u32 = StreamState.CLOSED; state < <u32>StreamState.COUNT; state++) {
      for (let input: u32 = 0; input < <u32>StreamInput.COUNT; input++) {
        expect(isClosed(nextState(state, input))).toBe(true);
      }
    }
  });

  test("knows in which states the peer may send content", () => {
    for (let state: u32 = 0; state < <u32>StreamState.COUNT; state++) {
      const mayReceive = faultOf(state, StreamInput.RECEIVE_DATA) == StreamFault.NONE;
      expect(isRemoteOpen(state)).toBe(mayReceive, `state ${state}`);
    }
  });
});
