// Query strings (WHATWG URL, application/x-www-form-urlencoded).
//
// Flat: a name that occurs once gives a string, one that occurs more often an array; brackets have no meaning.
// The result has no prototype, so `__proto__` is a key like any other. The number of pairs is bounded, because
// each one is a key that a peer chose (hash flooding, LIMITS: 1000 keys).

import { HttpError } from "./http_error.ts";
import { Status } from "./status.ts";

/** Values by name. */
export type Query = Record<string, string | string[]>;

/** Pairs of one query string. */
export const MAX_QUERY_KEYS = 1000;

/** Parses what follows the `?`. Throws 400 above `maxKeyCount` pairs. */
export function parseQuery(text: string, maxKeyCount: number = MAX_QUERY_KEYS): Query {
  const query = Object.create(null) as Query;
  let pairCount = 0;
  let at = 0;
  while (at < text.length) {
    const ampersand = text.indexOf("&", at);
    const end = ampersand < 0 ? text.length : ampersand;
    if (end > at) {
      if (++pairCount > maxKeyCount) {
        throw new HttpError(Status.BAD_REQUEST, `The query has more than ${maxKeyCount} keys`);
      }
      const equals = text.indexOf("=", at);
      const nameEnd = equals < 0 || equals > end ? end : equals;
      add(query, decoded(text.slice(at, nameEnd)), decoded(text.slice(Math.min(nameEnd + 1, end), end)));
    }
    at = end + 1;
  }
  return query;
}

function add(query: Query, name: string, value: string): void {
  const held = query[name];
  if (held === undefined) query[name] = value;
  else if (typeof held === "string") query[name] = [held, value];
  else held.push(value);
}

function decoded(text: string): string {
  if (!text.includes("%") && !text.includes("+")) return text;
  const spaced = text.replaceAll("+", " ");
  try {
    return decodeURIComponent(spaced);
  } catch {
    // The standard keeps malformed escapes as they are and replaces invalid UTF-8; so do we.
    return new URLSearchParams(`=${text}`).get("") ?? "";
  }
}
