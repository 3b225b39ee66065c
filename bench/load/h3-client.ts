/*
 * The engine's client role on one UDP socket, without what HttpClient has on top of it: no promise, no object per request, and the
 * request itself lies in the engine's memory from the start. The clock is read once for each batch.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { QuicConfigFlag, QuicOption } from "../../assembly/abi/quic.ts";
import { SendFlag } from "../../assembly/abi/message.ts";
import { encodeAddress } from "../../host/engine/datagram_batch.ts";
import { Engine } from "../../host/engine/engine.ts";
import type { PinnedFields } from "../../host/engine/engine.ts";
import { checked } from "../../host/engine/engine_error.ts";
import { resolveLimits } from "../../host/engine/limits.ts";
import type { EventSink } from "../../host/engine/event_reader.ts";
import type { QuicEvents } from "../../host/engine/quic_events.ts";
import { Endpoint } from "../../host/quic/endpoint.ts";
import type { EngineOwner } from "../../host/quic/endpoint.ts";
import { bindNodeDatagrams } from "../../host/transport/node_datagrams.ts";
import { distFolder } from "../paths.ts";

export const ANY_ADDRESS = "127.0.0.1";
const MEMORY_BYTES = 64 * 1024 * 1024;
const INDEX_MASK = 0xfffff;
const METHOD = "GET";
const TARGET = "/";

export class H3LoadClient implements EngineOwner {
  readonly engine: Engine;
  readonly isFailed = false;
  /** Rejects when something goes wrong. */
  readonly failed: Promise<never>;
  onAnswer: (connection: number, statusCode: number, bytes: number) => void = () => undefined;
  #fail: (error: Error) => void = () => undefined;
  #endpoint: Endpoint | null = null;
  readonly #config: number;
  readonly #fields: PinnedFields;
  /** Where METHOD lies, and TARGET after it. */
  readonly #lineAt: number;
  #nowMs = 0;
  readonly #connected = new Map<number, () => void>();
  /** By the exchange's index: what has come of the answer. */
  readonly #bytes: number[] = [];
  readonly #status: number[] = [];
  readonly #sink: EventSink;
  #timer: NodeJS.Timeout | null = null;
  #deadlineMs = Infinity;

  static async start(): Promise<H3LoadClient> {
    const client = new H3LoadClient(new WebAssembly.Module(readFileSync(join(distFolder, "engine.wasm"))));
    const socket = await bindNodeDatagrams(
      { host: ANY_ADDRESS, port: 0 },
      {
        onDatagram: (payload, host, port) => client.#endpoint?.onDatagram(payload, host, port),
        onClose: () => undefined,
      },
    );
    client.#endpoint = new Endpoint(client, []);
    client.#endpoint.addSocket(socket);
    return client;
  }

  private constructor(module: WebAssembly.Module) {
    this.failed = new Promise((_, reject) => (this.#fail = reject));
    this.failed.catch(() => undefined);
    this.engine = Engine.create(module, {
      memoryBytes: MEMORY_BYTES,
      limits: resolveLimits({ exchangeCount: 4096, resetBurst: 10_000 }),
      now: this.now(),
    });
    checked(this.engine.doors.setDate(Date.now()), "setting the date");
    const { quic } = this.engine;
    this.#config = checked(quic.createConfig(), "making a configuration");
    const flags = QuicConfigFlag.HTTP3 | QuicConfigFlag.ANY_CERTIFICATE;
    checked(quic.setOption(this.#config, QuicOption.FLAGS, flags), "setting flags");
    checked(quic.setAlpn(this.#config, ["h3"]), "setting ALPN");
    this.#fields = this.engine.pin([["host", "localhost"]]);
    const line = this.engine.pin([["x", METHOD + TARGET]]);
    this.#lineAt = line.ptr + line.len - METHOD.length - TARGET.length;
    this.#sink = this.#makeSink();
  }

  /** A connection whose handshake is complete. */
  async connect(address: string, port: number): Promise<number> {
    const target = { address: encodeAddress(address, port), serverName: "localhost" };
    const { handle: endpoint } = this.#endpoint as Endpoint;
    const handle = checked(
      this.engine.quic.connect(endpoint, this.#config, target, this.now()),
      "connecting",
    );
    const connected = new Promise<void>((resolve) => this.#connected.set(handle, resolve));
    this.readEvents();
    this.flush();
    await Promise.race([connected, this.failed]);
    return handle;
  }

  ask(connection: number): void {
    const { ptr, len } = this.#fields;
    const targetAt = this.#lineAt + METHOD.length;
    const exchange = this.engine.doors.openExchange(
      connection,
      this.#lineAt,
      METHOD.length,
      targetAt,
      TARGET.length,
      ptr,
      len,
      -1,
      SendFlag.END,
      this.#nowMs,
    );
    if (exchange < 0) checked(exchange, "asking");
    this.#bytes[exchange & INDEX_MASK] = 0;
    (this.#endpoint as Endpoint).flushLater();
  }

  flush(): void {
    (this.#endpoint as Endpoint).flush();
    this.armTimer();
  }

  // What an endpoint asks of its owner.

  now(): number {
    return (this.#nowMs = performance.now());
  }

  readEvents(): void {
    if (this.engine.hasEvents) this.engine.readEvents(this.#sink);
  }

  armTimer(): void {
    const deadline = this.engine.doors.pollDeadline();
    if (deadline >= this.#deadlineMs) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#deadlineMs = deadline;
    this.#timer = setTimeout(
      () => {
        this.#deadlineMs = Infinity;
        this.engine.doors.handleTimeout(this.now());
        this.readEvents();
        this.flush();
      },
      Math.max(deadline - this.now(), 1),
    );
  }

  fail(error: unknown): void {
    this.#fail(error as Error);
  }

  #makeSink(): EventSink {
    const nothing = () => undefined;
    const { doors } = this.engine;
    const answered = (connection: number, exchange: number): void => {
      const index = exchange & INDEX_MASK;
      doors.releaseExchange(exchange);
      this.onAnswer(connection, this.#status[index] as number, this.#bytes[index] as number);
    };
    const quic: Partial<QuicEvents> = {
      question: (connection, kind, question) => this.#endpoint?.answer(connection, kind, question),
      connected: (connection) => this.#connected.get(connection)?.(),
      closed: (_connection, _flags, code, reason) =>
        this.#fail(new Error(`the connection ended with ${code} ${reason}`)),
    };
    const events = [
      "accepted",
      "confirmed",
      "stream",
      "openable",
      "datagrams",
      "ticket",
      "token",
      "keyLog",
      "path",
    ];
    return {
      request: nothing,
      response: (connection, exchange, head) => {
        this.#status[exchange & INDEX_MASK] = head.statusCode;
        const hasBody = head.hasBody;
        head.release();
        if (!hasBody) answered(connection, exchange);
      },
      informational: nothing,
      body: (connection, exchange, bytes, isEnd) => {
        const index = exchange & INDEX_MASK;
        this.#bytes[index] = (this.#bytes[index] as number) + bytes.length;
        doors.readBody(exchange, bytes.length, this.#nowMs);
        if (isEnd) answered(connection, exchange);
      },
      end: answered,
      aborted: (_connection, _exchange, status) => this.#fail(new Error(`a request was cut: ${status}`)),
      peerEnded: nothing,
      writable: nothing,
      tunnel: nothing,
      transmit: nothing,
      readPause: nothing,
      readResume: nothing,
      close: nothing,
      quic: { ...Object.fromEntries(events.map((name) => [name, nothing])), ...quic } as QuicEvents,
    };
  }
}
