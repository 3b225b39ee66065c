// Runs a wire case: opens a connection in its role, hands its bytes over in the given pieces, and tells what came of it.

import { OpenFlag, Role, SendFlag } from "../../assembly/abi/message.ts";
import type { CaseOptions, WireCase } from "./case_file.ts";
import { Driver } from "./driver.ts";
import type { Connection, Handler, Message } from "./driver.ts";
import { coalesce } from "./log.ts";
import type { LogLine } from "./log.ts";
import { readResponses, responseLine } from "./responses.ts";

export interface Outcome {
  /** Events with offsets, content put together. */
  readonly log: readonly LogLine[];
  /** One line per response sent (server role). */
  readonly answers: readonly string[];
  readonly messages: readonly Message[];
  readonly connection: Connection;
}

const drivers = new Map<string, Driver>();

/** A driver with the case's limits; shared by cases that have the same, as a server's connections share an engine. */
export function driverFor(options: CaseOptions): Driver {
  const key = JSON.stringify(options.limits ?? {});
  let driver = drivers.get(key);
  if (driver === undefined) {
    driver = new Driver({ limits: options.limits ?? {} });
    drivers.set(key, driver);
  }
  return driver;
}

/** Runs a case with its bytes cut at the given offsets. */
export function runCase(
  wire: Pick<WireCase, "options" | "bytes" | "pauses">,
  cuts: readonly number[],
  upTo?: number,
): Outcome {
  const { options } = wire;
  const bytes = upTo === undefined ? wire.bytes : wire.bytes.subarray(0, upTo);
  const driver = driverFor(options);
  const before = driver.memoryInUse();
  const isClient = options.role === "client";
  driver.handler = isClient ? askingHandler(options) : answeringHandler(options);
  const connection = driver.open(
    isClient ? Role.CLIENT : Role.SERVER,
    options.secure === true ? OpenFlag.SECURE : OpenFlag.NONE,
  );
  if (isClient) askNext(driver, connection, options, 0);
  let at = 0;
  const ordered = [...new Set([...wire.pauses, ...cuts, bytes.length])].sort((a, b) => a - b);
  for (const cut of ordered) {
    if (cut > bytes.length) break;
    driver.feed(connection, bytes.subarray(at, cut));
    at = cut;
  }
  if (options.end === true || upTo !== undefined) driver.endPeer(connection);
  driver.settle(connection);
  const messages = [...connection.messages];
  const methods = messages.map((message) => message.method);
  const answers = isClient ? [] : readResponses(connection.sentText, methods).map(responseLine);
  const outcome = { log: coalesce(connection.log), answers, messages, connection };
  driver.hangUp(connection);
  const after = driver.memoryInUse();
  if (after !== before) throw new Error(`${after - before} bytes of memory were kept`);
  if (driver.counter("exchanges_open") !== 0) throw new Error("an exchange was kept");
  return outcome;
}

/** Events and answers as lines, the events with their offsets when told so. */
export function linesOf(outcome: Outcome, withOffsets: boolean): string[] {
  const events = outcome.log.map(({ offset, text }) =>
    withOffsets && !text.startsWith(" ") ? `off=${offset} ${text}` : text,
  );
  return [...events, ...outcome.answers];
}

function answeringHandler(options: CaseOptions): Handler {
  const when = options.answer ?? "complete";
  const waiting: Message[] = [];
  const give = (message: Message, driver: Driver): void => {
    if (message.abortedBy !== null) return;
    const isBare = options.status === 204 || options.status === 304;
    driver.answer(message, options.status ?? 200, isBare ? "" : `${message.method} ${message.target}`);
  };
  const open = (message: Message, driver: Driver): void => {
    const { head, exchange } = message;
    if (!head.isConnect && !head.isUpgrade) return give(message, driver);
    driver.engine.sendHead(exchange, head.isConnect ? 200 : 101, [], -1, SendFlag.TUNNEL);
  };
  return {
    request(message, driver) {
      if (when === "early") give(message, driver);
    },
    complete(message, driver) {
      if (when === "complete") give(message, driver);
      if (when === "tunnel") open(message, driver);
      if (typeof when !== "number") return;
      waiting.push(message);
      if (waiting.length === when) for (const held of waiting.splice(0).reverse()) give(held, driver);
    },
    body(message, bytes, driver) {
      if (message.isTunnel) driver.engine.sendBody(message.exchange, bytes, 0);
    },
    tunnelEnd(message, driver) {
      driver.engine.sendBody(message.exchange, Buffer.alloc(0), SendFlag.END);
    },
  };
}

function askingHandler(options: CaseOptions): Handler {
  let asked = 0;
  return {
    complete(message, driver) {
      driver.release(message);
      askNext(driver, message.connection, options, ++asked);
    },
  };
}

function askNext(driver: Driver, connection: Connection, options: CaseOptions, index: number): void {
  const requests = options.requests ?? ["GET /"];
  const request = requests[index];
  if (request === undefined || connection.closedBy !== null) return;
  const [method, target] = request.split(" ") as [string, string];
  const isTunnel = method === "CONNECT" || target === "/upgrade";
  const fields: [string, string][] = [["host", "example.org"]];
  if (target === "/upgrade") fields.push(["upgrade", "test"]);
  driver.ask(connection, { method, target, fields }, SendFlag.END | (isTunnel ? SendFlag.TUNNEL : 0));
}
