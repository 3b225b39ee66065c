// The log of a connection as text: one line per event, which golden cases compare.

import { statusText } from "../../assembly/abi/status_text.ts";

export interface LogLine {
  readonly offset: number;
  readonly text: string;
}

/** Runs of `body` become one line, at the offset of the last. */
export function coalesce(log: readonly LogLine[]): LogLine[] {
  const lines: LogLine[] = [];
  for (const line of log) {
    const last = lines.at(-1);
    if (line.text.startsWith("body ") && last?.text.startsWith("body ")) {
      lines[lines.length - 1] = {
        offset: line.offset,
        text: `${last.text.slice(0, -1)}${line.text.slice(6)}`,
      };
    } else {
      lines.push(line);
    }
  }
  return lines;
}

export function statusOf(status: number): string {
  return status === 0 ? "ok" : `${status} (${statusText(status)})`;
}

/** Text with everything but visible ASCII and spaces as escapes. */
export function quoted(text: string): string {
  const inner = text.replace(/[^ -~]|["\\]/g, (c) => {
    if (c === '"' || c === "\\") return `\\${c}`;
    if (c === "\r") return "\\r";
    if (c === "\n") return "\\n";
    if (c === "\t") return "\\t";
    return `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
  return `"${inner}"`;
}
