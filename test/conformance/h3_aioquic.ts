// HTTP/3 as aioquic's client speaks it: the rows of the contract server over one connection, interim answers, trailers both ways, an
// upload, many requests at once, and a WebSocket by extended CONNECT, whose frames are wsproto's.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ContractServer } from "../runtime/contract_process.ts";
import { contractRows } from "../runtime/contract_rows.ts";
import type { ContractRow } from "../runtime/contract_rows.ts";
import { root } from "../runtime/program.ts";
import { problemOf, results, runProgram, skipped } from "./suite.ts";
import type { Suite, SuiteResult } from "./suite.ts";
import { pythonWith } from "./tools.ts";

export const h3AioquicSuites: Suite[] = [{ name: "HTTP/3: aioquic's client", run }];

const PACKAGES = ["aioquic==1.7.2", "wsproto==1.2.0"];
const TIMEOUT_MS = 60_000;
const CONCURRENT = 100;
const UPLOAD_BYTES = 5_000_000;
const MESSAGE_BYTES = 1_000_000;

type Fields = readonly (readonly [name: string, value: string])[];

interface Answer {
  readonly error?: string;
  readonly informational: readonly Fields[];
  readonly fields: Fields;
  readonly content: string;
  readonly trailers: Fields | null;
}

interface Report {
  readonly answers: readonly Answer[];
  readonly together: readonly Answer[];
  readonly socket?: { allowed: number; status: string; echoed: readonly (string | number)[]; code: number };
}

async function run(server: ContractServer): Promise<SuiteResult> {
  const python = pythonWith("aioquic", PACKAGES);
  if (python === null) return skipped("no Python with PyPI's aioquic can be had");
  const { port, host } = new URL(server.secure);
  const folder = mkdtempSync(join(tmpdir(), "httpy-aioquic-"));
  const ask = async (asked: object): Promise<Report> => {
    const common = { port: Number(port), ca: join(server.certFolder, "cert.pem"), authority: host };
    const script = join(root, "test/conformance/aioquic_http3.py");
    const file = join(folder, "asked.json");
    writeFileSync(file, JSON.stringify({ ...common, ...asked }));
    const { code, output } = await runProgram(python, [script, file], TIMEOUT_MS);
    if (code !== 0) throw new Error(`the client ended with ${code}: ${output.slice(-300)}`);
    return JSON.parse(output.trim().split("\n").at(-1)) as Report;
  };
  const outcome: [string, string | null][] = [];
  try {
    // aioquic takes the content-length of an answer to HEAD for an error, RFC 9110 §8.6 notwithstanding.
    const rows = contractRows.filter(({ method }) => method !== "HEAD");
    const { answers } = await ask({ requests: rows.map(requestOf) });
    for (const [index, row] of rows.entries()) {
      const problem = await problemOf(() => Promise.resolve(expectRow(row, answers[index] as Answer)));
      outcome.push([`${row.method ?? "GET"} ${row.path}`, problem]);
    }
    for (const [name, check] of Object.entries(checks(ask))) outcome.push([name, await problemOf(check)]);
    return results(outcome);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function requestOf({ method, path, headers, body }: ContractRow): object {
  return {
    path,
    ...(method === undefined ? {} : { method }),
    headers: [
      ...Object.entries(headers ?? {}),
      ...(body === undefined ? [] : [["content-length", String(body.length)]]),
    ],
    ...(body === undefined ? {} : { body: Buffer.from(body).toString("base64") }),
  };
}

function checks(ask: (asked: object) => Promise<Report>): Record<string, () => Promise<void>> {
  const one = async (request: object): Promise<Answer> => {
    const [answer] = (await ask({ requests: [request] })).answers;
    if (answer?.error !== undefined) throw new Error(answer.error);
    return answer as Answer;
  };
  return {
    "103 comes before 200": async () => {
      const { informational, fields } = await one({ path: "/early" });
      expectEqual(informational.map((head) => valueOf(head, ":status")).join(), "103");
      expectEqual(valueOf(fields, ":status"), "200");
    },
    "trailers end the answer": async () => {
      const { trailers } = await one({ path: "/trailers" });
      if (!/^[0-9a-f]{64}$/u.test(valueOf(trailers ?? [], "x-checksum"))) throw new Error("no checksum");
    },
    "a request with trailers is answered": async () => {
      const request = { method: "POST", path: "/count", zeros: 1000, trailers: [["x-checksum", "1"]] };
      expectEqual(contentOf(await one(request)), "1000");
    },
    "an upload of 5 MB is counted": async () =>
      expectEqual(
        contentOf(await one({ method: "POST", path: "/count", zeros: UPLOAD_BYTES })),
        String(UPLOAD_BYTES),
      ),
    "a hundred requests at a time are each answered with their own": async () => {
      const { together } = await ask({ concurrent: CONCURRENT });
      const ids = together.map((answer) => (JSON.parse(contentOf(answer)) as { id: string }).id);
      expectEqual(ids.join(), Array.from({ length: CONCURRENT }, (_, id) => id).join());
    },
    "a WebSocket echoes, and closes": async () => {
      const messages = ["over one stream", [1, 2, 3], "x".repeat(MESSAGE_BYTES), ""];
      const { socket } = await ask({ socket: { path: "/ws", messages } });
      expectEqual(
        JSON.stringify(socket),
        JSON.stringify({
          allowed: 1,
          status: "200",
          echoed: ["over one stream", String.raw`b'\x01\x02\x03'`, MESSAGE_BYTES, ""],
          code: 1000,
        }),
      );
    },
  };
}

function expectRow({ status = 200, type, gives }: ContractRow, answer: Answer): void {
  if (answer.error !== undefined) throw new Error(answer.error);
  expectEqual(valueOf(answer.fields, ":status"), String(status));
  if (type !== undefined && !valueOf(answer.fields, "content-type").startsWith(type))
    throw new Error(`the content is ${valueOf(answer.fields, "content-type")}`);
  const content = Buffer.from(answer.content, "base64");
  const isRight =
    gives instanceof RegExp ? gives.test(content.toString()) : content.equals(Buffer.from(gives));
  if (!isRight) throw new Error(`the content is ${JSON.stringify(content.toString("latin1").slice(0, 100))}`);
}

function valueOf(fields: Fields, name: string): string {
  return fields.find(([other]) => other === name)?.[1] ?? "";
}

function contentOf(answer: Answer): string {
  return Buffer.from(answer.content, "base64").toString();
}

function expectEqual(is: string, wanted: string): void {
  if (is !== wanted) throw new Error(`it is ${is.slice(0, 300)}`);
}
