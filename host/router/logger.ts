// What the project logs through: four methods that pino satisfies as it is.
//
// Nothing here formats for people or writes to files; that is a logging library's work. The console logger is
// for a first run: one JSON object per line, so a value can never forge a second line.

/** Where log records go. Pino is one. */
export interface Logger {
  debug(fields: object, message?: string): void;
  info(fields: object, message?: string): void;
  warn(fields: object, message?: string): void;
  error(fields: object, message?: string): void;
}

/** The least important records that a console logger writes. */
export type LogLevel = "debug" | "info" | "warn" | "error";

const levels: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** Whether a value can be logged through. */
export function isLogger(value: unknown): value is Logger {
  if (typeof value !== "object" || value === null) return false;
  return levels.every((level) => typeof (value as Record<string, unknown>)[level] === "function");
}

/** Drops everything. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Writes records from `level` up to the console, one JSON object per line. */
export function consoleLogger(level: LogLevel = "info"): Logger {
  const lowest = levels.indexOf(level);
  if (lowest < 0) {
    throw new TypeError(
      `consoleLogger: level is ${JSON.stringify(level)}, but must be one of ${levels.join(", ")}`,
    );
  }
  const write = (name: LogLevel, fields: object, message: string | undefined): void => {
    if (levels.indexOf(name) < lowest) return;
    const record = { level: name, time: new Date().toISOString(), message, ...fields };
    console[name](JSON.stringify(record, plainErrors));
  };
  return {
    debug: (fields, message) => write("debug", fields, message),
    info: (fields, message) => write("info", fields, message),
    warn: (fields, message) => write("warn", fields, message),
    error: (fields, message) => write("error", fields, message),
  };
}

function plainErrors(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (!(value instanceof Error)) return value;
  return { name: value.name, message: value.message, stack: value.stack, cause: value.cause };
}
