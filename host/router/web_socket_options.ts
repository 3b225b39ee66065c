// The options of `app.ws`: defaults, and errors that name the route, the option, its value and what is allowed.

import type { CompressionOptions, WebSocketOptions, WebSocketRoute } from "./web_socket.ts";

const HANDLERS = ["upgrade", "open", "message", "drain", "ping", "pong", "close", "error"];
const TERMS = [
  "protocols",
  "origins",
  "maxMessageBytes",
  "maxBufferedBytes",
  "idleTimeoutMs",
  "pingIntervalMs",
  "compression",
];
const MAX_BUFFERED_BYTES = 64 * 1024 * 1024;
const LEAST_MESSAGE_BYTES = 125;
const MOST_MESSAGE_BYTES = 1024 * 1024 * 1024;
const MOST_MS = 86_400_000;
const protocolToken = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Ranges of the numbers in `compression`, and what stands for them when they are left out. */
const COMPRESSION: Readonly<Record<string, readonly [least: number, most: number]>> = {
  threshold: [0, Number.MAX_SAFE_INTEGER],
  level: [-1, 9],
  memLevel: [1, 9],
  serverMaxWindowBits: [9, 15],
  clientMaxWindowBits: [8, 15],
};
const DEFAULTS: Required<CompressionOptions> = {
  threshold: 1024,
  level: -1,
  memLevel: 8,
  serverContextTakeover: false,
  clientContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
};

/** Checks what `app.ws` was given. Throws TypeError or RangeError. */
export function checkedSocketOptions(
  path: string,
  options: WebSocketOptions<never, never>,
): Omit<WebSocketRoute, "report"> {
  if (typeof options !== "object" || (options as unknown) === null) {
    throw new TypeError(`ws ${path}: an object of handlers is needed, not ${typeof options}`);
  }
  for (const [name, value] of Object.entries(options)) {
    if (HANDLERS.includes(name)) {
      if (value !== undefined && typeof value !== "function") {
        throw new TypeError(`ws ${path}: ${name} is ${typeof value}, not a function`);
      }
    } else if (!TERMS.includes(name)) {
      throw new TypeError(
        `ws ${path}: "${name}" is unknown; there are ${[...HANDLERS, ...TERMS].join(", ")}`,
      );
    }
  }
  whole(path, "maxMessageBytes", options.maxMessageBytes, LEAST_MESSAGE_BYTES, MOST_MESSAGE_BYTES);
  whole(path, "maxBufferedBytes", options.maxBufferedBytes, 0, Number.MAX_SAFE_INTEGER);
  whole(path, "idleTimeoutMs", options.idleTimeoutMs, 0, MOST_MS);
  whole(path, "pingIntervalMs", options.pingIntervalMs, 0, MOST_MS);
  const unusable = options.protocols?.find((protocol) => !protocolToken.test(protocol));
  if (unusable !== undefined)
    throw new TypeError(`ws ${path}: protocol ${JSON.stringify(unusable)} is not a token`);
  return {
    options,
    compression: compressionOf(path, options.compression ?? false),
    maxBufferedBytes: options.maxBufferedBytes ?? MAX_BUFFERED_BYTES,
  };
}

function compressionOf(
  path: string,
  given: boolean | CompressionOptions,
): Required<CompressionOptions> | null {
  if (given === false) return null;
  if (given === true) return DEFAULTS;
  for (const [name, value] of Object.entries(given) as [string, unknown][]) {
    const range = COMPRESSION[name];
    if (range !== undefined) whole(path, `compression.${name}`, value, range[0], range[1]);
    else if (!(name in DEFAULTS)) {
      throw new TypeError(
        `ws ${path}: "compression.${name}" is unknown; there are ${Object.keys(DEFAULTS).join(", ")}`,
      );
    }
  }
  return { ...DEFAULTS, ...given };
}

function whole(path: string, name: string, value: unknown, least: number, most: number): void {
  if (value === undefined) return;
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(
    `ws ${path}: ${name} is ${typeof value === "number" ? value : typeof value}; it must be a whole number from ${least} to ${most}`,
  );
}
