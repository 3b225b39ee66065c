/*
 * What the engine keeps of a connection of HTTP/3 that was used and is idle, by its own count of memory in use: the mean of a hundred,
 * each of which made ten requests. The published module runs both roles without sockets; only the server is measured.
 */
import { QuicOption, QuicConfigFlag } from "../../assembly/abi/quic.ts";
import { SendFlag } from "../../assembly/abi/message.ts";
import { http3Nodes } from "../../test/sim/http3_nodes.ts";
import { QuicNode } from "../../test/sim/quic_node.ts";
import { BenchError } from "../suite.ts";
import type { Measure } from "../suite.ts";

const CONNECTION_COUNT = 100;
const REQUEST_COUNT = 10;
const UNIX_MS = Date.UTC(2027, 0, 1);
const KIB = 1024;
const TURN_MS = 10;
const SETTLE_TURNS = 200;

function usedBytes({ engine }: QuicNode): number {
  // Which brings the gauge up to date.
  engine.doors.setDate(UNIX_MS);
  return engine.counters().get("memory_bytes_in_use") as number;
}

function measureIdle(): number {
  const { module, server: serverOptions, client: clientOptions } = http3Nodes(1);
  const limits = { connectionCount: CONNECTION_COUNT + 10, exchangeCount: 1000 };
  const options = [
    [QuicOption.FLAGS, QuicConfigFlag.HTTP3],
    [QuicOption.MTU_MOST, 1200],
  ] as const;
  const server = new QuicNode(module, { ...serverOptions, limits, options }, 1);
  const client = new QuicNode(module, { ...clientOptions, limits, options }, 1);
  const emptyBytes = usedBytes(server);
  let nowMs = 1;
  let answered = 0;
  const connections: number[] = [];
  server.http = {
    request: (_connection, exchange, head) => {
      server.engine.respond(exchange, 200, [["x-id", head.target]], "Hello, World!", SendFlag.RELEASE);
      head.release();
    },
  };
  const done = (exchange: number): void => {
    answered++;
    client.engine.doors.releaseExchange(exchange);
  };
  client.http = {
    response: (_connection, _exchange, head) => head.release(),
    body: (_connection, exchange, bytes, isEnd) => {
      client.engine.doors.readBody(exchange, bytes.length, nowMs);
      if (isEnd) done(exchange);
    },
    end: (_connection, exchange) => done(exchange),
  };
  const turn = (): void => {
    const there: Uint8Array[] = [];
    client.send(nowMs, (payload) => there.push(payload.slice()));
    for (const payload of there) server.receive(nowMs, [payload], client.address);
    const back: Uint8Array[] = [];
    server.send(nowMs, (payload) => back.push(payload.slice()));
    for (const payload of back) client.receive(nowMs, [payload], server.address);
    nowMs += TURN_MS;
    for (const node of [client, server]) if (node.deadlineMs <= nowMs) node.handleTimeout(nowMs);
  };
  client.events = { connected: (connection) => connections.push(connection) };
  for (let count = 0; count < CONNECTION_COUNT; count++) {
    client.connect(nowMs, server.address, "sim.test");
    turn();
  }
  while (connections.length < CONNECTION_COUNT && nowMs < 60_000) turn();
  for (let count = 0; count < REQUEST_COUNT; count++) {
    for (const connection of connections) {
      const request = {
        method: "GET",
        target: `/${count}`,
        fields: [["host", "sim.test"]],
        contentLength: -1,
      };
      client.engine.openExchange(connection, request as never, SendFlag.END, nowMs);
    }
    for (let turns = 0; turns < 5; turns++) turn();
  }
  for (let turns = 0; turns < SETTLE_TURNS; turns++) turn();
  const wanted = CONNECTION_COUNT * REQUEST_COUNT;
  if (answered !== wanted) throw new BenchError(`${answered} of ${wanted} requests were answered`);
  const open = server.engine.quic.connectionCount(server.endpoint);
  if (open !== CONNECTION_COUNT)
    throw new BenchError(`${open} connections are open, not ${CONNECTION_COUNT}`);
  return (usedBytes(server) - emptyBytes) / CONNECTION_COUNT;
}

export const idle: Measure = {
  name: "idle",
  title: "Engine memory of an idle connection after ten requests",
  peers: ["engine"],
  run() {
    return Promise.resolve({
      unit: "KiB",
      better: "lower",
      series: [{ peer: "engine", samples: [{ value: measureIdle() / KIB }] }],
      bars: [{ kind: "limit", subject: "engine", direction: "at most", limit: 12 }],
      notes: ["By the engine's own count; with QUIC, TLS, the streams of HTTP/3 and the tables of QPACK."],
    });
  },
};
