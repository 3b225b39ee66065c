// Asks a router one question in memory and reads the whole answer.

import type { Reply, Router } from "../../../host/router/index.ts";
import { MemoryExchange } from "./memory_exchange.ts";
import type { MemoryRequest } from "./memory_exchange.ts";

export interface Answer {
  status: number;
  contentType: string | null;
  headers: Array<[string, string]>;
  header(name: string): string | undefined;
  text: string;
}

/** `ask(router, "POST /users", { body: ["x"] })`; the method may be left out. */
export async function ask(router: Router<string>, line: string, rest: MemoryRequest = {}): Promise<Answer> {
  return readAnswer(await router.handle(exchangeFor(line, rest)));
}

export function exchangeFor(line: string, rest: MemoryRequest = {}): MemoryExchange {
  const space = line.indexOf(" ");
  const method = space < 0 ? "GET" : line.slice(0, space);
  return new MemoryExchange({ method, target: line.slice(space + 1), ...rest });
}

export async function readAnswer(reply: Reply): Promise<Answer> {
  const headers = reply.headers === null ? [] : [...reply.headers];
  return {
    status: reply.status,
    contentType: reply.contentType,
    headers,
    header: (name) => headers.find((line) => line[0] === name)?.[1],
    text: await bodyText(reply),
  };
}

async function bodyText(reply: Reply): Promise<string> {
  const { body } = reply;
  if (body === null) return "";
  if (typeof body === "string") return body;
  const decoder = new TextDecoder();
  if (body instanceof Uint8Array) return decoder.decode(body);
  let text = "";
  for await (const chunk of body as AsyncIterable<Uint8Array | string>) {
    text += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
  }
  return text;
}
