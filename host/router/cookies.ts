// Cookies: reading `cookie`, writing `set-cookie` (RFC 6265bis).
//
// Reading is lenient as browsers' jars demand: pairs without a name are passed over, the first of equal names
// counts, values are percent-decoded where that is possible. Writing is strict: whatever a user agent would
// ignore or misread is an error that names the attribute.

import { fieldName } from "./field.ts";

/** Cookie values by name; without a prototype. */
export type Cookies = Record<string, string>;

/** Attributes of a cookie. */
export interface CookieOptions {
  domain?: string;
  path?: string;
  expires?: Date;
  maxAgeSeconds?: number;
  httpOnly?: boolean;
  secure?: boolean;
  sameSite?: "strict" | "lax" | "none";
  /** Keyed by top-level site (CHIPS); demands `secure`. */
  partitioned?: boolean;
}

const sameSiteWords = { strict: "Strict", lax: "Lax", none: "None" } as const;
const attributeText = /^[\x20-\x3a\x3c-\x7e]+$/;

/** The cookies of a `cookie` field. */
export function parseCookies(header: string): Cookies {
  const cookies = Object.create(null) as Cookies;
  for (const pair of header.split(";")) {
    const equals = pair.indexOf("=");
    if (equals <= 0) continue;
    const name = pair.slice(0, equals).trim();
    if (name === "" || name in cookies) continue;
    cookies[name] = cookieText(pair.slice(equals + 1).trim());
  }
  return cookies;
}

/** The value of a `set-cookie` line; `value` is percent-encoded. Throws when an attribute is wrong. */
export function setCookie(name: string, value: string, options: CookieOptions = {}): string {
  fieldName(name);
  const { domain, path, expires, maxAgeSeconds, sameSite } = options;
  checkPrefix(name, options);
  let line = `${name}=${encodeURIComponent(value)}`;
  if (maxAgeSeconds !== undefined) {
    if (!Number.isInteger(maxAgeSeconds)) throw wrong(name, "maxAgeSeconds", maxAgeSeconds, "a whole number");
    line += `; Max-Age=${maxAgeSeconds}`;
  }
  if (expires !== undefined) {
    if (Number.isNaN(expires.getTime())) throw wrong(name, "expires", expires, "a valid Date");
    line += `; Expires=${expires.toUTCString()}`;
  }
  if (domain !== undefined) line += `; Domain=${attribute(name, "domain", domain)}`;
  if (path !== undefined) {
    if (!path.startsWith("/")) throw wrong(name, "path", path, 'a path that begins with "/"');
    line += `; Path=${attribute(name, "path", path)}`;
  }
  if (options.secure) line += "; Secure";
  if (options.httpOnly) line += "; HttpOnly";
  if (sameSite !== undefined) {
    const word = Object.hasOwn(sameSiteWords, sameSite) ? sameSiteWords[sameSite] : null;
    if (word === null) throw wrong(name, "sameSite", sameSite, "strict, lax or none");
    if (word === "None" && !options.secure) throw wrong(name, "sameSite", sameSite, "secure set as well");
    line += `; SameSite=${word}`;
  }
  if (options.partitioned) {
    if (!options.secure) throw wrong(name, "partitioned", true, "secure set as well");
    line += "; Partitioned";
  }
  return line;
}

/** RFC 6265bis §4.1.3: what a name's prefix promises must be so, or the user agent drops the cookie. */
function checkPrefix(name: string, options: CookieOptions): void {
  const lower = name.toLowerCase();
  const isHost = lower.startsWith("__host-");
  if ((isHost || lower.startsWith("__secure-")) && !options.secure) {
    throw wrong(name, "secure", options.secure, "true for this name");
  }
  if (isHost && (options.path !== "/" || options.domain !== undefined)) {
    throw wrong(name, "path", options.path, '"/" without a domain for this name');
  }
}

function attribute(name: string, option: string, text: string): string {
  if (!attributeText.test(text)) throw wrong(name, option, text, "visible ASCII without semicolon");
  return text;
}

function wrong(name: string, option: string, value: unknown, allowed: string): TypeError {
  return new TypeError(`Cookie "${name}": ${option} is ${JSON.stringify(value)}, but must be ${allowed}`);
}

function cookieText(raw: string): string {
  const bare = raw.length > 1 && raw.startsWith('"') && raw.endsWith('"') ? raw.slice(1, -1) : raw;
  if (!bare.includes("%")) return bare;
  try {
    return decodeURIComponent(bare);
  } catch {
    return bare;
  }
}
