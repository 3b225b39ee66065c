// A running server: its listeners, its engine instances, and its end.

import { loadModule, moduleFrom } from "../engine/index.ts";
import { HttpError, Reply } from "../router/index.ts";
import type { Logger, SendOptions, WebSocketSendable } from "../router/index.ts";
import type {
  BoundAddress,
  Listener,
  ListenTarget,
  Socket,
  TlsOptions,
  Transport,
} from "../transport/transport.ts";
import { EnginePool } from "./engine_pool.ts";
import type { EngineHost } from "./engine_host.ts";
import type { Http3Options } from "./http3_options.ts";
import { renderMetrics } from "./metrics.ts";
import { type ListenOptions, resolveOptions, type ResolvedOptions } from "./options.ts";
import type { QuicListener } from "./quic_listener.ts";
import { RecordingFile } from "./recording_file.ts";
import type { RequestHandler } from "./request_handler.ts";
import { Topics } from "./topics.ts";

/** How `close` ends. */
export interface CloseOptions {
  /** How long open exchanges may go on. Default 10,000. */
  deadlineMs?: number;
}

/** What `close` had to cut at its deadline. All zero when everything finished. */
export interface CloseReport {
  connections: number;
  exchanges: number;
}

const DEFAULT_CLOSE_DEADLINE_MS = 10_000;
/** A day: what browsers keep anyhow. */
const ALT_SVC_S = 86_400;
const CLOSE_POLL_MS = 20;
/** Ports that are asked for until one is free for TCP and UDP. */
const PORT_TRIES = 8;

/** A server that listens, as `app.listen` gives it. */
export class Server {
  readonly #listeners: Listener[] = [];
  readonly #isSecure: boolean[];
  readonly #quicListeners: QuicListener[] = [];
  readonly #topics = new Topics();
  readonly #pool: EnginePool;
  readonly #recording: RecordingFile | null;
  #altSvc: (() => string | null) | null;
  #altSvcPort = -1;
  #altSvcText = "";
  #closing: Promise<CloseReport> | null = null;

  /** Binds every listener; when one cannot be bound, none is. */
  static async start(handler: RequestHandler, options: ListenOptions = {}): Promise<Server> {
    const resolved = resolveOptions(options);
    const module = await (options.module === undefined ? loadModule() : moduleFrom(options.module));
    const server = new Server(handler, resolved, module, options.logger ?? console);
    const transport = options.transport ?? (await runtimeTransport());
    try {
      for (const target of resolved.targets) {
        const { tls } = target;
        if (tls === undefined || resolved.http3 === null) {
          server.#listeners.push(await transport.listen(target, (socket) => server.#accept(socket)));
        } else {
          await server.#listenBoth(
            transport,
            { ...target, tls },
            resolved.http3,
            handler,
            options.logger ?? console,
          );
        }
      }
    } catch (error) {
      await Promise.all(server.#listeners.map((listener) => listener.stop()));
      server.#pool.destroy();
      throw error;
    }
    return server;
  }

  private constructor(
    handler: RequestHandler,
    options: ResolvedOptions,
    module: WebAssembly.Module,
    logger: Pick<Logger, "error">,
  ) {
    this.#isSecure = options.targets.map((target) => target.tls !== undefined);
    const { servesAuthority } = options;
    this.#altSvc = options.altSvc;
    // A logger that fails has nobody left to tell, and must not take a connection with it.
    const tell = (fields: object, message: string): void => {
      try {
        logger.error(fields, message);
      } catch {
        return;
      }
    };
    const recording = options.record === null ? null : new RecordingFile(options.record);
    this.#recording = recording;
    const save = (): void => {
      recording?.save().catch((error: unknown) => tell({ err: error }, "the recording could not be written"));
    };
    this.#pool = new EnginePool(
      {
        ...(recording === null ? {} : { recorder: () => recording.recorder() }),
        module,
        limits: options.limits,
        memoryBytes: options.memoryBytes,
        instances: options.instances,
      },
      {
        handle:
          servesAuthority === null
            ? (exchange) => handler.handle(exchange)
            : (exchange) => (servesAuthority(exchange.authority) ? handler.handle(exchange) : misdirected()),
        opensWebSockets: () => handler.opensWebSockets === true,
        topics: this.#topics,
        altSvc: () => this.#altSvcNow(),
        onFailure: (_host, error) => {
          tell({ err: error }, "an engine instance failed and was replaced");
          save();
        },
        onError: (error, exchange) => tell({ err: error, target: exchange.target }, "a reply failed"),
      },
    );
  }

  /**
   * A listener with HTTP/3 beside it. Of any port, one is taken whose number is free for UDP, too. Where UDP cannot be bound the server
   * says so, and serves what it can.
   */
  async #listenBoth(
    transport: Transport,
    target: ListenTarget & { readonly tls: TlsOptions },
    options: Http3Options,
    handler: RequestHandler,
    logger: Pick<Logger, "warn">,
  ): Promise<void> {
    const host = this.#pool.hosts[0] as EngineHost;
    const isAnyPort = (target.port ?? 0) === 0 && target.path === undefined;
    // Held until one is found, so that each try is of another number.
    const others: Listener[] = [];
    try {
      for (;;) {
        const listener = await transport.listen(target, (socket) => this.#accept(socket));
        try {
          const { listenHttp3 } = await import("./quic_listener.ts");
          this.#quicListeners.push(await listenHttp3(host, listener.address, target, options, handler));
        } catch (error) {
          if (isAnyPort && isPortTaken(error) && others.length + 1 < PORT_TRIES) {
            others.push(listener);
            continue;
          }
          logger.warn(
            { err: error },
            `HTTP/3 is not served on port ${listener.address.port}: UDP cannot be used`,
          );
        }
        this.#listeners.push(listener);
        return;
      }
    } finally {
      await Promise.all(others.map((listener) => listener.stop()));
    }
  }

  /** Where the listeners are bound, in the order of the options. */
  get addresses(): readonly BoundAddress[] {
    return this.#listeners.map((listener) => listener.address);
  }

  /** The first listener's port; 0 for a Unix socket. */
  get port(): number {
    return this.#listeners[0]?.address.port ?? 0;
  }

  /** One URL per TCP listener. */
  get urls(): readonly string[] {
    return this.#listeners.flatMap(({ address }, index) => {
      if (address.path !== null) return [];
      const any = address.host === "::" || address.host === "0.0.0.0";
      const host = any ? "localhost" : address.host.includes(":") ? `[${address.host}]` : address.host;
      return [`${this.#isSecure[index] === true ? "https" : "http"}://${host}:${address.port}/`];
    });
  }

  /** The protocols that are served. */
  get protocols(): readonly string[] {
    return this.#quicListeners.length === 0 ? ["h2", "http/1.1"] : ["h3", "h2", "http/1.1"];
  }

  /**
   * Has the answers over TLS name alternative services (RFC 7838), in place of the option altSvc: for whoever listens beside this
   * server for the same origin. Null takes that back.
   */
  advertise(altSvc: (() => string | null) | null): void {
    this.#altSvc = altSvc;
  }

  /** Connections that are open. */
  get connectionCount(): number {
    return this.#pool.connectionCount;
  }

  /** Sends a message to every WebSocket that is subscribed to the topic; answers how many there are. */
  publish(topic: string, message: WebSocketSendable, options: SendOptions = {}): number {
    return this.#topics.publish(topic, message, options.compress, null);
  }

  /** WebSockets that are subscribed to the topic. */
  subscriberCount(topic: string): number {
    return this.#topics.count(topic);
  }

  /** The server's metrics in the text format of Prometheus. */
  metrics(): Promise<string> {
    return renderMetrics(this.#pool);
  }

  /**
   * Stops accepting, closes idle connections at once, lets open exchanges finish until the deadline, then cuts what is left
   * and reports it. Later calls answer the same promise.
   */
  close(options: CloseOptions = {}): Promise<CloseReport> {
    const deadlineMs = options.deadlineMs ?? DEFAULT_CLOSE_DEADLINE_MS;
    if (typeof deadlineMs !== "number" || !(deadlineMs >= 0)) {
      throw new RangeError(
        `close option deadlineMs is ${String(deadlineMs)}; it must be a number of milliseconds, 0 or more`,
      );
    }
    this.#closing ??= this.#close(deadlineMs);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(deadlineMs: number): Promise<CloseReport> {
    const deadline = performance.now() + deadlineMs;
    await Promise.all(this.#listeners.map((listener) => listener.stop()));
    for (const listener of this.#quicListeners) listener.drain();
    this.#pool.drain();
    const isBusy = (): boolean =>
      this.#pool.connectionCount > 0 || this.#listeners.some(({ handshakeCount = 0 }) => handshakeCount > 0);
    while (isBusy() && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, CLOSE_POLL_MS));
    }
    const cut = this.#pool.destroy();
    await Promise.all(this.#quicListeners.map((listener) => listener.stop()));
    await this.#recording?.save();
    return cut;
  }

  #accept(socket: Socket): void {
    this.#pool.accept(socket);
  }

  /** RFC 7838 §3: whoever is told `clear` asks the origin itself the next time, and by then another server may be there. */
  #altSvcNow(): string | null {
    const first = this.#quicListeners[0];
    if (this.#altSvc === null && first === undefined) return null;
    if (this.#closing !== null) return "clear";
    if (this.#altSvc !== null) return this.#altSvc();
    const port = first?.port ?? 0;
    // The same text each time is the same string: answers compare it.
    if (port !== this.#altSvcPort) {
      this.#altSvcPort = port;
      this.#altSvcText = `h3=":${port}"; ma=${ALT_SVC_S}`;
    }
    return this.#altSvcText;
  }

  /** For tests of what happens when the module traps. */
  get pool(): EnginePool {
    return this.#pool;
  }
}

/** Loaded when no other is given: a browser has none of these modules. */
async function runtimeTransport(): Promise<Transport> {
  if (typeof process !== "object") {
    throw new TypeError("listen option transport is missing; it must be one, as there are no sockets here");
  }
  return (await import("../transport/runtime_transport.ts")).runtimeTransport;
}

/** Whether a port could not be bound because somebody has it: Node's and Bun's code, or Deno's class. */
function isPortTaken(error: unknown): boolean {
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
  return code === "EADDRINUSE" || name === "AddrInUse";
}

/** RFC 9110 §15.5.20: the server does not speak for this authority. */
function misdirected(): Reply {
  const { status, message } = new HttpError(421, "this server does not serve the requested authority");
  return Reply.text(`${message}\n`, status);
}
