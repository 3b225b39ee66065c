// A client and a server of QUIC over a network without weather: datagrams take some milliseconds, and a test may look at them, keep
// them back, or change where they seem to come from.

import { QuicOption } from "../../assembly/abi/quic.ts";
import { SignatureScheme } from "../../host/crypto/signature.ts";
import type { KeyObject } from "node:crypto";
import { type NodeOptions, QuicNode } from "./quic_node.ts";

/** A datagram under way. */
export interface Flying {
  readonly toServer: boolean;
  readonly payload: Uint8Array;
  /** Whom it goes to, and the sender's number of the socket that it leaves by. */
  readonly to: Uint8Array;
  readonly local: number;
  /** Where it comes from, and the receiver's number of the socket that it arrives by. */
  from: Uint8Array;
  arrivesBy: number;
}

export interface PairOptions {
  readonly server?: Partial<NodeOptions>;
  readonly client?: Partial<NodeOptions>;
  readonly latencyMs?: number;
}

export interface Identity {
  readonly key: KeyObject;
  readonly chain: readonly Uint8Array[];
  readonly names: string[];
}

const STEPS_MOST = 200_000;

export class QuicPair {
  readonly server: QuicNode;
  readonly client: QuicNode;
  nowMs = 1;
  /** The client's connection, and the server's once it is accepted. */
  connection = 0;
  serverConnection = 0;
  /** Called with each datagram as it is sent: false drops it. */
  pass: (datagram: Flying) => boolean = () => true;
  readonly #latencyMs: number;
  readonly #flying: (Flying & { readonly atMs: number })[] = [];
  readonly #serverName: string;

  constructor(module: WebAssembly.Module, identity: Identity, options: PairOptions = {}) {
    const { key, chain, names } = identity;
    this.#latencyMs = options.latencyMs ?? 20;
    this.#serverName = names[0] as string;
    const certificate = { key, chain, names, scheme: SignatureScheme.ED25519 };
    this.server = new QuicNode(
      module,
      { seed: 1, address: "198.51.100.1", certificate, ...options.server },
      this.nowMs,
    );
    this.client = new QuicNode(
      module,
      { seed: 2, address: "192.0.2.1", root: chain[0], ...options.client },
      this.nowMs,
    );
  }

  /** Opens the client's connection and runs for `ms`. */
  connect(ms = 1000): void {
    this.server.events.accepted = (connection) => (this.serverConnection = connection);
    this.connection = this.client.connect(this.nowMs, this.server.address, this.#serverName);
    this.run(ms);
  }

  /** Lets `ms` pass, with all that happens meanwhile. */
  run(ms: number): void {
    const endMs = this.nowMs + ms;
    for (let step = 0; step < STEPS_MOST; step++) {
      this.flush();
      const arrivalMs = this.#flying[0]?.atMs ?? Infinity;
      const nextMs = Math.min(arrivalMs, this.client.deadlineMs, this.server.deadlineMs);
      if (nextMs > endMs) {
        this.nowMs = endMs;
        return;
      }
      this.nowMs = Math.max(this.nowMs, nextMs);
      while ((this.#flying[0]?.atMs ?? Infinity) <= this.nowMs) this.#arrive(this.#flying.shift() as Flying);
      for (const node of [this.client, this.server])
        if (node.deadlineMs <= this.nowMs) node.handleTimeout(this.nowMs);
    }
    throw new Error("time stands still");
  }

  /** Has both sides send what is due. */
  flush(): void {
    this.#send(true);
    this.#send(false);
  }

  #send(toServer: boolean): void {
    const sender = toServer ? this.client : this.server;
    sender.send(this.nowMs, (payload, to, local) => {
      const datagram = {
        toServer,
        payload: payload.slice(),
        to: to.slice(),
        local,
        from: sender.address,
        arrivesBy: 0,
        atMs: this.nowMs + this.#latencyMs,
      };
      if (this.pass(datagram)) this.#flying.push(datagram);
    });
  }

  #arrive(datagram: Flying): void {
    const receiver = datagram.toServer ? this.server : this.client;
    receiver.receive(this.nowMs, [datagram.payload], datagram.from, datagram.arrivesBy);
  }
}

/** Options that have no path probed for its size, so that what is sent is what a test asks for. */
export const NO_PROBES: NodeOptions["options"] = [[QuicOption.MTU_MOST, 1200]];
