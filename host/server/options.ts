// The options of `listen`, their defaults, and errors that name the option, its value and what is allowed.

import { DEFAULT_MEMORY_BYTES, resolveLimits } from "../engine/index.ts";
import type { LimitOptions, ModuleSource } from "../engine/index.ts";
import { isLogger } from "../router/index.ts";
import type { Logger } from "../router/index.ts";
import type { ListenTarget, TlsOptions, Transport } from "../transport/transport.ts";
import { authorityTest } from "./authorities.ts";
import { type Http3Options, resolveHttp3 } from "./http3_options.ts";
import { describe, flag, hasMethod, isObject, known, text, whole, wrong } from "./option_checks.ts";

/** Where one listener is bound. */
export interface ListenerOptions {
  /** TCP port, 0 for any free one. Default 0. */
  port?: number;
  /** Address or name to bind. Default: every address, IPv6 and IPv4. */
  host?: string;
  /** Path of a Unix socket, in place of port and host. */
  path?: string;
  /** Serves TLS with this key and certificate. */
  tls?: TlsOptions;
  /** Connections that the kernel queues. Default 1024. */
  backlog?: number;
  /** Lets several processes bind the same port where the runtime can. */
  reusePort?: boolean;
  /** With an IPv6 address: do not take IPv4 connections. */
  ipv6Only?: boolean;
}

/** What `app.listen` takes. */
export interface ListenOptions extends ListenerOptions {
  /** Several listeners of one server, in place of the fields of a single one. */
  listeners?: readonly ListenerOptions[];
  /** Limits of the engine by name (assembly/abi/limit.ts). */
  limits?: LimitOptions;
  /** Linear memory of each engine instance in MiB. Default 256. */
  memoryMiB?: number;
  /** Engine instances that connections are spread over, as fault domains. Default 1. */
  instances?: number;
  /** Authorities that are served, `name` on any port or `name:port`; requests for others are answered 421. Default: all. */
  authorities?: readonly string[];
  /**
   * The Alt-Svc field (RFC 7838) of answers over TLS, or a function that is asked for it with each: where else this origin is served.
   * While the server closes it is `clear`. Default: none.
   */
  altSvc?: string | (() => string | null);
  /**
   * Serves HTTP/3 on UDP beside every listener with TLS, on the same port number, and says so by Alt-Svc. Where UDP cannot be bound,
   * the server says so once and serves HTTP/1.1 and HTTP/2; `server.protocols` tells. Default false.
   */
  http3?: boolean | Http3Options;
  /**
   * A file that what the engine was given is written to when the server closes or an instance fails, for `httpy replay`: the last
   * connections of every version of HTTP, up to 16 MiB for each instance. It holds what peers sent, secrets and the keys of QUIC
   * included, and only its owner may read it.
   */
  record?: string;
  /** Told of failures of instances, handlers and listeners. Default: the console. */
  logger?: Logger;
  /** An engine module in place of the one that comes with the package. */
  module?: ModuleSource;
  /** The runtime's sockets in place of those of node:net. */
  transport?: Transport;
}

/** The options with defaults filled in and everything checked. */
export interface ResolvedOptions {
  readonly targets: readonly ListenTarget[];
  readonly limits: Float64Array;
  readonly memoryBytes: number;
  readonly instances: number;
  /** Null: all are served. */
  readonly servesAuthority: ((authority: string) => boolean) | null;
  /** Null: nothing is said. */
  readonly altSvc: (() => string | null) | null;
  /** Null: HTTP/3 is not served. */
  readonly http3: Http3Options | null;
  /** The file of the recording; null: nothing is recorded. */
  readonly record: string | null;
}

const MIB = 1024 * 1024;
const LISTENER_NAMES = ["port", "host", "path", "tls", "backlog", "reusePort", "ipv6Only"];
const SERVER_NAMES = [
  "listeners",
  "limits",
  "memoryMiB",
  "instances",
  "authorities",
  "altSvc",
  "http3",
  "logger",
  "record",
  "module",
  "transport",
];
const TLS_NAMES = [
  "key",
  "cert",
  "ca",
  "passphrase",
  "requestCert",
  "rejectUnauthorized",
  "minVersion",
  "ciphers",
  "names",
];
const LEAST_MEMORY_MIB = 8;
const MOST_MEMORY_MIB = 4095;
const MOST_INSTANCES = 64;

/** Checks the options of `listen`. Throws RangeError or TypeError. */
export function resolveOptions(options: ListenOptions): ResolvedOptions {
  known("listen options", options, [...LISTENER_NAMES, ...SERVER_NAMES], "listen option");
  checkServices(options);
  return {
    targets: listenersOf(options).map(listenerTarget),
    limits: resolveLimits(options.limits),
    memoryBytes:
      options.memoryMiB === undefined
        ? DEFAULT_MEMORY_BYTES
        : whole("memoryMiB", options.memoryMiB, LEAST_MEMORY_MIB, MOST_MEMORY_MIB) * MIB,
    instances: options.instances === undefined ? 1 : whole("instances", options.instances, 1, MOST_INSTANCES),
    altSvc: altSvcOf(options.altSvc),
    http3: resolveHttp3(options.http3, secureCount(options)),
    record: options.record ?? null,
    servesAuthority: options.authorities === undefined ? null : authorityTest(options.authorities),
  };
}

function checkServices({ limits, authorities, logger, module, transport, record }: ListenOptions): void {
  if (record !== undefined && (typeof record !== "string" || record === "")) {
    throw wrong("record", record, "the path of a file");
  }
  if (limits !== undefined && !isObject(limits)) throw wrong("limits", limits, "an object of limits by name");
  if (authorities !== undefined) {
    const areTexts =
      Array.isArray(authorities) && authorities.every((one) => typeof one === "string" && one !== "");
    if (!areTexts || authorities.length === 0) {
      throw wrong("authorities", authorities, "an array of one or more strings such as example.org");
    }
  }
  if (logger !== undefined && !isLogger(logger)) {
    throw new TypeError(
      `listen option logger is ${describe(logger)}; it must have the methods debug, info, warn and error`,
    );
  }
  if (transport !== undefined && !hasMethod(transport, "listen")) {
    throw wrong("transport", transport, "an object with a method listen");
  }
  const isModule =
    module instanceof WebAssembly.Module || module instanceof ArrayBuffer || ArrayBuffer.isView(module);
  if (module !== undefined && !isModule) throw wrong("module", module, "a WebAssembly.Module or its bytes");
}

function secureCount({ tls, listeners }: ListenOptions): number {
  return [{ tls }, ...(listeners ?? [])].filter((listener) => listener.tls !== undefined).length;
}

function altSvcOf(altSvc: unknown): (() => string | null) | null {
  if (altSvc === undefined) return null;
  if (typeof altSvc === "function") return altSvc as () => string | null;
  const isValue = typeof altSvc === "string" && /^[!-~]+="[ !-~]*:\d+"[ -~]*$/u.test(altSvc);
  if (!isValue)
    throw wrong("altSvc", altSvc, 'a value such as h3=":443"; ma=3600, or a function that answers one');
  return () => altSvc;
}

function listenersOf(options: ListenOptions): readonly ListenerOptions[] {
  const { listeners } = options;
  if (listeners === undefined) return [listenerPart(options)];
  if (!Array.isArray(listeners) || listeners.length === 0) {
    throw wrong("listeners", listeners, "an array of one or more listeners");
  }
  const beside = LISTENER_NAMES.find((name) => options[name as keyof ListenOptions] !== undefined);
  if (beside !== undefined) {
    throw new TypeError(`listen option ${beside} is given beside listeners; it belongs into one of them`);
  }
  return listeners as readonly ListenerOptions[];
}

function listenerPart(options: ListenOptions): ListenerOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => LISTENER_NAMES.includes(name)));
}

function listenerTarget(options: ListenerOptions): ListenTarget {
  known("listeners", options, LISTENER_NAMES, "listener option");
  if (options.port !== undefined) whole("port", options.port, 0, 65535);
  if (options.backlog !== undefined) whole("backlog", options.backlog, 1, 65535);
  text("host", options.host);
  text("path", options.path);
  flag("reusePort", options.reusePort);
  flag("ipv6Only", options.ipv6Only);
  if (options.path !== undefined && (options.port !== undefined || options.host !== undefined)) {
    throw new TypeError("listen option path is given with port or host; a Unix socket has neither");
  }
  if (options.tls !== undefined) checkTls(options.tls);
  return { ...options, alpn: ["h2", "http/1.1"] };
}

function checkTls(tls: TlsOptions): void {
  known("tls", tls, TLS_NAMES, "listen option tls:");
  checkPair("tls", tls);
  if (tls.ca !== undefined) pem("tls.ca", tls.ca);
  text("tls.passphrase", tls.passphrase);
  text("tls.ciphers", tls.ciphers);
  flag("tls.requestCert", tls.requestCert);
  flag("tls.rejectUnauthorized", tls.rejectUnauthorized);
  if (tls.minVersion !== undefined && !["TLSv1.2", "TLSv1.3"].includes(tls.minVersion)) {
    throw wrong("tls.minVersion", tls.minVersion, "TLSv1.2 or TLSv1.3");
  }
  if (tls.names === undefined) return;
  if (!isObject(tls.names)) throw wrong("tls.names", tls.names, "an object of key and cert by server name");
  for (const [name, pair] of Object.entries(tls.names)) checkPair(`tls.names["${name}"]`, pair);
}

function checkPair(option: string, pair: { key: unknown; cert: unknown }): void {
  if (!isObject(pair)) throw wrong(option, pair, "an object with key and cert");
  pem(`${option}.key`, pair.key);
  pem(`${option}.cert`, pair.cert);
}

function pem(option: string, value: unknown): void {
  if (typeof value !== "string" && !(value instanceof Uint8Array)) {
    throw wrong(option, value, "PEM as a string or bytes");
  }
}
