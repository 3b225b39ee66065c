// The rows of the contract server: what each route answers, whoever asks and over whichever version of HTTP.

import type { Question } from "./clients.ts";

const body = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 7) % 256));
const pattern = (length: number) => Buffer.from(Array.from({ length }, (_, index) => index % 251));
const sse = [1, 2, 3, 4, 5].map((id) => `id: ${id}\ndata: event ${id}\n\n`).join("");

export interface ContractRow extends Question {
  readonly status?: number;
  readonly type?: string;
  /** The whole body, or what it must match. */
  readonly gives: string | Buffer | RegExp;
}

export const contractRows: readonly ContractRow[] = [
  { path: "/", gives: "Hello, World!", type: "text/plain" },
  { path: "/", method: "POST", body, gives: body },
  { path: "/", method: "PUT", body, gives: body },
  { path: "/", method: "POST", body: Buffer.alloc(0), gives: "" },
  { path: "/", method: "DELETE", status: 405, gives: /Method Not Allowed/ },
  { path: "/", method: "HEAD", gives: "" },
  { path: "/", method: "OPTIONS", status: 204, gives: "" },
  { path: "/echo", headers: { "x-asked": "a, b" }, gives: /^x-asked: a, b$/m },
  { path: "/echo", method: "POST", body, gives: /^content-length: 100000$/m },
  { path: "/echo", method: "DELETE", gives: /^host: 127\.0\.0\.1:\d+$/m },
  { path: "/json", gives: '{"message":"Hello, World!"}', type: "application/json" },
  { path: "/users/42", gives: '{"id":"42"}', type: "application/json" },
  { path: "/users/a%20b", gives: '{"id":"a b"}', type: "application/json" },
  { path: "/bytes/0", gives: "" },
  { path: "/bytes/1", gives: pattern(1) },
  { path: "/bytes/200000", gives: pattern(200_000), type: "application/octet-stream" },
  { path: "/bytes/many", status: 400, gives: /"many"/ },
  { path: "/bytes/-1", status: 400, gives: /"-1"/ },
  { path: "/count", method: "POST", body, gives: "100000" },
  { path: "/count", method: "POST", body: Buffer.alloc(0), gives: "0" },
  { path: "/trailers", gives: /^a body\nwhose checksum\nis known at its end\n/ },
  { path: "/early", gives: "Hello, after a hint!" },
  { path: "/slow/30", gives: "30 ms later" },
  { path: "/slow/forever", status: 400, gives: /"forever"/ },
  { path: "/sse", gives: sse, type: "text/event-stream" },
  { path: "/smuggled", status: 299, gives: "a second request\n" },
  { path: "/push", gives: "pushed where the protocol can" },
  { path: "/metrics", gives: /^httpy_exchanges_total\{protocol="h1"\} \d+$/m, type: "text/plain" },
  { path: "/nowhere", status: 404, gives: /Not Found/ },
];
