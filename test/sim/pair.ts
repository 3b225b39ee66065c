// Two engines that talk to each other: a client's and a server's connection joined by a seeded network that delivers each
// direction's bytes in order, in pieces of any size, whenever it likes.
//
// The scenario is made of the seed alone: requests of every framing, handlers that answer early, late, in pieces or by echo,
// readers that stop for a while. At the end both sides have seen the same messages, and nothing is left over.

import { Protocol, Role, SendFlag } from "../../assembly/abi/message.ts";
import type { Random } from "../fuzz/random.ts";
import type { Driver } from "../wire/driver.ts";
import type { Connection, Message } from "../wire/driver.ts";

/** What one exchange is to carry. */
interface Plan {
  readonly method: string;
  readonly target: string;
  readonly fields: [string, string][];
  readonly content: Buffer;
  readonly isChunked: boolean;
  readonly requestTrailers: [string, string][];
  readonly statusCode: number;
  readonly answer: Buffer;
  readonly isAnswerChunked: boolean;
  readonly answerTrailers: [string, string][];
  readonly hints: number;
  readonly isLast: boolean;
}

const NAMES = ["x-one", "accept", "cookie", "user-agent", "x-a-name-that-has-more-than-32-bytes-in-it"];

/** What the two speak, and how many exchanges they have open at once. */
export interface PairOptions {
  readonly protocol?: Protocol;
  readonly concurrency?: number;
}

export class Pair {
  readonly #random: Random;
  readonly #server: Driver;
  readonly #client: Driver;
  readonly #near: Connection;
  readonly #far: Connection;
  readonly #plans: Plan[] = [];
  readonly #planOf = new Map<number, Plan>();
  readonly #protocol: Protocol;
  readonly #concurrency: number;
  /** Bytes on their way to each side. */
  #toServer: Buffer = Buffer.alloc(0);
  #toClient: Buffer = Buffer.alloc(0);
  /** Content still to be sent, by exchange handle of either side. */
  readonly #sending = new Map<string, () => boolean>();
  #answered = 0;

  constructor(random: Random, server: Driver, client: Driver, options: PairOptions = {}) {
    this.#random = random;
    this.#protocol = options.protocol ?? Protocol.HTTP_1;
    this.#concurrency = options.concurrency ?? 1;
    this.#server = server;
    this.#client = client;
    server.handler = { request: (message) => this.#serve(message) };
    client.handler = { complete: (message) => this.#check(message) };
    this.#far = server.open(Role.SERVER, 0, this.#protocol);
    this.#near = client.open(Role.CLIENT, 0, this.#protocol);
  }

  /** Runs `count` exchanges, as long as the connection persists; answers how many were complete. */
  run(count: number): number {
    this.#ask(count);
    for (let idle = 0; this.#answered < this.#plans.length && idle < 1000; idle++) {
      if (this.#step()) idle = 0;
      if (this.#near.closedBy !== null) break;
      const open = this.#plans.length - this.#answered;
      if (this.#plans.length < count && (open === 0 || (open < this.#concurrency && this.#random.oneIn(5)))) {
        this.#ask(count);
      }
    }
    const complete = this.#answered;
    if (complete !== this.#plans.length) {
      throw new Error(
        `${complete} of ${this.#plans.length} exchanges: ${this.#near.events.slice(-5).join(" | ")}`,
      );
    }
    this.#server.hangUp(this.#far);
    this.#client.hangUp(this.#near);
    for (const [name, driver] of Object.entries({ server: this.#server, client: this.#client })) {
      if (driver.memoryInUse() !== 0 || driver.counter("exchanges_open") !== 0)
        throw new Error(`${name} kept memory`);
      if (driver.counter("peer_errors") !== 0)
        throw new Error(`${name} found an error in what the other sent`);
    }
    return complete;
  }

  #plan(index: number): Plan {
    const random = this.#random;
    const method = random.pick(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "M-SEARCH"]);
    const hasContent = method !== "GET" && method !== "HEAD" && !random.oneIn(3);
    const statusCode = random.pick([200, 200, 200, 201, 204, 205, 304, 404, 500]);
    const size = (): number => random.pick([0, 1, 10, 1000, 70_000, random.below(300_000)]);
    const isEmpty = statusCode === 204 || statusCode === 205 || statusCode === 304;
    const pairs = (): [string, string][] =>
      Array.from({ length: random.below(5) }, () => [
        random.pick(NAMES),
        random.bytes(random.below(40)).toString("hex"),
      ]);
    const isChunked = random.oneIn(2);
    const isAnswerChunked = random.oneIn(2);
    return {
      method,
      target: `/${index}/${random.bytes(random.below(30)).toString("hex")}`,
      fields: [["host", "example.org"], ...pairs()],
      content: hasContent ? random.bytes(size()) : Buffer.alloc(0),
      isChunked: hasContent && isChunked,
      requestTrailers: hasContent && isChunked && random.oneIn(2) ? [["x-sum", "1"]] : [],
      statusCode,
      answer: isEmpty ? Buffer.alloc(0) : random.bytes(size()),
      isAnswerChunked: !isEmpty && isAnswerChunked,
      answerTrailers:
        !isEmpty && isAnswerChunked && method !== "HEAD" && random.oneIn(2) ? [["x-sum", "2"]] : [],
      hints: random.oneIn(4) ? random.below(3) : 0,
      isLast: random.oneIn(30),
    };
  }

  #ask(count: number): void {
    if (this.#plans.length === count) return;
    const plan = this.#plan(this.#plans.length);
    const hasContent = plan.content.length !== 0 || plan.isChunked;
    const exchange = this.#client.ask(
      this.#near,
      {
        method: plan.method,
        target: plan.target,
        fields: plan.fields,
        contentLength: plan.isChunked ? -1 : hasContent ? plan.content.length : -1,
      },
      (hasContent ? 0 : SendFlag.END) | (plan.isLast ? SendFlag.CLOSE : 0),
    );
    // The last answer ended the connection.
    if (exchange < 0) return;
    this.#plans.push(plan);
    this.#planOf.set(exchange, plan);
    if (hasContent) this.#send("client", this.#client, exchange, plan.content, plan.requestTrailers);
  }

  /** Sends content in pieces, a step at a time. */
  #send(side: string, driver: Driver, exchange: number, content: Buffer, trailers: [string, string][]): void {
    let at = 0;
    this.#sending.set(`${side}${exchange}`, () => {
      // A client that has its answer and not yet sent all of its request cuts it.
      if ((driver.messages.get(exchange)?.abortedBy ?? null) !== null) return true;
      const length = this.#random.pick([1, 100, 5000, content.length]);
      const piece = content.subarray(at, at + length);
      const isWhole = at + piece.length === content.length;
      const flags = isWhole && trailers.length === 0 ? SendFlag.END : 0;
      const taken = driver.engine.sendBody(exchange, piece, flags);
      if (taken < 0) throw new Error(`sending content: ${taken}`);
      at += taken;
      if (at < content.length || taken < piece.length) return false;
      if (trailers.length !== 0) {
        const status = driver.engine.sendTrailers(exchange, trailers);
        if (status < 0) throw new Error(`sending trailers: ${status}`);
      }
      return true;
    });
  }

  #serve(message: Message): void {
    const plan = this.#plans[Number(message.target.split("/")[1])]!;
    expectSame("method", message.method, plan.method);
    expectSame("target", message.target, plan.target);
    const framing = /^(content-length|transfer-encoding|connection)$/;
    expectSame(
      "fields",
      message.fields.filter(([name]) => !framing.test(name)),
      this.#protocol === Protocol.HTTP_2 ? asHttp2(plan.fields) : plan.fields,
    );
    const key = `answer${message.exchange}`;
    const isEarly = plan.content.length < 200_000 && this.#random.oneIn(4);
    this.#sending.set(key, () => {
      if (!message.isComplete && !isEarly) return false;
      if (message.isComplete) {
        expectSame("content", message.body.toString("hex"), plan.content.toString("hex"));
        expectSame("trailers", message.trailers, plan.requestTrailers);
      }
      this.#answer(message, plan);
      return true;
    });
  }

  #answer(message: Message, plan: Plan): void {
    const { engine } = this.#server;
    for (let i = 0; i < plan.hints; i++)
      engine.sendInformational(message.exchange, 103, [["link", plan.target]]);
    const length = plan.isAnswerChunked ? -1 : plan.answer.length;
    const status = engine.sendHead(message.exchange, plan.statusCode, [["x-plan", "1"]], length, 0);
    if (status < 0) throw new Error(`sending a head: ${status}`);
    this.#send("server", this.#server, message.exchange, plan.answer, plan.answerTrailers);
  }

  #check(message: Message): void {
    const plan = this.#planOf.get(message.exchange)!;
    this.#answered++;
    expectSame("status", message.statusCode, plan.statusCode);
    const body = plan.method === "HEAD" ? "" : plan.answer.toString("hex");
    expectSame("answer", message.body.toString("hex"), body);
    expectSame("answer's trailers", message.trailers, plan.answerTrailers);
    const hints = this.#near.informational.filter(({ fields }) => fields[0]?.[1] === plan.target);
    expectSame("interim responses", hints.length, plan.hints);
    // An answer that came early ends the request too.
    this.#sending.delete(`client${message.exchange}`);
    this.#client.release(message);
  }

  /** One thing happens; false when nothing could. */
  #step(): boolean {
    const random = this.#random;
    this.#collect();
    switch (random.below(3)) {
      case 0: {
        const keys = [...this.#sending.keys()];
        if (keys.length === 0) return false;
        const key = random.pick(keys);
        if (this.#sending.get(key)!()) this.#sending.delete(key);
        this.#collect();
        return this.#toClient.length + this.#toServer.length !== 0;
      }
      case 1: {
        const piece = this.#cut(this.#toServer, this.#far);
        this.#toServer = this.#toServer.subarray(piece.length);
        this.#server.feed(this.#far, piece);
        return piece.length !== 0;
      }
      default: {
        const piece = this.#cut(this.#toClient, this.#near);
        this.#toClient = this.#toClient.subarray(piece.length);
        this.#client.feed(this.#near, piece);
        return piece.length !== 0;
      }
    }
  }

  #cut(bytes: Buffer, to: Connection): Buffer {
    if (to.isPaused) return Buffer.alloc(0);
    return bytes.subarray(0, this.#random.pick([1, 7, 100, 3000, 100_000]));
  }

  #collect(): void {
    this.#server.settle(this.#far);
    this.#client.settle(this.#near);
    this.#toClient = Buffer.concat([this.#toClient, this.#far.sent]);
    this.#toServer = Buffer.concat([this.#toServer, this.#near.sent]);
    this.#far.sent = Buffer.alloc(0);
    this.#near.sent = Buffer.alloc(0);
  }
}

/** The host field has become the authority, and a cookie is one field. */
function asHttp2(fields: readonly [string, string][]): [string, string][] {
  const cookies = fields.filter(([name]) => name === "cookie").map(([, value]) => value);
  const first = fields.findIndex(([name]) => name === "cookie");
  return fields
    .map(([name, value], index): [string, string] => [name, index === first ? cookies.join("; ") : value])
    .filter(([name], index) => name !== "host" && (name !== "cookie" || index === first));
}

function expectSame(what: string, actual: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: ${a.slice(0, 200)} instead of ${b.slice(0, 200)}`);
}
