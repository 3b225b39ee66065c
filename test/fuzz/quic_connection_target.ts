// Two endpoints of QUIC under a peer gone mad: datagrams of handshakes that are damaged on their way, and, after a handshake, packets
// that are genuine but whose frames are garbage, half garbage, or right and in the wrong place. The victim's application reads, writes,
// resets and lets go of streams at random, and time passes at random.
//
// A round fails when the module traps, when a door refuses what a host may do, when a victim that is left alone does not end its
// connection in time, and when memory is not what it was before, once all connections are over.

import { StreamNews } from "../../assembly/abi/quic.ts";
import type { QuicNode } from "../sim/quic_node.ts";
import * as f from "../wire/quic/frames.ts";
import { clientNode, memoryOf, sent, serverNode } from "../wire/quic/nodes.ts";
import { Rogue } from "../wire/quic/rogue.ts";
import { damaged, datagram, frames } from "./quic_frames.ts";
import { Random } from "./random.ts";
import type { FuzzTarget } from "./target.ts";

const PACKETS_MOST = 40;
/** Longer than any deadline of a connection. */
const OVER_MS = 200_000;
const STEPS_MOST = 100_000;

export function quicConnectionTarget(): FuzzTarget {
  const site = new Site();
  return {
    round(seed) {
      const random = new Random(seed);
      if (random.oneIn(3)) site.damageHandshake(random);
      else site.takePeersPlace(random);
      site.settle();
    },
  };
}

class Site {
  readonly #server = serverNode();
  readonly #client = clientNode();
  #nowMs = 1;
  readonly #before: number[];

  constructor() {
    // A connection from beginning to end: what is kept for good is there after it.
    this.takePeersPlace(new Random(0));
    this.#end();
    this.#before = this.#memory();
  }

  /** A handshake, and some bytes, whose datagrams are damaged, repeated, left out, or garbage. */
  damageHandshake(random: Random): void {
    const [server, client] = [this.#server, this.#client];
    server.events = { stream: playWithStreams(server, random, () => this.#nowMs) };
    client.events = {
      stream: playWithStreams(client, random, () => this.#nowMs),
      connected: (connection) => {
        const stream = client.engine.quic.openStream(connection, random.oneIn(2));
        if (stream > 0)
          client.engine.quic.writeStream(connection, stream, random.bytes(3000), true, this.#nowMs);
      },
    };
    client.connect(this.#nowMs, server.address, "attack.test");
    const often = 1 + random.below(12);
    const carry = (from: QuicNode, to: QuicNode) => {
      for (const { payload } of sent(from, this.#nowMs)) {
        const all = [payload];
        if (random.oneIn(often)) all[0] = damaged(random, payload);
        if (random.oneIn(often)) all.push(damaged(random, payload));
        if (random.oneIn(often)) all.push(datagram(random, 8));
        if (random.oneIn(often)) all.shift();
        if (random.oneIn(often)) all.push(Buffer.concat([payload, datagram(random, 8)]).subarray(0, 1500));
        const whole = all.filter(({ length }) => length > 0 && length <= 1500);
        to.receive(this.#nowMs, whole, from.address);
      }
    };
    for (let step = random.below(40); step > 0; step--) {
      carry(client, server);
      carry(server, client);
      this.#pass(random.below(100));
    }
  }

  /** A whole handshake, then packets of one side that nobody honest would send. */
  takePeersPlace(random: Random): void {
    const role = random.oneIn(2) ? "client" : "server";
    const rogue = new Rogue({
      role,
      nodes: { server: this.#server, client: this.#client },
      nowMs: this.#nowMs,
    });
    const play = playWithStreams(rogue.victim, random, () => rogue.nowMs);
    rogue.victim.events.stream = play;
    if (random.oneIn(2)) openSome(rogue, random);
    for (let left = random.below(PACKETS_MOST); left > 0 && rogue.closed === null; left--) {
      rogue.push([this.#packet(rogue, random)]);
      if (random.oneIn(2)) rogue.flush();
      if (random.oneIn(4)) rogue.wait(random.below(60));
    }
    this.#nowMs = rogue.nowMs;
    if (rogue.closed === null && random.oneIn(2))
      rogue.victim.engine.quic.close(rogue.connection, 1n, "enough", this.#nowMs);
  }

  #packet(rogue: Rogue, random: Random): Buffer {
    const parts: Uint8Array[] = [];
    for (let left = 1 + random.below(4); left > 0; left--) parts.push(oneFrame(rogue, random));
    let payload: Buffer = Buffer.concat(parts).subarray(0, 1300);
    if (random.oneIn(4)) payload = damaged(random, payload).subarray(0, 1300);
    const skipped = random.oneIn(6) ? random.below(300) : 0;
    rogue.number += skipped;
    const firstByte = random.oneIn(20) ? 0x40 | (random.below(16) << 2) : 0x40;
    const packet = rogue.packet([payload], rogue.number++, firstByte);
    return random.oneIn(20) ? damaged(random, packet).subarray(0, 1500) : packet;
  }

  /** Lets a time pass on both sides. */
  #pass(ms: number): void {
    this.#nowMs += ms;
    for (const node of [this.#server, this.#client]) {
      for (let steps = 0; node.deadlineMs <= this.#nowMs; steps++) {
        if (steps > STEPS_MOST) throw new Error("time stands still");
        node.handleTimeout(this.#nowMs);
        sent(node, this.#nowMs);
      }
    }
  }

  /** Both sides are left alone until nothing is left. */
  #end(): void {
    const end = this.#nowMs + OVER_MS;
    for (const node of [this.#server, this.#client]) {
      node.events = {};
      sent(node, this.#nowMs);
      for (let steps = 0; node.deadlineMs <= end; steps++) {
        if (steps > STEPS_MOST) throw new Error("a connection that is left alone does not end");
        const nowMs = Math.max(this.#nowMs, node.deadlineMs);
        node.handleTimeout(nowMs);
        sent(node, nowMs);
      }
      if (node.engine.quic.connectionCount(node.endpoint) !== 0)
        throw new Error(`${node.engine.quic.connectionCount(node.endpoint)} connections are left`);
    }
    this.#nowMs = end;
    this.#pass(0);
  }

  settle(): void {
    this.#end();
    const after = this.#memory();
    if (after.some((bytes, index) => bytes > (this.#before[index] as number)))
      throw new Error(`bytes in use grew from ${this.#before.join(", ")} to ${after.join(", ")}`);
  }

  /** Retired blocks are freed by the next call of a door. */
  #memory(): number[] {
    return [this.#server, this.#client].map((node) => {
      node.handleTimeout(this.#nowMs);
      return memoryOf(node);
    });
  }
}

/** A frame: honest, honest in the wrong place, or garbage. */
function oneFrame(rogue: Rogue, random: Random): Uint8Array {
  const id = random.below(random.oneIn(8) ? 500 : 12);
  const offset = random.below(random.oneIn(8) ? 300_000 : 2000);
  switch (random.below(12)) {
    case 0:
      return Buffer.concat(rogue.acks());
    case 1:
      return f.resetStream(id, random.below(9), offset);
    case 2:
      return f.stopSending(id, random.below(9));
    case 3:
      return f.newConnectionId(1 + random.below(12), random.below(4), random.bytes(8));
    case 4:
      return f.retireConnectionId(random.below(10));
    case 5:
      return f.pathChallenge(random.next());
    case 6:
      return f.crypto(offset, random.bytes(random.below(100)));
    case 7:
      return frames(random).subarray(0, 600);
    case 8:
      return f.frame(0x10 + random.below(8), random.below(100_000), random.below(1000));
    default:
      return f.stream(id, offset, random.bytes(random.below(300)), random.oneIn(5));
  }
}

/** The victim opens streams of its own. */
function openSome(rogue: Rogue, random: Random): void {
  const { quic } = rogue.victim.engine;
  for (let left = random.below(5); left > 0; left--) {
    const stream = quic.openStream(rogue.connection, random.oneIn(2));
    if (stream <= 0) return;
    quic.writeStream(
      rogue.connection,
      stream,
      random.bytes(random.below(5000)),
      random.oneIn(2),
      rogue.nowMs,
    );
  }
}

/** An application without a plan. */
function playWithStreams(node: QuicNode, random: Random, now: () => number) {
  return (connection: number, stream: number, news: number): void => {
    const { quic } = node.engine;
    if ((news & StreamNews.CLOSED) !== 0) return;
    switch (random.below(8)) {
      case 0:
        return void quic.resetStream(connection, stream, 3n, now());
      case 1:
        return void quic.stopStream(connection, stream, 4n, now());
      case 2:
        return void quic.writeStream(
          connection,
          stream,
          random.bytes(random.below(2000)),
          random.oneIn(3),
          now(),
        );
      case 3:
        return void quic.releaseStream(stream);
      default:
        for (let bytes = quic.peekStream(stream); bytes.length !== 0; bytes = quic.peekStream(stream))
          quic.consumeStream(connection, stream, 1 + random.below(bytes.length), now());
    }
  };
}
