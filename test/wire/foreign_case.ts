// Cases of other projects' parsers through the ABI: what they have in common with ours, and how the two are compared.

import { Status } from "../../assembly/abi/status.ts";
import type { CaseOptions } from "./case_file.ts";
import { linesOf, runCase } from "./run_case.ts";
import type { Outcome } from "./run_case.ts";

/** Cases longer than this are cut in two at some offsets only. */
const EVERY_CUT_BYTES = 300;
const CUTS_OF_LONG = 60;

export interface ForeignCase {
  readonly bytes: Buffer;
  readonly pauses: readonly number[];
  readonly options: CaseOptions;
}

/** A message as the other parser saw it. */
export interface ForeignMessage {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly [string, string][];
  readonly trailers: readonly [string, string][];
  readonly body: string;
}

/** Where ours differs: the status that refuses, or 0 where ours goes on, and why. */
export type Exceptions = Readonly<Record<string, readonly [status: number, reason: string]>>;

/**
 * Other parsers do not look for a host, which HTTP/1.1 requires (RFC 9112 §3.2). So that more is compared than its absence,
 * requests of HTTP/1.1 in an input without any are given one.
 */
export function withHost(input: Buffer): Buffer {
  const text = input.toString("latin1");
  if (/^host[ \t]*:/im.test(text)) return input;
  const added = text.replace(/^\S+ (\S+) HTTP\/1\.1\r\n/gm, (line, target: string) => {
    const authority = /^https?:\/\/([^/?#]+)/.exec(target)?.[1] ?? "added";
    return `${line}Host: ${authority}\r\n`;
  });
  return Buffer.from(added, "latin1");
}

/** Runs a case whole, and checks that two pieces, cut anywhere, and single bytes come to the same. */
export function runEverySplit(wire: ForeignCase): Outcome {
  const { length } = wire.bytes;
  const bytewise = runCase(
    wire,
    Array.from({ length }, (_, index) => index + 1),
  );
  const expected = linesOf(bytewise, false).join("\n");
  const whole = runCase(wire, []);
  if (linesOf(whole, false).join("\n") !== expected) throw new Error("whole and byte by byte differ");
  const step = length > EVERY_CUT_BYTES ? Math.ceil(length / CUTS_OF_LONG) : 1;
  for (let cut = 1; cut < length; cut += step) {
    if (linesOf(runCase(wire, [cut]), false).join("\n") !== expected)
      throw new Error(`cut at ${cut} differs`);
  }
  return whole;
}

/** The status that refused, 0 when nothing was. */
export function refusalOf({ connection }: Outcome): number {
  return connection.closedBy === null ? Status.OK : connection.closedBy;
}

/** The complete messages in a form that can be compared, without a host where that was added. */
export function completed({ messages }: Outcome, isHostAdded: boolean): ForeignMessage[] {
  return messages
    .filter(({ isComplete }) => isComplete)
    .map(({ method, target, fields, body, trailers, isTunnel }) => ({
      method,
      target,
      fields: fields.filter(([name]) => !(isHostAdded && name === "host")),
      trailers,
      // What a tunnel carries comes after the content.
      body: (isTunnel ? body.subarray(0, lengthOf(fields)) : body).toString("latin1"),
    }));
}

function lengthOf(fields: readonly [string, string][]): number {
  return Number(fields.find(([name]) => name === "content-length")?.[1] ?? 0);
}
