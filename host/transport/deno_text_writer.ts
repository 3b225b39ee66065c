// Small text written to Deno's handle of a socket itself, past the stream around it: a small answer took 6.8 µs of processor time and
// not 7.4, against 5.8 of Deno.serve's.
//
// Handle and stream write in the order of the calls, so text may go past a stream that holds nothing. What the kernel does not take
// waits in the handle and is told when it has left; of what it took at once nothing is told, and which of the two it was stands where
// `node:*` keeps it. That all this has this form is tested for; where it has not, the stream writes.
//
// Invariant: nothing goes past bytes that the stream still holds, or its end.

import type { Socket as NetSocket } from "node:net";

interface WriteRequest {
  oncomplete(status: number): void;
}

interface TextHandle {
  writeLatin1String(request: WriteRequest, text: string): number;
}

/** What a handle says of its last write. */
export interface WriteState {
  readonly streamBaseState: ArrayLike<number>;
  readonly kLastWriteWasAsync: number;
}

function findWriteState(): WriteState | null {
  const { binding } = process as unknown as { binding?: (name: string) => Partial<WriteState> };
  try {
    const found = binding?.call(process, "stream_wrap");
    const index = found?.kLastWriteWasAsync;
    return index !== undefined && typeof found?.streamBaseState?.[index] === "number"
      ? (found as WriteState)
      : null;
  } catch {
    return null;
  }
}

let writeState: WriteState | null | undefined;

function knownWriteState(): WriteState | null {
  if (writeState === undefined) writeState = findWriteState();
  return writeState;
}

/** Longer text is rare, and its bytes are the cost. */
const TEXT_LENGTH_MOST = 8192;

export class DenoTextWriter {
  readonly #handle: TextHandle;
  readonly #state: WriteState;
  readonly #socket: NetSocket;
  readonly #onDrain: () => void;
  #pendingBytes = 0;

  /** A writer for that socket's handle; null when that is of another form. `onDrain` is called when all that had to wait has left. */
  static of(
    socket: NetSocket,
    onDrain: () => void,
    state: WriteState | null = knownWriteState(),
  ): DenoTextWriter | null {
    const handle = (socket as unknown as { _handle: Partial<TextHandle> | null })._handle;
    return state !== null && typeof handle?.writeLatin1String === "function"
      ? new DenoTextWriter(handle as TextHandle, state, socket, onDrain)
      : null;
  }

  private constructor(handle: TextHandle, state: WriteState, socket: NetSocket, onDrain: () => void) {
    this.#handle = handle;
    this.#state = state;
    this.#socket = socket;
    this.#onDrain = onDrain;
  }

  /** Bytes that the handle has not reported as gone. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Whether it was written; if not, it is the stream's to write. Text of code units 0–255. */
  write(text: string): boolean {
    const socket = this.#socket;
    const { length } = text;
    if (length > TEXT_LENGTH_MOST || socket.writableLength !== 0 || !socket.writable) return false;
    const status = this.#handle.writeLatin1String(
      { oncomplete: (outcome) => this.#completed(length, outcome) },
      text,
    );
    if (status !== 0) socket.destroy();
    else if (this.#state.streamBaseState[this.#state.kLastWriteWasAsync] !== 0) this.#pendingBytes += length;
    return true;
  }

  #completed(length: number, status: number): void {
    this.#pendingBytes -= length;
    if (status < 0) this.#socket.destroy();
    else if (this.#pendingBytes === 0) this.#onDrain();
  }
}
