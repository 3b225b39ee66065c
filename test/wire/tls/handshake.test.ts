// The whole handshake: the engine's client against the engine's server, node:crypto answering, in every variant that the two
// can agree on, and with the bytes cut everywhere.

import { beforeAll, describe, expect, test } from "vitest";
import { selfSigned } from "./identities.ts";
import { Config, Level, Role, Room, Session, Span, Wanted, converse } from "./room.ts";
import type { ConfigOptions, Cut } from "./room.ts";

let room: Room;

beforeAll(async () => {
  room = await Room.create();
});

const identity = selfSigned("p256", "localhost");

interface Pair {
  client: Session;
  server: Session;
  free(): void;
}

function pairOf(clientOptions: ConfigOptions = {}, serverOptions: ConfigOptions = {}): Pair {
  const clientConfig = new Config(room, clientOptions);
  const serverConfig = new Config(room, { certificates: [identity], ...serverOptions });
  const client = new Session(clientConfig, Role.CLIENT);
  const server = new Session(serverConfig, Role.SERVER);
  return {
    client,
    server,
    free() {
      client.free();
      server.free();
      clientConfig.release();
      serverConfig.release();
    },
  };
}

function expectAgreement({ client, server }: Pair): void {
  expect([client.status, server.status]).toEqual([0, 0]);
  expect([client.isComplete, server.isComplete]).toEqual([true, true]);
  expect(client.span(Span.ALPN)).toEqual(server.span(Span.ALPN));
  const mirrored = server.secrets.map((secret) => ({ ...secret, isWrite: !secret.isWrite }));
  const order = (secrets: typeof mirrored) => secrets.map((secret) => JSON.stringify(secret)).sort();
  expect(order(client.secrets)).toEqual(order(mirrored));
}

describe("a handshake", () => {
  test("of one round trip agrees on everything and leaves nothing behind", () => {
    const before = room.bytesInUse;
    const pair = pairOf();
    pair.client.setServerName("localhost");
    pair.client.start();
    converse(pair.client, pair.server);
    expectAgreement(pair);
    expect(pair.client.secrets.map(({ level, isWrite }) => [level, isWrite])).toEqual([
      [Level.HANDSHAKE, true],
      [Level.HANDSHAKE, false],
      [Level.APPLICATION, true],
      [Level.APPLICATION, false],
    ]);
    expect(pair.server.span(Span.SERVER_NAME).toString()).toBe("localhost");
    expect(pair.server.span(Span.REMOTE_PARAMETERS)).toEqual(Buffer.from([Role.CLIENT, 1, 2, 3]));
    expect(pair.client.span(Span.REMOTE_PARAMETERS)).toEqual(Buffer.from([Role.SERVER, 1, 2, 3]));
    expect(pair.client.peerCertificates()).toEqual(identity.chain);
    expect(pair.client.questions).toEqual([Wanted.KEY_EXCHANGE, Wanted.KEY_EXCHANGE, Wanted.VERIFY]);
    expect(pair.server.questions).toEqual([Wanted.KEY_EXCHANGE, Wanted.SIGN]);
    pair.free();
    expect(room.bytesInUse).toBe(before);
  });

  const everyByte: Cut = (bytes) => [...bytes].map((byte) => Buffer.of(byte));
  test("comes to the same byte by byte", () => {
    const pair = pairOf();
    pair.client.start();
    converse(pair.client, pair.server, everyByte);
    expectAgreement(pair);
    pair.free();
  });
});
