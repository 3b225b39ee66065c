// TLS under garbage: two sessions that talk while their messages are damaged, cut, repeated, reordered and sent at wrong levels, whose
// host answers late, wrongly or not at all, in memory that may be full at any moment.
//
// A round fails when the module traps, when a session goes on after it has failed, or when something is left over after
// everything was given back. No cryptography is done by the host, so rounds are quick and the same from the same seed.

import { selfSigned } from "../wire/tls/identities.ts";
import { splitMessages, withBody } from "../wire/tls/messages.ts";
import { Config, ConfigFlag } from "../wire/tls/config.ts";
import type { Room } from "../wire/tls/room.ts";
import { Level, Role, Session, Wanted, levels } from "../wire/tls/session.ts";
import type { Random as RandomType } from "./random.ts";
import { Random } from "./random.ts";
import type { FuzzTarget } from "./target.ts";

const STEPS = 60;
const PAGE_BYTES = 65_536;
/** The table of tickets that were used is a page that stays. */
const LASTING_BYTES = PAGE_BYTES;

const identity = selfSigned("ed25519", "localhost");

export function tlsTarget(room: Room): FuzzTarget {
  return {
    round(seed) {
      const random = new Random(seed);
      room.restart(seed, random.oneIn(4) ? random.pick([2, 3, 4]) * PAGE_BYTES : 64 * PAGE_BYTES);
      let round: Round;
      try {
        round = new Round(room, random);
      } catch (error) {
        // Memory was full before anything had begun.
        if (error instanceof Error && /no room|refused/.test(error.message)) return;
        throw error;
      }
      round.run();
      const left = room.bytesInUse;
      if (left !== 0 && left !== LASTING_BYTES) throw new Error(`${left} bytes are left over`);
    },
  };
}

class Round {
  readonly #random: RandomType;
  readonly #configs: [Config, Config];
  readonly #sessions: [Session, Session];

  constructor(room: Room, random: RandomType) {
    this.#random = random;
    const flags = ConfigFlag.EARLY_DATA | (random.oneIn(4) ? 0 : ConfigFlag.ANY_CERTIFICATE);
    const certificates = random.oneIn(3) ? [] : [identity];
    const groups = [0x001d, 0x0017];
    this.#configs = [
      new Config(room, {
        flags,
        certificates,
        roots: identity.chain,
        groups,
        shareCount: 1 + random.below(2),
      }),
      new Config(room, {
        flags,
        certificates: [identity],
        roots: identity.chain,
        groups: random.oneIn(4) ? [0x0017] : groups,
        clientAuth: random.below(3),
        ticketKey: Buffer.alloc(48, 1),
      }),
    ];
    this.#sessions = [this.#open(Role.CLIENT), this.#open(Role.SERVER)];
  }

  #open(role: Role): Session {
    const session = new Session(this.#configs[role], role, { isFake: true, isLate: true });
    if (role === Role.CLIENT) session.setServerName("localhost");
    return session;
  }

  run(): void {
    const [client] = this.#sessions;
    client.start();
    for (let step = 0; step < STEPS; step++) this.#step();
    for (const session of this.#sessions) session.free();
    for (const config of this.#configs) config.release();
  }

  #step(): void {
    const random = this.#random;
    const session = random.pick(this.#sessions);
    const before = session.status;
    if (random.oneIn(3)) this.#answer(session);
    else this.#deliver(session);
    session.takeSecrets();
    if (random.oneIn(4)) session.readTickets();
    if (before < 0 && session.status !== before) throw new Error("a session goes on after it has failed");
    if (session.status < 0 && session.wanted !== Wanted.NONE) throw new Error("a failed session asks");
    if (random.oneIn(40)) this.#restart();
  }

  /** Both begin again; the client perhaps with a ticket that it has, damaged or not. */
  #restart(): void {
    const [old, oldServer] = this.#sessions;
    const tickets = old.readTickets();
    try {
      const client = this.#open(Role.CLIENT);
      old.free();
      this.#sessions[Role.CLIENT] = client;
      if (tickets.length > 0) client.setResumption(this.#damage(tickets[0] as Buffer));
      client.start();
      const server = this.#open(Role.SERVER);
      oldServer.free();
      this.#sessions[Role.SERVER] = server;
    } catch (error) {
      if (!(error instanceof Error) || !/no room|refused/.test(error.message)) throw error;
    }
  }

  #answer(session: Session): void {
    const random = this.#random;
    if (random.oneIn(12)) {
      session.answerWith(Buffer.alloc(random.pick([0, 1, 2, 34, 67, 5000]), random.below(256)));
    } else if (random.oneIn(30)) {
      session.answerNot();
    } else {
      session.answer();
    }
  }

  #deliver(to: Session): void {
    const random = this.#random;
    const [client, server] = this.#sessions;
    const from = to === client ? server : client;
    for (const level of levels) {
      let messages = splitMessages(from.output(level));
      if (random.oneIn(12)) messages = messages.map((bytes) => this.#damage(bytes));
      if (random.oneIn(20) && messages.length > 0) messages.push(random.pick(messages));
      if (random.oneIn(20)) messages.reverse();
      const flight = Buffer.concat(messages);
      const sentAt = random.oneIn(40) ? random.pick([Level.INITIAL, Level.EARLY, Level.HANDSHAKE]) : level;
      for (let at = 0; at < flight.length;) {
        const end = random.oneIn(2) ? flight.length : at + 1 + random.below(flight.length);
        to.receive(sentAt, flight.subarray(at, end));
        at = end;
      }
    }
  }

  #damage(bytes: Buffer): Buffer {
    const random = this.#random;
    const damaged = Buffer.from(bytes);
    if (damaged.length <= 4) return damaged;
    const at = random.below(damaged.length);
    switch (random.below(5)) {
      case 0:
        damaged[at] = random.below(256);
        return damaged;
      case 1:
        damaged[at]! ^= 1 << random.below(8);
        return damaged;
      case 2:
        return withBody(damaged, damaged.subarray(4, 4 + random.below(damaged.length - 3)));
      case 3:
        return withBody(damaged, Buffer.concat([damaged.subarray(4, at), damaged.subarray(4)]));
      default:
        return withBody(
          damaged,
          Buffer.concat([damaged.subarray(4), Buffer.alloc(random.below(40), random.below(256))]),
        );
    }
  }
}
