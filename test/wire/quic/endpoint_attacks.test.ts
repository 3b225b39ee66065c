// Attacks on an endpoint before there is a connection, or by datagrams that belong to none: each row of QUIC's table of limits.

import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { QuicOption } from "../../../assembly/abi/quic.ts";
import { encodeAddress } from "../../../host/engine/datagram_batch.ts";
import { SignatureScheme } from "../../../host/crypto/signature.ts";
import type { QuicNode } from "../../sim/quic_node.ts";
import { extension, keyPair, makeCertificate } from "../tls/identities.ts";
import * as f from "./frames.ts";
import {
  clientHelloOf,
  helloPayload,
  openInitial,
  parameter,
  sealInitial,
  withoutParameter as without,
  withParameters,
} from "./initials.ts";
import { clientNode, memoryOf, sent, serverNode } from "./nodes.ts";
import { Rogue } from "./rogue.ts";
import { TransportError } from "./transport_error.ts";

const CONNECTION_REFUSED = 0x02;
const PATIENT = { limits: { quicHandshakeTimeoutMs: 60_000 } };

/** The first flight of a client, and its ClientHello. */
function firstFlight(nowMs = 1): { flight: Buffer[]; hello: Buffer; source: Buffer } {
  const client = clientNode();
  client.connect(nowMs, encodeAddress("198.51.100.1", 4433), "attack.test");
  const flight = sent(client, nowMs).map(({ payload }) => payload);
  return { flight, hello: clientHelloOf(flight), source: openInitial(flight[0]!, "client")!.source };
}

/** Runs a client against the server until it is connected; answers in how many round trips, or null when it never is. */
function roundTrips(server: QuicNode, nowMs: number, host = "192.0.2.77"): number | null {
  const client = clientNode({ address: host, seed: 77 });
  let isConnected = false;
  client.events = { connected: () => (isConnected = true) };
  client.connect(nowMs, server.address, "attack.test");
  for (let trips = 1; trips < 10; trips++) {
    server.receive(
      nowMs,
      sent(client, nowMs).map(({ payload }) => payload),
      client.address,
    );
    const answers = sent(server, nowMs).filter(({ to }) => to.equals(client.address));
    client.receive(
      nowMs,
      answers.map(({ payload }) => payload),
      server.address,
    );
    if (isConnected) return trips;
  }
  return null;
}

describe("amplification", () => {
  test("a chain of nine certificates to a silent client stays within three times what it sent", () => {
    const key = keyPair("ed25519", "amplification");
    const chain = Array.from({ length: 9 }, (_, index) =>
      makeCertificate({
        subject: `attack${index}`,
        key,
        names: { dns: ["attack.test"] },
        extensions: [extension("1.2.3.4", false, randomBytes(1200))],
      }),
    );
    const server = serverNode({
      certificate: { key: key.privateKey, chain, names: ["attack.test"], scheme: SignatureScheme.ED25519 },
    });
    const { flight } = firstFlight();
    const client = encodeAddress("192.0.2.1", 4433);
    let received = 0;
    let bytes = 0;
    const take = (nowMs: number) => sent(server, nowMs).forEach(({ payload }) => (bytes += payload.length));
    for (const datagram of flight) {
      received += datagram.length;
      server.receive(1, [datagram], client);
      take(1);
      expect(bytes).toBeLessThanOrEqual(3 * received);
    }
    // Not one byte more for lack of acknowledgements, until it gives up.
    for (let nowMs = 2; server.deadlineMs !== Infinity; nowMs = server.deadlineMs) {
      server.handleTimeout(nowMs);
      take(nowMs);
    }
    expect(bytes).toBeGreaterThan(2 * received);
    expect(bytes).toBeLessThanOrEqual(3 * received);
    expect(server.engine.quic.connectionCount(server.endpoint)).toBe(0);
  });

  test("an Initial in a datagram of less than 1200 bytes is dropped", () => {
    const server = serverNode();
    const { hello, source } = firstFlight();
    const destination = randomBytes(8);
    const small = sealInitial({ destination, source, payload: helloPayload(hello) }, 1199);
    server.receive(1, [small], encodeAddress("192.0.2.1", 4433));
    expect(sent(server, 1)).toEqual([]);
    expect(server.engine.quic.connectionCount(server.endpoint)).toBe(0);
  });
});

test("ten thousand spoofed Initials a second leave memory flat, and a real client connects one round trip later", () => {
  const server = serverNode(PATIENT);
  const calm = roundTrips(serverNode(), 1) as number;
  const { hello, source } = firstFlight();
  const payload = helloPayload(hello);
  const memory: number[] = [];
  let replied = 0;
  let spoofed = 0;
  let real: number | null = null;
  // 10 in each millisecond.
  for (let nowMs = 1; nowMs <= 400; nowMs++) {
    for (let each = 0; each < 10; each++) {
      const from = encodeAddress(`203.0.113.${spoofed % 250}`, 1024 + ((spoofed * 7) % 60_000));
      server.receive(nowMs, [sealInitial({ destination: randomBytes(8), source, payload })], from);
      spoofed++;
    }
    replied += sent(server, nowMs).reduce((sum, { payload: reply }) => sum + reply.length, 0);
    if (nowMs % 100 === 0) memory.push(memoryOf(server));
    if (nowMs === 300) real = roundTrips(server, nowMs);
  }
  expect(real).toBe(calm + 1);
  expect(server.engine.counters().get("quic_retries")).toBeGreaterThan(3000);
  expect(replied).toBeLessThan(3 * 1200 * spoofed);
  // The real client's connection is all that was added since the first tenth of a second.
  expect(Math.max(...memory)).toBeLessThan(memory[0]! + 64 * 1024);
});

test("junk behind an Initial, with other destinations, is not kept (QUIC-LEAK)", () => {
  const server = serverNode(PATIENT);
  const { flight } = firstFlight();
  const from = encodeAddress("192.0.2.1", 4433);
  server.receive(1, flight, from);
  sent(server, 1);
  const before = memoryOf(server);
  const initial = openInitial(flight[0]!, "client")!;
  const again = () => sealInitial({ ...initial, payload: f.ping(), number: 50 }, 0);
  const junk = (destination: Uint8Array, length = 60): Buffer =>
    Buffer.concat([
      Buffer.of(0xe3, 0, 0, 0, 1, destination.length),
      destination,
      Buffer.of(0, 0x40, length),
      randomBytes(length),
    ]);
  for (let round = 0; round < 2000; round++) {
    const others = Array.from({ length: 10 }, () => junk(randomBytes(8)));
    server.receive(2, [Buffer.concat([again(), ...others])], from);
  }
  expect(memoryOf(server)).toBeLessThan(before + 2048);
  // Those with its own destination wait for their keys, four at the most.
  for (let round = 0; round < 2000; round++) server.receive(2, [junk(initial.destination, 63)], from);
  expect(memoryOf(server)).toBeLessThan(before + 8192);
});

test("handshake bytes out of order of a client that proved nothing cost no more than their limit", () => {
  const server = serverNode(PATIENT);
  const source = randomBytes(8);
  const destination = randomBytes(8);
  const from = encodeAddress("192.0.2.1", 4433);
  let number = 0;
  const send = (offset: number) => {
    const payload = f.crypto(offset, Buffer.alloc(900));
    server.receive(1, [sealInitial({ destination, source, payload, number: number++ })], from);
    return sent(server, 1);
  };
  const before = memoryOf(server);
  for (let offset = 60_000; offset > 1000; offset -= 1000) send(offset);
  expect(memoryOf(server) - before).toBeLessThan(128 * 1024);
  const close = send(65_000).map(({ payload }) => openInitial(payload, "server", destination));
  const codes = close.flatMap((opened) => (opened === null ? [] : readCloses(opened.payload)));
  expect(codes).toContain(TransportError.CRYPTO_BUFFER_EXCEEDED);
});

function readCloses(payload: Buffer): number[] {
  return f
    .readFrames(payload)
    .filter(({ type }) => type === 0x1c)
    .map(({ values }) => values[0] as number);
}

describe("what belongs to no connection", () => {
  const from = encodeAddress("192.0.2.9", 999);
  const short = (length: number): Buffer => {
    const bytes = randomBytes(length);
    bytes[0] = 0x40 | (bytes[0]! & 0x3f);
    return bytes;
  };

  /** A connection ID that could be of the server's: of others it knows that another process made them. */
  const foreignId = (server: QuicNode): Buffer => {
    for (;;) {
      const packet = short(100);
      server.receive(1, [Buffer.from(packet)], from);
      if (sent(server, 1).length !== 0) return packet.subarray(1, 9);
    }
  };

  test("is answered by a reset that is shorter, at a bounded rate", () => {
    const server = serverNode();
    const id = foreignId(server);
    const replies = (nowMs: number): number => {
      let count = 0;
      for (let index = 0; index < 2000; index++) {
        const packet = short(22 + (index % 1000));
        packet.set(id, 1);
        server.receive(nowMs, [packet], from);
        for (const { payload } of sent(server, nowMs)) {
          count++;
          expect(payload.length).toBeLessThan(22 + (index % 1000));
          expect(payload.length).toBeGreaterThanOrEqual(21);
        }
      }
      return count;
    };
    expect(replies(1)).toBe(99);
    expect(replies(501)).toBe(50);
  });

  test("is not answered when no reset could be shorter", () => {
    const server = serverNode();
    for (let length = 1; length < 22; length++) server.receive(1, [short(length)], from);
    expect(sent(server, 1)).toEqual([]);
  });

  test("does not echo between two endpoints", () => {
    const one = serverNode({ seed: 5 });
    const other = serverNode({ seed: 6, address: "198.51.100.2" });
    const first = short(1200);
    first.set(foreignId(one), 1);
    one.receive(1, [first], other.address);
    let hops = 0;
    for (let pending = true; pending;) {
      const there = sent(one, 1).map(({ payload }) => payload);
      other.receive(1, there, one.address);
      const back = sent(other, 1).map(({ payload }) => payload);
      one.receive(1, back, other.address);
      hops += there.length + back.length;
      pending = there.length + back.length !== 0;
    }
    expect(hops).toBeGreaterThan(0);
    expect(hops).toBeLessThan(60);
  });

  const longHeader = (version: number, length: number): Buffer => {
    const bytes = Buffer.alloc(length, 7);
    bytes[0] = 0xc3;
    bytes.writeUInt32BE(version, 1);
    bytes[5] = 8;
    bytes[14] = 8;
    return bytes;
  };

  test("of an unknown version is answered with the versions only in 1200 bytes, and never when it is an answer", () => {
    const server = serverNode();
    server.receive(1, [longHeader(0x0a0a_0a0a, 1199)], from);
    expect(sent(server, 1)).toEqual([]);
    server.receive(1, [longHeader(0, 1200)], from);
    expect(sent(server, 1)).toEqual([]);
    server.receive(1, [longHeader(0x0a0a_0a0a, 1200)], from);
    const replies = sent(server, 1);
    expect(replies.length).toBe(1);
    expect(replies[0]!.payload.readUInt32BE(1)).toBe(0);
    expect(replies[0]!.payload.length).toBeLessThan(100);
    // Two endpoints, one of which is handed the answer of the other: silence.
    server.receive(1, [replies[0]!.payload], from);
    expect(sent(server, 1)).toEqual([]);
  });

  test("replies that nobody fetches are bounded", () => {
    const server = serverNode();
    const before = memoryOf(server);
    for (let index = 0; index < 5000; index++) server.receive(1, [longHeader(0x1a1a_1a1a, 1200)], from);
    expect(memoryOf(server) - before).toBeLessThan(128 * 1024);
  });
});

describe("a client", () => {
  test("ignores a Version Negotiation that lists its version, and one that comes late", () => {
    const server = serverNode();
    const client = clientNode();
    let closed: unknown = null;
    client.events = { closed: (...args) => (closed = args) };
    client.connect(1, server.address, "attack.test");
    const flight = sent(client, 1);
    const initial = openInitial(flight[0]!.payload, "client")!;
    const negotiation = (...versions: number[]) => {
      const list = Buffer.alloc(4 * versions.length);
      versions.forEach((version, index) => list.writeUInt32BE(version, 4 * index));
      const { source, destination } = initial;
      return Buffer.concat([Buffer.of(0x80, 0, 0, 0, 0, 8), source, Buffer.of(8), destination, list]);
    };
    client.receive(1, [negotiation(0x1a2a3a4a, 1)], server.address);
    expect(closed).toBeNull();
    server.receive(
      1,
      flight.map(({ payload }) => payload),
      client.address,
    );
    client.receive(
      1,
      sent(server, 1).map(({ payload }) => payload),
      server.address,
    );
    client.receive(1, [negotiation(0x1a2a3a4a)], server.address);
    expect(closed).toBeNull();
  });
});

describe("refusals", () => {
  const address = encodeAddress("192.0.2.1", 4433);
  const codesOf = (server: QuicNode, destination: Uint8Array) =>
    sent(server, 1).flatMap(({ payload }) => {
      const opened = openInitial(payload, "server", destination);
      return opened === null ? [] : readCloses(opened.payload);
    });

  test("a Retry token from another address is INVALID_TOKEN", () => {
    const server = serverNode({ options: [[QuicOption.RETRY, 1]] });
    const { hello, source } = firstFlight();
    const payload = helloPayload(hello);
    server.receive(1, [sealInitial({ destination: randomBytes(8), source, payload })], address);
    const [retry] = sent(server, 1);
    const bytes = retry!.payload;
    expect(bytes[0]! & 0xf0).toBe(0xf0);
    const destination = bytes.subarray(15, 15 + bytes[14]!);
    const token = bytes.subarray(15 + bytes[14]!, bytes.length - 16);
    const initial = sealInitial({ destination, source, payload, token });
    // Damaged on its way, it is dropped: nobody is refused for what a network did.
    const damaged = Buffer.from(initial);
    const tokenAt = damaged.indexOf(token) + 20;
    damaged[tokenAt] = damaged[tokenAt]! ^ 1;
    server.receive(1, [damaged], address);
    expect(sent(server, 1)).toEqual([]);
    server.receive(1, [Buffer.from(initial)], encodeAddress("192.0.2.2", 4433));
    expect(codesOf(server, destination)).toEqual([TransportError.INVALID_TOKEN]);
    expect(server.engine.quic.connectionCount(server.endpoint)).toBe(0);
    server.receive(1, [initial], address);
    expect(server.engine.quic.connectionCount(server.endpoint)).toBe(1);
  });

  test("an endpoint that drains refuses", () => {
    const server = serverNode();
    const { hello, source } = firstFlight();
    const destination = randomBytes(8);
    server.engine.quic.drainEndpoint(server.endpoint);
    server.receive(1, [sealInitial({ destination, source, payload: helloPayload(hello) })], address);
    expect(codesOf(server, destination)).toEqual([CONNECTION_REFUSED]);
  });

  test.each<[string, number, (parameters: Buffer) => Buffer]>([
    [
      "a token that only servers declare",
      TransportError.TRANSPORT_PARAMETER_ERROR,
      (all) => Buffer.concat([all, parameter(0x02, Buffer.alloc(16))]),
    ],
    ...[0x00, 0x0d, 0x10].map((id): [string, number, (parameters: Buffer) => Buffer] => [
      `parameter ${id}, which only servers declare,`,
      TransportError.TRANSPORT_PARAMETER_ERROR,
      (all) => Buffer.concat([all, parameter(id, Buffer.alloc(id === 0x0d ? 45 : 8))]),
    ]),
    [
      "a largest payload of 1199 bytes",
      TransportError.TRANSPORT_PARAMETER_ERROR,
      (all) => Buffer.concat([without(all, 0x03), parameter(0x03, Buffer.of(0x44, 0xaf))]),
    ],
    [
      "a delay of acknowledgements of 2^14 ms",
      TransportError.TRANSPORT_PARAMETER_ERROR,
      (all) => Buffer.concat([without(all, 0x0b), parameter(0x0b, Buffer.of(0x80, 0, 0x40, 0))]),
    ],
    [
      "one parameter twice",
      TransportError.TRANSPORT_PARAMETER_ERROR,
      (all) => Buffer.concat([all, parameter(0x0f, Buffer.alloc(8))]),
    ],
    [
      "an exponent of 21",
      TransportError.TRANSPORT_PARAMETER_ERROR,
      (all) => Buffer.concat([without(all, 0x0a), parameter(0x0a, Buffer.of(21))]),
    ],
    [
      "parameters that are not whole",
      TransportError.TRANSPORT_PARAMETER_ERROR,
      (all) => Buffer.concat([all, Buffer.of(0x2f, 9)]),
    ],
    [
      "no parameters of its own ID",
      TransportError.TRANSPORT_PARAMETER_ERROR,
      () => parameter(0x04, Buffer.of(1)),
    ],
  ])("%s is an error of the transport parameters", (_name, code, change) => {
    const server = serverNode();
    const { hello, source } = firstFlight();
    const destination = randomBytes(8);
    const payload = helloPayload(withParameters(hello, change));
    server.receive(1, [sealInitial({ destination, source, payload })], address);
    expect(codesOf(server, destination)).toContain(code);
  });

  test("no protocol in common is the alert no_application_protocol", () => {
    const server = serverNode({ alpn: ["other"] });
    const { hello, source } = firstFlight();
    const destination = randomBytes(8);
    server.receive(1, [sealInitial({ destination, source, payload: helloPayload(hello) })], address);
    expect(codesOf(server, destination)).toEqual([0x100 + 120]);
  });
});

test("an idle connection after its handshake takes 8 KiB at the most", () => {
  const before = memoryOf(serverNode());
  const rogue = new Rogue();
  rogue.send(...rogue.acks(), f.ping());
  rogue.wait(5000);
  expect(rogue.closed).toBeNull();
  expect(memoryOf(rogue.server) - before).toBeLessThanOrEqual(8192);
});
