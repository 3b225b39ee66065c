// The fourth standing property: what was read can be written, and reads the same again. Every request of the golden cases goes
// out through the client's side and in again, every response through the server's side and in again.

import { describe, expect, test } from "vitest";
import { Role, SendFlag } from "../../assembly/abi/message.ts";
import { wireCases } from "./case_file.ts";
import { Driver } from "./driver.ts";
import type { Message } from "./driver.ts";
import { runCase } from "./run_case.ts";

/** What the engine writes by itself; the rest is the host's. */
const FRAMING = /^(connection|content-length|transfer-encoding|keep-alive|proxy-connection|date|expect)$/;

function ownFields(fields: readonly [string, string][]): [string, string][] {
  return fields.filter(([name]) => !FRAMING.test(name));
}

/** A message without what only framed it. */
function essence(message: Message): object {
  const { method, target, statusCode, fields, body, trailers } = message;
  const isRequest = message.kind === "request";
  return {
    ...(isRequest ? { method, target } : { statusCode }),
    fields: ownFields(fields),
    body: body.toString("latin1"),
    trailers: ownFields(trailers),
  };
}

const cases = wireCases().map((wire) => ({ wire, outcome: runCase(wire, []) }));

function complete(kind: Message["kind"]): [name: string, Message, isSecure: boolean][] {
  return cases.flatMap(({ wire, outcome }) =>
    outcome.messages
      .filter((message) => message.kind === kind && message.isComplete)
      .map((message): [string, Message, boolean] => [
        `${wire.file} ${wire.name}`,
        message,
        wire.options.secure === true,
      ]),
  );
}

/** Sends content and trailers of a message in one piece, chunked where there are trailers. */
function sendContent(driver: Driver, exchange: number, message: Message): void {
  const trailers = ownFields(message.trailers);
  driver.engine.sendBody(exchange, message.body, trailers.length === 0 ? SendFlag.END : 0);
  if (trailers.length !== 0) driver.engine.sendTrailers(exchange, trailers);
}

describe("a request that was read", () => {
  // A client sends HTTP/1.1, which has a host.
  const requests = complete("request").filter(([, { fields, method }]) => {
    return fields.some(([name]) => name === "host") && method !== "CONNECT";
  });

  test.each(requests)("%s", (_name, message, isSecure) => {
    const driver = new Driver();
    const client = driver.open(Role.CLIENT);
    const hasContent = message.body.length !== 0 || message.trailers.length !== 0;
    const exchange = driver.ask(
      client,
      {
        method: message.method,
        target: message.target,
        fields: ownFields(message.fields),
        contentLength: hasContent && message.trailers.length === 0 ? message.body.length : -1,
      },
      hasContent ? 0 : SendFlag.END,
    );
    expect(exchange).toBeGreaterThan(0);
    if (hasContent) sendContent(driver, exchange, message);
    driver.settle(client);
    const server = driver.open(Role.SERVER, isSecure ? 1 : 0);
    driver.feed(server, client.sent);
    expect(server.messages.map(essence)).toEqual([essence(message)]);
  });
});

describe("a response that was read", () => {
  const responses = complete("response").filter(([, { method }]) => method !== "CONNECT");

  test.each(responses)("%s", (_name, message) => {
    const driver = new Driver();
    const server = driver.open();
    driver.feed(server, `${message.method} / HTTP/1.1\r\nhost: a\r\n\r\n`);
    const { exchange } = server.messages[0]!;
    const isEmpty = message.body.length === 0 && message.trailers.length === 0;
    const length = message.trailers.length === 0 ? message.body.length : -1;
    const status = driver.engine.sendHead(
      exchange,
      message.statusCode,
      ownFields(message.fields),
      length,
      isEmpty ? SendFlag.END : 0,
    );
    expect(status).toBe(0);
    if (!isEmpty) sendContent(driver, exchange, message);
    driver.settle(server);
    const client = driver.open(Role.CLIENT);
    driver.ask(client, { method: message.method, target: "/" });
    driver.feed(client, server.sent);
    const [read] = client.messages;
    expect({ ...essence(read!) }).toEqual(essence(message));
  });
});
