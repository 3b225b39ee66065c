// The options of `listen`, their defaults, and errors that name the option, its value and what is allowed.

import { DEFAULT_MEMORY_BYTES, resolveLimits } from "../engine/index.ts";
import type { LimitOptions, ModuleSource } from "../engine/index.ts";
import type { Logger } from "../router/index.ts";
import type { ListenTarget, TlsOptions, Transport } from "../transport/transport.ts";

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
  /** Authorities that are served; requests for others are answered 421. Default: all. */
  authorities?: readonly string[];
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
  readonly authorities: ReadonlySet<string> | null;
}

const MIB = 1024 * 1024;
const LISTENER_NAMES = ["port", "host", "path", "tls", "backlog", "reusePort", "ipv6Only"];
const SERVER_NAMES = [
  "listeners",
  "limits",
  "memoryMiB",
  "instances",
  "authorities",
  "logger",
  "module",
  "transport",
];
const LEAST_MEMORY_MIB = 8;
const MOST_MEMORY_MIB = 4095;
const MOST_INSTANCES = 64;

/** Checks the options of `listen`. Throws RangeError or TypeError. */
export function resolveOptions(options: ListenOptions): ResolvedOptions {
  for (const name of Object.keys(options)) {
    if (!LISTENER_NAMES.includes(name) && !SERVER_NAMES.includes(name)) {
      throw new TypeError(
        `listen option "${name}" is unknown; there are ${[...LISTENER_NAMES, ...SERVER_NAMES].join(", ")}`,
      );
    }
  }
  if (options.listeners?.length === 0)
    throw new RangeError("listen option listeners is empty; give at least one");
  const targets = (options.listeners ?? [listenerPart(options)]).map(listenerTarget);
  return {
    targets,
    limits: resolveLimits(options.limits),
    memoryBytes:
      options.memoryMiB === undefined
        ? DEFAULT_MEMORY_BYTES
        : whole("memoryMiB", options.memoryMiB, LEAST_MEMORY_MIB, MOST_MEMORY_MIB) * MIB,
    instances: options.instances === undefined ? 1 : whole("instances", options.instances, 1, MOST_INSTANCES),
    authorities:
      options.authorities === undefined
        ? null
        : new Set(options.authorities.map((authority) => authority.toLowerCase())),
  };
}

function listenerPart(options: ListenOptions): ListenerOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => LISTENER_NAMES.includes(name)));
}

function listenerTarget(options: ListenerOptions): ListenTarget {
  for (const name of Object.keys(options)) {
    if (!LISTENER_NAMES.includes(name)) {
      throw new TypeError(`listener option "${name}" is unknown; there are ${LISTENER_NAMES.join(", ")}`);
    }
  }
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
  return { ...options, alpn: ["http/1.1"] };
}

function checkTls(tls: TlsOptions): void {
  for (const name of ["key", "cert"] as const) {
    const value: unknown = (tls as unknown as Record<string, unknown> | null)?.[name];
    if (typeof value !== "string" && !(value instanceof Uint8Array)) {
      throw new TypeError(
        `listen option tls.${name} is ${describe(value)}; it must be PEM as a string or bytes`,
      );
    }
  }
}

function whole(name: string, value: unknown, least: number, most: number): number {
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most) {
    throw new RangeError(
      `listen option ${name} is ${describe(value)}; it must be a whole number from ${least} to ${most}`,
    );
  }
  return value as number;
}

function text(name: string, value: unknown): void {
  if (value !== undefined && (typeof value !== "string" || value === "")) {
    throw new TypeError(`listen option ${name} is ${describe(value)}; it must be a string that is not empty`);
  }
}

function flag(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== "boolean") {
    throw new TypeError(`listen option ${name} is ${describe(value)}; it must be true or false`);
  }
}

function describe(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
