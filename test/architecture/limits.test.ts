// Holds docs/limits.md to assembly/abi/limit.ts: every limit with its default, its range and the comment above its row, which
// says what it stops. Where a row has no comment of its own, that of the row before is about both.
//
// Holds the union LimitName of host/engine/limits.ts to the same names.
//
// After a change of the limits: npx vitest run test/architecture --update

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { expect, test } from "vitest";
import { limitEntries } from "../../host/engine/limits.ts";
import { root } from "./sources.ts";

const docPath = join(root, "docs/limits.md");
const [BEGIN, END] = ["<!-- limits -->", "<!-- /limits -->"];

/** The comments of the rows of LIMIT_TABLE, in order. */
function comments(source: string): string[] {
  const table = /LIMIT_TABLE: number\[\] = \[\n([^]*?)\n\];/.exec(source)![1]!;
  const found: string[] = [];
  let comment = "";
  let isContinued = false;
  for (const line of table.split("\n").map((text) => text.trim())) {
    if (line.startsWith("//")) {
      const text = line.slice(2).trim();
      comment = isContinued ? `${comment} ${text}` : text;
      isContinued = true;
    } else {
      found.push(comment);
      isContinued = false;
    }
  }
  return found;
}

function shown(value: number): string {
  return value === Number.MAX_SAFE_INTEGER ? "no limit" : value.toLocaleString("en-US");
}

function table(): string {
  const stops = comments(readFileSync(join(root, "assembly/abi/limit.ts"), "utf8"));
  const entries = limitEntries();
  expect(stops).toHaveLength(entries.length);
  const rows = entries.map(({ name, default: usual, least, most }, index) => {
    const what = stops[index] === stops[index - 1] ? "as above" : stops[index]!;
    return `| \`${name}\` | ${shown(usual)} | ${shown(least)} | ${shown(most)} | ${what} |`;
  });
  return ["| limit | default | least | most | what it stops |", "|---|--:|--:|--:|---|", ...rows].join("\n");
}

test("docs/limits.md has every limit with its default, its range and the attack it stops", async () => {
  const doc = readFileSync(docPath, "utf8");
  const [before, after] = [doc.slice(0, doc.indexOf(BEGIN) + BEGIN.length), doc.slice(doc.indexOf(END))];
  const text = `${before}\n\n${table()}\n\n${after}`;
  const formatted = await format(text, { ...(await resolveConfig(docPath)), parser: "markdown" });
  await expect(formatted).toMatchFileSnapshot(docPath);
});

test("the type LimitName of the host has every limit, in order", async () => {
  const path = join(root, "host/engine/limits.ts");
  const union = limitEntries().map(({ name }) => `"${name}"`);
  const source = readFileSync(path, "utf8").replace(
    /export type LimitName =[^;]*;/,
    `export type LimitName = ${union.join(" | ")};`,
  );
  await expect(await format(source, { ...(await resolveConfig(path)), filepath: path })).toMatchFileSnapshot(
    path,
  );
});
