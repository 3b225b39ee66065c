// The options of HttpClient, their defaults, and errors that name the option, its value and what is allowed.

import type { LimitOptions } from "../engine/index.ts";
import type { QlogTarget } from "../quic/qlog.ts";
import { CONGESTION_NAMES, type CongestionControl, congestionNumber } from "../quic/congestion.ts";
import type { Dialer, ProtocolName } from "./dialer.ts";

/** Options of TLS, as node:tls takes them. */
export interface TlsClientOptions {
  /** Authorities to trust in place of the runtime's. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** The client's own certificate and key, where a server asks for one. */
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
  readonly passphrase?: string;
  /** The name to ask for and to check, in place of the URL's. */
  readonly servername?: string;
  /** Accept a certificate that nobody vouches for. Default true: do not. */
  readonly rejectUnauthorized?: boolean;
  readonly minVersion?: "TLSv1.2" | "TLSv1.3";
  readonly ciphers?: string;
}

/** What `new HttpClient()` takes. Each has a default; a value that makes no sense is refused with its name. */
export interface HttpClientOptions {
  /**
   * Protocols that may be spoken. Default: all three, HTTP/3 once the origin's Alt-Svc has said that it is spoken there; `["h3"]` takes that for
   * granted. Without TLS it is HTTP/1.1, or HTTP/2 by prior knowledge where `http/1.1` is not among them.
   */
  readonly protocols?: readonly ProtocolName[];
  readonly tls?: TlsClientOptions;
  /** Connections to one origin, over each transport. Default 16. */
  readonly connectionsPerOrigin?: number;
  /** Requests at a time on one connection of HTTP/2 and HTTP/3; the server may allow fewer. Default 100. */
  readonly streamsPerConnection?: number;
  /** Requests to one origin that may wait for a connection. Default 10,000. */
  readonly queuedPerOrigin?: number;
  /** How long a connection without requests is kept. Default 4,000: less than servers usually keep it. */
  readonly idleTimeoutMs?: number;
  /** How long making a connection may take. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /**
   * How often a request is made again that was not acted on, or whose method is idempotent and whose connection was lost before the
   * response began. Default 3; 0 for never.
   */
  readonly retries?: number;
  /** Redirects that are followed. Default 20. */
  readonly redirects?: number;
  /** Ask for compressed content and decode it. Default true. */
  readonly decompress?: boolean;
  /**
   * Send GET, HEAD, OPTIONS and TRACE over HTTP/3 in early data where a connection is resumed: a round trip less, and somebody on the way
   * may play the request to the server again (RFC 8470). Default false.
   */
  readonly earlyData?: boolean;
  /**
   * Keeps a qlog of every connection of HTTP/3: a folder for the files, or a function that is called with the name of each trace and
   * answers what it is written to. It says when what was sent and how long, and nothing of what.
   */
  readonly qlog?: QlogTarget;
  /** How this side finds out how fast it may send over HTTP/3 (docs/guide/tuning.md). Default: "cubic". */
  readonly congestion?: CongestionControl;
  /** Linear memory of the engine in MiB. Default 64. */
  readonly memoryMiB?: number;
  /** Limits of the engine by name. */
  readonly limits?: LimitOptions;
  /** Further transports. They are asked before UDP and TCP. */
  readonly dialers?: readonly Dialer[];
}

/** The options with defaults filled in and everything checked. */
export interface ResolvedClientOptions {
  readonly protocols: readonly ProtocolName[];
  readonly tls: TlsClientOptions;
  readonly connectionsPerOrigin: number;
  readonly streamsPerConnection: number;
  readonly queuedPerOrigin: number;
  readonly idleTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly retries: number;
  readonly redirects: number;
  readonly decompress: boolean;
  readonly earlyData: boolean;
  readonly qlog: QlogTarget | null;
  readonly congestion: CongestionControl;
  readonly memoryBytes: number;
  readonly limits: LimitOptions;
  readonly dialers: readonly Dialer[];
}

const PROTOCOLS: readonly ProtocolName[] = ["h3", "h2", "http/1.1"];
const MIB = 1024 * 1024;
const NAMES: readonly (keyof HttpClientOptions)[] = [
  "protocols",
  "tls",
  "connectionsPerOrigin",
  "streamsPerConnection",
  "queuedPerOrigin",
  "idleTimeoutMs",
  "connectTimeoutMs",
  "retries",
  "redirects",
  "decompress",
  "earlyData",
  "qlog",
  "congestion",
  "memoryMiB",
  "limits",
  "dialers",
];
export const TLS_NAMES: readonly (keyof TlsClientOptions)[] = [
  "ca",
  "cert",
  "key",
  "passphrase",
  "servername",
  "rejectUnauthorized",
  "minVersion",
  "ciphers",
];

/** Checks the options of HttpClient. Throws RangeError or TypeError. */
export function resolveClientOptions(options: HttpClientOptions): ResolvedClientOptions {
  known("client option", options, NAMES);
  const {
    tls = {},
    dialers = [],
    limits = {},
    decompress = true,
    earlyData = false,
    congestion = "cubic",
  } = options;
  known("client option tls:", tls, TLS_NAMES);
  if (typeof decompress !== "boolean") throw wrong("decompress", decompress, "true or false");
  if (congestionNumber(congestion) === undefined) throw wrong("congestion", congestion, CONGESTION_NAMES);
  if (typeof earlyData !== "boolean") throw wrong("earlyData", earlyData, "true or false");
  const { qlog } = options;
  if (qlog !== undefined && typeof qlog !== "function" && (typeof qlog !== "string" || qlog === ""))
    throw wrong("qlog", qlog, "the name of a folder, or a function that answers a writer");
  if (!Array.isArray(dialers) || !dialers.every(isDialer)) {
    throw wrong("dialers", dialers, "an array of dialers, which have a method dial");
  }
  return {
    protocols: protocolsOf(options.protocols),
    tls,
    connectionsPerOrigin: whole("connectionsPerOrigin", options.connectionsPerOrigin ?? 16, 1, 1024),
    streamsPerConnection: whole("streamsPerConnection", options.streamsPerConnection ?? 100, 1, 10_000),
    queuedPerOrigin: whole("queuedPerOrigin", options.queuedPerOrigin ?? 10_000, 0, 1_000_000),
    idleTimeoutMs: whole("idleTimeoutMs", options.idleTimeoutMs ?? 4000, 10, 86_400_000),
    connectTimeoutMs: whole("connectTimeoutMs", options.connectTimeoutMs ?? 10_000, 1, 3_600_000),
    retries: whole("retries", options.retries ?? 3, 0, 100),
    redirects: whole("redirects", options.redirects ?? 20, 0, 100),
    decompress,
    earlyData,
    qlog: qlog ?? null,
    congestion,
    memoryBytes: whole("memoryMiB", options.memoryMiB ?? 64, 8, 4095) * MIB,
    limits,
    dialers: dialers as readonly Dialer[],
  };
}

function isDialer(dialer: unknown): boolean {
  return typeof (dialer as Partial<Dialer> | null)?.dial === "function";
}

function protocolsOf(protocols: unknown): readonly ProtocolName[] {
  if (protocols === undefined) return PROTOCOLS;
  const areKnown =
    Array.isArray(protocols) && protocols.every((one) => PROTOCOLS.includes(one as ProtocolName));
  if (!areKnown || protocols.length === 0) {
    throw wrong("protocols", protocols, `an array of one or more of ${PROTOCOLS.join(", ")}`);
  }
  return PROTOCOLS.filter((one) => (protocols as ProtocolName[]).includes(one));
}

/** Refuses options that there are not. */
export function known(label: string, options: unknown, names: readonly string[]): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new TypeError(`${label}s are ${describe(options)}; they must be an object`);
  }
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new TypeError(`${label} "${unknown}" is unknown; there are ${names.join(", ")}`);
  }
}

/** A whole number within a range. */
export function whole(
  name: string,
  value: unknown,
  least: number,
  most: number,
  label = "client option",
): number {
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
    throw new RangeError(
      `${label} ${name} is ${describe(value)}; it must be a whole number from ${least} to ${most}`,
    );
  }
  return value as number;
}

function wrong(name: string, value: unknown, allowed: string): TypeError {
  return new TypeError(`client option ${name} is ${describe(value)}; it must be ${allowed}`);
}

/** A value of an option, to be said in an error. */
export function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value))
    return value.length === 0 ? "an empty array" : `[${value.map(describe).join(", ")}]`;
  return typeof value === "object" && value !== null ? "an object" : String(value);
}
