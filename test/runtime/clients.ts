// Real HTTP clients behind one question: node:http, undici's fetch and curl. Each tells what it saw, no more.

import { spawn, spawnSync } from "node:child_process";
import http from "node:http";
import https from "node:https";
import { join } from "node:path";
import { Agent, fetch } from "undici";
import type { ContractServer } from "./contract_process.ts";

export interface Question {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array;
}

export interface Answer {
  readonly status: number;
  header(name: string): string | null;
  readonly body: Buffer;
  /** The version of the answer as the client tells it, `HTTP/2`, where it does. */
  readonly version?: string;
}

export interface Client {
  readonly name: string;
  /** `undefined` when the client can be used; else why not. */
  readonly missing?: string;
  /** Standard methods only, as fetch normalises and restricts others. */
  ask(server: ContractServer, isSecure: boolean, question: Question): Promise<Answer>;
}

const nodeClient: Client = {
  name: "node:http",
  ask(server, isSecure, { method = "GET", path, headers = {}, body }) {
    return new Promise((resolve, reject) => {
      const url = (isSecure ? server.secure : server.plain) + path;
      const options = { method, headers, agent: false as const };
      const request = isSecure
        ? https.request(url, { ...options, ca: server.cert })
        : http.request(url, options);
      request.on("error", reject);
      request.on("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode!,
            header: (name) => {
              const value = response.headers[name];
              return Array.isArray(value) ? value.join(", ") : (value ?? null);
            },
            body: Buffer.concat(chunks),
          }),
        );
      });
      request.end(body);
    });
  },
};

const undiciClient: Client = {
  name: "undici",
  async ask(server, isSecure, { method = "GET", path, headers = {}, body }) {
    const dispatcher = new Agent({ connect: { ca: server.cert } });
    try {
      const url = (isSecure ? server.secure : server.plain) + path;
      const response = await fetch(url, { method, headers, body: body ?? null, dispatcher });
      return {
        status: response.status,
        header: (name) => response.headers.get(name),
        body: Buffer.from(await response.arrayBuffer()),
      };
    } finally {
      await dispatcher.close();
    }
  },
};

/** curl with flags that say which version of HTTP it speaks. */
export function curlWith(...flags: string[]): Client {
  return {
    name: `curl ${flags.join(" ")}`,
    ...(spawnSync("curl", ["--version"]).status === 0 ? {} : { missing: "curl is not installed" }),
    async ask(server, isSecure, { method = "GET", path, headers = {}, body }) {
      const args = [
        "-s",
        "-i",
        ...flags,
        "--max-time",
        "10",
        "--cacert",
        join(server.certFolder, "cert.pem"),
      ];
      for (const [name, value] of Object.entries(headers)) args.push("-H", `${name}: ${value}`);
      if (method === "HEAD") args.push("-I");
      else args.push("-X", method);
      if (body !== undefined)
        args.push("--data-binary", "@-", "-H", "content-type: application/octet-stream");
      const url = (isSecure ? server.secure : server.plain) + path;
      const { code, output } = await runCurl([...args, url], body);
      if (code !== 0) throw new Error(`curl ended with ${code}`);
      return finalAnswer(output);
    },
  };
}

export const clients: readonly Client[] = [nodeClient, undiciClient, curlWith("--http1.1")];

function runCurl(
  args: string[],
  input: Uint8Array | undefined,
): Promise<{ code: number | null; output: Buffer }> {
  return new Promise((resolve, reject) => {
    const child = spawn("curl", args, { stdio: ["pipe", "pipe", "ignore"] });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output: Buffer.concat(chunks) }));
    child.stdin.end(input);
  });
}

/** What `curl -i` printed: heads of interim answers, the final head, the content, perhaps trailers after it. */
function finalAnswer(output: Buffer): Answer {
  let at = 0;
  for (;;) {
    const end = output.indexOf("\r\n\r\n", at);
    if (end < 0) throw new Error(`curl printed no head: ${output.toString("latin1")}`);
    const lines = output.toString("latin1", at, end).split("\r\n");
    const status = Number(lines[0]!.split(" ")[1]);
    at = end + 4;
    if (status < 200) continue;
    const headers = new Headers(lines.slice(1).map((line) => line.split(/:\s*/, 2) as [string, string]));
    const version = lines[0]!.split(" ")[0]!;
    return { status, header: (name) => headers.get(name), body: output.subarray(at), version };
  }
}
