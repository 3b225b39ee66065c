// Streams that the peer of a session opens, as they come; the transport bounds how many there can be.

export class IncomingStreams<T> {
  readonly readable: ReadableStream<T>;
  #controller!: ReadableStreamDefaultController<T>;
  #isOver = false;

  constructor() {
    this.readable = new ReadableStream<T>({
      start: (controller) => void (this.#controller = controller),
      cancel: () => void (this.#isOver = true),
    });
  }

  add(stream: T): void {
    if (!this.#isOver) this.#controller.enqueue(stream);
  }

  end(error: Error | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (error === null) this.#controller.close();
    else this.#controller.error(error);
  }
}
