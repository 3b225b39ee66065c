// An HTTP client with the interface of `fetch` (https://fetch.spec.whatwg.org), on the engine's client role.
//
// Connections are pooled by origin and speak what TLS negotiates: HTTP/2 where the server does, HTTP/1.1 elsewhere, and HTTP/3
// where the origin's Alt-Svc says that it does. What fetch knows of a page does not exist: there is no CORS, no
// cache, no cookies, and no proxies.

import { carried, readRequest, type ClientRequest, type ClientRequestInit } from "./client_request.ts";
import { AltSvcCache } from "./alt_svc_cache.ts";
import { ClientEngine } from "./client_engine.ts";
import {
  type HttpClientOptions,
  resolveClientOptions,
  type ResolvedClientOptions,
} from "./client_options.ts";
import { ClientResponse } from "./client_response.ts";
import { codingsOf, decodeContent } from "./content_decoding.ts";
import type { CarriedResponse, Dialer } from "./dialer.ts";
import { deliver, type Delivered } from "./delivery.ts";
import { HttpClientError } from "./http_client_error.ts";
import { OriginPool } from "./origin_pool.ts";
import { isRedirect, redirected } from "./redirect.ts";
import { createQuicDialer } from "./quic_dialer.ts";
import { createTcpDialer } from "./tcp_dialer.ts";

/** Of a redirect's content, this much is read so that its connection can be used again. */
const DRAIN_BYTES = 65536;
const TOO_EARLY = 425;

/** A client with the standard's `fetch` on connections of its own, pooled by origin, over HTTP/1.1, HTTP/2 and HTTP/3. */
export class HttpClient {
  readonly #options: ResolvedClientOptions;
  readonly #dialers: readonly Dialer[];
  readonly #pools = new Map<string, OriginPool>();
  readonly #altSvc = new AltSvcCache();
  #engine: Promise<ClientEngine> | null = null;
  /** Requests that have no response yet, or one whose body was not read to its end. */
  #openCount = 0;
  #closing: Promise<void> | null = null;
  #whenIdle: (() => void) | null = null;
  #isDestroyed = false;

  /** Throws RangeError or TypeError for an option that is wrong. Connects to nothing. */
  constructor(options: HttpClientOptions = {}) {
    this.#options = resolveClientOptions(options);
    const { tls, streamsPerConnection: streamsMax, dialers, protocols, ...quicOptions } = this.#options;
    const engine = (): Promise<ClientEngine> => this.#runningEngine();
    const tcp = createTcpDialer(engine, { tls, streamsMax });
    // Who allows nothing else takes it for granted that the origin speaks HTTP/3; else the origin has to say so.
    const needsAlternative = protocols.some((one) => one !== "h3");
    const quic = createQuicDialer(engine, { ...quicOptions, tls, streamsMax, needsAlternative });
    this.#dialers = [...dialers, ...(protocols.includes("h3") ? [quic] : []), tcp];
  }

  /**
   * Sends a request; resolves with the response once its head has arrived. Rejects with a TypeError for what is wrong with the
   * arguments, an HttpClientError (a TypeError too) where there is no response, and the signal's reason when it is aborted.
   */
  async fetch(input: string | URL | Request, init: ClientRequestInit = {}): Promise<ClientResponse> {
    if (this.#closing !== null) throw new HttpClientError("ERR_HTTPY_CLIENT_CLOSED", { isUnprocessed: true });
    const request = await readRequest(input, init);
    this.#openCount++;
    try {
      return await this.#follow(request);
    } catch (error) {
      request.body?.cancel(error as Error);
      throw error;
    } finally {
      if (--this.#openCount === 0) this.#whenIdle?.();
    }
  }

  /** Connections that are open, by origin. */
  get connections(): ReadonlyMap<string, number> {
    return new Map([...this.#pools].map(([origin, pool]) => [origin, pool.connectionCount]));
  }

  /** What the origins' Alt-Svc fields said. */
  get alternativeServices(): AltSvcCache {
    return this.#altSvc;
  }

  /** To be called when the machine changes networks: alternative services that are not said to persist are forgotten (RFC 7838 §2.2). */
  networkChanged(): void {
    this.#altSvc.networkChanged();
  }

  /** Takes no more requests; resolves once those under way have their responses, and their connections are closed. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Closes every connection at once; requests under way, and bodies that are being read, fail. */
  destroy(): void {
    this.#closing ??= Promise.resolve();
    this.#isDestroyed = true;
    for (const pool of [...this.#pools.values()]) pool.destroy();
    this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    const change = (): Promise<void> => new Promise((resolve) => (this.#whenIdle = resolve));
    while (this.#openCount > 0) await change();
    // Bodies that are still being read go on: a connection closes after the last one.
    for (const pool of [...this.#pools.values()]) pool.close();
    while (this.#pools.size > 0) await change();
    this.#end();
  }

  #end(): void {
    for (const dialer of this.#dialers) dialer.close();
    void this.#engine?.then(
      (engine) => engine.stop(),
      () => undefined,
    );
  }

  async #follow(first: ClientRequest): Promise<ClientResponse> {
    let request = first;
    for (let redirects = 0; ; redirects++) {
      let delivered = await this.#deliver(request);
      // RFC 8470 §5.2: once more. The answer came by keys of a handshake that is complete, so that nothing is early any more.
      if (delivered.response.status === TOO_EARLY && request.body === null) {
        discard(delivered);
        delivered = await this.#deliver(request);
      }
      const { response } = delivered;
      const location = fieldOf(response, "location");
      if (!isRedirect(response.status, location) || request.redirect === "manual") {
        return this.#respond(request, delivered, redirects > 0);
      }
      discard(delivered);
      if (request.redirect === "error") throw redirectError(`to ${location}, and redirect is "error"`);
      if (redirects === this.#options.redirects) throw redirectError(`it is the ${redirects + 1}th in a row`);
      request = redirected(request, response.status, location);
    }
  }

  async #deliver(request: ClientRequest): Promise<Delivered> {
    const { url, signal, onInformation } = request;
    const delivered = await deliver(() => this.#pool(url), carried(request, this.#options.decompress), {
      retries: this.#options.retries,
      signal,
      onInformation:
        onInformation === null
          ? null
          : (status, fields) => onInformation(status, new Headers(fields as [string, string][])),
    });
    const altSvc = fieldOf(delivered.response, "alt-svc");
    // RFC 7838 §2.1: an alternative is trusted as far as who names it.
    if (altSvc !== null && url.protocol === "https:") {
      const age = Number(fieldOf(delivered.response, "age") ?? 0);
      this.#altSvc.heard(url.origin, altSvc, age >= 0 ? age : 0);
    }
    return delivered;
  }

  #respond(
    request: ClientRequest,
    { response, exchange, carrier }: Delivered,
    isRedirected: boolean,
  ): ClientResponse {
    const { url, method, signal } = request;
    try {
      const headers = new Headers(response.fields as [string, string][]);
      const raw = { read: () => response.read(), cancel: () => exchange.cancel() };
      const hasContent = response.hasBody && method !== "HEAD";
      const codings =
        this.#options.decompress && hasContent ? codingsOf(headers.get("content-encoding")) : null;
      return new ClientResponse({
        url: url.href,
        isRedirected,
        protocol: carrier.protocol,
        status: response.status,
        headers,
        content: hasContent ? decodeContent(raw, codings ?? []) : null,
        trailers: () => response.trailers(),
        signal,
      });
    } catch (cause) {
      exchange.cancel();
      if (cause instanceof HttpClientError) throw cause;
      throw new HttpClientError("ERR_HTTPY_CLIENT_PROTOCOL", { cause });
    }
  }

  #pool(url: URL): OriginPool {
    // What was lost by that is not made again.
    if (this.#isDestroyed) throw new HttpClientError("ERR_HTTPY_CLIENT_CLOSED", { isUnprocessed: true });
    const { origin } = url;
    const known = this.#pools.get(origin);
    if (known !== undefined) return known;
    const pool = new OriginPool(url, {
      options: this.#options,
      dialers: this.#dialers,
      altSvc: this.#altSvc,
      onEmpty: (empty) => {
        if (this.#pools.get(origin) === empty) this.#pools.delete(origin);
        if (this.#pools.size === 0) this.#whenIdle?.();
      },
    });
    this.#pools.set(origin, pool);
    return pool;
  }

  /** The engine's instance, a new one after a failure. */
  async #runningEngine(): Promise<ClientEngine> {
    const { memoryBytes, idleTimeoutMs, limits, qlog } = this.#options;
    const start = (): Promise<ClientEngine> =>
      (this.#engine = ClientEngine.start({ memoryBytes, idleTimeoutMs, limits, qlog }));
    const engine = await (this.#engine ?? start());
    return engine.failure === null ? engine : start();
  }
}

function fieldOf(response: CarriedResponse, wanted: string): string | null {
  const values = response.fields.filter(([name]) => name === wanted).map(([, value]) => value);
  return values.length === 0 ? null : values.join(", ");
}

function redirectError(detail: string): HttpClientError {
  return new HttpClientError("ERR_HTTPY_CLIENT_REDIRECT", { detail });
}

/** A response that nobody reads: to its end where that is near, so that the connection can be used again. */
function discard({ response, exchange }: Delivered): void {
  if (response.contentLength > DRAIN_BYTES) {
    exchange.cancel();
    return;
  }
  void (async () => {
    let left = DRAIN_BYTES;
    for (let chunk = await response.read(); chunk !== null; chunk = await response.read()) {
      left -= chunk.length;
      if (left < 0) return exchange.cancel();
    }
  })().catch(() => undefined);
}
