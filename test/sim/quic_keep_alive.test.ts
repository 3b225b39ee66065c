// What a client that waits does against a NAT that forgets it, RFC 9000 §10.1.2.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { encodeAddress } from "../../host/engine/datagram_batch.ts";
import { StreamNews } from "../../assembly/abi/quic.ts";
import { selfSigned } from "../wire/tls/identities.ts";
import { QuicPair } from "./quic_pair.ts";

const module = new WebAssembly.Module(readFileSync(resolve("build/engine.wasm")));
const identity = selfSigned("ed25519", "sim.test");

test("a client that waits for an answer is found again behind a NAT that forgot it", () => {
  const pair = new QuicPair(module, identity);
  let asked = -1;
  let answer = "";
  pair.server.events.stream = (_connection, stream) => (asked = stream);
  pair.client.events.stream = (_connection, stream, news) => {
    if (news & StreamNews.READABLE)
      answer += Buffer.from(pair.client.engine.quic.peekStream(stream)).toString();
  };
  pair.connect();
  const stream = pair.client.engine.quic.openStream(pair.connection, false);
  pair.client.engine.quic.writeStream(pair.connection, stream, Buffer.from("?"), true, pair.nowMs);
  pair.run(1000);
  expect(asked).toBeGreaterThan(-1);
  // Nothing is under way; the NAT gives the client another port, and drops what goes to the old one.
  pair.client.address = encodeAddress("192.0.2.1", 5555);
  pair.pass = ({ toServer, to }) => toServer || Buffer.compare(to, pair.client.address) === 0;
  pair.server.engine.quic.writeStream(pair.serverConnection, asked, Buffer.from("!"), true, pair.nowMs);
  pair.run(10_000);
  expect(answer).toBe("");
  pair.run(10_000);
  expect(answer).toBe("!");
});

test("a client that waits for nothing says nothing, until the idle timeout", () => {
  const pair = new QuicPair(module, identity);
  let closedMs = 0;
  pair.client.events.closed = () => (closedMs = pair.nowMs);
  pair.connect(5000);
  let sent = 0;
  pair.pass = () => {
    sent++;
    return true;
  };
  pair.run(60_000);
  expect(sent).toBe(0);
  expect(closedMs).toBeGreaterThan(0);
});
