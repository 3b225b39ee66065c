// What a server refuses in a ClientHello, and with which alert: each field and each extension as wrong as it can be.

import { beforeAll, describe, expect, test } from "vitest";
import { selfSigned } from "./identities.ts";
import type { ClientHelloParts, Extension } from "./messages.ts";
import {
  Type,
  alpn,
  clientHello,
  helloExtensions,
  shares,
  u16,
  u32,
  u8,
  vector,
  versions,
  withExtension,
  without,
} from "./messages.ts";
import { Config, ConfigFlag, shortStrings } from "./config.ts";
import { Room } from "./room.ts";
import { Level, Role, Session } from "./session.ts";

const HANDSHAKE_FAILURE = 40;
const ILLEGAL_PARAMETER = 47;
const DECODE_ERROR = 50;
const PROTOCOL_VERSION = 70;
const MISSING_EXTENSION = 109;
const NO_APPLICATION_PROTOCOL = 120;

const identity = selfSigned("ed25519", "localhost");
const fake = { isFake: true };
let room: Room;
let config: Config;

beforeAll(async () => {
  room = await Room.create();
  const flags = ConfigFlag.ANY_CERTIFICATE | ConfigFlag.EARLY_DATA;
  const options = { flags, certificates: [identity], ticketKey: Buffer.alloc(48, 1) };
  config = new Config(room, options);
});

/** The alert of a server that reads this first; 0 when it goes on. */
function serverAlert(flight: Uint8Array): number {
  const server = new Session(config, Role.SERVER, fake);
  const status = server.receive(Level.INITIAL, flight);
  const alert = status < 0 ? server.alert : 0;
  server.free();
  return alert;
}

const changed = (...change: Extension[]): ClientHelloParts => ({
  extensions: change.reduce<readonly Extension[]>(withExtension, helloExtensions),
});
const lacking = (...types: number[]): ClientHelloParts => ({
  extensions: without(helloExtensions, ...types),
});
const psk = (identities: Uint8Array, binders: Uint8Array): Extension => [
  41,
  Buffer.concat([vector(2, identities), vector(2, binders)]),
];
const anIdentity = Buffer.concat([vector(2, Buffer.alloc(200, 1)), u32(7)]);
const aBinder = vector(1, Buffer.alloc(32, 2));

describe("a ClientHello", () => {
  test.each<[string, ClientHelloParts, number]>([
    ["as it should be", {}, 0],
    ["of an earlier version", lacking(43), PROTOCOL_VERSION],
    ["without TLS 1.3 among its versions", changed([43, vector(1, u16(0x0303))]), PROTOCOL_VERSION],
    [
      "with GREASE everywhere",
      {
        suites: u16(0x1a1a, 0x1301),
        extensions: [
          [0x2a2a, Buffer.alloc(0)],
          ...withExtension(helloExtensions, [43, vector(1, u16(0x3a3a, 0x0304))]),
          [0x4a4a, u8(0)],
        ],
      },
      0,
    ],
    [
      "with ECH, ALPS and compressed certificates offered",
      changed([0xfe0d, Buffer.alloc(100)], [17613, vector(2, shortStrings(["h3"]))], [27, vector(1, u16(2))]),
      0,
    ],
    [
      "with certificate authorities, which are not looked at",
      changed([47, vector(2, vector(2, Buffer.of(0x30, 0)))]),
      0,
    ],
    ["with another legacy version", { version: 0x0304 }, ILLEGAL_PARAMETER],
    ["with compression", { compression: u8(1) }, ILLEGAL_PARAMETER],
    ["with compression besides none", { compression: Buffer.of(0, 1) }, ILLEGAL_PARAMETER],
    ["with a session id", { sessionId: Buffer.alloc(32) }, ILLEGAL_PARAMETER],
    ["with a session id that is too long", { sessionId: Buffer.alloc(33) }, DECODE_ERROR],
    ["without suites", { suites: Buffer.alloc(0) }, DECODE_ERROR],
    ["with half a suite", { suites: u8(0x13) }, DECODE_ERROR],
    ["with no common suite", { suites: u16(0xc02f, 0x1304) }, HANDSHAKE_FAILURE],
    ["with bytes behind its extensions", { rest: u8(0) }, DECODE_ERROR],
    ["with an extension twice", { extensions: [...helloExtensions, alpn] }, ILLEGAL_PARAMETER],
    [
      "with an unknown extension twice",
      { extensions: [...helloExtensions, [9999, u8(0)], [9999, u8(0)]] },
      ILLEGAL_PARAMETER,
    ],
    ["with an extension of another message", changed([48, vector(2)]), ILLEGAL_PARAMETER],
    [
      "with more extensions than anybody sends",
      {
        extensions: [
          ...helloExtensions,
          ...Array.from({ length: 100 }, (_, index): Extension => [20_000 + index, u8(0)]),
        ],
      },
      DECODE_ERROR,
    ],
    ["without groups", lacking(10), MISSING_EXTENSION],
    ["without shares", lacking(51), MISSING_EXTENSION],
    ["without schemes", lacking(13), MISSING_EXTENSION],
    ["without transport parameters", lacking(57), MISSING_EXTENSION],
    ["without protocols", lacking(16), NO_APPLICATION_PROTOCOL],
    ["with empty transport parameters", changed([57, Buffer.alloc(0)]), 0],
    ["without shares in its list, and so asked again", changed([51, vector(2)]), 0],
    ["with empty groups", changed([10, vector(2)]), DECODE_ERROR],
    ["with half a group", changed([10, vector(2, u8(0))]), DECODE_ERROR],
    [
      "with no common group",
      changed([10, vector(2, u16(0x0018))], [51, vector(2, u16(0x0018), vector(2, Buffer.alloc(97)))]),
      HANDSHAKE_FAILURE,
    ],
    ["with empty schemes", changed([13, vector(2)]), DECODE_ERROR],
    ["with no common scheme", changed([13, vector(2, u16(0x0603))]), HANDSHAKE_FAILURE],
    ["with half a scheme for certificates", changed([50, vector(2, u8(0))]), DECODE_ERROR],
    ["with empty protocols", changed([16, vector(2)]), DECODE_ERROR],
    ["with a protocol without a name", changed([16, vector(2, u8(0))]), DECODE_ERROR],
    ["with a protocol cut off", changed([16, vector(2, Buffer.of(5, 0x68))]), DECODE_ERROR],
    ["with no common protocol", changed([16, vector(2, shortStrings(["h2"]))]), NO_APPLICATION_PROTOCOL],
    ["with half a version", changed([43, vector(1, u8(3))]), DECODE_ERROR],
    ["with versions and more", changed([43, Buffer.concat([versions[1], u8(0)])]), DECODE_ERROR],
    ["with an empty share", changed([51, vector(2, u16(0x001d), vector(2))]), DECODE_ERROR],
    [
      "with a share too short",
      changed([51, vector(2, u16(0x001d), vector(2, Buffer.alloc(31)))]),
      ILLEGAL_PARAMETER,
    ],
    [
      "with a share too long",
      changed([51, vector(2, u16(0x001d), vector(2, Buffer.alloc(33)))]),
      ILLEGAL_PARAMETER,
    ],
    ["with a share cut off", changed([51, vector(2, u16(0x001d, 32), Buffer.alloc(31))]), DECODE_ERROR],
    [
      "with two shares of a group",
      changed([51, vector(2, shares[1].subarray(2), shares[1].subarray(2))]),
      ILLEGAL_PARAMETER,
    ],
    ["with a share of a group it does not support", changed([10, vector(2, u16(0x0017))]), ILLEGAL_PARAMETER],
    ["with an empty list of names", changed([0, vector(2)]), DECODE_ERROR],
    ["with an empty name", changed([0, vector(2, u8(0), vector(2))]), DECODE_ERROR],
    [
      "with two names",
      changed([0, vector(2, u8(0), vector(2, u8(97)), u8(0), vector(2, u8(98)))]),
      ILLEGAL_PARAMETER,
    ],
    ["with a name of another kind", changed([0, vector(2, u8(7), vector(2, u8(97)))]), 0],
    ["with a NUL in its name", changed([0, vector(2, u8(0), vector(2, u8(0)))]), ILLEGAL_PARAMETER],
    ["with a name too long", changed([0, vector(2, u8(0), vector(2, Buffer.alloc(256, 97)))]), DECODE_ERROR],
    ["with early data but no key for it", changed([42, Buffer.alloc(0)]), MISSING_EXTENSION],
    ["with a ticket that is not ours", changed(psk(anIdentity, aBinder)), 0],
    [
      "with a ticket that is not last",
      { extensions: [psk(anIdentity, aBinder), ...helloExtensions] },
      ILLEGAL_PARAMETER,
    ],
    [
      "with a ticket but no modes",
      { extensions: [...without(helloExtensions, 45), psk(anIdentity, aBinder)] },
      MISSING_EXTENSION,
    ],
    ["with empty modes", changed([45, vector(1)], psk(anIdentity, aBinder)), DECODE_ERROR],
    [
      "with only the mode without a key exchange",
      changed([45, vector(1, u8(0))], psk(anIdentity, aBinder)),
      0,
    ],
    [
      "with fewer binders than tickets",
      changed(psk(Buffer.concat([anIdentity, anIdentity]), aBinder)),
      ILLEGAL_PARAMETER,
    ],
    [
      "with more binders than tickets",
      changed(psk(anIdentity, Buffer.concat([aBinder, aBinder]))),
      ILLEGAL_PARAMETER,
    ],
    ["with an empty ticket", changed(psk(Buffer.concat([vector(2), u32(0)]), aBinder)), DECODE_ERROR],
    ["with a binder too short", changed(psk(anIdentity, vector(1, Buffer.alloc(31)))), DECODE_ERROR],
    ["with no ticket at all", changed(psk(Buffer.alloc(0), Buffer.alloc(0))), DECODE_ERROR],
    [
      "with tickets and more",
      changed([41, Buffer.concat([psk(anIdentity, aBinder)[1], u8(0)])]),
      DECODE_ERROR,
    ],
  ])("%s", (_name, parts, alert) => {
    expect(serverAlert(clientHello(parts))).toBe(alert);
  });

  test("with a session id is a PROTOCOL_VIOLATION of QUIC", () => {
    const server = new Session(config, Role.SERVER, fake);
    server.receive(Level.INITIAL, clientHello({ sessionId: Buffer.alloc(32) }));
    expect(room.doors.errorCode!(server.status)).toBe(0x0a);
    server.free();
  });

  const retried = changed([51, vector(2)]);
  test.each<[string, ClientHelloParts, number]>([
    ["as it should be", {}, 0],
    ["without the share that was asked for", retried, ILLEGAL_PARAMETER],
    [
      "with a share of another group",
      changed([51, vector(2, u16(0x0017), vector(2, Buffer.alloc(65, 4)))]),
      ILLEGAL_PARAMETER,
    ],
    [
      "with a share too many",
      changed([51, vector(2, shares[1].subarray(2), u16(0x0017), vector(2, Buffer.alloc(65, 4)))]),
      ILLEGAL_PARAMETER,
    ],
    ["with early data", changed([42, Buffer.alloc(0)]), ILLEGAL_PARAMETER],
    ["without the suite that was settled", { suites: u16(0x1301) }, ILLEGAL_PARAMETER],
  ])("that answers a HelloRetryRequest, %s", (_name, parts, alert) => {
    const server = new Session(config, Role.SERVER, fake);
    expect(server.receive(Level.INITIAL, clientHello(retried))).toBe(0);
    expect(server.output(Level.INITIAL)[0]).toBe(Type.SERVER_HELLO);
    server.receive(Level.INITIAL, clientHello(parts));
    expect(server.status < 0 ? server.alert : 0).toBe(alert);
    server.free();
  });
});
