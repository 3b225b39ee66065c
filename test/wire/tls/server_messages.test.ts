// What a client refuses in a server's messages, and with which alert: each field and each extension as wrong as it can be.

import { beforeAll, describe, expect, test } from "vitest";
import { selfSigned } from "./identities.ts";
import type { Extension, ServerHelloParts } from "./messages.ts";
import {
  Type,
  alpn,
  chosenAlpn,
  encryptedExtensions,
  extensions,
  message,
  parameters,
  pskModes,
  schemes,
  serverHello,
  serverShare,
  serverVersion,
  u16,
  u32,
  u8,
  vector,
} from "./messages.ts";
import { Config, ConfigFlag, shortStrings } from "./config.ts";
import { Room } from "./room.ts";
import { Level, Role, Session } from "./session.ts";

const UNEXPECTED_MESSAGE = 10;
const ILLEGAL_PARAMETER = 47;
const DECODE_ERROR = 50;
const PROTOCOL_VERSION = 70;
const MISSING_EXTENSION = 109;
const UNSUPPORTED_EXTENSION = 110;
const NO_APPLICATION_PROTOCOL = 120;

const identity = selfSigned("ed25519", "localhost");
/** CLIENT_CONNECTED of assembly/tls/handshake_state.ts. */
const clientConnected = 7;
const fake = { isFake: true };
let room: Room;
let config: Config;

beforeAll(async () => {
  room = await Room.create();
  const flags = ConfigFlag.ANY_CERTIFICATE | ConfigFlag.EARLY_DATA;
  const options = { flags, certificates: [identity], ticketKey: Buffer.alloc(48, 1) };
  config = new Config(room, options);
});

/** The alert of a client that reads these, each at its level; 0 when it goes on. */
function clientAlert(...flight: (readonly [Level, Uint8Array])[]): number {
  const client = new Session(config, Role.CLIENT, fake);
  client.setServerName("localhost");
  client.start();
  for (const [level, bytes] of flight) client.receive(level, bytes);
  const alert = client.status < 0 ? client.alert : 0;
  client.free();
  return alert;
}

describe("a ServerHello", () => {
  const answering = (...list: Extension[]): ServerHelloParts => ({ extensions: list });
  const retry = (...list: Extension[]): ServerHelloParts => ({
    isRetry: true,
    extensions: [serverVersion, ...list],
  });
  test.each<[string, ServerHelloParts, number]>([
    ["as it should be", {}, 0],
    ["of an earlier version", answering(serverShare), PROTOCOL_VERSION],
    ["of another version", answering([43, u16(0x0303)], serverShare), ILLEGAL_PARAMETER],
    ["with another legacy version", { version: 0x0304 }, ILLEGAL_PARAMETER],
    ["with a session id", { sessionId: u8(1) }, ILLEGAL_PARAMETER],
    ["with a suite that was not offered", { suite: 0x1304 }, ILLEGAL_PARAMETER],
    ["with compression", { compression: 1 }, ILLEGAL_PARAMETER],
    ["without a share", answering(serverVersion), MISSING_EXTENSION],
    [
      "with a share of a group that none was sent of",
      answering(serverVersion, [51, Buffer.concat([u16(0x0017), vector(2, Buffer.alloc(65, 4))])]),
      ILLEGAL_PARAMETER,
    ],
    [
      "with a share too short",
      answering(serverVersion, [51, Buffer.concat([u16(0x001d), vector(2, Buffer.alloc(31))])]),
      ILLEGAL_PARAMETER,
    ],
    [
      "with a share and more",
      answering(serverVersion, [51, Buffer.concat([serverShare[1], u8(0)])]),
      DECODE_ERROR,
    ],
    [
      "with a ticket selected that was not offered",
      answering(serverVersion, serverShare, [41, u16(0)]),
      UNSUPPORTED_EXTENSION,
    ],
    [
      "with an unknown extension",
      answering(serverVersion, serverShare, [9999, u8(0)]),
      UNSUPPORTED_EXTENSION,
    ],
    [
      "with an extension of another message",
      answering(serverVersion, serverShare, chosenAlpn),
      ILLEGAL_PARAMETER,
    ],
    ["with an extension twice", answering(serverVersion, serverShare, serverVersion), ILLEGAL_PARAMETER],
    ["that asks for another group", retry([51, u16(0x0017)]), 0],
    ["that asks for a cookie", retry([44, vector(2, u8(1))]), 0],
    ["that asks for nothing", retry(), ILLEGAL_PARAMETER],
    ["that asks for the share that was sent", retry([51, u16(0x001d)]), ILLEGAL_PARAMETER],
    ["that asks for a group that was not offered", retry([51, u16(0x0018)]), ILLEGAL_PARAMETER],
    ["that asks for an empty cookie", retry([44, vector(2)]), DECODE_ERROR],
    [
      "that asks for a cookie too large to send",
      retry([44, vector(2, Buffer.alloc(5000))]),
      ILLEGAL_PARAMETER,
    ],
  ])("%s", (_name, parts, alert) => {
    const client = new Session(config, Role.CLIENT, fake);
    client.start();
    client.receive(Level.INITIAL, serverHello(parts));
    expect(client.status < 0 ? client.alert : 0).toBe(alert);
    client.free();
  });

  test("that asks a second time is unexpected", () => {
    const cookie = serverHello(retry([44, vector(2, u8(1))]));
    expect(clientAlert([Level.INITIAL, cookie], [Level.INITIAL, cookie])).toBe(UNEXPECTED_MESSAGE);
  });

  test("with another suite than was settled is illegal", () => {
    const cookie = serverHello(retry([44, vector(2, u8(1))]));
    const hello = serverHello({ suite: 0x1301 });
    expect(clientAlert([Level.INITIAL, cookie], [Level.INITIAL, hello])).toBe(ILLEGAL_PARAMETER);
  });
});

describe("what a server says after its hello", () => {
  const hello = [Level.INITIAL, serverHello()] as const;
  test.each<[string, readonly Extension[], number]>([
    ["as it should be", [chosenAlpn, parameters], 0],
    [
      "with groups and its name acknowledged",
      [chosenAlpn, parameters, [10, vector(2, u16(0x1d))], [0, Buffer.alloc(0)]],
      0,
    ],
    ["without a protocol", [parameters], NO_APPLICATION_PROTOCOL],
    ["without transport parameters", [chosenAlpn], MISSING_EXTENSION],
    ["with two protocols", [[16, vector(2, shortStrings(["h3", "h3"]))], parameters], DECODE_ERROR],
    [
      "with a protocol that was not offered",
      [[16, vector(2, shortStrings(["h2"]))], parameters],
      ILLEGAL_PARAMETER,
    ],
    ["with a name that is not empty", [chosenAlpn, parameters, [0, u8(1)]], DECODE_ERROR],
    [
      "with early data that was not offered",
      [chosenAlpn, parameters, [42, Buffer.alloc(0)]],
      UNSUPPORTED_EXTENSION,
    ],
    ["with a share", [chosenAlpn, parameters, serverShare], ILLEGAL_PARAMETER],
    ["with an unknown extension", [chosenAlpn, parameters, [9999, u8(0)]], UNSUPPORTED_EXTENSION],
    ["with an extension twice", [chosenAlpn, parameters, chosenAlpn], ILLEGAL_PARAMETER],
  ])("EncryptedExtensions %s", (_name, list, alert) => {
    expect(clientAlert(hello, [Level.HANDSHAKE, encryptedExtensions(list)])).toBe(alert);
  });

  const request = (context: Uint8Array, list: readonly Extension[]): Buffer =>
    message(Type.CERTIFICATE_REQUEST, vector(1, context), extensions(list));
  const listOf = (...entries: Uint8Array[]): Buffer =>
    message(Type.CERTIFICATE, vector(1), vector(3, ...entries));
  const entry = (bytes: Uint8Array, list: readonly Extension[] = []): Buffer =>
    Buffer.concat([vector(3, bytes), extensions(list)]);
  const leaf = identity.chain[0]!;
  test.each<[string, Buffer, number]>([
    ["a request as it should be", request(Buffer.alloc(0), [schemes]), 0],
    ["a request with a context", request(u8(1), [schemes]), ILLEGAL_PARAMETER],
    ["a request without schemes", request(Buffer.alloc(0), []), MISSING_EXTENSION],
    ["a request with empty schemes", request(Buffer.alloc(0), [[13, vector(2)]]), DECODE_ERROR],
    [
      "a request with what is not known",
      request(Buffer.alloc(0), [schemes, [9999, u8(0)], [48, vector(2)]]),
      0,
    ],
    [
      "a request with an extension of another message",
      request(Buffer.alloc(0), [schemes, pskModes]),
      ILLEGAL_PARAMETER,
    ],
    ["a certificate as it should be", listOf(entry(leaf)), 0],
    ["no certificate", listOf(), DECODE_ERROR],
    ["an empty certificate", listOf(entry(Buffer.alloc(0))), DECODE_ERROR],
    ["a certificate that is none", listOf(entry(Buffer.from("certificate"))), 42],
    [
      "a certificate with a context",
      message(Type.CERTIFICATE, vector(1, u8(1)), vector(3, entry(leaf))),
      ILLEGAL_PARAMETER,
    ],
    [
      "a certificate with a response that was not asked for",
      listOf(entry(leaf, [[5, u8(1)]])),
      UNSUPPORTED_EXTENSION,
    ],
    ["a certificate with an extension of another message", listOf(entry(leaf, [alpn])), ILLEGAL_PARAMETER],
    ["more certificates than anybody has", listOf(...Array.from({ length: 17 }, () => entry(leaf))), 42],
  ])("%s", (_name, bytes, alert) => {
    expect(clientAlert(hello, [Level.HANDSHAKE, encryptedExtensions()], [Level.HANDSHAKE, bytes])).toBe(
      alert,
    );
  });

  test.each<[string, number, number]>([
    ["the scheme of the key", 0x0807, 0],
    ["a scheme of another key", 0x0403, ILLEGAL_PARAMETER],
    ["a scheme of PKCS #1", 0x0401, ILLEGAL_PARAMETER],
    ["an unknown scheme", 0x0203, ILLEGAL_PARAMETER],
  ])("a signature with %s", (_name, scheme, alert) => {
    const verify = message(Type.CERTIFICATE_VERIFY, u16(scheme), vector(2, Buffer.alloc(64)));
    const flight = Buffer.concat([encryptedExtensions(), listOf(entry(leaf)), verify]);
    expect(clientAlert(hello, [Level.HANDSHAKE, flight])).toBe(alert);
  });
});

describe("a ticket", () => {
  const ticket = (list: readonly Extension[], lifetime = 3600, bytes = Buffer.alloc(50, 1)): Buffer =>
    message(
      Type.NEW_SESSION_TICKET,
      u32(lifetime),
      u32(1),
      vector(1, u8(0)),
      vector(2, bytes),
      extensions(list),
    );

  test.each<[string, Buffer, number, number]>([
    ["as it should be", ticket([]), 0, 1],
    ["with early data", ticket([[42, u32(0xffffffff)]]), 0, 1],
    ["with what is not known", ticket([[9999, u8(0)]]), 0, 1],
    ["to be thrown away at once", ticket([], 0), 0, 0],
    ["larger than is worth to keep", ticket([], 3600, Buffer.alloc(10_000)), 0, 0],
    ["with early data of another size", ticket([[42, u32(1000)]]), 0x0a, 0],
    ["with a size cut off", ticket([[42, u16(0)]]), 0x100 + DECODE_ERROR, 0],
    ["that lives too long", ticket([], 604_801), 0x100 + ILLEGAL_PARAMETER, 0],
    ["that is empty", ticket([], 3600, Buffer.alloc(0)), 0x100 + DECODE_ERROR, 0],
    ["with an extension of another message", ticket([alpn]), 0x100 + ILLEGAL_PARAMETER, 0],
    [
      "sent again and again",
      Buffer.concat(Array.from({ length: 65 }, () => ticket([]))),
      0x100 + UNEXPECTED_MESSAGE,
      64,
    ],
  ])("%s", (_name, bytes, code, kept) => {
    const client = new Session(config, Role.CLIENT, fake);
    client.start();
    client.receive(Level.INITIAL, serverHello());
    room.doors.forceState!(client.ptr, clientConnected);
    client.receive(Level.APPLICATION, bytes);
    expect(client.status < 0 ? room.doors.errorCode!(client.status) : 0).toBe(code);
    expect(client.readTickets()).toHaveLength(kept);
    client.free();
  });
});
