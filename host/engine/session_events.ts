// The engine's events of WebTransport sessions as calls on a sink (assembly/abi/event.ts).

import { EventKind, EventLane } from "../../assembly/abi/event.ts";
import type { EngineMemory } from "./memory.ts";

/** What the engine tells of sessions of WebTransport; `session` is the handle of the exchange whose CONNECT opened it. */
export interface SessionEvents {
  /** `bytes` is a view that is valid during the call. */
  sessionDatagram(session: number, bytes: Uint8Array): void;
  /** The peer has opened a stream; what happens on it is told by `quic.stream`. */
  sessionStream(session: number, stream: number, id: number): void;
  /** The peer asks to bring the session to an end. */
  sessionDrain(session: number): void;
  /** The peer has closed the session, whose handle is to be released; those of its streams are stale. */
  sessionClose(session: number, code: number, reason: string): void;
}

const WORD = 0x1_0000_0000;

/** Tells the event in the record at `at`, which nothing overwrites before its sink was called. */
export function readSessionEvent(memory: EngineMemory, sink: SessionEvents, at: number): void {
  const { words, bytes } = memory;
  const session = words[at + EventLane.EXCHANGE] as number;
  const a = words[at + EventLane.A] as number;
  const b = words[at + EventLane.B] as number;
  const c = words[at + EventLane.C] as number;
  switch ((words[at] as number) & 0xffff) {
    case EventKind.SESSION_DATAGRAM:
      return sink.sessionDatagram(session, bytes.subarray(a, a + b));
    case EventKind.SESSION_STREAM:
      return sink.sessionStream(session, a, c * WORD + b);
    case EventKind.SESSION_DRAIN:
      return sink.sessionDrain(session);
    case EventKind.SESSION_CLOSE:
      return sink.sessionClose(session, a, memory.utf8(b, c));
  }
}
