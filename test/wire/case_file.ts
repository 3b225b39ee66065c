// Wire cases in Markdown: a heading, an optional comment with options as JSON, the bytes, and what they must come to.
//
//     ## A name that says the behaviour
//
//     <!-- {"role": "client"} -->
//
//     ```http            bytes: lines are joined by CRLF, the last one is not ended; a line that ends in a single
//     GET / HTTP/1.1     backslash is joined to the next one as it is; \r \n \t \0 \xHH \\ stand for bytes, and
//     ```                \| for the moment at which a client has asked for what follows
//
//     ```log             `off=N event` with N bytes read, then `answer …` for each response sent
//     ```
//
// With UPDATE_WIRE=1 the runner writes what it saw in place of the logs; the difference is to be reviewed.

import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** Options of a case; all have defaults. */
export interface CaseOptions {
  readonly role?: "server" | "client";
  /** The peer ends its side after the bytes. */
  readonly end?: boolean;
  readonly secure?: boolean;
  readonly limits?: Record<string, number>;
  /** Server role: when requests are answered: once complete (default), at their head, in reverse order after N, never. */
  readonly answer?: "complete" | "early" | "never" | "tunnel" | number;
  /** Status of answers. */
  readonly status?: number;
  /** Client role: what was asked, "METHOD target" each, one after the other. */
  readonly requests?: readonly string[];
}

export interface WireCase {
  readonly file: string;
  readonly name: string;
  readonly options: CaseOptions;
  readonly bytes: Buffer;
  /** Where the bytes are cut in every run. */
  readonly pauses: readonly number[];
  readonly log: readonly string[];
}

/** Beyond the code units of bytes. */
const PAUSE = "\u2016";
/** From the project root, where every test starts: bundled programs read them too. */
const folder = resolve("test/wire/cases");

/** Every case of every file. */
export function wireCases(): WireCase[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".md"))
    .sort()
    .flatMap((file) => parseCases(file, readFileSync(join(folder, file), "utf8")));
}

export function parseCases(file: string, markdown: string): WireCase[] {
  const cases: WireCase[] = [];
  for (const section of markdown.split(/^## /m).slice(1)) {
    const name = section.slice(0, section.indexOf("\n")).trim();
    const options = /<!-- (\{.*?\}) -->/s.exec(section)?.[1];
    const bytes = /^```http\n(.*?)\n?^```$/ms.exec(section)?.[1];
    const log = /^```log\n(.*?)^```$/ms.exec(section)?.[1];
    if (bytes === undefined || log === undefined) throw new Error(`${file}: "${name}" lacks bytes or log`);
    const parts = unescape(bytes).split(PAUSE);
    cases.push({
      file,
      name,
      options: options === undefined ? {} : (JSON.parse(options) as CaseOptions),
      bytes: Buffer.from(parts.join(""), "latin1"),
      pauses: parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("").length),
      log: log.split("\n").filter((line) => line !== ""),
    });
  }
  return cases;
}

/** Writes other logs into a file, in the order of its cases. */
export function updateLogs(file: string, logs: readonly (readonly string[])[]): void {
  const path = join(folder, file);
  let index = 0;
  const updated = readFileSync(path, "utf8").replace(
    /^```log\n.*?^```$/gms,
    () => `\`\`\`log\n${logs[index++]!.join("\n")}\n\`\`\``,
  );
  writeFileSync(path, updated);
}

function unescape(text: string): string {
  return text.replace(/\\(\r?\n|[rnt0|\\]|x[0-9a-fA-F]{2})|\n/g, (all, escape: string | undefined) => {
    if (escape === undefined) return "\r\n";
    if (escape.endsWith("\n")) return "";
    if (escape.startsWith("x")) return String.fromCharCode(parseInt(escape.slice(1), 16));
    return { r: "\r", n: "\n", t: "\t", "0": "\0", "\\": "\\", "|": PAUSE }[escape] ?? all;
  });
}
