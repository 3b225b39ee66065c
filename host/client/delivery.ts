// One request until it has a response: attempts, and which failures allow another one.
//
// RFC 9110 §9.2.2: what is idempotent may be asked again when the connection was lost before the response began; anything may be
// when it is certain that nobody acted on it: no connection was made, the stream was refused (RFC 9113 §8.7), or it is above the
// last one that GOAWAY names (§6.8). What broke the protocol would break it again.

import type { CarriedExchange, CarriedRequest, CarriedResponse, Carrier, FieldLines } from "./dialer.ts";
import { HttpClientError } from "./http_client_error.ts";
import type { OriginPool, PooledRequest } from "./origin_pool.ts";
import { isPassing } from "./tcp_dialer.ts";

/** A response, and what brought it. */
export interface Delivered {
  readonly response: CarriedResponse;
  readonly exchange: CarriedExchange;
  readonly carrier: Carrier;
}

export interface DeliveryOptions {
  readonly retries: number;
  readonly signal: AbortSignal | null;
  readonly onInformation: ((status: number, fields: FieldLines) => void) | null;
}

const IDEMPOTENT = new Set([
  "GET",
  "HEAD",
  "PUT",
  "DELETE",
  "OPTIONS",
  "TRACE",
  "QUERY",
  "PROPFIND",
  "SEARCH",
]);
const MISDIRECTED = 421;
const WAIT_FIRST_MS = 50;
const WAIT_MOST_MS = 2000;

/** Rejects with an HttpClientError, or with the signal's reason. `pool` answers where a request goes: another one after a close. */
export async function deliver(
  pool: () => OriginPool,
  request: CarriedRequest,
  options: DeliveryOptions,
): Promise<Delivered> {
  for (let attempt = 0; ; attempt++) {
    options.signal?.throwIfAborted();
    const current = pool();
    try {
      const delivered = await attemptOnce(current, request, options);
      if (delivered.response.status !== MISDIRECTED || delivered.carrier.alternative === null)
        return delivered;
      current.misdirected(delivered.carrier);
      if (request.body !== null && request.body.begin() === null) return delivered;
      delivered.exchange.cancel();
    } catch (error) {
      const mayRetry =
        error instanceof HttpClientError &&
        attempt < options.retries &&
        isRepeatable(error, request) &&
        (request.body === null || request.body.begin() !== null);
      if (!mayRetry) throw error;
      await wait(waitMs(error, attempt), options.signal);
    }
  }
}

function isRepeatable(error: HttpClientError, { method }: CarriedRequest): boolean {
  switch (error.code) {
    case "ERR_HTTPY_CLIENT_REFUSED":
      return error.isUnprocessed;
    case "ERR_HTTPY_CLIENT_CONNECT":
    case "ERR_HTTPY_CLIENT_CONNECT_TIMEOUT":
      return isPassing(error);
    case "ERR_HTTPY_CLIENT_CONNECTION_LOST":
    case "ERR_HTTPY_CLIENT_ENGINE":
      return IDEMPOTENT.has(method);
    default:
      return false;
  }
}

/** A server that is told apart by its connection is asked again at once; one that cannot be reached may need a moment. */
function waitMs(error: HttpClientError, attempt: number): number {
  const isReached = !error.code.startsWith("ERR_HTTPY_CLIENT_CONNECT") || error.code.endsWith("_LOST");
  if (isReached && attempt === 0) return 0;
  // Those who were refused together do not come back together.
  return Math.min(WAIT_FIRST_MS * 2 ** attempt, WAIT_MOST_MS) * (0.75 + Math.random() / 2);
}

function attemptOnce(
  pool: OriginPool,
  request: CarriedRequest,
  { signal, onInformation }: DeliveryOptions,
): Promise<Delivered> {
  return new Promise((resolve, reject) => {
    let under: { exchange: CarriedExchange; carrier: Carrier } | null = null;
    const onAbort = (): void => {
      if (under === null) pool.remove(pooled);
      else under.exchange.cancel();
      reject(signal?.reason as Error);
    };
    const pooled: PooledRequest = {
      request,
      began: (exchange, carrier) => (under = { exchange, carrier }),
      sink: {
        informational: (status, fields) => onInformation?.(status, fields),
        response: (response) => {
          signal?.removeEventListener("abort", onAbort);
          if (under === null) throw new Error("a response came before its request began");
          resolve({ response, ...under });
        },
        failed: (error) => {
          signal?.removeEventListener("abort", onAbort);
          reject(error);
        },
      },
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    pool.add(pooled);
  });
}

function wait(ms: number, signal: AbortSignal | null): Promise<void> {
  if (ms === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
