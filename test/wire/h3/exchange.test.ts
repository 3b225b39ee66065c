// Requests and responses over HTTP/3, both roles by the engine, at packets of any size and with loss: RFC 9114 §4.

import { describe, expect, test } from "vitest";
import { SendFlag } from "../../../assembly/abi/message.ts";
import type { Handler, Message } from "../driver.ts";
import { Pair } from "./pair.ts";
import type { PairOptions } from "./pair.ts";

/** Answers every request, once it is complete, with what it was. */
const echoing: Handler = {
  complete(message, driver) {
    if (message.kind === "request") {
      driver.answer(
        message,
        200,
        Buffer.concat([Buffer.from(`${message.method} ${message.target} `), message.body]),
      );
    }
    driver.release(message);
  },
};

const carriers: [string, PairOptions][] = [
  ["packets of 1200 bytes", {}],
  ["packets of 64 bytes", { packetBytes: [64] }],
  ["packets of all sizes", { packetBytes: [71, 1200, 67, 300, 65, 1350, 64] }],
  ["packets of 30000 bytes", { packetBytes: [30000] }],
  ["every third packet lost", { packetBytes: [1200, 90], lossEvery: 3 }],
];

function last(pair: Pair): Message {
  return pair.client!.messages.at(-1);
}

describe.each(carriers)("over %s", (_name, options) => {
  test("a GET is answered", async () => {
    const pair = await Pair.create({ handler: echoing, ...options });
    const exchange = pair.driver.ask(pair.client!, { method: "GET", target: "/a?b=c" });
    expect(exchange).toBeGreaterThan(0);
    pair.run();
    expect(pair.server!.events).toEqual(["request GET /a?b=c h3 authority=example.org"]);
    expect(last(pair).statusCode).toBe(200);
    expect(last(pair).body.toString()).toBe("GET /a?b=c ");
    expect(pair.answers).toEqual([0, 0]);
  });

  test("content goes both ways", async () => {
    const pair = await Pair.create({ handler: echoing, ...options });
    const body = Buffer.alloc(200_000, "0123456789");
    const exchange = pair.driver.ask(
      pair.client!,
      { method: "POST", target: "/", contentLength: body.length },
      0,
    );
    sendAll(pair, exchange, body);
    expect(last(pair).body.length).toBe("POST / ".length + body.length);
    expect(last(pair).body.subarray(7).equals(body)).toBe(true);
    expect(last(pair).isComplete).toBe(true);
  });
});

/** Sends content as there is room for it. */
function sendAll(pair: Pair, exchange: number, body: Buffer): void {
  let at = 0;
  for (let turn = 0; at < body.length && turn < 1000; turn++) {
    const taken = pair.driver.engine.sendBody(
      exchange,
      body.subarray(at, at + 60_000),
      at + 60_000 >= body.length ? SendFlag.END : 0,
    );
    expect(taken).toBeGreaterThanOrEqual(0);
    at += taken;
    pair.run();
  }
}
