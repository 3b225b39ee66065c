// A reader of what the engine sends, written for the tests alone: slow, strict, and independent of the engine's own.

/** A response as a client would see it. */
export interface SentResponse {
  readonly statusCode: number;
  readonly reason: string;
  readonly fields: [name: string, value: string][];
  readonly body: string;
  readonly trailers: [name: string, value: string][];
  readonly framing: "none" | "length" | "chunked" | "close";
  /** False when the bytes end within the response. */
  readonly isComplete: boolean;
}

/** Splits sent bytes into responses. `methods` says what each final response answers; GET when left out. */
export function readResponses(text: string, methods: readonly string[] = []): SentResponse[] {
  const responses: SentResponse[] = [];
  let at = 0;
  let answered = 0;
  while (at < text.length) {
    const headEnd = text.indexOf("\r\n\r\n", at);
    if (headEnd < 0) throw new Error(`no end of head in ${JSON.stringify(text.slice(at, at + 200))}`);
    const [statusLine, ...lines] = text.slice(at, headEnd).split("\r\n");
    const [, code, reason] = /^HTTP\/1\.1 (\d{3}) ([ -~]*)$/.exec(statusLine!) ?? [];
    if (code === undefined) throw new Error(`not a status line: ${JSON.stringify(statusLine)}`);
    const statusCode = Number(code);
    const fields = lines.map(readField);
    const method = statusCode < 200 ? "" : (methods[answered++] ?? "GET");
    const content = readContent(text, headEnd + 4, statusCode, method, fields);
    responses.push({ statusCode, reason: reason!, fields, ...content });
    if (!content.isComplete) break;
    if (statusCode === 101 || (method === "CONNECT" && statusCode < 300)) break;
    at = content.end;
  }
  return responses;
}

type Content = Pick<SentResponse, "body" | "trailers" | "framing" | "isComplete"> & { end: number };

function readContent(
  text: string,
  start: number,
  statusCode: number,
  method: string,
  fields: [string, string][],
): Content {
  const isEmpty = statusCode < 200 || statusCode === 204 || statusCode === 304 || method === "HEAD";
  if (isEmpty) return { body: "", trailers: [], framing: "none", isComplete: true, end: start };
  if (method === "CONNECT" && statusCode < 300) {
    return { body: text.slice(start), trailers: [], framing: "none", isComplete: true, end: text.length };
  }
  const length = valueOf(fields, "content-length");
  if (valueOf(fields, "transfer-encoding") === "chunked") {
    if (length !== undefined) throw new Error("both content-length and transfer-encoding");
    return readChunked(text, start);
  }
  if (length !== undefined) {
    const end = start + Number(length);
    const body = text.slice(start, end);
    return { body, trailers: [], framing: "length", isComplete: end <= text.length, end };
  }
  return { body: text.slice(start), trailers: [], framing: "close", isComplete: true, end: text.length };
}

function readChunked(text: string, start: number): Content {
  let at = start;
  let body = "";
  const partial = (): Content => ({
    body,
    trailers: [],
    framing: "chunked",
    isComplete: false,
    end: text.length,
  });
  for (;;) {
    const lineEnd = text.indexOf("\r\n", at);
    if (lineEnd < 0) return partial();
    const line = text.slice(at, lineEnd);
    if (!/^[0-9a-f]+$/.test(line)) throw new Error(`not a chunk size: ${JSON.stringify(line)}`);
    const size = parseInt(line, 16);
    at = lineEnd + 2;
    if (size === 0) break;
    body += text.slice(at, at + size);
    if (at + size + 2 > text.length) return partial();
    if (text.slice(at + size, at + size + 2) !== "\r\n") throw new Error("chunk data does not end in CRLF");
    at += size + 2;
  }
  const trailers: [string, string][] = [];
  for (;;) {
    const lineEnd = text.indexOf("\r\n", at);
    if (lineEnd < 0) return partial();
    const line = text.slice(at, lineEnd);
    at = lineEnd + 2;
    if (line === "") return { body, trailers, framing: "chunked", isComplete: true, end: at };
    trailers.push(readField(line));
  }
}

function readField(line: string): [string, string] {
  const match = /^([!#$%&'*+.^_`|~0-9a-z-]+): ([^\0\r\n]*)$/.exec(line);
  if (match === null) throw new Error(`not a field line: ${JSON.stringify(line)}`);
  return [match[1]!, match[2]!];
}

/** The value of a field that occurs at most once. */
export function valueOf(fields: readonly [string, string][], name: string): string | undefined {
  const found = fields.filter(([key]) => key === name);
  if (found.length > 1) throw new Error(`${name} occurs ${found.length} times`);
  return found[0]?.[1];
}

/** A response in one line, for logs. */
export function responseLine(response: SentResponse): string {
  const connection = valueOf(response.fields, "connection");
  const parts = [`answer ${response.statusCode}`];
  if (connection !== undefined) parts.push(connection);
  parts.push(response.framing, JSON.stringify(response.body));
  if (response.trailers.length !== 0) parts.push(JSON.stringify(response.trailers));
  if (!response.isComplete) parts.push("incomplete");
  return parts.join(" ");
}
