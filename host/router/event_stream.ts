// Server-sent events: the framing of `text/event-stream` and the two ways to feed it (HTML Standard §9.2).
//
// An event is written whole: each line of its data gets its own `data:` line, so no value can smuggle in a
// field or a second event. `id` and `event` are single lines by nature; a line break in them is an error. The
// stream is an async iterable of text, pulled by whoever writes the reply, which is what gives backpressure.

/** One server-sent event. */
export interface ServerSentEvent {
  /** Text, or any other value to be sent as JSON. */
  data?: unknown;
  /** The event's type; `message` at the client when absent. */
  event?: string;
  /** What the client sends back as `last-event-id` when it reconnects. */
  id?: string;
  /** Milliseconds a client shall wait before it reconnects. */
  retry?: number;
  /** A comment, ignored by clients; keeps a quiet connection alive. */
  comment?: string;
}

/** Where events come from: an iterable, or a function that is given the stream and sends. */
export type EventSourceInput =
  | AsyncIterable<ServerSentEvent | string>
  | Iterable<ServerSentEvent | string>
  | ((stream: EventStream) => void | Promise<void>);

const lineBreak = /\r\n|\r|\n/;

/** The bytes of one event as text, the blank line that ends it included. A string is an event with that data. */
export function formatEvent(event: ServerSentEvent | string): string {
  if (typeof event === "string") return `${linesOf("data", event)}\n`;
  let text = "";
  if (event.comment !== undefined) text += linesOf("", event.comment);
  if (event.event !== undefined) text += singleLine("event", event.event);
  if (event.id !== undefined) text += singleLine("id", event.id);
  if (event.retry !== undefined) {
    if (!Number.isInteger(event.retry) || event.retry < 0) {
      throw new RangeError(
        `Server-sent event: retry ${String(event.retry)} is not a whole number of milliseconds`,
      );
    }
    text += `retry: ${event.retry}\n`;
  }
  if (event.data !== undefined) {
    text += linesOf("data", typeof event.data === "string" ? event.data : jsonOf(event.data));
  }
  return `${text}\n`;
}

function linesOf(field: string, value: string): string {
  let text = "";
  for (const line of value.split(lineBreak)) text += `${field}: ${line}\n`;
  return text;
}

function singleLine(field: string, value: string): string {
  if (lineBreak.test(value) || value.includes("\0")) {
    throw new TypeError(`Server-sent event: ${field} ${JSON.stringify(value)} must be one line without NUL`);
  }
  return `${field}: ${value}\n`;
}

function jsonOf(data: unknown): string {
  const text = JSON.stringify(data) as string | undefined;
  if (text === undefined)
    throw new TypeError(`Server-sent event: data of type ${typeof data} cannot be sent as JSON`);
  return text;
}

/**
 * An event stream: the sending end for the function passed to `sse()`, and the iterator of its text for the
 * writer of the reply. Not a generator, because `return()` must end it while a `next()` is still waiting.
 */
export class EventStream implements AsyncIterableIterator<string> {
  readonly #unsent: Array<{ text: string; taken: (listening: boolean) => void }> = [];
  readonly #onClose: Array<() => void> = [];
  #pull: { resolve: (result: IteratorResult<string>) => void; reject: (error: unknown) => void } | null =
    null;
  #closed = false;
  #failure: { error: unknown } | null = null;

  /** True once either side ended the stream. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves when the event is taken for sending: true, or false when the peer is gone. Await it for backpressure. */
  send(event: ServerSentEvent | string): Promise<boolean> {
    const text = formatEvent(event);
    if (this.#closed) return Promise.resolve(false);
    return new Promise((taken) => {
      this.#unsent.push({ text, taken });
      this.#deliver();
    });
  }

  /** Sends a comment line, which clients ignore. */
  comment(text: string): Promise<boolean> {
    return this.send({ comment: text });
  }

  /** Ends the stream after what was sent before. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const callback of this.#onClose) callback();
    this.#deliver();
  }

  /** Calls back once when either side ends the stream. */
  onClose(callback: () => void): void {
    if (this.#closed) callback();
    else this.#onClose.push(callback);
  }

  /**
   * Runs the sending function. One that returns a promise ends the stream when it settles; one that returns
   * nothing keeps it open until `close()`.
   */
  async run(sender: (stream: EventStream) => void | Promise<void>): Promise<void> {
    try {
      const running = sender(this);
      if (running === undefined) return;
      await running;
    } catch (error) {
      this.#failure = { error };
    }
    this.close();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<string>> {
    return new Promise((resolve, reject) => {
      this.#pull = { resolve, reject };
      this.#deliver();
    });
  }

  /** The reader has gone: what was not taken is dropped. */
  return(): Promise<IteratorResult<string>> {
    this.#failure = null;
    for (const { taken } of this.#unsent.splice(0)) taken(false);
    this.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  #deliver(): void {
    const pull = this.#pull;
    if (pull === null) return;
    const event = this.#unsent.shift();
    if (event === undefined && !this.#closed) return;
    this.#pull = null;
    if (event !== undefined) {
      event.taken(true);
      pull.resolve({ done: false, value: event.text });
    } else if (this.#failure !== null) {
      const { error } = this.#failure;
      this.#failure = null;
      pull.reject(error);
    } else {
      pull.resolve({ done: true, value: undefined });
    }
  }
}

/** Any source of events as the text of `text/event-stream`. */
export function eventStreamText(source: EventSourceInput): AsyncIterable<string> {
  if (typeof source !== "function") return formatAll(source);
  const stream = new EventStream();
  void stream.run(source);
  return stream;
}

async function* formatAll(
  source: AsyncIterable<ServerSentEvent | string> | Iterable<ServerSentEvent | string>,
): AsyncGenerator<string, void, undefined> {
  for await (const event of source) yield formatEvent(event);
}
