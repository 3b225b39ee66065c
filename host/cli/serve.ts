// `httpy serve MODULE`: the default export of a module on the listeners that the options name.
//
// The module may come with a copy of this package of its own, so what it exports is known by what it can do, not by its
// class.

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { cachedCertificate, serve, Server } from "../index.ts";
import type { App, FetchApp, ListenerOptions, ListenOptions, RequestHandler, TlsOptions } from "../index.ts";
import type { ServeOptions } from "./arguments.ts";
import { UsageError } from "./usage_error.ts";

const DEFAULT_PORT = 8080;

/** Serves the module; resolves once everything listens. */
export async function serveModule(module: string, options: ServeOptions): Promise<Server> {
  const tls = await certificateOf(options);
  if (tls === null && options.tlsPort !== undefined) {
    throw new UsageError("--tls-port (or TLS_PORT) needs --tls-key and --tls-cert, or --dev-cert");
  }
  const application = await defaultExport(module);
  const listenOptions = { ...commonOptions(options), listeners: listenersOf(options, tls) };
  if (can(application, "listen")) return (application as unknown as App).listen(listenOptions);
  if (can(application, "handle")) {
    return Server.start(application as unknown as RequestHandler, listenOptions);
  }
  return serve(application as unknown as FetchApp, listenOptions);
}

/** What `listen` is told besides its listeners. */
export function commonOptions({ limits, memoryMiB, instances, record }: ServeOptions): ListenOptions {
  return {
    limits,
    ...(memoryMiB === undefined ? {} : { memoryMiB }),
    ...(instances === undefined ? {} : { instances }),
    ...(record === undefined ? {} : { record }),
  };
}

/** Key and certificate of the options; null when they ask for none. */
export async function certificateOf(options: ServeOptions): Promise<TlsOptions | null> {
  const { tlsKeyFile, tlsCertFile, devCert } = options;
  if (tlsKeyFile !== undefined && tlsCertFile !== undefined) {
    return { key: await readPem("--tls-key", tlsKeyFile), cert: await readPem("--tls-cert", tlsCertFile) };
  }
  return devCert ? cachedCertificate() : null;
}

function listenersOf(options: ServeOptions, tls: TlsOptions | null): ListenerOptions[] {
  const { host, path, tlsPort } = options;
  const first = path === undefined ? { host, port: options.port ?? DEFAULT_PORT } : { path };
  if (tls === null) return [first];
  return tlsPort === undefined ? [{ ...first, tls }] : [first, { host, port: tlsPort, tls }];
}

async function readPem(option: string, file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new UsageError(`${option} is "${file}", which cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}

async function defaultExport(module: string): Promise<object> {
  const file = resolve(module);
  if (!existsSync(file)) throw new UsageError(`the module ${file} does not exist`);
  const exported = await importDefault(file);
  if (["listen", "handle", "fetch"].some((name) => can(exported, name))) return exported as object;
  const found = exported === undefined ? "there is none" : `it is of type ${typeof exported}`;
  throw new UsageError(`the default export of ${module} must be an App or have a function fetch; ${found}`);
}

async function importDefault(file: string): Promise<unknown> {
  try {
    return ((await import(pathToFileURL(file).href)) as { default?: unknown }).default;
  } catch (cause) {
    throw new Error(`the module ${file} failed`, { cause });
  }
}

function can(value: unknown, name: string): boolean {
  const isObject = (typeof value === "object" && value !== null) || typeof value === "function";
  return isObject && typeof (value as Record<string, unknown>)[name] === "function";
}
