// The transport interface: what the server room needs of a runtime's sockets, and nothing about HTTP.
//
// A listener hands over one `Socket` per accepted connection. The server answers with a sink; from then on bytes are read
// straight into the sink's `receiveBuffer` where the runtime can do that, copied there where it cannot. Calls of one
// socket's sink never overlap, and never happen within a call of the socket's own methods.

/** What a server does with what happens on a socket. */
export interface SocketSink {
  /** Where bytes are put before `onBytes`. Asked once per socket; shared by all sockets of an engine. */
  readonly receiveBuffer: Uint8Array;
  /**
   * `length` bytes have arrived at the front of `receiveBuffer`; they are valid during the call. `kept`: the same bytes in an
   * array that belongs to the sink from here on, where the transport has such an array.
   */
  onBytes(length: number, kept?: Uint8Array): void;
  /** The peer ended its side. */
  onEnd(): void;
  /** The socket takes bytes again after `write` answered false, or has written everything after `end`. */
  onDrain(): void;
  /** The socket is gone. Told exactly once; nothing follows. */
  onClose(error: Error | null): void;
}

/** One accepted connection. */
export interface Socket {
  readonly isSecure: boolean;
  /** The protocol that ALPN chose, null without TLS or without a choice. */
  readonly alpn: string | null;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Begins reading. To be called once. */
  start(sink: SocketSink): void;
  /**
   * Writes bytes that the caller no longer changes, or not before `onWritten`, which is not called when the socket is lost
   * before that. False: wait for `onDrain` before writing more.
   */
  write(bytes: Uint8Array, onWritten?: () => void): boolean;
  /** The same for bytes that are valid during the call only; absent where a socket keeps what it is given. */
  writeBorrowed?(bytes: Uint8Array): boolean;
  /** The same for text of code units 0–255. */
  writeText(text: string): boolean;
  /** Writes both as one, in this order. False: wait for `onDrain` before writing more. */
  writeBoth(text: string, bytes: Uint8Array): boolean;
  /** Bytes handed over that have not left for the network. */
  readonly pendingBytes: number;
  pause(): void;
  resume(): void;
  /** Ends the write side once everything was written. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
  /** Closes at once, so that the peer sees an error and not an end where the transport can say that. */
  reset(): void;
}

/** Where a listener is bound. */
export interface BoundAddress {
  /** Host and port, or the path of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly path: string | null;
}

/** A bound listener. */
export interface Listener {
  readonly address: BoundAddress;
  /**
   * Accepts no more; connections that are open stay, and those in the middle of a handshake have a moment to complete it, since
   * their peers may take them for open already. Resolves once the port is free.
   */
  stop(): Promise<void>;
  /** Connections that are not handed over yet. Left out where there are none. */
  readonly handshakeCount?: number;
}

/** Certificate and key, in PEM or as the runtime takes them. */
export interface TlsOptions {
  readonly key: string | Uint8Array;
  readonly cert: string | Uint8Array;
  readonly ca?: string | Uint8Array;
  readonly passphrase?: string;
  readonly requestCert?: boolean;
  readonly rejectUnauthorized?: boolean;
  readonly minVersion?: "TLSv1.2" | "TLSv1.3";
  readonly ciphers?: string;
  /** Certificates by server name, chosen by SNI; `*.example.org` matches one label. */
  readonly names?: Readonly<Record<string, { key: string | Uint8Array; cert: string | Uint8Array }>>;
}

/** What a listener is asked for. */
export interface ListenTarget {
  readonly host?: string;
  readonly port?: number;
  /** Path of a Unix socket in place of host and port. */
  readonly path?: string;
  readonly backlog?: number;
  /** Lets several processes bind the same port where the runtime can. */
  readonly reusePort?: boolean;
  readonly ipv6Only?: boolean;
  readonly tls?: TlsOptions;
  /** Protocols to offer by ALPN, most wanted first. */
  readonly alpn?: readonly string[];
  /** How long a TLS handshake may take. */
  readonly handshakeTimeoutMs?: number;
}

/** A runtime's transport. */
export interface Transport {
  readonly name: string;
  listen(target: ListenTarget, onSocket: (socket: Socket) => void): Promise<Listener>;
}
