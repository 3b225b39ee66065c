// Deno sends the first burst of a fresh UDP socket in reverse: each send waits for the socket to become ready, and the last that came
// is woken first. QUIC would take three datagrams out of order for a loss, so nothing follows the first until that has left.

type Send = (done: () => void) => void;

export class FirstSend {
  /** What came after the first; null before it and once it has left. */
  #waiting: Send[] | null = null;
  #isOver = false;

  /** Sends now, or once the first has left. `send` is told what to call when it is through. */
  run(send: Send): void {
    if (this.#isOver) send(ignore);
    else if (this.#waiting !== null) this.#waiting.push(send);
    else {
      this.#waiting = [];
      send(() => this.#end());
    }
  }

  #end(): void {
    this.#isOver = true;
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const send of waiting) send(ignore);
  }
}

function ignore(): void {
  return undefined;
}
