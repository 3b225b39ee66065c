// An error that knows how it is answered.
//
// Throw it from a handler or a middleware: a router answers with its status and headers, and with its message
// when `expose` says that a client may read it (so by default for 4xx only). Everything else that is thrown
// answers 500 with nothing of it shown.

import { headerLines } from "./field.ts";
import type { HeadersInput } from "./field.ts";
import { statusPhrase } from "./status.ts";

/** What may accompany an `HttpError`. */
export interface HttpErrorOptions {
  /** Header lines of the answer. */
  headers?: HeadersInput;
  /** Whether the message is for the client's eyes; true below 500. */
  expose?: boolean;
  cause?: unknown;
}

/** An error answered with a status of its own. */
export class HttpError extends Error {
  /** The status of the answer, 400 to 599. */
  readonly status: number;
  /** Header lines of the answer. */
  readonly headers: ReadonlyArray<readonly [string, string]>;
  /** Whether the answer shows the message. */
  readonly expose: boolean;

  constructor(status: number, message: string = statusPhrase(status), options: HttpErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      throw new RangeError(`HttpError: status ${String(status)} is not between 400 and 599`);
    }
    this.name = "HttpError";
    this.status = status;
    this.headers = options.headers === undefined ? [] : headerLines(options.headers);
    this.expose = options.expose ?? status < 500;
  }
}
