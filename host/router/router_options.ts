// The options of a router, their defaults, and the errors of wrong ones.

import { isLogger } from "./logger.ts";
import type { Logger } from "./logger.ts";
import type { HttpyRequest } from "./request.ts";

/** Told of every error that no error handler took and that is not an `HttpError`. */
export type UnhandledHook = (error: unknown, request: HttpyRequest) => void;

/** Options of a router; those of the outermost one count. */
export interface RouterOptions {
  /** Bytes of a body that `json()`, `text()` and the like read; more answers 413. 1 MiB. */
  bodyLimitBytes?: number;
  /** Characters of one param value; a longer segment matches no param. 1024. */
  maxParamLength?: number;
  /** Whether `/a` and `/a/` are different paths. True. */
  strict?: boolean;
  /** Where errors that answer 500 are logged. The console. */
  logger?: Logger;
  /** Told of errors that answer 500, in place of the logger. */
  onUnhandled?: UnhandledHook | null;
}

export const defaultOptions: Required<RouterOptions> = {
  bodyLimitBytes: 1024 * 1024,
  maxParamLength: 1024,
  strict: true,
  logger: console,
  onUnhandled: null,
};

/** The options with defaults filled in; throws a TypeError naming option, value and what is allowed. */
export function checkedOptions(given: RouterOptions): Required<RouterOptions> {
  const options = { ...defaultOptions };
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaultOptions, name)) {
      throw new TypeError(
        `Router option "${name}" is unknown; there are ${Object.keys(defaultOptions).join(", ")}`,
      );
    }
    if (value === undefined) continue;
    const problem = problemOf(name as keyof RouterOptions, value);
    if (problem !== null)
      throw new TypeError(`Router option "${name}" is ${String(value)}, but must be ${problem}`);
    Object.assign(options, { [name]: value as unknown });
  }
  return options;
}

function problemOf(name: keyof RouterOptions, value: unknown): string | null {
  switch (name) {
    case "bodyLimitBytes":
      return Number.isSafeInteger(value) && (value as number) >= 0
        ? null
        : "a whole number of bytes, 0 or more";
    case "maxParamLength":
      return Number.isSafeInteger(value) && (value as number) >= 1 ? null : "a whole number, 1 or more";
    case "strict":
      return typeof value === "boolean" ? null : "true or false";
    case "logger":
      return isLogger(value) ? null : "an object with the methods debug, info, warn and error";
    case "onUnhandled":
      return value === null || typeof value === "function" ? null : "a function";
  }
}
