// The command line: words and environment in, a command out. Nothing here touches a file, a socket or the process.
//
// Which numbers are allowed is the server's to say (server/options.ts); here a word only has to be a number.

import { parseArgs } from "node:util";
import type { LimitOptions } from "../index.ts";
import { UsageError } from "./usage_error.ts";

/** What every command that serves can be told. */
export interface ServeOptions {
  /** Undefined: the command's own choice. */
  readonly port: number | undefined;
  /** TLS on this port, beside plain connections on `port`. */
  readonly tlsPort: number | undefined;
  readonly host: string;
  readonly path: string | undefined;
  readonly tlsKeyFile: string | undefined;
  readonly tlsCertFile: string | undefined;
  /** A certificate for localhost, kept in the user's cache folder. */
  readonly devCert: boolean;
  readonly limits: LimitOptions;
  readonly memoryMiB: number | undefined;
  readonly instances: number | undefined;
  /** The file of a recording; undefined: nothing is recorded. */
  readonly record: string | undefined;
  readonly deadlineMs: number;
}

export type Command =
  | { readonly name: "help" }
  | { readonly name: "version" }
  | { readonly name: "serve"; readonly module: string; readonly options: ServeOptions }
  | { readonly name: "demo"; readonly options: ServeOptions }
  | { readonly name: "replay"; readonly file: string; readonly connection: number | undefined };

export const USAGE = `httpy: an HTTP server whose protocol work is done in WebAssembly

  httpy serve MODULE [options]   serves the default export of MODULE: an App, or { fetch }
  httpy demo [options]           serves a page that shows what the server can do
  httpy replay FILE              runs recorded connections again, and prints what the engine tells
  httpy --version
  httpy --help

Options
  --port N            TCP port, 0 for any free one     (PORT, else 8080)
  --host NAME         address or name to bind          (HOST, else localhost)
  --path FILE         a Unix socket in place of host and port
  --tls-key FILE      private key in PEM; with --tls-cert, the port speaks TLS
  --tls-cert FILE     certificate, or chain of them, in PEM
  --dev-cert          a certificate for localhost, kept in your cache folder
  --tls-port N        TLS on this port, and plain connections on --port   (TLS_PORT)
  --limit NAME=N      sets a limit, such as headBytes=16384; can be repeated
  --memory-mib N      memory of each engine instance   (256)
  --instances N       engine instances, as fault domains   (1)
  --record FILE       writes what the engine was given to FILE at the end, for replay
  --connection N      replay this connection of the recording only, from 1
  --deadline-ms N     how long open exchanges may go on after SIGTERM or SIGINT   (10000)

A second signal ends the process at once.
`;

const DEFAULT_HOST = "localhost";
const DEFAULT_DEADLINE_MS = 10_000;

/** The command that these words ask for. Throws UsageError. */
export function readArguments(words: readonly string[], env: NodeJS.ProcessEnv = {}): Command {
  const { values, positionals } = parsed(words);
  if (values.help === true) return { name: "help" };
  if (values.version === true) return { name: "version" };
  const [name, ...operands] = positionals;
  if (name === undefined) throw new UsageError("a command is missing; there are serve, demo and replay");
  const options: ServeOptions = {
    port: numberOf("--port", values.port) ?? numberOf("PORT", env["PORT"]),
    tlsPort: numberOf("--tls-port", values["tls-port"]) ?? numberOf("TLS_PORT", env["TLS_PORT"]),
    host: values.host ?? env["HOST"] ?? DEFAULT_HOST,
    path: values.path,
    tlsKeyFile: values["tls-key"],
    tlsCertFile: values["tls-cert"],
    devCert: values["dev-cert"] ?? false,
    limits: limitsOf(values.limit ?? []),
    memoryMiB: numberOf("--memory-mib", values["memory-mib"]),
    instances: numberOf("--instances", values.instances),
    record: values.record,
    deadlineMs: numberOf("--deadline-ms", values["deadline-ms"]) ?? DEFAULT_DEADLINE_MS,
  };
  checkTogether(options);
  switch (name) {
    case "demo":
      if (operands.length > 0) throw new UsageError(`demo takes no operands; there is "${operands[0]}"`);
      return { name, options };
    case "replay": {
      const [file, extra] = operands;
      if (file === undefined) throw new UsageError("replay needs the file of a recording");
      if (extra !== undefined) throw new UsageError(`replay takes one file; there is also "${extra}"`);
      return { name, file, connection: numberOf("--connection", values.connection) };
    }
    case "serve": {
      const [module, extra] = operands;
      if (module === undefined) throw new UsageError("serve needs a module, such as serve app.js");
      if (extra !== undefined) throw new UsageError(`serve takes one module; there is also "${extra}"`);
      return { name, module, options };
    }
    default:
      throw new UsageError(`"${name}" is not a command; there are serve, demo and replay`);
  }
}

function parsed(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h" },
        version: { type: "boolean", short: "v" },
        port: { type: "string", short: "p" },
        "tls-port": { type: "string" },
        host: { type: "string" },
        path: { type: "string" },
        "tls-key": { type: "string" },
        "tls-cert": { type: "string" },
        "dev-cert": { type: "boolean" },
        limit: { type: "string", multiple: true },
        "memory-mib": { type: "string" },
        instances: { type: "string" },
        "deadline-ms": { type: "string" },
        record: { type: "string" },
        connection: { type: "string" },
      },
    });
  } catch (error) {
    // Its errors name the option and what is wrong with it; a sentence on `--` follows that helps nobody here.
    throw new UsageError((error as Error).message.split(". ", 1)[0], { cause: error });
  }
}

function numberOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`${option} is "${text}"; it must be a whole number`);
  return Number(text);
}

function limitsOf(words: readonly string[]): LimitOptions {
  const limits = words.map((word) => {
    const [, name, value] = /^(\w+)=(\d{1,16})$/.exec(word) ?? [];
    if (name === undefined) {
      throw new UsageError(`--limit is "${word}"; it must be NAME=N, such as headBytes=16384`);
    }
    return [name, Number(value)] as const;
  });
  return Object.fromEntries(limits);
}

function checkTogether(options: ServeOptions): void {
  const hasKey = options.tlsKeyFile !== undefined;
  if (hasKey !== (options.tlsCertFile !== undefined)) {
    const [given, missing] = hasKey ? ["--tls-key", "--tls-cert"] : ["--tls-cert", "--tls-key"];
    throw new UsageError(`${given} is given without ${missing}`);
  }
  if (hasKey && options.devCert) throw new UsageError("--dev-cert is given with --tls-key; choose one");
}
