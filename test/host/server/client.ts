// A client that speaks raw bytes over a real socket: it sends what a test writes and keeps what arrives, interprets nothing
// unless asked, reads only while it is told to, and never hangs: every wait has a deadline that names what was missing.

import { connect, type NetConnectOpts, type Socket } from "node:net";

const PATIENCE_MS = 8000;

/** A response as far as tests look at one. */
export interface RawResponse {
  status: number;
  head: string;
  headers: Map<string, string>;
  body: Buffer;
}

export class RawClient {
  readonly socket: Socket;
  receivedBytes = 0;
  /** What has arrived and was not taken by `response`; joined when it is looked at. */
  #chunks: Buffer[] = [];
  #available = 0;
  hasEnded = false;
  isClosed = false;
  error: NodeJS.ErrnoException | null = null;
  readonly #waiters = new Set<() => void>();

  constructor(socket: Socket, keeps = true) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.receivedBytes += chunk.length;
      if (keeps) {
        this.#chunks.push(chunk);
        this.#available += chunk.length;
      }
      this.#wake();
    });
    socket.on("end", () => {
      this.hasEnded = true;
      this.#wake();
    });
    socket.on("error", (error) => (this.error = error));
    socket.on("close", () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  static async open(to: number | NetConnectOpts, keeps = true): Promise<RawClient> {
    const options = typeof to === "number" ? { port: to, host: "127.0.0.1" } : to;
    const socket = connect({ ...options, allowHalfOpen: true } as NetConnectOpts);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new RawClient(socket, keeps);
  }

  write(bytes: string | Uint8Array): this {
    if (!this.isClosed) this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
    return this;
  }

  /** Waits until `isTrue`, which is asked whenever something happened on the socket. */
  async until(what: string, isTrue: () => boolean, patienceMs = PATIENCE_MS): Promise<void> {
    const deadline = performance.now() + patienceMs;
    while (!isTrue()) {
      const left = deadline - performance.now();
      if (left <= 0) {
        const tail = this.received.subarray(-200).toString("latin1");
        throw new Error(`waited ${patienceMs} ms for ${what}; last received: ${JSON.stringify(tail)}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => waiter(), Math.min(left, 50));
        const waiter = (): void => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          resolve();
        };
        this.#waiters.add(waiter);
      });
    }
  }

  /** The next complete response; one to HEAD has no body whatever its fields say. */
  async response(method = "GET"): Promise<RawResponse> {
    await this.until(
      "a response head",
      () => this.received.includes("\r\n\r\n") || this.isClosed || this.hasEnded,
    );
    const end = this.received.indexOf("\r\n\r\n");
    if (end < 0) throw new Error(`closed without a response: ${JSON.stringify(this.text)}`);
    const head = this.received.subarray(0, end + 4).toString("latin1");
    this.received = this.received.subarray(end + 4);
    const lines = head.trimEnd().split("\r\n");
    const headers = new Map<string, string>();
    for (const line of lines.slice(1)) {
      const colon = line.indexOf(":");
      const name = line.slice(0, colon).toLowerCase();
      const value = line.slice(colon + 1).trim();
      const before = headers.get(name);
      headers.set(name, before === undefined ? value : `${before}, ${value}`);
    }
    const status = Number(lines[0]?.split(" ")[1]);
    const body = await this.#body(method, status, headers);
    return { status, head, headers, body };
  }

  get received(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0]!;
  }

  set received(left: Buffer) {
    this.#chunks = [left];
    this.#available = left.length;
  }

  get text(): string {
    return this.received.toString("latin1");
  }

  /** Waits until the server has ended its side or closed. */
  async ended(patienceMs = PATIENCE_MS): Promise<void> {
    await this.until("the end of the connection", () => this.hasEnded || this.isClosed, patienceMs);
  }

  close(): void {
    this.socket.destroy();
  }

  async #body(method: string, status: number, headers: Map<string, string>): Promise<Buffer> {
    if (method === "HEAD" || status < 200 || status === 204 || status === 304) return Buffer.alloc(0);
    if (headers.get("transfer-encoding") === "chunked") return this.#chunked();
    const length = headers.get("content-length");
    if (length === undefined) {
      await this.ended();
      return this.#take(this.received.length);
    }
    return this.#exactly(Number(length));
  }

  async #chunked(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for (;;) {
      const size = Number.parseInt(await this.#line(), 16);
      if (size === 0) {
        while ((await this.#line()) !== "") continue;
        return Buffer.concat(chunks);
      }
      chunks.push(await this.#exactly(size));
      if ((await this.#line()) !== "") throw new Error("a chunk does not end in CRLF");
    }
  }

  async #line(): Promise<string> {
    await this.until("a line", () => this.received.includes("\r\n") || this.isClosed || this.hasEnded);
    const end = this.received.indexOf("\r\n");
    if (end < 0) throw new Error("the connection ended within chunked content");
    const line = this.received.subarray(0, end).toString("latin1");
    this.received = this.received.subarray(end + 2);
    return line;
  }

  async #exactly(length: number): Promise<Buffer> {
    await this.until(`${length} bytes`, () => this.#available >= length || this.isClosed || this.hasEnded);
    if (this.received.length < length)
      throw new Error(`the connection ended ${length - this.received.length} bytes early`);
    return this.#take(length);
  }

  #take(length: number): Buffer {
    const bytes = this.received.subarray(0, length);
    this.received = this.received.subarray(length);
    return bytes;
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) waiter();
  }
}

/** One request on a connection of its own. */
export async function ask(port: number, bytes: string | Uint8Array, method = "GET"): Promise<RawResponse> {
  const client = await RawClient.open(port);
  try {
    return await client.write(bytes).response(method);
  } finally {
    client.close();
  }
}

export function get(path: string, ...lines: string[]): string {
  return request("GET", path, ...lines);
}

export function request(method: string, path: string, ...lines: string[]): string {
  return [`${method} ${path} HTTP/1.1`, "host: test", ...lines, "", ""].join("\r\n");
}

export function post(path: string, body: string, ...lines: string[]): string {
  return request("POST", path, `content-length: ${Buffer.byteLength(body, "latin1")}`, ...lines) + body;
}
