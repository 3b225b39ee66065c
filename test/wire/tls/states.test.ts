// What is refused by its place: every message in every state and at every level, and every message cut at every byte. No
// cryptography is done here, so all of it can be tried.

import { beforeAll, describe, expect, test } from "vitest";
import { selfSigned } from "./identities.ts";
import {
  Type,
  clientHello,
  encryptedExtensions,
  serverHello,
  splitMessages,
  u8,
  withBody,
} from "./messages.ts";
import { Config, ConfigFlag } from "./config.ts";
import { Room } from "./room.ts";
import { Level, Role, Session, levels } from "./session.ts";

const UNEXPECTED_MESSAGE = 10;
const ILLEGAL_PARAMETER = 47;
const DECODE_ERROR = 50;
const DECRYPT_ERROR = 51;

const identity = selfSigned("ed25519", "localhost");
const fake = { isFake: true };
let room: Room;
let config: Config;
let asking: Config;

beforeAll(async () => {
  room = await Room.create();
  const flags = ConfigFlag.ANY_CERTIFICATE | ConfigFlag.EARLY_DATA;
  const options = { flags, certificates: [identity], ticketKey: Buffer.alloc(48, 1) };
  config = new Config(room, options);
  asking = new Config(room, { ...options, clientAuth: 1 });
});

/** The alert of a server that reads this first; 0 when it goes on. */
function serverAlert(flight: Uint8Array): number {
  const server = new Session(config, Role.SERVER, fake);
  const status = server.receive(Level.INITIAL, flight);
  const alert = status < 0 ? server.alert : 0;
  server.free();
  return alert;
}

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

/** The states, by name: which messages each expects, and at which level. */
const expected: Readonly<Record<number, readonly [level: Level, ...types: Type[]]>> = {
  0: [Level.INITIAL],
  1: [Level.INITIAL, Type.SERVER_HELLO],
  2: [Level.HANDSHAKE, Type.ENCRYPTED_EXTENSIONS],
  3: [Level.HANDSHAKE, Type.CERTIFICATE_REQUEST, Type.CERTIFICATE],
  4: [Level.HANDSHAKE, Type.CERTIFICATE],
  5: [Level.HANDSHAKE, Type.CERTIFICATE_VERIFY],
  6: [Level.HANDSHAKE, Type.FINISHED],
  7: [Level.APPLICATION, Type.NEW_SESSION_TICKET],
  8: [Level.INITIAL, Type.CLIENT_HELLO],
  9: [Level.INITIAL, Type.CLIENT_HELLO],
  10: [Level.HANDSHAKE, Type.CERTIFICATE],
  11: [Level.HANDSHAKE, Type.CERTIFICATE_VERIFY],
  12: [Level.HANDSHAKE, Type.FINISHED],
  13: [Level.APPLICATION],
};
const states = Object.keys(expected).map(Number);
const clientConnected = 7;
const firstServerState = 8;

describe("every message in every state", () => {
  test.each(states)(
    "state %i takes what it expects, at its level, and refuses all else by the first byte",
    (state) => {
      const [ownLevel, ...types] = expected[state]!;
      const wrong: unknown[] = [];
      for (let type = 0; type < 256; type++) {
        for (const level of levels) {
          const session = new Session(config, state < firstServerState ? Role.CLIENT : Role.SERVER, fake);
          room.doors.forceState!(session.ptr, state);
          session.receive(level, u8(type));
          const isExpected = level === ownLevel && types.includes(type);
          const isRefused = session.status < 0 && session.alert === UNEXPECTED_MESSAGE;
          if (isRefused === isExpected) wrong.push([type, level, session.status]);
          session.free();
        }
      }
      expect(wrong).toEqual([]);
    },
  );

  test("asks QUIC for PROTOCOL_VIOLATION where a certificate is asked for after the handshake", () => {
    const session = new Session(config, Role.CLIENT, fake);
    room.doors.forceState!(session.ptr, clientConnected);
    session.receive(Level.APPLICATION, u8(Type.CERTIFICATE_REQUEST));
    expect(room.doors.errorCode!(session.status)).toBe(0x0a);
    session.free();
  });

  test("nothing more is taken after a failure", () => {
    const server = new Session(config, Role.SERVER, fake);
    const failed = server.receive(Level.INITIAL, u8(99));
    expect(server.receive(Level.INITIAL, clientHello())).toBe(failed);
    expect(server.output(Level.INITIAL)).toHaveLength(0);
    server.free();
  });

  test("no message may go on at another level", () => {
    const server = new Session(config, Role.SERVER, fake);
    server.receive(Level.INITIAL, clientHello().subarray(0, 10));
    server.receive(Level.HANDSHAKE, clientHello().subarray(10));
    expect(server.alert).toBe(UNEXPECTED_MESSAGE);
    server.free();
    expect(clientAlert([Level.INITIAL, Buffer.concat([serverHello(), encryptedExtensions()])])).toBe(
      UNEXPECTED_MESSAGE,
    );
  });

  test("a message longer than allowed is refused by its header", () => {
    expect(serverAlert(Buffer.of(1, 0xff, 0xff, 0xff))).toBe(ILLEGAL_PARAMETER);
  });
});

type Step = readonly [to: Role, level: Level, bytes: Buffer];

/** A whole handshake with a client's certificate and a ticket, message by message, and again up to any of them. */
function replay(onMessage: (step: Step, session: Session, index: number) => boolean): void {
  const client = new Session(asking, Role.CLIENT, fake);
  const server = new Session(asking, Role.SERVER, fake);
  client.setServerName("localhost");
  client.start();
  let index = 0;
  let isMoving = true;
  while (isMoving) {
    isMoving = false;
    for (const [from, to, role] of [
      [client, server, Role.SERVER],
      [server, client, Role.CLIENT],
    ] as const) {
      for (const level of levels) {
        for (const bytes of splitMessages(from.output(level))) {
          isMoving = true;
          if (!onMessage([role, level, bytes], to, index++)) {
            client.free();
            server.free();
            return;
          }
          to.receive(level, bytes);
        }
      }
    }
  }
  client.free();
  server.free();
}

describe("every message", () => {
  const recorded = (): Step[] => {
    const steps: Step[] = [];
    replay((step) => {
      steps.push(step);
      return true;
    });
    return steps;
  };

  test("comes up in the handshake that is tried", () => {
    expect(recorded().map(([, , bytes]) => bytes[0])).toEqual([1, 2, 8, 13, 11, 15, 20, 11, 15, 20]);
  });

  test("that is cut short anywhere, with its length corrected, fails cleanly", () => {
    for (const [target, [, , bytes]] of recorded().entries()) {
      for (let length = 0; length < bytes.length - 4; length++) {
        replay(([, level], session, index) => {
          if (index !== target) return true;
          session.receive(level, withBody(bytes, bytes.subarray(4, 4 + length)));
          expect([target, length, session.status < 0]).toEqual([target, length, true]);
          return false;
        });
      }
    }
  });

  test("that is cut short and not corrected is waited for", () => {
    for (const [target] of recorded().entries()) {
      replay(([, level, bytes], session, index) => {
        if (index !== target) return true;
        session.receive(level, bytes.subarray(0, -1));
        expect(session.status).toBe(0);
        return false;
      });
    }
  });

  test("that is longer than it says is a decode_error", () => {
    for (const [target] of recorded().entries()) {
      replay(([, level, bytes], session, index) => {
        if (index !== target) return true;
        session.receive(level, withBody(bytes, Buffer.concat([bytes.subarray(4), u8(0)])));
        expect([target, session.alert]).toEqual([target, DECODE_ERROR]);
        return false;
      });
    }
  });

  test("Finished with any bit wrong is a decrypt_error", () => {
    for (const target of [6, 9]) {
      for (let bit = 0; bit < 32 * 8; bit += 5) {
        replay(([, level, bytes], session, index) => {
          if (index !== target) return true;
          const wrong = Buffer.from(bytes);
          wrong[4 + (bit >> 3)]! ^= 1 << (bit & 7);
          session.receive(level, wrong);
          expect(session.alert).toBe(DECRYPT_ERROR);
          return false;
        });
      }
    }
  });
});
