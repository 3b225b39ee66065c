// Tickets and early data: what a client keeps, when a server takes it again, and that early data is taken once.

import { beforeEach, describe, expect, test } from "vitest";
import { Group } from "../../../host/crypto/key_exchange.ts";
import { selfSigned } from "./identities.ts";
import type { ConfigOptions } from "./config.ts";
import { Config, ConfigFlag } from "./config.ts";
import { Room } from "./room.ts";
import { Early, Level, Role, Session, Span, Wanted, converse } from "./session.ts";

const identity = selfSigned("p256", "localhost");
const start = 1_800_000_000_000;
const ticketKey = Buffer.alloc(48, 7);
const both = ConfigFlag.ANY_CERTIFICATE | ConfigFlag.EARLY_DATA;

let room: Room;

beforeEach(async () => {
  room = await Room.create();
});

interface Ends {
  readonly clients: Config;
  readonly servers: Config;
}

function endsOf(client: ConfigOptions = {}, server: ConfigOptions = {}): Ends {
  return {
    clients: new Config(room, { flags: both, ...client }),
    servers: new Config(room, { flags: both, certificates: [identity], ticketKey, ...server }),
  };
}

interface Options {
  readonly record?: Buffer | undefined;
  readonly atMs?: number;
  readonly name?: string;
  /** By how much the client's clock was wrong about the age of its ticket. */
  readonly skewMs?: number;
}

/** One connection, run to its end. */
function connect(
  { clients, servers }: Ends,
  { record, atMs = start, name = "localhost", skewMs = 0 }: Options = {},
) {
  const client = new Session(clients, Role.CLIENT);
  const server = new Session(servers, Role.SERVER);
  client.setTime(atMs + skewMs);
  server.setTime(atMs);
  client.setServerName(name);
  const isTaken = record !== undefined && client.setResumption(record);
  client.start();
  const remembered = client.span(Span.REMEMBERED_PARAMETERS);
  converse(client, server);
  return { client, server, isTaken, remembered, tickets: client.readTickets() };
}

function firstTicket(ends: Ends): Buffer {
  const { tickets, client } = connect(ends);
  expect(client.isComplete).toBe(true);
  expect(tickets).toHaveLength(2);
  return tickets[0]!;
}

describe("a ticket", () => {
  test.each([0x1301, 0x1302, 0x1303])("resumes a session without certificates, suite %i", (suite) => {
    const ends = endsOf({}, { suite });
    const { client, server, isTaken, tickets } = connect(ends, {
      record: firstTicket(ends),
      atMs: start + 5000,
    });
    expect(isTaken).toBe(true);
    expect([client.isResumed, server.isResumed, client.isComplete, server.isComplete]).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(client.questions).toEqual([Wanted.KEY_EXCHANGE, Wanted.KEY_EXCHANGE]);
    expect(server.questions).toEqual([Wanted.KEY_EXCHANGE]);
    expect(server.suite).toBe(suite);
    expect(tickets).toHaveLength(2);
  });

  test("can be resumed from again and again", () => {
    const ends = endsOf();
    let record = firstTicket(ends);
    for (let round = 1; round < 5; round++) {
      const { client, tickets } = connect(ends, { record, atMs: start + round * 1000 });
      expect(client.isResumed).toBe(true);
      record = tickets[1]!;
    }
  });

  test("survives the rotation of its key twice, not three times", () => {
    const ends = endsOf();
    const record = firstTicket(ends);
    for (const [rotation, isResumed] of [true, true, false].entries()) {
      ends.servers.rotateTicketKey(Buffer.alloc(48, rotation + 100));
      const { client } = connect(ends, { record });
      expect([client.isComplete, client.isResumed]).toEqual([true, isResumed]);
    }
  });

  test("expires after a day", () => {
    const ends = endsOf();
    const record = firstTicket(ends);
    expect(connect(ends, { record, atMs: start + 86_399_000 }).client.isResumed).toBe(true);
    expect(connect(ends, { record, atMs: start + 86_401_000 }).isTaken).toBe(false);
    // The server looks too.
    const { client, server } = connect(ends, { record, atMs: start + 86_401_000, skewMs: -10_000 });
    expect([client.isComplete, server.isResumed]).toEqual([true, false]);
  });

  test("is of one server name", () => {
    const ends = endsOf();
    const record = firstTicket(ends);
    expect(connect(ends, { record, name: "other.test" }).isTaken).toBe(false);
  });

  test("that was changed anywhere is passed over, or refused by its binder", () => {
    const ends = endsOf();
    const record = firstTicket(ends);
    for (let at = 0; at < record.length; at++) {
      const changed = Buffer.from(record);
      changed[at]! ^= 1;
      const { client, server } = connect(ends, { record: changed });
      // A changed key fails its binder; a changed ticket does not open; a changed age or lifetime may still resume.
      if (server.status < 0) expect(server.alert).toBe(51);
      else expect(client.isComplete).toBe(true);
    }
    for (let length = 0; length < record.length; length++) {
      const client = new Session(ends.clients, Role.CLIENT);
      expect(client.setResumption(record.subarray(0, length))).toBe(false);
      client.free();
    }
  });

  test("is not sent without a key, nor to clients that show certificates", () => {
    const without = endsOf();
    const plain = { ...without, servers: new Config(room, { certificates: [identity] }) };
    expect(connect(plain).tickets).toEqual([]);
    expect(connect(endsOf({}, { clientAuth: 1 })).tickets).toEqual([]);
  });

  test("is used after another share was asked for too", () => {
    const ends = endsOf({ groups: [Group.X25519, Group.SECP256R1] });
    const record = firstTicket(ends);
    const retrying = {
      ...ends,
      servers: new Config(room, {
        certificates: [identity],
        ticketKey,
        groups: [Group.SECP256R1],
        flags: both,
      }),
    };
    const { client, server } = connect(retrying, { record });
    expect([client.isComplete, client.isResumed, server.isResumed]).toEqual([true, true, true]);
    expect([client.earlyData, server.earlyData]).toEqual([Early.REJECTED, Early.REJECTED]);
  });

  test("is let go when the hash of the suite has changed", () => {
    const ends = endsOf({}, { onlySuite: 0x1301 });
    const record = firstTicket(ends);
    const other = {
      ...ends,
      servers: new Config(room, { certificates: [identity], ticketKey, onlySuite: 0x1302 }),
    };
    const { client } = connect(other, { record });
    expect([client.isComplete, client.isResumed]).toEqual([true, false]);
  });
});

describe("early data", () => {
  test("is accepted, keyed alike on both sides, with the parameters of before", () => {
    const ends = endsOf();
    const { client, server, remembered } = connect(ends, { record: firstTicket(ends) });
    expect([client.earlyData, server.earlyData]).toEqual([Early.ACCEPTED, Early.ACCEPTED]);
    expect(remembered).toEqual(Buffer.from([Role.SERVER, 1, 2, 3]));
    const [mine] = client.secrets;
    const [theirs] = server.secrets;
    expect(mine).toMatchObject({ level: Level.EARLY, isWrite: true });
    expect(theirs).toMatchObject({
      level: Level.EARLY,
      isWrite: false,
      secret: mine!.secret,
      suite: mine!.suite,
    });
  });

  test("is taken once from a ticket", () => {
    const ends = endsOf();
    const record = firstTicket(ends);
    const outcomes = [0, 1, 2].map(
      (round) => connect(ends, { record, atMs: start + round }).server.earlyData,
    );
    expect(outcomes).toEqual([Early.ACCEPTED, Early.REJECTED, Early.REJECTED]);
  });

  test("is refused when the same first flight comes again", () => {
    const ends = endsOf();
    const client = new Session(ends.clients, Role.CLIENT);
    client.setServerName("localhost");
    expect(client.setResumption(firstTicket(ends))).toBe(true);
    client.start();
    const flight = client.output(Level.INITIAL);
    const outcomes = Array.from({ length: 100 }, () => {
      const server = new Session(ends.servers, Role.SERVER);
      server.receive(Level.INITIAL, flight);
      const outcome = server.earlyData;
      server.free();
      return outcome;
    });
    expect(outcomes.filter((outcome) => outcome === Early.ACCEPTED)).toHaveLength(1);
    // And later, when the table may have forgotten it, because it is stale.
    const late = new Session(ends.servers, Role.SERVER);
    late.setTime(start + 20_001);
    late.receive(Level.INITIAL, flight);
    expect(late.earlyData).toBe(Early.REJECTED);
  });

  test.each([
    [9_000, Early.ACCEPTED],
    [-9_000, Early.ACCEPTED],
    [11_000, Early.REJECTED],
    [-11_000, Early.REJECTED],
  ])("counts as fresh by the age of its ticket, off by %i ms", (skewMs, outcome) => {
    const ends = endsOf();
    const { server, client } = connect(ends, { record: firstTicket(ends), atMs: start + 60_000, skewMs });
    expect(server.earlyData).toBe(outcome);
    expect([client.earlyData, client.isComplete, client.isResumed]).toEqual([outcome, true, true]);
  });

  test("is off unless both want it", () => {
    const off = ConfigFlag.ANY_CERTIFICATE;
    const ends = endsOf();
    const record = firstTicket(ends);
    const server = {
      ...ends,
      servers: new Config(room, { certificates: [identity], ticketKey, flags: off }),
    };
    expect(connect(server, { record }).client.earlyData).toBe(Early.REJECTED);
    const client = { ...ends, clients: new Config(room, { flags: off }) };
    expect(connect(client, { record }).server.earlyData).toBe(Early.NONE);
    const { tickets } = connect(server);
    expect(connect(ends, { record: tickets[0] }).client.earlyData).toBe(Early.NONE);
  });

  test("is refused when what it relies on has changed", () => {
    const ends = endsOf();
    const record = firstTicket(ends);
    room.doors.setEarlyContext!(ends.servers.ptr, 1);
    expect(connect(ends, { record }).server.earlyData).toBe(Early.REJECTED);
  });

  test("is refused when another protocol is chosen", () => {
    const ends = endsOf({ alpn: ["h3", "other"] }, { alpn: ["h3"] });
    const record = firstTicket(ends);
    const other = {
      ...ends,
      servers: new Config(room, { certificates: [identity], ticketKey, flags: both, alpn: ["other"] }),
    };
    const { client, server } = connect(other, { record });
    expect([client.isComplete, client.earlyData, server.earlyData]).toEqual([
      true,
      Early.REJECTED,
      Early.REJECTED,
    ]);
  });

  test("has a bounded memory, which forgets in time", () => {
    const ends = endsOf({}, { ticketCount: 1 });
    const records = Array.from({ length: 64 }, () => connect(ends).tickets[0]!);
    const outcomes = records.map((record) => connect(ends, { record }).server.earlyData);
    expect(outcomes.every((outcome) => outcome === Early.ACCEPTED)).toBe(true);
  });
});
