/*
 * Parsing alone: one request as a browser sends it, through this engine and through llhttp compiled to WebAssembly
 * (the build undici carries), in one process, side by side.
 *
 * Both do what a server must do to learn the request: the bytes are copied into linear memory each time, parsed, and
 * the place of every name and value is noted on JavaScript's side. Nothing makes a string on either side.
 */
import { createEngineParser } from "../parsers/engine.ts";
import { createLlhttpParser } from "../parsers/llhttp.ts";
import type { Parser } from "../parsers/parser.ts";
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

/** Nothing has to be started between rounds here, so there are more of them, each shorter. */
const SLICES = 10;
/** Requests between two looks at the clock. */
const BATCH_COUNT = 1_000;

export const parse: Measure = {
  name: "parse",
  title: `Parse one browser request of ${REQUEST.length} bytes and ${FIELD_COUNT} fields`,
  peers: ["llhttp-wasm", "engine"],
  async run(options) {
    const parsers = new Map<string, Parser>();
    for (const name of options.selectPeers(this.peers)) {
      const parser = name === "engine" ? createEngineParser() : createLlhttpParser();
      const fieldCount = parser(REQUEST, 1);
      if (fieldCount !== FIELD_COUNT)
        throw new BenchError(`${name} saw ${fieldCount} fields, not ${FIELD_COUNT}`);
      requestsPerSecond(parser, options.warmupSeconds);
      parsers.set(name, parser);
    }
    const series = await alternate([...parsers.keys()], options.rounds * SLICES, async (name) => ({
      value: requestsPerSecond(parsers.get(name) as Parser, options.secondsPerRound / SLICES),
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
