// The whole handshake: the engine's client against the engine's server, node:crypto answering, in every variant that the two
// can agree on, and with the bytes cut everywhere.

import { beforeAll, describe, expect, test } from "vitest";
import { Group, hasMlKem } from "../../../host/crypto/key_exchange.ts";
import { der, selfSigned } from "./identities.ts";
import type { ConfigOptions } from "./config.ts";
import { Config, ConfigFlag } from "./config.ts";
import { Room } from "./room.ts";
import type { Cut } from "./session.ts";
import { Level, Role, Session, Span, Wanted, converse } from "./session.ts";

let room: Room;

beforeAll(async () => {
  room = await Room.create();
});

const AES_128 = 0x1301;
const AES_256 = 0x1302;
const CHACHA20 = 0x1303;
const suites = [AES_128, AES_256, CHACHA20];
const OPTIONAL = 1;
const REQUIRED = 2;

/** Bytes that pass for a certificate as long as nobody looks into them. */
const padded = (length: number): Buffer => der(0x30, Buffer.alloc(length, 1));

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

  test("comes to the same when each flight is cut in two anywhere", () => {
    const flights = 1200;
    for (let at = 1; at < flights; at += 7) {
      const pair = pairOf();
      pair.client.start();
      converse(pair.client, pair.server, (bytes) => [bytes.subarray(0, at), bytes.subarray(at)]);
      expectAgreement(pair);
      pair.free();
    }
  });

  test("waits for a host that answers late, and holds what comes meanwhile", () => {
    const clientConfig = new Config(room);
    const serverConfig = new Config(room, { certificates: [identity] });
    const client = new Session(clientConfig, Role.CLIENT, { isLate: true });
    const server = new Session(serverConfig, Role.SERVER, { isLate: true });
    client.start();
    client.answer();
    for (let turn = 0; turn < 12; turn++) {
      converse(client, server);
      client.answer();
      client.takeSecrets();
      server.answer();
      server.takeSecrets();
    }
    const pair: Pair = { client, server, free: () => undefined };
    expectAgreement(pair);
    client.free();
    server.free();
  });

  test.each(suites)("runs with suite %i", (suite) => {
    const pair = pairOf({}, { suite });
    pair.client.start();
    converse(pair.client, pair.server);
    expectAgreement(pair);
    expect(pair.server.suite).toBe(suite);
    pair.free();
  });

  test("prefers ChaCha20 where the client has it", () => {
    const pair = pairOf({ suite: AES_128 });
    pair.client.start();
    converse(pair.client, pair.server);
    expect(pair.server.suite).toBe(CHACHA20);
    pair.free();
  });

  test.each([Group.X25519, Group.SECP256R1, ...(hasMlKem ? [Group.X25519MLKEM768] : [])])(
    "runs with group %i",
    (group) => {
      const pair = pairOf({ groups: [group] }, { groups: [group] });
      pair.client.start();
      converse(pair.client, pair.server);
      expectAgreement(pair);
      expect(pair.client.group).toBe(group);
      pair.free();
    },
  );

  test("carries the shares of a hybrid group whatever is in them", () => {
    const publicBytes = { client: 1216, server: 1120 };
    const secret = Buffer.alloc(64, 7);
    const framed = (length: number) =>
      Buffer.concat([Buffer.of(length >> 8, length & 255), Buffer.alloc(length, 9)]);
    const config = new Config(room, { groups: [Group.X25519MLKEM768], certificates: [identity] });
    const client = new Session(config, Role.CLIENT, {
      keyExchange: (question) => (question[0] === 1 ? framed(publicBytes.client) : secret),
    });
    const server = new Session(config, Role.SERVER, {
      keyExchange: () => Buffer.concat([framed(publicBytes.server), secret]),
    });
    client.start();
    converse(client, server);
    expectAgreement({ client, server, free: () => undefined });
  });

  test("offers several shares at once", () => {
    const groups = [Group.SECP256R1, Group.X25519];
    const pair = pairOf({ groups, shareCount: 2 });
    pair.client.start();
    converse(pair.client, pair.server);
    expectAgreement(pair);
    expect(pair.server.group).toBe(Group.X25519);
    pair.free();
  });

  test.each(suites)("asks for another share when it has to, suite %i", (suite) => {
    const pair = pairOf({ groups: [Group.X25519, Group.SECP256R1] }, { groups: [Group.SECP256R1], suite });
    pair.client.start();
    converse(pair.client, pair.server);
    expectAgreement(pair);
    expect(pair.client.group).toBe(Group.SECP256R1);
    expect(pair.client.questions.filter((kind) => kind === Wanted.KEY_EXCHANGE)).toHaveLength(3);
    pair.free();
  });

  test.each(["p256", "p384", "ed25519", "rsa"] as const)("runs with a certificate of %s", (kind) => {
    const pair = pairOf({}, { certificates: [selfSigned(kind, "kind.test")] });
    pair.client.start();
    converse(pair.client, pair.server);
    expectAgreement(pair);
    pair.free();
  });

  test("carries a chain of many KiB", () => {
    const chain = [...identity.chain, ...Array.from({ length: 9 }, () => padded(1500))];
    const pair = pairOf({}, { certificates: [{ ...identity, chain }] });
    pair.client.start();
    const cut: Cut = (bytes) =>
      Array.from({ length: Math.ceil(bytes.length / 1100) }, (_, index) =>
        bytes.subarray(index * 1100, (index + 1) * 1100),
      );
    converse(pair.client, pair.server, cut);
    expectAgreement(pair);
    expect(pair.client.peerCertificates()).toEqual(chain);
    pair.free();
  });

  test("derives the same for an application on both sides", () => {
    const pair = pairOf();
    pair.client.start();
    expect(pair.client.export("EXPORTER-test", "context", 40)).toBeUndefined();
    converse(pair.client, pair.server);
    const exported = pair.client.export("EXPORTER-test", "context", 40);
    expect(exported).toHaveLength(40);
    expect(pair.server.export("EXPORTER-test", "context", 40)).toEqual(exported);
    expect(pair.server.export("EXPORTER-test", "other", 40)).not.toEqual(exported);
    pair.free();
  });

  test("writes a key log where it is asked for", () => {
    const flags = ConfigFlag.ANY_CERTIFICATE | ConfigFlag.KEY_LOG;
    const pair = pairOf({ flags }, { flags });
    pair.client.start();
    converse(pair.client, pair.server);
    const lines = pair.client.readKeyLog().trimEnd().split("\n").sort();
    expect(pair.server.readKeyLog().trimEnd().split("\n").sort()).toEqual(lines);
    expect(lines.map((line) => line.split(" ", 1)[0])).toEqual([
      "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
      "CLIENT_TRAFFIC_SECRET_0",
      "EXPORTER_SECRET",
      "SERVER_HANDSHAKE_TRAFFIC_SECRET",
      "SERVER_TRAFFIC_SECRET_0",
    ]);
    const [, , secret] = lines[0]!.split(" ");
    expect(pair.client.secrets[0]!.secret).toBe(secret);
    pair.free();
  });
});

describe("the server's name", () => {
  const certificates = [
    selfSigned("p256", "default.test"),
    selfSigned("p256", "*.wild.test"),
    selfSigned("p256", "exact.wild.test"),
    selfSigned("ed25519", "exact.wild.test"),
  ];

  test.each([
    ["", 0],
    ["unknown.test", 0],
    ["a.wild.test", 1],
    ["A.WILD.test", 1],
    ["a.b.wild.test", 0],
    ["wild.test", 0],
    ["exact.wild.test", 2],
  ])("%s chooses its certificate", (name, index) => {
    const pair = pairOf({}, { certificates });
    if (name !== "") pair.client.setServerName(name);
    pair.client.start();
    converse(pair.client, pair.server);
    expectAgreement(pair);
    expect(pair.client.peerCertificates()).toEqual(certificates[index]!.chain);
    pair.free();
  });
});

describe("the application protocol", () => {
  test("is the server's first that the client offers", () => {
    const pair = pairOf({ alpn: ["a", "b", "h3"] }, { alpn: ["x", "h3", "b"] });
    pair.client.start();
    converse(pair.client, pair.server);
    expect(pair.client.span(Span.ALPN).toString()).toBe("h3");
    pair.free();
  });

  test("that nobody shares ends the handshake", () => {
    const pair = pairOf({ alpn: ["a"] }, { alpn: ["b"] });
    pair.client.start();
    converse(pair.client, pair.server);
    expect(pair.server.alert).toBe(120);
    pair.free();
  });
});

describe("a client's certificate", () => {
  const mine = selfSigned("p256", "client.test");

  test.each([
    { clientAuth: OPTIONAL, certificates: [mine], isComplete: true, shown: 1 },
    { clientAuth: OPTIONAL, certificates: [], isComplete: true, shown: 0 },
    { clientAuth: REQUIRED, certificates: [mine], isComplete: true, shown: 1 },
    { clientAuth: REQUIRED, certificates: [], isComplete: false, shown: 0 },
  ])("is asked for ($clientAuth) and shown ($shown)", ({ clientAuth, certificates, isComplete, shown }) => {
    const pair = pairOf({ certificates }, { clientAuth });
    pair.client.start();
    converse(pair.client, pair.server);
    expect(pair.server.isComplete).toBe(isComplete);
    expect(pair.server.peerCertificates()).toHaveLength(shown);
    if (isComplete) expectAgreement(pair);
    else expect(pair.server.alert).toBe(116);
    pair.free();
  });

  test("whose key is another's is refused", () => {
    const other = selfSigned("p256", "other.test");
    const pair = pairOf({ certificates: [{ ...mine, key: other.key }] }, { clientAuth: REQUIRED });
    pair.client.start();
    converse(pair.client, pair.server);
    expect(pair.server.alert).toBe(51);
    pair.free();
  });
});

describe("what is not shared", () => {
  test.each([
    ["suites", { onlySuite: AES_128 }, { onlySuite: AES_256 }],
    ["groups", { groups: [Group.X25519] }, { groups: [Group.SECP256R1] }],
    ["certificates", {}, { certificates: [] }],
  ] satisfies [string, ConfigOptions, ConfigOptions][])(
    "ends with handshake_failure: %s",
    (_name, mine, theirs) => {
      const pair = pairOf(mine, theirs);
      pair.client.start();
      converse(pair.client, pair.server);
      expect(pair.server.alert).toBe(40);
      pair.free();
    },
  );

  test("a share of zeros is illegal", () => {
    const config = new Config(room, { certificates: [identity] });
    const client = new Session(config, Role.CLIENT, {
      keyExchange: () => Buffer.concat([Buffer.of(0, 32), Buffer.alloc(32)]),
    });
    const server = new Session(config, Role.SERVER);
    client.start();
    converse(client, server);
    expect(server.alert).toBe(47);
  });
});
