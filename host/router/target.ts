// Request-targets: from what was received to the path that routes see (RFC 9112 §3.2, RFC 3986 §5.2.4, §6.2.2).
//
// Everything that could make two programs read one path differently is settled here, once, before routing:
// percent-escapes are decoded exactly once, after splitting at `/`; `%2F` stays as written, so it never becomes
// a separator; dot segments, encoded ones too, are removed, and climbing above the root is an error. Backslash,
// NUL, malformed escapes and invalid or overlong UTF-8 are errors. An empty segment is kept and matches no route.
//
// A path without any byte of concern is used as it is, found by one scan. Invariant: a path given to routing
// begins with `/`, has no segment `.` or `..`, no NUL and no backslash.

/** A target that was taken apart. */
export interface Target {
  /** The treated path, `*` or the authority of a CONNECT. */
  readonly path: string;
  /** The path and query as received, without scheme and authority. */
  readonly origin: string;
  /** The authority of an absolute-form target; it outranks `Host`. */
  readonly authority: string | null;
  /** Why the target cannot be routed; null when it can. */
  readonly problem: string | null;
}

const SLASH = 0x2f;
const DOT = 0x2e;
const QUESTION = 0x3f;
const PERCENT = 0x25;
const HASH = 0x23;
const BACKSLASH = 0x5c;

const absoluteForm = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#\\]*)(.*)$/s;
const notVisibleAscii = /[^\x21-\x7e]/;
const encodedSlash = /%2f/gi;
const hiddenDots = /(?:^|%2f)\.\.?(?:%2f|$)/i;

/**
 * Where the path of an origin-form target ends (its `?`, or its length) when the path needs no treatment at
 * all; -1 when anything in it does.
 */
export function plainPathEnd(target: string): number {
  if (target.charCodeAt(0) !== SLASH) return -1;
  let before = SLASH;
  for (let i = 1; i < target.length; i++) {
    const code = target.charCodeAt(i);
    if (code === QUESTION) return i;
    if (code <= 0x20 || code >= 0x7f || code === PERCENT || code === BACKSLASH || code === HASH) return -1;
    if (before === SLASH && (code === SLASH || code === DOT)) return -1;
    before = code;
  }
  return target.length;
}

/** Takes apart a target of any form. Never throws: `problem` says what is wrong with it. */
export function readTarget(method: string, target: string): Target {
  if (target === "*") {
    return method === "OPTIONS"
      ? routable("*", target, null)
      : refused(target, 'only OPTIONS may ask for "*"');
  }
  if (target.charCodeAt(0) === SLASH) return readOrigin(target, null);
  if (method === "CONNECT") {
    const isAuthority = target !== "" && !notVisibleAscii.test(target) && !/[/?#\\@]/.test(target);
    return isAuthority ? routable("*", target, target) : refused(target, "not an authority");
  }
  const absolute = absoluteForm.exec(target);
  if (absolute === null) return refused(target, "neither a path nor an absolute URI");
  const scheme = absolute[1]!.toLowerCase();
  const authority = absolute[2]!;
  const rest = absolute[3]!;
  if (scheme !== "http" && scheme !== "https") return refused(target, `scheme "${scheme}" is not served`);
  if (authority === "" || authority.includes("@")) return refused(target, "no valid authority");
  // RFC 9112 §3.2.4: OPTIONS with neither path nor query asks about the server as a whole.
  if (rest === "" && method === "OPTIONS") return routable("*", "*", authority);
  return readOrigin(rest.startsWith("/") ? rest : `/${rest}`, authority);
}

function readOrigin(origin: string, authority: string | null): Target {
  const question = origin.indexOf("?");
  const raw = question < 0 ? origin : origin.slice(0, question);
  if (raw.includes("#")) return refused(origin, "fragment in the path");
  if (raw.includes("\\")) return refused(origin, "backslash in the path");
  if (notVisibleAscii.test(raw)) return refused(origin, "character that must be percent-encoded in the path");
  const kept: string[] = [];
  const segments = raw.split("/");
  const last = segments.length - 1;
  for (let i = 1; i <= last; i++) {
    const segment = decodeSegment(segments[i]!);
    if (segment === null) return refused(origin, "malformed percent-encoding or UTF-8 in the path");
    if (segment.includes("\0")) return refused(origin, "NUL in the path");
    if (segment.includes("\\")) return refused(origin, "backslash in the path");
    if (segment === "." || segment === "..") {
      if (segment === ".." && kept.pop() === undefined) return refused(origin, "path climbs above the root");
      if (i === last) kept.push("");
    } else if (segment.includes("%") && hiddenDots.test(segment)) {
      return refused(origin, "dot segment beside an encoded slash in the path");
    } else {
      kept.push(segment);
    }
  }
  return routable(`/${kept.join("/")}`, origin, authority);
}

/** The segment decoded once, `%2F` kept as written; null when malformed. */
function decodeSegment(segment: string): string | null {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment.replace(encodedSlash, (escape) => `%25${escape.slice(1)}`));
  } catch {
    return null;
  }
}

function routable(path: string, origin: string, authority: string | null): Target {
  return { path, origin, authority, problem: null };
}

function refused(origin: string, problem: string): Target {
  return { path: "", origin, authority: null, problem };
}
