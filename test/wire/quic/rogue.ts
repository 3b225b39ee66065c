// A peer that follows no rule: the engine's own client or server shakes hands with the victim, then the test takes its place, with its
// keys (RFC 9001 §5), its address and its connection IDs, and sends whatever packets it likes.

import type { QuicNode } from "../../sim/quic_node.ts";
import { ack, type Frame, readFrames } from "./frames.ts";
import { type Changes, clientNode, sent, serverNode } from "./nodes.ts";
import { PacketKeys } from "./packet_keys.ts";

const ID_BYTES = 8;
const NUMBER_AT = 1 + ID_BYTES;
/** Above all numbers that the honest handshake has used. */
const FIRST_NUMBER = 1000;

export interface Closed {
  readonly flags: number;
  readonly code: number;
  readonly status: number;
}

export interface RogueOptions {
  /** Whom the test plays. */
  readonly role?: "client" | "server";
  readonly server?: Changes;
  readonly client?: Changes;
  /** Nodes that are there already, instead of new ones, and what time it is for them. */
  readonly nodes?: { readonly server: QuicNode; readonly client: QuicNode };
  readonly nowMs?: number;
}

export class Rogue {
  readonly server: QuicNode;
  readonly client: QuicNode;
  readonly victim: QuicNode;
  /** The victim's handle of the connection. */
  readonly connection: number = 0;
  nowMs = 1;
  /** Number of the next packet. */
  number = FIRST_NUMBER;
  /** How the victim's connection ended, by its own event. */
  closed: Closed | null = null;
  /** Everything that the victim sent since the test took over, opened. */
  readonly frames: Frame[] = [];
  /** The largest number of these packets. */
  largest = -1;
  /** Numbers of these packets that were not acknowledged, in order. */
  #unacknowledged: number[] = [];
  datagrams = 0;
  bytes = 0;
  /** From where packets come. */
  address: Uint8Array;
  writeKeys: PacketKeys;
  readKeys: PacketKeys;
  /** Connection ID of the victim's that packets go to. */
  destination: Buffer;

  constructor({ role = "client", server = {}, client = {}, nodes, nowMs = 1 }: RogueOptions = {}) {
    this.nowMs = nowMs;
    this.server = nodes?.server ?? serverNode(server);
    this.client = nodes?.client ?? clientNode(client);
    const isClient = role === "client";
    this.victim = isClient ? this.server : this.client;
    const secrets = new Map<string, Buffer>();
    const ids: { client: Buffer; server: Buffer } = { client: Buffer.alloc(0), server: Buffer.alloc(0) };
    let connection = 0;
    let isConfirmed = false;
    this.server.events = { accepted: (handle) => (connection = handle) };
    this.client.events = {
      keyLog: (_connection, lines) => {
        for (const line of lines.trim().split("\n")) {
          const [label = "", , secret = ""] = line.split(" ");
          secrets.set(label, Buffer.from(secret, "hex"));
        }
      },
      confirmed: () => (isConfirmed = true),
    };
    const ofClient = this.client.connect(this.nowMs, this.server.address, "attack.test");
    for (let round = 0; round < 20 || !isConfirmed; round++) {
      if (round > 100) throw new Error("the handshake does not end");
      for (const { payload } of sent(this.client, this.nowMs)) {
        if ((payload[0]! & 0x80) !== 0) ids.client = sourceOf(payload);
        this.server.receive(this.nowMs, [payload], this.client.address);
      }
      for (const { payload } of sent(this.server, this.nowMs)) {
        if ((payload[0]! & 0x80) !== 0) ids.server = sourceOf(payload);
        this.client.receive(this.nowMs, [payload], this.server.address);
      }
      this.nowMs += 1;
      for (const node of [this.client, this.server])
        if (node.deadlineMs <= this.nowMs) node.handleTimeout(this.nowMs);
    }
    this.connection = isClient ? connection : ofClient;
    const keys = {
      client: new PacketKeys(secrets.get("CLIENT_TRAFFIC_SECRET_0") as Buffer),
      server: new PacketKeys(secrets.get("SERVER_TRAFFIC_SECRET_0") as Buffer),
    };
    this.writeKeys = isClient ? keys.client : keys.server;
    this.readKeys = isClient ? keys.server : keys.client;
    this.destination = isClient ? ids.server : ids.client;
    this.address = isClient ? this.client.address : this.server.address;
    this.victim.events = {
      ...this.victim.events,
      closed: (handle, flags, code, _reason, status) => {
        if (handle === this.connection) this.closed = { flags, code: Number(code), status };
      },
    };
  }

  /** A 1-RTT packet with these frames. `firstByte` is without the bits of the number's length. */
  packet(frames: readonly Uint8Array[], number = this.number++, firstByte = 0x40): Buffer {
    const payload = Buffer.concat(frames);
    // RFC 9001 §5.4.2: enough for the sample.
    const padded = payload.length < 4 ? Buffer.concat([payload, Buffer.alloc(4)]) : payload;
    const header = Buffer.concat([Buffer.of(firstByte | 0x03), this.destination, Buffer.alloc(4)]);
    return this.writeKeys.seal(header, number, padded);
  }

  /** Sends frames in one packet, then reads what the victim answers. */
  send(...frames: readonly Uint8Array[]): void {
    this.deliver([this.packet(frames)]);
  }

  /** Hands datagrams to the victim, then reads what it answers. */
  deliver(datagrams: readonly Uint8Array[]): void {
    this.push(datagrams);
    this.flush();
  }

  /** Hands datagrams to the victim, which is not asked for an answer yet. */
  push(datagrams: readonly Uint8Array[]): void {
    // What fits the receive region at once.
    const most = 32;
    for (let at = 0; at < datagrams.length; at += most)
      this.victim.receive(this.nowMs, datagrams.slice(at, at + most), this.address);
  }

  /** Lets time pass, timers included. */
  wait(ms: number): void {
    const end = this.nowMs + ms;
    while (this.nowMs < end) {
      this.nowMs = Math.min(end, Math.max(this.victim.deadlineMs, this.nowMs + 0.5));
      if (this.victim.deadlineMs <= this.nowMs) this.victim.handleTimeout(this.nowMs);
      this.flush();
    }
  }

  /** Reads what the victim sends. */
  flush(): void {
    for (const { payload } of sent(this.victim, this.nowMs)) {
      this.datagrams++;
      this.bytes += payload.length;
      if ((payload[0]! & 0x80) !== 0) continue;
      const opened = this.readKeys.open(payload, NUMBER_AT, this.largest);
      if (opened === null) continue;
      this.largest = Math.max(this.largest, opened.number);
      this.#unacknowledged.push(opened.number);
      this.frames.push(...readFrames(opened.payload));
    }
  }

  /** ACK frames for all packets that came since the last call: one for each run of numbers, as an honest peer acknowledges. */
  acks(): Buffer[] {
    const numbers = this.#unacknowledged.splice(0).sort((a, b) => a - b);
    const frames: Buffer[] = [];
    let first = 0;
    numbers.forEach((number, index) => {
      if (numbers[index + 1] === number + 1) return;
      frames.push(ack(number, index - first));
      first = index + 1;
    });
    return frames;
  }

  /** Frames of a type that the victim has sent. */
  framesOf(type: number): Frame[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  /** The error code of the CONNECTION_CLOSE that the victim has sent; undefined when it sent none. */
  get closeCode(): number | undefined {
    return this.framesOf(0x1c)[0]?.values[0] as number | undefined;
  }
}

/** Source Connection ID of a long header. */
export function sourceOf(datagram: Buffer): Buffer {
  const at = 6 + (datagram[5] as number);
  return datagram.subarray(at + 1, at + 1 + (datagram[at] as number));
}
