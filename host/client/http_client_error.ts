// Errors of HttpClient: one class, one place where the text is made.
//
// `fetch` rejects with a TypeError where the network fails, so that is what this one is too; `code` says what happened, `cause` why.
// Mistakes in a call's arguments stay plain TypeErrors and RangeErrors that name what is wrong, and an abort is the signal's reason.

/** What went wrong, by `code`. */
const TEXTS = {
  ERR_HTTPY_CLIENT_CLOSED: "the client is closed",
  ERR_HTTPY_CLIENT_CONNECT: "no connection could be made",
  ERR_HTTPY_CLIENT_CONNECT_TIMEOUT: "no connection was made in time",
  ERR_HTTPY_CLIENT_PROTOCOL_NOT_SPOKEN: "the server speaks none of the protocols that are allowed",
  ERR_HTTPY_CLIENT_CONNECTION_LOST: "the connection was lost before the response was complete",
  ERR_HTTPY_CLIENT_REFUSED: "the server refused the request before it acted on it",
  ERR_HTTPY_CLIENT_RESET: "the server reset the stream of the request",
  ERR_HTTPY_CLIENT_PROTOCOL: "the server broke the protocol",
  ERR_HTTPY_CLIENT_REQUEST: "the request cannot be sent",
  ERR_HTTPY_CLIENT_REQUEST_BODY: "the request's body failed",
  ERR_HTTPY_CLIENT_REDIRECT: "the redirect cannot be followed",
  ERR_HTTPY_CLIENT_CONTENT_CODING: "the response's content cannot be decoded",
  ERR_HTTPY_CLIENT_QUEUE_FULL: "too many requests are waiting for a connection to this origin",
  ERR_HTTPY_CLIENT_ENGINE: "the engine failed",
} as const;

/** Why there was no response, for programs; the message says it for people. */
export type HttpClientErrorCode = keyof typeof TEXTS;

/** Why a request has no response, or no complete one. */
export class HttpClientError extends TypeError {
  override readonly name = "HttpClientError";
  /** Stable name for programs. */
  readonly code: HttpClientErrorCode;
  /** The request was certainly not acted on: it may be made again, whatever its method is. */
  readonly isUnprocessed: boolean;

  constructor(
    code: HttpClientErrorCode,
    options: { detail?: string; isUnprocessed?: boolean; cause?: unknown } = {},
  ) {
    const { detail, isUnprocessed = false, cause } = options;
    const reason = detail ?? (cause instanceof Error ? cause.message : undefined);
    super(reason === undefined || reason === "" ? TEXTS[code] : `${TEXTS[code]}: ${reason}`, {
      ...(cause === undefined ? {} : { cause }),
    });
    this.code = code;
    this.isUnprocessed = isUnprocessed;
  }
}
