// What HttpClient asks of a protocol: a dialer that makes connections, carriers that bring requests over them.
//
// The pool above knows nothing of sockets and frames, and a protocol below knows nothing of retries, redirects and the other
// connections. HTTP/1.1 and HTTP/2 come from tcp_dialer.ts; whoever has another transport gives the client a dialer for it.
//
// Invariant: of every exchange that `open` answers, the sink is told either a response or a failure, exactly once, unless
// it is cancelled before.

import type { HttpClientError } from "./http_client_error.ts";

/** Protocols by their names in ALPN. */
export type ProtocolName = "h3" | "h2" | "http/1.1";

/** Field lines; names in lower case. */
export type FieldLines = readonly (readonly [name: string, value: string])[];

/** Where a connection goes. */
export interface DialTarget {
  /** Host name or address to connect to, IPv6 without brackets: the origin's, or that of an alternative service. */
  readonly host: string;
  readonly port: number;
  readonly isSecure: boolean;
  /** The name that the certificate has to be for: the origin's, whatever is connected to (RFC 7838 §2.1). */
  readonly serverName: string;
  /** What may be spoken there, most wanted first. */
  readonly protocols: readonly ProtocolName[];
  /** The alternative's authority for `alt-used` (RFC 7838 §5); null where the origin itself is connected to. */
  readonly alternative: string | null;
}

/** Makes connections. */
export interface Dialer {
  /** What its connections speak. */
  readonly protocols: readonly ProtocolName[];
  /** Whether it is for alternative services alone (RFC 7838): an origin is not known to speak it before it says so. */
  readonly needsAlternative: boolean;
  /** Resolves once requests can be sent. Rejects with an HttpClientError, or with the signal's reason, and leaves nothing open. */
  dial(target: DialTarget, owner: CarrierOwner, signal: AbortSignal): Promise<Carrier>;
  /** Ends what its connections share. Called once all of them are closed. */
  close(): void;
}

/** What a carrier tells its pool. */
export interface CarrierOwner {
  /** There may be room for a request that there was none for. */
  roomy(carrier: Carrier): void;
  /** It is gone. Told once. */
  closed(carrier: Carrier): void;
}

/** One connection. */
export interface Carrier {
  readonly protocol: ProtocolName;
  /** Several requests share it at a time. */
  readonly isMultiplexed: boolean;
  readonly alternative: string | null;
  /** Requests that are under way. */
  readonly activeCount: number;
  /** Whether it takes requests at all; once false, it stays so. */
  readonly isOpen: boolean;
  /**
   * Sends a request. Answers "full" when there is no room for it now, "gone" when there never will be. Throws an HttpClientError
   * when the request itself cannot be sent.
   */
  open(request: CarriedRequest, sink: ExchangeSink): CarriedExchange | "full" | "gone";
  /** Takes no more requests, and closes when those under way are over. */
  close(): void;
  /** Closes at once. */
  destroy(): void;
}

/** A request as it is sent. */
export interface CarriedRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** For `host` or `:authority`. */
  readonly authority: string;
  readonly fields: FieldLines;
  readonly body: CarriedBody | null;
  /** Wait for 100 (Continue) before the body is sent, for a while (RFC 9110 §10.1.1). */
  readonly expectsContinue: boolean;
  /** Ask for the connection to be closed afterwards. */
  readonly closesConnection: boolean;
}

/** The content of a request. */
export interface CarriedBody {
  /** The content where it is there as a whole; null for a stream. */
  readonly bytes: Uint8Array | null;
  /** In bytes, -1 when it is not known. */
  readonly contentLength: number;
  /** The trailer fields, asked for once the content has ended; null for none. */
  readonly trailers: (() => FieldLines | Promise<FieldLines>) | null;
  /** The content from its start, for one attempt; null when some of what was sent before is not there any more. */
  begin(): CarriedContent | null;
}

/** A body on its way over one connection. */
export interface CarriedContent {
  /** The next chunk, null at the end. Rejects with an HttpClientError when the stream fails. */
  next(): Promise<Uint8Array | null>;
}

/** What the owner of an exchange is told. */
export interface ExchangeSink {
  informational(status: number, fields: FieldLines): void;
  response(response: CarriedResponse): void;
  failed(error: HttpClientError): void;
}

/** One exchange on a connection of a dialer: what the client may still do to it. */
export interface CarriedExchange {
  /** Nobody wants the response any more; nothing is told from here on. */
  cancel(): void;
}

/** A response whose head has arrived. */
export interface CarriedResponse {
  readonly status: number;
  readonly fields: FieldLines;
  readonly hasBody: boolean;
  /** Declared length, -1 when it is not known. */
  readonly contentLength: number;
  /** The next chunk, null at the end. Rejects with an HttpClientError when the content will not be complete. */
  read(): Promise<Uint8Array | null>;
  /** The trailer section, empty before the end. */
  trailers(): FieldLines;
}
