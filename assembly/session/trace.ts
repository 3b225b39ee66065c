/**
 * Calls that concern one connection each, for a host that keeps what each connection was given.
 *
 * The doors of endpoints and of time serve many connections at a call. While the host traces, such a call stops behind the first
 * connection that it has served and says which that was, so that the same connection can be given the same calls again, alone.
 *
 *   0                4
 *   ┌────────────────┬────────────────────────────────────────────────┐
 *   │ host: 1 traces │ engine: handle of the connection served, or 0  │   Layout.TRACE_PTR
 *   └────────────────┴────────────────────────────────────────────────┘
 */
const trace: usize = memory.data(8, 8);

export function tracePtr(): usize {
  return trace;
}

export function isTracing(): bool {
  return load<u32>(trace) != 0;
}

/** The call that runs now serves this connection. */
export function traceServed(handle: u32): void {
  store<u32>(trace, handle, 4);
}

/** Whether the call that runs now has served a connection and is to stop there. */
export function isTraceOver(): bool {
  return isTracing() && load<u32>(trace, 4) != 0;
}
