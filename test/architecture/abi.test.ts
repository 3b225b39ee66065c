// Holds docs/abi.md to the source: the doors with their comments (assembly/exports/), and every number that an embedder needs
// (assembly/abi/). Everything in that file but its first lines is read from comments and enums here, so what is missing there is a
// comment that is missing in the source.
//
// After a change of the interface: npx vitest run test/architecture --update

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { expect, test } from "vitest";
import { COUNTER_NAMES } from "../../assembly/abi/counter.ts";
import { FIELD_NAMES } from "../../assembly/abi/field_name.ts";
import { blameOf } from "../../assembly/abi/status.ts";
import { statusText } from "../../assembly/abi/status_text.ts";
import { root } from "./sources.ts";

const docPath = join(root, "docs/abi.md");
const BLAMES = ["", "host", "peer", "resource"];

interface Member {
  name: string;
  value: number;
  comment: string;
}

function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

/** The text of a comment, its lines as one paragraph; drawings stay as they are. */
function textOf(comment: string): string {
  return comment
    .replace(/^\/\*\*|\*\/$/g, "")
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, ""))
    .join("\n")
    .trim();
}

function oneLine(comment: string): string {
  return textOf(comment).replaceAll(/\s+/g, " ").replaceAll("|", "\\|");
}

/** The members of `const enum name`, each with the comment above it. */
function membersOf(source: string, name: string): Member[] {
  const body = new RegExp(`const enum ${name} \\{\\n([^]*?)\\n\\}`).exec(source)![1]!;
  const member = /(?:(\/\*\*[^]*?\*\/)\s*)?(?:\/\/[^\n]*\s*)*(\w+) = (-?\w+),/g;
  return [...body.matchAll(member)].map((match) => ({
    name: match[2]!,
    value: Number(match[3]),
    comment: oneLine(match[1] ?? ""),
  }));
}

function enumTable(file: string, name: string): string {
  const rows = membersOf(read(file), name)
    .filter((member) => member.name !== "COUNT")
    .map(({ name: key, value, comment }) => `| ${value} | \`${key}\` | ${comment} |`);
  return ["| value | name | |", "|--:|---|---|", ...rows].join("\n");
}

/** What the head of a file says. */
function headOf(file: string): string {
  const text = textOf(/^\/\*\*[^]*?\*\//.exec(read(file))![0]);
  return text
    .replace(/\n?This file is read by both compilers[^]*$/, "")
    .replaceAll(/((?:^ {2,}.*\n?)+)/gm, "\n```\n$1\n```\n");
}

/** The exported functions of a file of doors that the module exports, with their comments. */
function doorsOf(file: string, exported: ReadonlySet<string>): string[] {
  const door = /(\/\*\*(?:(?!\*\/)[^])*\*\/)\nexport function (\w+)\(([^)]*)\): (\w+)/g;
  return [...read(file).matchAll(door)]
    .filter((match) => exported.has(match[2]!))
    .map((match) => {
      const parameters = match[3]!.replaceAll(/\s+/g, " ").replace(/,? $/, "").trim();
      return `#### \`${match[2]}(${parameters}): ${match[4]}\`\n\n${textOf(match[1]!)}`;
    });
}

function doors(): string {
  const names = /^export \{([^}]*)\}/m.exec(read("assembly/exports/index.ts"))![1]!;
  const exported = new Set([...names.matchAll(/\w+/g)].map(([name]) => name));
  const files = readdirSync(join(root, "assembly/exports")).filter(
    (file) => !/^(index|debug)\.ts$/.test(file),
  );
  const sections = files.sort().map((file) => {
    const path = `assembly/exports/${file}`;
    return `### ${file.replace(".ts", "").replace("_", " ")}\n\n${headOf(path)}\n\n${doorsOf(path, exported).join("\n\n")}`;
  });
  const described = sections.join("\n").match(/^#### /gm)!.length;
  expect(described, "every door has a comment").toBe(exported.size);
  return sections.join("\n\n");
}

function statuses(): string {
  const rows = membersOf(read("assembly/abi/status.ts"), "Status").map(({ name, value }) => {
    const text = value === 0 ? "all went well" : statusText(value);
    return `| ${value} | \`${name}\` | ${BLAMES[blameOf(value)]} | ${text} |`;
  });
  return ["| value | name | blame | |", "|--:|---|---|---|", ...rows].join("\n");
}

function document(): string {
  const abi = (name: string) => `assembly/abi/${name}.ts`;
  return `# The engine's interface

For hosts that embed \`engine.wasm\` without the TypeScript of this project. The module imports nothing and exports its memory and
the functions below. \`examples/embedding/\` has a server on it in plain JavaScript and one in Python.

This file is made from the source by \`test/architecture/abi.test.ts\`. Only \`i32\`, \`u32\` and \`f64\` cross the border; words in
memory are little-endian; \`usize\` is an offset into linear memory.

## Functions

${doors()}

## The layout table

${headOf(abi("layout"))}

Lanes of 4 bytes:

${enumTable(abi("layout"), "Layout")}

## Events

${headOf(abi("event"))}

${enumTable(abi("event"), "EventKind")}

Flags:

${enumTable(abi("event"), "EventFlag")}

## Message heads

${headOf(abi("message"))}

${enumTable(abi("message"), "MessageLane")}

Flags of a head:

${enumTable(abi("message"), "MessageFlag")}

Methods, versions, roles, protocols, and the flags of \`openConnection\` and of the commands:

${["Method", "Version", "Role", "Protocol", "OpenFlag", "SendFlag"].map((name) => `**${name}**\n\n${enumTable(abi("message"), name)}`).join("\n\n")}

## Handles

${headOf(abi("handle"))}

## Statuses

${headOf(abi("status"))}

${statuses()}

## Limits

An \`f64\` each, in the order of [limits.md](limits.md), to be written between \`layout\` and \`initialize\`.

## Counters

An \`f64\` each: ${COUNTER_NAMES.map((name, index) => `${index} \`${name}\``).join(", ")}.

## Numbers of field names

${FIELD_NAMES.slice(1)
  .map((name, index) => `${index + 1} \`${name}\``)
  .join(", ")}.
`;
}

test("docs/abi.md says what the source says", async () => {
  const formatted = await format(document(), { ...(await resolveConfig(docPath)), parser: "markdown" });
  await expect(formatted).toMatchFileSnapshot(docPath);
});
