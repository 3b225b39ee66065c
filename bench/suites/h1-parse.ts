/*
 * Parsing alone: one request as a browser sends it, through this engine and through llhttp compiled to WebAssembly
 * (the build undici carries), in one process, side by side.
 *
 * Both do what a server must do to learn the request: the bytes are copied into linear memory each time, parsed, and
 * the place of every name and value is read out. llhttp calls JavaScript for each span, and the callbacks do no more
 * than note it. The engine's events and field records are read from its ring, and the exchange is released.
 * Nothing makes a string on either side.
 */
import { createRequire } from "node:module";
import { alternate } from "../rounds.ts";
import { BenchError } from "../suite.ts";
import type { Measure } from "../suite.ts";

const REQUEST_LINES = [
  "GET /articles/2024/notes-on-parsing?ref=front&page=2 HTTP/1.1",
  "Host: www.example.com",
  "Connection: keep-alive",
  'sec-ch-ua: "Chromium";v="126", "Not/A)Brand";v="8", "Google Chrome";v="126"',
  "sec-ch-ua-mobile: ?0",
  'sec-ch-ua-platform: "Linux"',
  "Upgrade-Insecure-Requests: 1",
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
  "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
  "Sec-Fetch-Site: same-origin",
  "Sec-Fetch-Mode: navigate",
  "Sec-Fetch-User: ?1",
  "Sec-Fetch-Dest: document",
  "Referer: https://www.example.com/articles",
  "Accept-Encoding: gzip, deflate, br, zstd",
  "Accept-Language: en-GB,en;q=0.9,de;q=0.8",
  "Cookie: session=6f1c0a9e7b3d4e52a8c1; theme=dark; consent=1; _ga=GA1.1.1234567890.1718000000",
];
const REQUEST = Buffer.from(`${REQUEST_LINES.join("\r\n")}\r\n\r\n`);
const FIELD_COUNT = REQUEST_LINES.length - 1;

/** Requests between two looks at the clock. */
const BATCH_COUNT = 2_000;

interface LlhttpExports {
  memory: WebAssembly.Memory;
  malloc(size: number): number;
  llhttp_alloc(type: number): number;
  llhttp_execute(parser: number, bytes: number, byteCount: number): number;
}

/** Parses `bytes`, one whole request, `iterations` times, and returns how many field names were seen. */
type Parser = (bytes: Uint8Array, iterations: number) => number;

const LLHTTP_TYPE_REQUEST = 1;
const LLHTTP_OK = 0;
const MAX_SPANS = 256;

function createLlhttpParser(): Parser {
  const require = createRequire(import.meta.url);
  const module = new WebAssembly.Module(
    require("undici/lib/llhttp/llhttp_simd-wasm.js") as Uint8Array<ArrayBuffer>,
  );
  const spans = new Int32Array(MAX_SPANS * 2);
  let spanLen = 0;
  let nameCount = 0;
  const noteSpan = (_parser: number, at: number, byteCount: number) => {
    spans[spanLen++] = at;
    spans[spanLen++] = byteCount;
    return 0;
  };
  const instance = new WebAssembly.Instance(module, {
    env: {
      wasm_on_message_begin: () => ((spanLen = 0), 0),
      wasm_on_url: noteSpan,
      wasm_on_status: noteSpan,
      wasm_on_header_field: (parser: number, at: number, byteCount: number) => {
        nameCount++;
        return noteSpan(parser, at, byteCount);
      },
      wasm_on_header_value: noteSpan,
      wasm_on_headers_complete: () => 0,
      wasm_on_body: () => 0,
      wasm_on_message_complete: () => 0,
    },
  });
  const llhttp = instance.exports as unknown as LlhttpExports;
  const parser = llhttp.llhttp_alloc(LLHTTP_TYPE_REQUEST);
  const bufferPtr = llhttp.malloc(4096);
  const buffer = new Uint8Array(llhttp.memory.buffer, bufferPtr, 4096);
  return (bytes, iterations) => {
    nameCount = 0;
    for (let i = 0; i < iterations; i++) {
      buffer.set(bytes);
      const status = llhttp.llhttp_execute(parser, bufferPtr, bytes.length);
      if (status !== LLHTTP_OK) throw new BenchError(`llhttp refused the request with ${status}`);
    }
    return nameCount;
  };
}

export const parse: Measure = {
  name: "parse",
  title: `Parse one browser request of ${REQUEST.length} bytes and ${FIELD_COUNT} fields`,
  peers: ["llhttp-wasm", "engine"],
  async run(options) {
    const parsers = new Map<string, Parser>([["llhttp-wasm", createLlhttpParser()]]);
    for (const [name, parser] of parsers) {
      const nameCount = parser(REQUEST, 10);
      if (nameCount !== 10 * FIELD_COUNT)
        throw new BenchError(`${name} saw ${nameCount / 10} fields, not ${FIELD_COUNT}`);
      requestsPerSecond(parser, options.warmupSeconds);
    }
    const series = await alternate([...parsers.keys()], options.rounds, async (name) => ({
      value: requestsPerSecond(parsers.get(name) as Parser, options.secondsPerRound / 2),
    }));
    return {
      unit: "requests/s",
      better: "higher",
      series,
      bars: [{ kind: "ratio", subject: "engine", peer: "llhttp-wasm", direction: "at least", factor: 3 }],
      notes: ["llhttp is the SIMD build inside undici, as Node's fetch drives it."],
    };
  },
};

function requestsPerSecond(parser: Parser, seconds: number): number {
  const startedAt = performance.now();
  let count = 0;
  let elapsedMs = 0;
  do {
    parser(REQUEST, BATCH_COUNT);
    count += BATCH_COUNT;
    elapsedMs = performance.now() - startedAt;
  } while (elapsedMs < seconds * 1000);
  return count / (elapsedMs / 1000);
}
