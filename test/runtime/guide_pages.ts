// The pages of docs/guide as programs and what is asked of them.
//
// A block of TypeScript that imports something begins a program; those after it on the same page that import nothing go on with it.
// A `console` block holds commands, each after `$ `, and what they print; `…` there stands for anything. A `text` block after a
// program is what it prints until it ends. Blocks of other languages are for people only.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./program.ts";

export const guideDir = join(root, "docs/guide");

export interface Command {
  readonly text: string;
  readonly output: string;
}

export interface GuideProgram {
  /** The page and the program's place in it: `routing-2`. */
  readonly name: string;
  readonly source: string;
  readonly commands: readonly Command[];
  /** What it prints, where the page says so. */
  readonly output: string | null;
}

export const guidePages: readonly string[] = readdirSync(guideDir).filter((name) => name.endsWith(".md"));

export function textOf(page: string): string {
  return readFileSync(join(guideDir, page), "utf8");
}

export function programsOf(page: string): GuideProgram[] {
  const programs: { sources: string[]; commands: Command[]; output: string | null }[] = [];
  for (const [, language, content] of textOf(page).matchAll(/^```(\w+)\n([^]*?)^```$/gm)) {
    if (language === "ts") {
      if (/^import /m.test(content!)) programs.push({ sources: [], commands: [], output: null });
      const current = programs.at(-1);
      if (current === undefined) throw new Error(`${page} begins with a program that imports nothing`);
      current.sources.push(content!);
    } else if (language === "console") {
      programs.at(-1).commands.push(...commandsIn(content!));
    } else if (language === "text" && programs.length > 0) {
      programs.at(-1).output = content!;
    }
  }
  return programs.map(({ sources, commands, output }, index) => ({
    name: `${page.replace(/\.md$/, "")}-${index + 1}`,
    source: sources.join("\n"),
    commands,
    output,
  }));
}

function commandsIn(block: string): Command[] {
  return block
    .split(/^\$ /m)
    .slice(1)
    .map((lines) => {
      const end = lines.indexOf("\n");
      return { text: lines.slice(0, end), output: lines.slice(end + 1) };
    });
}

/** Whether text is what a page shows, `…` being anything; blanks at line ends do not count. */
export function isShownBy(pattern: string, text: string): boolean {
  const tidy = (lines: string) =>
    lines
      .replaceAll("\r\n", "\n")
      .replaceAll(/[ \t]+$/gm, "")
      .trim();
  const parts = tidy(pattern)
    .split("…")
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^]*?")}$`).test(tidy(text));
}
