// What a host may do with a connection of QUIC that carries no HTTP: no exchange, whatever it asks.

import { expect, test } from "vitest";
import { SendFlag } from "../../../assembly/abi/message.ts";
import { Status } from "../../../assembly/abi/status.ts";
import { Rogue } from "./rogue.ts";

test("no exchange is opened where HTTP/3 was not chosen", () => {
  const rogue = new Rogue({ role: "server" });
  const request = { method: "GET", target: "/", fields: [], contentLength: -1 };
  const { engine } = rogue.client;
  const opened = engine.openExchange(rogue.connection, request, SendFlag.END, rogue.nowMs);
  expect(opened).toBe(Number(Status.INVALID_STATE));
  expect(engine.counters().get("exchanges_open")).toBe(0);
});
