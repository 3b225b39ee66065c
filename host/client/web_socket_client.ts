// A WebSocket client that follows the standard `WebSocket` (https://websockets.spec.whatwg.org), over HTTP/1.1, HTTP/2 and HTTP/3.
//
// What differs: messages arrive until the connection is closed, those after `close` too; binary ones are ArrayBuffers unless asked
// for as Uint8Arrays; there are no blobs. What a browser has no say in can be chosen: fields, HTTP/2, TLS, compression, limits.

import { CloseCode, Deflate, MessageKind, SocketFlag, Status, WsStatus } from "../engine/index.ts";
import { EngineError } from "../engine/index.ts";
import type { ReceivedHead, SocketPayload } from "../engine/index.ts";
import { checkClose } from "../server/socket_close.ts";
import { SocketCompression } from "../server/socket_compression.ts";
import { bytesOf } from "../server/socket_output.ts";
import { isUtf8 } from "../server/utf8.ts";
import { WebSocketCloseEvent, WebSocketErrorEvent } from "./web_socket_events.ts";
import type { ClientConnection, SocketOwner } from "./client_host.ts";
import { QuicConnection } from "./quic_connection.ts";
import { TcpConnection } from "./tcp_connection.ts";
import { WebSocketOutput } from "./web_socket_output.ts";

/** What the second argument of `new WebSocketClient` takes beside subprotocols. */
export interface WebSocketClientOptions {
  /** Subprotocols, most wanted first. */
  readonly protocols?: string | readonly string[];
  /** Further fields of the request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Speak HTTP/2 (RFC 8441). Default false. */
  readonly http2?: boolean;
  /** Speak HTTP/3 (RFC 9220), for `wss:` alone. Default false. */
  readonly http3?: boolean;
  /** Offer permessage-deflate. Default true. */
  readonly compression?: boolean;
  /** Longest message in bytes, inflated. Default 64 MiB. */
  readonly maxMessageBytes?: number;
  /** Options of node:tls, such as `ca` and `rejectUnauthorized`; over HTTP/3 those of `HttpClient`. */
  readonly tls?: object;
}

type Listener<E> = ((event: E) => void) | null;

const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
const COMPRESSOR = { threshold: 1024, level: -1, memLevel: 8 };

/** A WebSocket to somewhere, after the standard `WebSocket` of browsers; over HTTP/2 or HTTP/3 where that is asked for. */
export class WebSocketClient extends EventTarget implements SocketOwner {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;

  readonly url: string;
  binaryType: "arraybuffer" | "uint8array" = "arraybuffer";
  onopen: Listener<Event> = null;
  onmessage: Listener<MessageEvent> = null;
  onerror: Listener<WebSocketErrorEvent> = null;
  onclose: Listener<WebSocketCloseEvent> = null;
  readonly #target: URL;
  readonly #options: WebSocketClientOptions;
  readonly #protocols: readonly string[];
  #connection: ClientConnection | null = null;
  #readyState = WebSocketClient.CONNECTING;
  #protocol = "";
  #extensions = "";
  #compression: SocketCompression | null = null;
  #pieces: Uint8Array[] = [];
  /** What arrives is told in order, though inflating takes a while; likewise what is sent. */
  #incoming: Promise<void> = Promise.resolve();
  #outgoing: Promise<void> = Promise.resolve();
  #compressing = 0;
  /** Bytes of messages that are being compressed, or wait for one that is. */
  #compressingBytes = 0;
  readonly #output = new WebSocketOutput();
  #close: { code: number; reason: string } | null = null;
  #end: { code: number; reason: string; status: number } | null = null;

  constructor(url: string | URL, options: WebSocketClientOptions | string | readonly string[] = {}) {
    super();
    this.#options =
      typeof options === "string" || Array.isArray(options)
        ? { protocols: options }
        : (options as WebSocketClientOptions);
    this.#target = targetOf(url);
    this.url = this.#target.href;
    const { protocols = [], http2, http3 } = this.#options;
    if (http3 === true && (http2 === true || this.#target.protocol === "ws:")) {
      throw new TypeError("http3 is true; it goes with wss: alone, and not with http2");
    }
    this.#protocols = typeof protocols === "string" ? [protocols] : protocols;
    void this.#connect();
  }

  get readyState(): number {
    return this.#readyState;
  }

  get protocol(): string {
    return this.#protocol;
  }

  get extensions(): string {
    return this.#extensions;
  }

  /** Bytes of messages that have not left for the network. */
  get bufferedAmount(): number {
    const connection = this.#connection;
    const waiting = this.#compressingBytes + this.#output.byteLength;
    if (connection === null || connection.exchange === 0) return waiting;
    return waiting + connection.engine.doors.bufferedBytes(connection.exchange) + connection.writableLength;
  }

  send(message: string | ArrayBuffer | ArrayBufferView): void {
    if (this.#readyState === WebSocketClient.CONNECTING) {
      throw new DOMException("the WebSocket is not open yet", "InvalidStateError");
    }
    if (this.#readyState !== WebSocketClient.OPEN) return;
    const bytes = bytesOf(message);
    const kind = typeof message === "string" ? MessageKind.TEXT : MessageKind.BINARY;
    const compression = this.#compression;
    if (compression !== null && (bytes.length >= compression.threshold || this.#compressing > 0)) {
      this.#compressing++;
      this.#compressingBytes += bytes.length;
      const isCompressed = bytes.length >= compression.threshold;
      this.#outgoing = this.#outgoing.then(async () => {
        const payload = isCompressed ? await compression.deflate(bytes) : bytes;
        this.#compressing--;
        this.#compressingBytes -= bytes.length;
        this.#push(payload, isCompressed ? kind | MessageKind.COMPRESSED : kind);
        this.#closeWhenSent();
      });
      return;
    }
    this.#push(bytes, kind);
  }

  close(code?: number, reason = ""): void {
    const chosen = code ?? CloseCode.NO_STATUS;
    if (code !== undefined && code !== Number(CloseCode.NORMAL) && !(code >= 3000 && code <= 4999)) {
      throw new DOMException("a client closes with 1000, or 3000 to 4999", "InvalidAccessError");
    }
    checkClose(chosen, reason);
    if (this.#readyState >= WebSocketClient.CLOSING) return;
    const wasOpen = this.#readyState === WebSocketClient.OPEN;
    this.#readyState = WebSocketClient.CLOSING;
    this.#close = { code: chosen, reason };
    if (wasOpen) this.#closeWhenSent();
    else this.#connection?.destroy();
  }

  // What the connection tells.

  connected(): void {
    this.#ask();
  }

  progressed(): void {
    // A server of HTTP/2 or HTTP/3 has to say first that it takes WebSockets.
    if (this.#connection?.exchange === 0 && this.#end === null) this.#ask();
  }

  response(head: ReceivedHead): void {
    if (this.#readyState !== WebSocketClient.CONNECTING) return;
    this.#tellError(new Error(`the server answered ${head.statusCode}`));
    this.#connection?.destroy();
  }

  socketOpen(head: ReceivedHead, deflate: number): void {
    this.#protocol = head.field("sec-websocket-protocol") ?? "";
    this.#extensions = head.field("sec-websocket-extensions") ?? "";
    if (deflate !== Number(Deflate.NONE)) {
      this.#compression = new SocketCompression(deflate, false, COMPRESSOR, this.#messageBytesMax);
    }
    if (this.#readyState !== WebSocketClient.CONNECTING) return;
    this.#readyState = WebSocketClient.OPEN;
    this.#tell("open", new Event("open"));
  }

  socketData(flags: number, payload: SocketPayload): void {
    if ((flags & SocketFlag.FIRST) !== 0) this.#pieces = [];
    this.#pieces.push(payload.bytes());
    if ((flags & SocketFlag.LAST) === 0) return;
    const bytes = this.#pieces.length === 1 ? (this.#pieces[0] as Uint8Array) : Buffer.concat(this.#pieces);
    this.#pieces = [];
    const isBinary = (flags & SocketFlag.BINARY) !== 0;
    const isCompressed = (flags & SocketFlag.COMPRESSED) !== 0;
    if (this.#compression === null) this.#deliver(bytes, isBinary);
    else this.#incoming = this.#incoming.then(() => this.#inflate(bytes, isBinary, isCompressed));
  }

  socketClose(flags: number, code: number, reason: string, status: number): void {
    this.#end = { code, reason, status };
    if (this.#readyState === WebSocketClient.OPEN) this.#readyState = WebSocketClient.CLOSING;
    if ((flags & SocketFlag.ANSWER_OWED) !== 0) {
      const answer = (): void => {
        const connection = this.#connection;
        connection?.run(() => {
          connection.engine.sockets.close(connection.exchange, code, "", performance.now());
          connection.exchange = 0;
          connection.end();
        });
      };
      if (this.#compression === null) answer();
      else void Promise.all([this.#incoming, this.#outgoing]).then(answer);
    } else if (this.#connection !== null) {
      this.#connection.exchange = 0;
      // Over HTTP/1.1 the tunnel's end is the connection's; a stream leaves one that nobody needs.
      if (this.#isMultiplexed) this.#connection.end();
    }
  }

  writable(): void {
    this.#advance();
  }

  disconnected(status: number, error: Error | null): void {
    const { code, reason, status: endStatus } = this.#end ?? { code: CloseCode.ABNORMAL, reason: "", status };
    const isClean = this.#end !== null && endStatus === Status.OK;
    void this.#incoming.then(() => {
      if (this.#readyState === WebSocketClient.CLOSED) return;
      const wasAsked = this.#close !== null;
      this.#readyState = WebSocketClient.CLOSED;
      this.#output.drop();
      this.#compression?.close();
      if (!isClean && !wasAsked) {
        this.#tellError(
          error ?? new EngineError(endStatus === Status.OK ? WsStatus.UNEXPECTED_END : endStatus),
        );
      }
      this.#tell("close", new WebSocketCloseEvent(code, reason, isClean));
    });
  }

  // Its own.

  get #isMultiplexed(): boolean {
    return this.#options.http2 === true || this.#options.http3 === true;
  }

  get #messageBytesMax(): number {
    return this.#options.maxMessageBytes ?? MAX_MESSAGE_BYTES;
  }

  async #connect(): Promise<void> {
    const { protocol, hostname, port } = this.#target;
    const isSecure = protocol === "wss:";
    const target = {
      host: hostname.replace(/^\[|\]$/gu, ""),
      port: port === "" ? (isSecure ? 443 : 80) : Number(port),
      isSecure,
      http2: this.#options.http2 === true,
      tls: this.#options.tls ?? {},
    };
    const { http3 = false } = this.#options;
    try {
      this.#connection = http3
        ? await QuicConnection.open(target, this)
        : await TcpConnection.open(target, this);
    } catch (error) {
      return this.disconnected(0, error as Error);
    }
    if (this.#close !== null) this.#connection.destroy();
    else if (http3) this.#connection.run(() => this.#ask());
  }

  #ask(): void {
    const connection = this.#connection;
    if (connection === null || connection.exchange !== 0) return;
    const { host, pathname, search } = this.#target;
    const fields: [string, string][] = [["host", host], ...Object.entries(this.#options.headers ?? {})];
    const offer =
      this.#options.compression === false ? Deflate.NONE : Deflate.ON | Deflate.CLIENT_WINDOW_HINT;
    const handle = connection.engine.sockets.open(
      connection.handle,
      pathname + search,
      fields.map(([name, value]) => [name.toLowerCase(), value]),
      {
        protocol: this.#protocols.join(", "),
        deflate: offer,
        messageBytesMax: this.#messageBytesMax,
        idleTimeoutMs: -1,
        pingIntervalMs: -1,
      },
      performance.now(),
    );
    if (handle > 0) {
      connection.exchange = handle;
      connection.flush();
    } else if (handle !== Number(Status.WOULD_BLOCK)) {
      this.#tellError(new EngineError(handle, "the server takes no WebSocket here"));
      connection.destroy();
    }
  }

  async #inflate(bytes: Uint8Array, isBinary: boolean, isCompressed: boolean): Promise<void> {
    const inflated =
      isCompressed && this.#compression !== null ? await this.#compression.inflate(bytes) : bytes;
    if (typeof inflated !== "number" && (isBinary || !isCompressed || isUtf8(inflated))) {
      this.#deliver(inflated, isBinary);
      return;
    }
    const connection = this.#connection;
    const status = typeof inflated === "number" ? inflated : WsStatus.TEXT_INVALID;
    connection?.run(() => {
      connection.engine.doors.failSocket(connection.exchange, status, performance.now());
    });
  }

  #deliver(bytes: Uint8Array, isBinary: boolean): void {
    let data: string | Uint8Array | ArrayBuffer = isBinary
      ? new Uint8Array(bytes)
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
    if (typeof data !== "string" && this.binaryType === "arraybuffer") data = data.buffer as ArrayBuffer;
    this.#tell("message", new MessageEvent("message", { data }));
  }

  #push(bytes: Uint8Array, kind: number): void {
    this.#output.push(bytes, kind);
    this.#advance();
  }

  #advance(): void {
    const connection = this.#connection;
    if (connection === null || connection.exchange === 0) return;
    connection.run(() => this.#output.advance(connection.engine, connection.exchange));
    this.#closeWhenSent();
  }

  #closeWhenSent(): void {
    const connection = this.#connection;
    if (this.#close === null || connection === null || connection.exchange === 0 || this.#end !== null)
      return;
    if (!this.#output.isEmpty || this.#compressing > 0) return;
    const { code, reason } = this.#close;
    connection.run(() => {
      connection.engine.sockets.close(connection.exchange, code, reason, performance.now());
    });
  }

  #tellError(error: Error): void {
    this.#tell("error", new WebSocketErrorEvent(error));
  }

  #tell(name: "open" | "message" | "error" | "close", event: Event): void {
    const handler = this[`on${name}`] as Listener<Event>;
    handler?.call(this, event);
    this.dispatchEvent(event);
  }
}

function targetOf(url: string | URL): URL {
  const target = new URL(url);
  target.protocol = target.protocol.replace(/^http/u, "ws");
  if (target.protocol !== "ws:" && target.protocol !== "wss:") {
    throw new DOMException(`${target.protocol} is no scheme of WebSockets`, "SyntaxError");
  }
  if (target.hash !== "") throw new DOMException("a WebSocket's URL has no fragment", "SyntaxError");
  return target;
}
