// The door between a server and the router: one request as the server sees it, protocol left out.
//
// An exchange looks the same for HTTP/1.x, HTTP/2 and HTTP/3. The router reads from it and answers with a
// `Reply` (reply.ts); it never holds an engine handle, a socket or a pointer. Whoever implements it makes
// strings on demand, so a route that asks for nothing but its path costs nothing else.
//
// Invariant: the methods stay callable until the reply has been written; what they return is owned by the
// caller and never changes afterwards.

/** The protocol version an exchange arrived by. */
export type Protocol = "http/1.0" | "http/1.1" | "h2" | "h3";

/** Field lines in the order they were received or shall be sent; names in lower case. */
export type HeaderPairs = ReadonlyArray<readonly [name: string, value: string]>;

/** What a server hands to the router for one request. Strings are made on demand: read what you need. */
export interface Exchange {
  /** The method token as received; case matters (RFC 9110 §9.1). */
  readonly method: string;
  /**
   * The request-target as received (RFC 9112 §3.2): origin-form usually, `*` for `OPTIONS *`, authority-form
   * for CONNECT, absolute-form when a client speaks as to a proxy.
   */
  readonly target: string;
  readonly scheme: "http" | "https";
  /** `Host` or `:authority`; the empty string when absent (HTTP/1.0). */
  readonly authority: string;
  readonly protocol: Protocol;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The value of a field by lower-case name; several lines are joined by `, ` (by `; ` for `cookie`). */
  header(name: string): string | undefined;
  /** Each received field line. */
  headerPairs(): HeaderPairs;
  /** Whether a body was announced; it may still turn out to be empty. */
  readonly hasBody: boolean;
  /** Body length in bytes as announced; -1 when unknown. */
  readonly contentLength: number;
  /**
   * The next chunk of the body, owned by the caller, or null at its end. The first call is what sends
   * `100 Continue` when the peer waits for it. Rejects with an error whose `code` is set when the peer goes
   * away. One call at a time.
   */
  read(): Promise<Uint8Array | null>;
  /** Trailer field lines; complete once `read()` gave null. */
  trailerPairs(): HeaderPairs;
  /** Calls back when the peer goes away before the answer is complete; at once if it already has. */
  onAbort(callback: (reason: Error) => void): void;
  /** Sends an informational response (1xx other than 101) before the reply. */
  sendInformational(status: number, headers: HeaderPairs): void;
  /** Promises `path` to the peer (RFC 9113 §8.4); false where the protocol or the peer has no push. */
  push(path: string, headers: HeaderPairs): boolean;
  /**
   * The status that refuses the request as the handshake of a WebSocket (RFC 6455 §4.2.1); 0 when it opens one. Left out where
   * none can be opened.
   */
  webSocketRefusal?(): number;
}
