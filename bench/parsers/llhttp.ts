/*
 * llhttp in WebAssembly, the SIMD build that undici carries, driven as undici does but for requests.
 *
 * It calls JavaScript for each span; the callbacks do no more than note where it lies. One parser lives as long as
 * the connection it stands for, so requests follow each other without a reset.
 */
import { createRequire } from "node:module";
import { BenchError } from "../suite.ts";
import { SPAN_NUMBERS } from "./parser.ts";
import type { Parser } from "./parser.ts";

const TYPE_REQUEST = 1;
const OK = 0;
const BUFFER_LEN = 4096;

interface LlhttpExports {
  memory: WebAssembly.Memory;
  malloc(size: number): number;
  llhttp_alloc(type: number): number;
  llhttp_execute(parser: number, bytes: number, byteCount: number): number;
}

export function createLlhttpParser(): Parser {
  const require = createRequire(import.meta.url);
  const module = new WebAssembly.Module(require("undici/lib/llhttp/llhttp_simd-wasm.js") as Uint8Array);
  const spans = new Int32Array(SPAN_NUMBERS);
  let spanLen = 0;
  let fieldCount = 0;
  const proceed = () => 0;
  const noteSpan = (_parser: number, at: number, byteCount: number) => {
    spans[spanLen++] = at;
    spans[spanLen++] = byteCount;
    return 0;
  };
  const instance = new WebAssembly.Instance(module, {
    env: {
      wasm_on_message_begin: () => {
        spanLen = 0;
        return 0;
      },
      wasm_on_url: noteSpan,
      wasm_on_status: noteSpan,
      wasm_on_header_field: noteSpan,
      wasm_on_header_value: (parser: number, at: number, byteCount: number) => {
        fieldCount++;
        return noteSpan(parser, at, byteCount);
      },
      wasm_on_headers_complete: proceed,
      wasm_on_body: proceed,
      wasm_on_message_complete: proceed,
    },
  });
  const llhttp = instance.exports as unknown as LlhttpExports;
  const parser = llhttp.llhttp_alloc(TYPE_REQUEST);
  const bufferPtr = llhttp.malloc(BUFFER_LEN);
  const buffer = new Uint8Array(llhttp.memory.buffer, bufferPtr, BUFFER_LEN);
  return (bytes, iterations) => {
    fieldCount = 0;
    for (let i = 0; i < iterations; i++) {
      buffer.set(bytes);
      const status = llhttp.llhttp_execute(parser, bufferPtr, bytes.length);
      if (status !== OK) throw new BenchError(`llhttp refused the request with status ${status}`);
    }
    return fieldCount;
  };
}
