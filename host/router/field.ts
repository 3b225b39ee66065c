// The rules for field names and values that the router sends (RFC 9110 §5.1, §5.5).
//
// Names are tokens, kept in lower case; values are latin1 text without controls other than HTAB and without
// blanks at either end. A value that breaks the rules is an error naming the field, never silently repaired:
// CR, LF and NUL are how responses are split (CVE-2016-2216). The engine's writer checks again.

import type { HeaderPairs } from "./exchange.ts";

/** Headers as callers may write them: pairs, or a record whose arrays stand for several lines. */
export type HeadersInput =
  | HeaderPairs
  | Readonly<Record<string, string | number | ReadonlyArray<string>>>
  | Iterable<readonly [string, string]>;

const lowerToken = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;
const quotedPrintable = 60;

/** The name in lower case; throws a TypeError when it is not a token. */
export function fieldName(name: string): string {
  if (lowerToken.test(name)) return name;
  const lower = typeof name === "string" ? name.toLowerCase() : "";
  if (lowerToken.test(lower)) return lower;
  throw new TypeError(
    `Header name ${shown(name)} is not a token: letters, digits and !#$%&'*+-.^_\`|~ are allowed`,
  );
}

/** The value as a string, blanks at either end removed; throws a TypeError naming the field when it cannot be sent. */
export function valueOfField(name: string, value: string | number): string {
  const text = typeof value === "string" ? value.trim() : String(value);
  if (fieldValue.test(text)) return text;
  throw new TypeError(
    `Header "${name}" has a value that cannot be sent: ${shown(text)} (control or non-latin1 character at ${badIndex(text)})`,
  );
}

/** Validates headers of any accepted shape and lists them line by line. */
export function headerLines(headers: HeadersInput): Array<[name: string, value: string]> {
  const lines: Array<[string, string]> = [];
  if (Symbol.iterator in headers) {
    for (const [name, value] of headers as Iterable<readonly [string, string]>) pushLine(lines, name, value);
    return lines;
  }
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === "string" || typeof value === "number") pushLine(lines, name, value);
    else for (const one of value) pushLine(lines, name, one);
  }
  return lines;
}

function pushLine(lines: Array<[string, string]>, name: string, value: string | number): void {
  const lower = fieldName(name);
  lines.push([lower, valueOfField(lower, value)]);
}

function badIndex(text: string): number {
  for (let i = 0; i < text.length; i++) if (!fieldValue.test(text[i]!)) return i;
  return -1;
}

function shown(text: unknown): string {
  const quoted = JSON.stringify(String(text));
  return quoted.length > quotedPrintable ? `${quoted.slice(0, quotedPrintable)}…` : quoted;
}
