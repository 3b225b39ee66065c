// Objects over HTTP/2 on the model of TCP (tcp_pipe.ts), beside the same over HTTP/3 (http3_run.ts): client and server are the engine's.

import { Protocol, Role } from "../../assembly/abi/message.ts";
import type { Random } from "../fuzz/random.ts";
import { type Connection, Driver } from "../wire/driver.ts";
import { TcpPipe } from "./tcp_pipe.ts";

export interface Http2Options {
  readonly random: Random;
  readonly roundTripMs: number;
  readonly loss: number;
  readonly objectCount: number;
  readonly objectBytes: number;
}

/** Round trips of TCP's handshake and of TLS 1.3, before the first request leaves. */
const HANDSHAKE_TRIPS = 2;
const DEADLINE_MS = 300_000;

/** Asks for all objects at once; answers the milliseconds until the last of them is whole, handshakes included. */
export function runHttp2(options: Http2Options): number {
  const { random, roundTripMs, loss, objectCount, objectBytes } = options;
  const content = Buffer.alloc(objectBytes, 7);
  let done = 0;
  const limits = { bodyWindowMs: 3_600_000 };
  const server = new Driver({
    limits,
    handler: {
      complete: (message, driver) => {
        driver.answer(message, 200, content);
        driver.release(message);
      },
      writable: () => undefined,
    },
  });
  const client = new Driver({
    limits,
    handler: {
      complete: (message, driver) => {
        if (message.body.length !== objectBytes) throw new Error(`an object of ${message.body.length} bytes`);
        done++;
        driver.release(message);
      },
    },
  });
  const far = server.open(Role.SERVER, 0, Protocol.HTTP_2);
  const near = client.open(Role.CLIENT, 0, Protocol.HTTP_2);
  const up = new TcpPipe({ random, roundTripMs, loss, deliver: (bytes) => server.feed(far, bytes) });
  const down = new TcpPipe({ random, roundTripMs, loss, deliver: (bytes) => client.feed(near, bytes) });
  const pump = (driver: Driver, connection: Connection, pipe: TcpPipe): void => {
    driver.settle(connection);
    if (connection.sent.length === 0) return;
    pipe.write(nowMs, connection.sent);
    connection.sent = Buffer.alloc(0);
  };
  let nowMs = roundTripMs * HANDSHAKE_TRIPS;
  let asked = 0;
  while (done < objectCount) {
    while (asked < objectCount && client.ask(near, { method: "GET", target: `/${asked}` }) > 0) asked++;
    pump(client, near, up);
    pump(server, far, down);
    const nextMs = Math.min(up.nextMs, down.nextMs);
    if (nextMs === Infinity) throw new Error(`nothing is under way, ${done} of ${objectCount} are there`);
    if (nextMs > DEADLINE_MS) throw new Error("it takes for ever");
    nowMs = Math.max(nowMs, nextMs);
    up.step(nowMs);
    down.step(nowMs);
  }
  return nowMs;
}
