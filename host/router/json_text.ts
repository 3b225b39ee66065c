// Reading JSON from a peer: a fault says where it is, and no key reaches for a prototype (RFC 8259).
//
// `JSON.parse` does the work; its message differs by runtime and may not tell the position, so after a failure
// one pass finds it. Keys that poison prototypes when an object is merged (`__proto__`, and `constructor` with
// a `prototype` in it) are refused. Both passes keep their own stack: depth costs memory, never the call stack.

import { HttpError } from "./http_error.ts";
import { Status } from "./status.ts";

/** Where a text stops being JSON, and what had been possible there. */
export interface JsonFault {
  /** Index into the text, in UTF-16 units. */
  readonly position: number;
  readonly expected: string;
}

/** The value of a JSON text; throws a 400 naming line, column and position, or the poisonous key. */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new HttpError(Status.BAD_REQUEST, faultMessage(text, findJsonFault(text)), { cause });
  }
  // An escape may spell a key in a way that the text does not show.
  if (text.includes("__proto__") || text.includes("constructor") || text.includes("\\u")) refusePoison(value);
  return value;
}

function faultMessage(text: string, fault: JsonFault | null): string {
  if (fault === null) return "Malformed JSON";
  const { position, expected } = fault;
  const before = text.slice(0, position);
  const line = before.split("\n").length;
  const column = position - (before.lastIndexOf("\n") + 1) + 1;
  const codePoint = text.codePointAt(position);
  const found = codePoint === undefined ? "the end" : JSON.stringify(String.fromCodePoint(codePoint));
  return `Malformed JSON at line ${line}, column ${column} (position ${position}): expected ${expected}, found ${found}`;
}

function refusePoison(root: unknown): void {
  const unseen: unknown[] = [root];
  while (unseen.length > 0) {
    const value = unseen.pop();
    if (typeof value !== "object" || value === null) continue;
    if (Object.hasOwn(value, "__proto__")) throw poisoned("__proto__");
    const maker = Object.getOwnPropertyDescriptor(value, "constructor")?.value as unknown;
    if (typeof maker === "object" && maker !== null && Object.hasOwn(maker, "prototype")) {
      throw poisoned("constructor.prototype");
    }
    for (const member of Object.values(value)) unseen.push(member);
  }
}

function poisoned(key: string): HttpError {
  return new HttpError(Status.BAD_REQUEST, `The JSON has the key ${key}, which is not accepted`);
}

type Expecting = "value" | "value or ]" | "key or }" | "key" | "colon" | "comma or end";

const wording: Record<Expecting, string> = {
  value: "a value",
  "value or ]": 'a value or "]"',
  "key or }": 'a string key or "}"',
  key: "a string key",
  colon: '":"',
  "comma or end": "",
};
const blank = /[ \t\n\r]*/y;
const numberText = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const escapeText = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const literals = ["true", "false", "null"];

/** The first place where a text breaks the grammar; null when it does not. */
export function findJsonFault(text: string): JsonFault | null {
  /** The closing bracket of each open object and array. */
  const open: string[] = [];
  let expecting: Expecting = "value";
  let at = skip(blank, text, 0);
  while (at < text.length || expecting !== "comma or end" || open.length > 0) {
    const char = text[at];
    const closing = open.at(-1);
    if (expecting === "comma or end") {
      if (char === closing && closing !== undefined) {
        open.pop();
      } else if (char === "," && closing !== undefined) {
        expecting = closing === "}" ? "key" : "value";
      } else {
        return { position: at, expected: closing === undefined ? "the end" : `"," or "${closing}"` };
      }
      at++;
    } else if (expecting === "colon") {
      if (char !== ":") return { position: at, expected: wording[expecting] };
      expecting = "value";
      at++;
    } else if (char === closing && (expecting === "value or ]" || expecting === "key or }")) {
      open.pop();
      expecting = "comma or end";
      at++;
    } else if (char === '"') {
      const end = stringStop(text, at + 1);
      if (text[end] !== '"') return { position: end, expected: stringFault(text[end]) };
      expecting = wantsKey(expecting) ? "colon" : "comma or end";
      at = end + 1;
    } else if (wantsKey(expecting)) {
      return { position: at, expected: wording[expecting] };
    } else if (char === "{" || char === "[") {
      open.push(char === "{" ? "}" : "]");
      expecting = char === "{" ? "key or }" : "value or ]";
      at++;
    } else {
      const end = scalarEnd(text, at);
      if (end === at) return { position: at, expected: wording[expecting] };
      expecting = "comma or end";
      at = end;
    }
    at = skip(blank, text, at);
  }
  return null;
}

function wantsKey(expecting: Expecting): boolean {
  return expecting === "key" || expecting === "key or }";
}

function scalarEnd(text: string, at: number): number {
  for (const literal of literals) if (text.startsWith(literal, at)) return at + literal.length;
  return skip(numberText, text, at);
}

/** Where a string ends: at its closing quote, at a fault, or at the end of the text. */
function stringStop(text: string, start: number): number {
  let at = start;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === 0x22 || code < 0x20) return at;
    if (code !== 0x5c) {
      at++;
      continue;
    }
    const end = skip(escapeText, text, at);
    if (end === at) return at;
    at = end;
  }
  return at;
}

function stringFault(char: string | undefined): string {
  if (char === undefined) return 'the string to end with "\\""';
  return char === "\\" ? "a valid escape" : "an escape in place of a control character";
}

/** The end of what the sticky expression matches at `at`; `at` itself when it does not match. */
function skip(expression: RegExp, text: string, at: number): number {
  expression.lastIndex = at;
  return expression.test(text) ? expression.lastIndex : at;
}
