// The tables that both compilers read: each enum is dense, its names say what the enum says, and every status has an answer.
// The enums exist at compile time only, so their members are read from the source.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { COUNTER_NAMES } from "../../../assembly/abi/counter.ts";
import { FIELD_NAMES } from "../../../assembly/abi/field_name.ts";
import { LIMIT_NAMES, LIMIT_TABLE, LimitColumn } from "../../../assembly/abi/limit.ts";
import { METHOD_NAMES } from "../../../assembly/abi/message.ts";
import { Blame, blameOf, httpStatusOf, Status } from "../../../assembly/abi/status.ts";
import { statusText } from "../../../assembly/abi/status_text.ts";
import { EngineError } from "../../../host/engine/engine_error.ts";
import { limitEntries } from "../../../host/engine/limits.ts";

/** The members of an enum of assembly/abi, in order, without its COUNT. */
function members(file: string, name: string): [name: string, value: number][] {
  const source = readFileSync(resolve("assembly/abi", file), "utf8");
  const text = new RegExp(`export const enum ${name} \\{(.*?)^\\}`, "ms").exec(source)![1]!;
  return [...text.matchAll(/^ {2}([A-Z0-9_]+) = (-?\d+),/gm)]
    .map(([, member, value]): [string, number] => [member!, Number(value)])
    .filter(([member]) => member !== "COUNT");
}

function camelCase(name: string): string {
  return name.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

const tables: [string, string, readonly string[], (name: string) => string][] = [
  ["limit.ts", "Limit", LIMIT_NAMES, camelCase],
  ["counter.ts", "Counter", COUNTER_NAMES, (name) => name.toLowerCase()],
  ["message.ts", "Method", METHOD_NAMES, (name) => (name === "OTHER" ? "" : name)],
  [
    "field_name.ts",
    "FieldName",
    FIELD_NAMES,
    (name) => (name === "NONE" ? "" : name.toLowerCase().replaceAll("_", "-")),
  ],
];

describe.each(tables)("%s %s", (file, name, names, spell) => {
  test("is dense from zero and has one name each, spelled alike", () => {
    const all = members(file, name);
    expect(all.map(([, value]) => value)).toEqual(all.map((_, index) => index));
    expect(names).toEqual(all.map(([member]) => spell(member)));
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("limits", () => {
  test("each has a default within its range", () => {
    expect(LIMIT_TABLE.length).toBe(LIMIT_NAMES.length * LimitColumn.COUNT);
    for (const entry of limitEntries()) {
      expect(entry.least, entry.name).toBeLessThanOrEqual(entry.default);
      expect(entry.default, entry.name).toBeLessThanOrEqual(entry.most);
    }
  });

  test("the type of their names lists them all, in order", () => {
    const source = readFileSync(resolve("host/engine/limits.ts"), "utf8");
    const union = /export type LimitName =(.*?);/s.exec(source)![1]!;
    expect([...union.matchAll(/"(\w+)"/g)].map(([, name]) => name)).toEqual(LIMIT_NAMES);
  });
});

describe("statuses", () => {
  const files = [
    ["status.ts", "Status"],
    ["h3_status.ts", "H3Status"],
    ["qpack_status.ts", "QpackStatus"],
  ] as const;
  const statuses = files.flatMap(([file, name]) => members(file, name)).filter(([name]) => name !== "OK");

  test("are unique and negative", () => {
    const values = statuses.map(([, value]) => value);
    expect(new Set(values).size).toBe(values.length);
    expect(Math.max(...values)).toBeLessThan(0);
  });

  test.each(statuses)("%s has a text of its own, a blame and an HTTP status that agree", (name, status) => {
    const text = statusText(status);
    expect(text).not.toBe("unknown status");
    expect(text).toMatch(/^[ -~]{10,120}$/);
    // Versions of HTTP may say the same of the same mistake.
    const layer = Math.trunc(status / 100);
    const own = statuses.filter(([, other]) => Math.trunc(other / 100) === layer);
    expect(own.filter(([, other]) => statusText(other) === text)).toHaveLength(1);
    const code = httpStatusOf(status);
    const blame = blameOf(status);
    const isPeers = status <= -100;
    // A pool of the peer's own filling is its fault.
    const isFull = name.endsWith("_FULL") && !isPeers;
    expect(blame).toBe(isFull ? Blame.RESOURCE : isPeers ? Blame.PEER : Blame.HOST);
    const refusals = [400, 408, 413, 414, 417, 421, 431, 501, 505];
    expect(isFull ? [503] : isPeers ? refusals : [500]).toContain(code);
  });

  test.each(statuses)("%s as an error says whose it is", (_name, status) => {
    const error = new EngineError(status, "context");
    expect(error.message).toBe(`context: ${statusText(status)}`);
    expect(error.status).toBe(status);
    expect(error.code).toMatch(/^ERR_HTTPY_[A-Z0-9_]+$/);
    expect(error.httpStatus).toBe(httpStatusOf(status));
    expect(error.blame).toBe(
      { [Blame.HOST]: "host", [Blame.PEER]: "peer" }[blameOf(status) as 1 | 2] ?? "resource",
    );
  });

  test("are answered for every number there is", () => {
    for (let status = -2000; status <= 2000; status++) {
      expect(httpStatusOf(status)).toBeGreaterThanOrEqual(400);
      expect(statusText(status).length).toBeGreaterThan(0);
      expect([Blame.NONE, Blame.HOST, Blame.PEER, Blame.RESOURCE]).toContain(blameOf(status));
    }
    expect(blameOf(Status.OK)).toBe(Blame.NONE);
  });
});
