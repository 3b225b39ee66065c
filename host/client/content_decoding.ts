// The content of a response without its content codings, RFC 9110 §8.4: gzip, deflate and br, by the runtime's zlib.
//
// Decoding is pulled: what is not read is not decoded, so that a small response that decodes to a very large one costs what its
// reader asks for.

import { pipeline, Readable, type Transform } from "node:stream";
import * as zlib from "node:zlib";
import { HttpClientError } from "./http_client_error.ts";

/** What `accept-encoding` asks for. */
export const ACCEPTED_CODINGS = "gzip, deflate, br";

/** A handful of codings is a mistake, a hundred an attack (CVE-2022-32206). */
const CODINGS_MOST = 5;

/** Where content is pulled from: a chunk, null at the end. */
export interface ContentSource {
  read(): Promise<Uint8Array | null>;
  cancel(): void;
}

/** The codings of a `content-encoding` value, in the order they were applied; null when one is not known. */
export function codingsOf(value: string | null): readonly string[] | null {
  if (value === null) return [];
  const codings = value
    .split(",")
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== "" && coding !== "identity");
  if (codings.length > CODINGS_MOST) {
    const detail = `it has ${codings.length} codings, and ${CODINGS_MOST} are undone at most`;
    throw new HttpClientError("ERR_HTTPY_CLIENT_CONTENT_CODING", { detail });
  }
  return codings.every((coding) => DECODERS.has(coding)) ? codings : null;
}

/** Undoes the codings, the last one first. */
export function decodeContent(source: ContentSource, codings: readonly string[]): ContentSource {
  let content = source;
  for (const coding of [...codings].reverse()) content = decodeOnce(content, coding);
  return content;
}

const DECODERS = new Map<string, (first: number) => Transform>([
  ["gzip", () => zlib.createGunzip()],
  ["x-gzip", () => zlib.createGunzip()],
  ["br", () => zlib.createBrotliDecompress()],
  // RFC 9110 §8.4.1.2 is zlib's format; some servers send it bare.
  ["deflate", (first) => ((first & 0x0f) === 8 ? zlib.createInflate() : zlib.createInflateRaw())],
]);

function decodeOnce(source: ContentSource, coding: string): ContentSource {
  let decoded: AsyncIterator<Uint8Array> | null = null;
  let stream: Transform | null = null;
  let failure: unknown = null;

  const start = async (): Promise<AsyncIterator<Uint8Array> | null> => {
    const first = await source.read();
    // No content is none in every coding.
    if (first === null) return null;
    const decoder = (DECODERS.get(coding) as (first: number) => Transform)(first[0] as number);
    stream = decoder;
    pipeline(
      Readable.from(chunksOf(first, source), { objectMode: true, highWaterMark: 1 }),
      decoder,
      (error) => {
        failure ??= error;
      },
    );
    return decoder[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  };

  return {
    async read() {
      try {
        decoded ??= await start();
        const next = await decoded?.next();
        if (next === undefined || next.done === true) return null;
        return next.value;
      } catch (cause) {
        const error = failure ?? cause;
        if (error instanceof HttpClientError) throw error;
        source.cancel();
        throw new HttpClientError("ERR_HTTPY_CLIENT_CONTENT_CODING", { cause: error });
      }
    },
    cancel() {
      stream?.destroy();
      source.cancel();
    },
  };
}

async function* chunksOf(first: Uint8Array, source: ContentSource): AsyncGenerator<Uint8Array> {
  for (let chunk: Uint8Array | null = first; chunk !== null; chunk = await source.read()) yield chunk;
}
