// Route patterns: what may be written, and what it means.
//
//   /users            static, matched literally and case-sensitively, in decoded characters
//   /users/:id        one whole, non-empty segment
//   /users/:id?       the same or nothing, last segment only
//   /files/*          the rest of the path, which may be empty; `*path` gives it a name
//   *                 alone: the targets that are no path (`OPTIONS *`, authority-form CONNECT)
//
// There are no regular expressions in a pattern, so matching stays linear in the path (CVE-2024-45296 was the
// other way). Whatever is not in the list above is an error naming the pattern and the position.

/** One segment of a pattern. */
export type Segment =
  | { readonly kind: "static"; readonly text: string }
  | { readonly kind: "param"; readonly name: string; readonly optional: boolean }
  | { readonly kind: "wildcard"; readonly name: string };

/** A parsed pattern. `source` is what was written. */
export interface Pattern {
  readonly source: string;
  readonly segments: readonly Segment[];
  /** Names of params and of the wildcard, in order. */
  readonly names: readonly string[];
}

/** The pattern of the targets that are no path. */
export const ASTERISK = "*";

/** A pattern that cannot be a route. */
export class PatternError extends TypeError {
  readonly pattern: string;
  /** Index into the pattern. */
  readonly position: number;

  constructor(pattern: string, position: number, problem: string) {
    super(`Pattern "${pattern}": ${problem} (position ${position})`);
    this.name = "PatternError";
    this.pattern = pattern;
    this.position = position;
  }
}

const name = /^[A-Za-z_][A-Za-z0-9_]*$/;
const notInPath = /[\x00-\x20\x7f\\%#]/;
const maxParamCount = 32;

/** Parses a pattern; throws a PatternError when it is malformed. */
export function parsePattern(source: string): Pattern {
  if (typeof source !== "string")
    throw new PatternError(String(source), 0, `is a ${typeof source}, not a string`);
  if (source === ASTERISK) return { source, segments: [], names: [] };
  if (source === "") throw new PatternError(source, 0, 'is empty; write "/" for the root');
  if (source[0] !== "/") throw new PatternError(source, 0, 'must begin with "/"');
  const segments: Segment[] = [];
  const names: string[] = [];
  let at = 1;
  while (at <= source.length) {
    const slash = source.indexOf("/", at);
    const end = slash < 0 ? source.length : slash;
    const segment = parseSegment(source, at, end);
    segments.push(segment);
    if (segment.kind !== "static") {
      if (names.includes(segment.name))
        throw new PatternError(source, at, `the name "${segment.name}" occurs twice`);
      if (names.length === maxParamCount)
        throw new PatternError(source, at, `has more than ${maxParamCount} params`);
      names.push(segment.name);
    }
    at = end + 1;
  }
  return { source, segments, names };
}

/** Puts a group's prefix before a pattern: `/api` and `/` give `/api`. */
export function joinPatterns(prefix: string, pattern: string): string {
  if (prefix === "" || prefix === "/") return pattern;
  return pattern === "/" ? prefix : prefix + pattern;
}

/** Parses the prefix of a group or a mount: a pattern without wildcard and optional segment. */
export function parsePrefix(source: string): string {
  const pattern = parsePattern(source);
  const open = pattern.segments.find((s) => s.kind === "wildcard" || (s.kind === "param" && s.optional));
  if (open !== undefined || source === ASTERISK) {
    throw new PatternError(
      source,
      Math.max(0, source.search(/[*?]/)),
      "a prefix has no wildcard and no optional segment",
    );
  }
  return source.length > 1 && source.endsWith("/") ? source.slice(0, -1) : source;
}

function parseSegment(source: string, start: number, end: number): Segment {
  const text = source.slice(start, end);
  const isLast = end === source.length;
  if (text === "" && !isLast) throw new PatternError(source, start, "has an empty segment");
  const marker = text[0];
  if (marker === ":") return parseParam(source, start, text, isLast);
  if (marker === "*") {
    if (!isLast) throw new PatternError(source, start, "a wildcard must be the last segment");
    if (text === "*") return { kind: "wildcard", name: "*" };
    return { kind: "wildcard", name: checkedName(source, start + 1, text.slice(1)) };
  }
  if (text === "." || text === "..")
    throw new PatternError(source, start, "a dot segment never reaches a route");
  const stray = text.search(/[*?]/);
  if (stray >= 0) {
    throw new PatternError(source, start + stray, `"${text[stray]}" has no meaning inside a static segment`);
  }
  const bad = text.search(notInPath);
  if (bad >= 0) {
    throw new PatternError(
      source,
      start + bad,
      "has a character that no decoded path has; write paths decoded",
    );
  }
  return { kind: "static", text };
}

function parseParam(source: string, start: number, text: string, isLast: boolean): Segment {
  const optional = text.endsWith("?");
  if (optional && !isLast) {
    throw new PatternError(source, start + text.length - 1, "only the last segment may be optional");
  }
  const bare = optional ? text.slice(1, -1) : text.slice(1);
  return { kind: "param", name: checkedName(source, start + 1, bare), optional };
}

function checkedName(source: string, position: number, text: string): string {
  if (name.test(text)) return text;
  if (text === "") throw new PatternError(source, position, "a param has no name");
  const bad = text.search(/[^A-Za-z0-9_]/);
  throw new PatternError(
    source,
    position + Math.max(0, bad),
    `"${text}" is not a name; a param is a whole segment named by letters, digits and _`,
  );
}
