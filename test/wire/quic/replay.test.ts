// Recorded first flights (RFC 9001 §9.2), and keys that are used up (§6.6).

import { expect, test } from "vitest";
import { ConnectedFlag, QuicConfigFlag, QuicStat, StreamNews } from "../../../assembly/abi/quic.ts";
import { encodeAddress } from "../../../host/engine/datagram_batch.ts";
import type { QuicNode } from "../../sim/quic_node.ts";
import { clientNode, sent, serverNode } from "./nodes.ts";

/** Hands over what both have to send until neither has anything. */
function exchange(client: QuicNode, server: QuicNode, nowMs: number): void {
  for (let isBusy = true; isBusy;) {
    const there = sent(client, nowMs).map(({ payload }) => payload);
    server.receive(nowMs, there, client.address);
    const back = sent(server, nowMs).filter(({ to }) => to.equals(client.address));
    client.receive(
      nowMs,
      back.map(({ payload }) => payload),
      server.address,
    );
    isBusy = there.length + back.length !== 0;
  }
}

/** Runs the clock of a node up to a time. */
function runUntil(node: QuicNode, nowMs: number): void {
  while (node.deadlineMs <= nowMs) {
    node.handleTimeout(node.deadlineMs);
    sent(node, nowMs);
  }
}

test("a first flight with 0-RTT that is replayed a hundred times has one effect", () => {
  const server = serverNode({ flags: QuicConfigFlag.EARLY_DATA, limits: { quicHandshakeTimeoutMs: 100 } });
  const client = clientNode({ flags: QuicConfigFlag.EARLY_DATA });
  let ticket: Uint8Array | undefined;
  client.events = { ticket: (_connection, bytes) => (ticket = bytes.slice()) };
  client.connect(1, server.address, "attack.test");
  exchange(client, server, 1);
  expect(ticket).toBeDefined();

  let effects = 0;
  let connections = 0;
  let isEarlyAccepted = false;
  server.events = {
    accepted: () => connections++,
    stream: (_connection, _stream, news) => {
      if ((news & StreamNews.READABLE) !== 0) effects++;
    },
  };
  client.events = {
    connected: (_connection, flags) => (isEarlyAccepted = (flags & ConnectedFlag.EARLY_ACCEPTED) !== 0),
  };
  const { quic } = client.engine;
  const connection = client.connect(2, server.address, "attack.test", { ticket: ticket! });
  const stream = quic.openStream(connection, false);
  expect(stream).toBeGreaterThan(0);
  quic.writeStream(connection, stream, Buffer.from("pay"), true, 2);
  const recorded = sent(client, 2).map(({ payload }) => payload);
  expect(recorded.length).toBeGreaterThan(0);

  server.receive(
    2,
    recorded.map((payload) => Buffer.from(payload)),
    client.address,
  );
  expect(effects).toBe(1);
  client.receive(
    2,
    sent(server, 2).map(({ payload }) => payload),
    server.address,
  );
  expect(isEarlyAccepted).toBe(true);
  // Each time from elsewhere, once the connection of the time before is forgotten.
  for (let replay = 0; replay < 99; replay++) {
    const nowMs = 1000 + replay * 90;
    runUntil(server, nowMs);
    const from = encodeAddress("203.0.113.5", 2000 + replay);
    server.receive(
      nowMs,
      recorded.map((payload) => Buffer.from(payload)),
      from,
    );
    sent(server, nowMs);
  }
  expect(connections).toBeGreaterThan(40);
  expect(effects).toBe(1);
});

test("0-RTT is not accepted unless it is asked for", () => {
  const server = serverNode();
  const client = clientNode({ flags: QuicConfigFlag.EARLY_DATA });
  let ticket: Uint8Array | undefined;
  client.events = { ticket: (_connection, bytes) => (ticket = bytes.slice()) };
  client.connect(1, server.address, "attack.test");
  exchange(client, server, 1);
  const flags: number[] = [];
  client.events = { connected: (_connection, told) => flags.push(told) };
  client.connect(2, server.address, "attack.test", { ticket: ticket! });
  exchange(client, server, 2);
  expect(flags).toEqual([ConnectedFlag.RESUMED]);
});

test("keys are updated once they have sealed as many packets as they may, on both sides, and nothing is lost by it", () => {
  const limits = { quicKeyUpdatePackets: 16 };
  const server = serverNode({ limits });
  const client = clientNode({ limits });
  let received = 0;
  let closed = 0;
  const { quic } = server.engine;
  let ofServer = 0;
  server.events = {
    accepted: (connection) => (ofServer = connection),
    closed: () => closed++,
    stream: (connection, stream) => {
      for (let bytes = quic.peekStream(stream); bytes.length !== 0; bytes = quic.peekStream(stream)) {
        received += bytes.length;
        quic.consumeStream(connection, stream, bytes.length, nowMs);
      }
    },
  };
  client.events = { closed: () => closed++ };
  let nowMs = 1;
  const connection = client.connect(nowMs, server.address, "attack.test");
  exchange(client, server, nowMs);
  const stream = client.engine.quic.openStream(connection, true);
  const most = 400_000;
  for (let written = 0; received < most; nowMs += 5) {
    const part = new Uint8Array(Math.min(16_384, most - written));
    written += client.engine.quic.writeStream(connection, stream, part, false, nowMs);
    exchange(client, server, nowMs);
    for (const node of [client, server]) if (node.deadlineMs <= nowMs) node.handleTimeout(nowMs);
    if (nowMs > 60_000) throw new Error(`${received} of ${most} bytes have come`);
  }
  expect(closed).toBe(0);
  const updates = (node: QuicNode, of: number) => node.engine.quic.stats(of)?.[QuicStat.KEY_UPDATES];
  expect(updates(client, connection)).toBeGreaterThan(10);
  expect(updates(server, ofServer)).toBeGreaterThan(5);
});
