// Datagram sockets: what QUIC needs of a runtime's UDP. Addresses are the engine's 20 bytes (assembly/abi/quic.ts).

/** What is done with datagrams that arrive. */
export interface DatagramSink {
  /** One has arrived; `payload` is valid during the call. `host` and `port` are the peer's. */
  onDatagram(payload: Uint8Array, host: string, port: number): void;
  /** The socket is gone, by `close` or by itself. Told once. */
  onClose(error: Error | null): void;
}

/** Where a socket is bound. */
export interface DatagramTarget {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly ipv6Only?: boolean | undefined;
  readonly reusePort?: boolean | undefined;
}

/** A bound socket. */
export interface DatagramSocket {
  readonly host: string;
  readonly port: number;
  /**
   * Sends bytes that nobody changes before `onSent` is called: then these and all that were given to this socket before are with the
   * network, or lost, as datagrams are. It is not called by a socket that is closed.
   */
  send(payload: Uint8Array, host: string, port: number, family: 4 | 6, onSent?: () => void): void;
  /** Frees the port once what was handed over has left. */
  close(): Promise<void>;
  /** Keeps the process alive, or no longer. */
  ref(): void;
  unref(): void;
}
