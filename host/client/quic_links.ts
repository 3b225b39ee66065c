// The connections of QUIC on a client's instance: its endpoints, one for each family of addresses, and whom their events concern.
//
// Invariant: the owner of a link is told `closed` once, whether the handshake was ever complete or not.

import { CloseFlag, ConnectedFlag, type Engine, type QuicEvents } from "../engine/index.ts";
import { Endpoint, type EngineOwner } from "../quic/endpoint.ts";
import { QuicConnectionError } from "../quic/quic_error.ts";
import { bindDatagrams } from "../transport/runtime_datagrams.ts";
import type { SessionTable } from "../web_transport/session_table.ts";
import type { DatagramSink } from "../transport/datagrams.ts";
import type { KeyObject } from "node:crypto";

/** What the owner of a connection is told. */
export interface LinkOwner {
  /** The handshake is complete, and HTTP/3 was chosen. */
  connected(): void;
  /** The engine has read what arrived: the peer may allow more streams than before. */
  progressed(): void;
  closed(end: QuicConnectionError): void;
  /** What a later connection to the same server may resume with, once. */
  ticket?(ticket: Uint8Array): void;
}

/** An endpoint with its socket. */
export interface ClientEndpoint {
  readonly endpoint: Endpoint;
  /** Keeps the process alive once more, or once less. */
  hold(isHeld: boolean): void;
}

/** Whose the instance is that the connections are on. */
export interface LinksHost {
  readonly engine: Engine;
  /** Sessions of WebTransport, where there may be some. */
  readonly webTransport?: SessionTable;
  /** Why the instance is lost, null while it is not. */
  readonly failure: Error | null;
  now(): number;
  readEvents(): void;
  armTimer(): void;
  fail(error: Error): void;
  /** Runs a call into the engine, whose failure is that of the instance. */
  guarded(call: () => void): void;
}

type Family = 4 | 6;

export class QuicLinks implements EngineOwner {
  readonly events: QuicEvents;
  readonly #client: LinksHost;
  readonly #links = new Map<number, { readonly endpoint: Endpoint; readonly owner: LinkOwner }>();
  readonly #endpoints = new Map<Family, Promise<ClientEndpoint>>();
  readonly #open = new Set<Endpoint>();
  #isStopped = false;

  constructor(client: LinksHost) {
    this.#client = client;
    const nothing = () => undefined;
    this.events = {
      accepted: nothing,
      question: (handle, kind, question) => this.#links.get(handle)?.endpoint.answer(handle, kind, question),
      connected: (handle, flags) => {
        const link = this.#links.get(handle);
        link?.endpoint.forget(handle);
        if (flags & ConnectedFlag.HTTP3) link?.owner.connected();
      },
      confirmed: nothing,
      closed: (handle, flags, code, reason, status) => {
        const isApplication = (flags & CloseFlag.APPLICATION) !== 0;
        const isRemote = (flags & CloseFlag.REMOTE) !== 0;
        this.#lose(handle, new QuicConnectionError({ code, isApplication, isRemote, reason, status }));
      },
      stream: (_connection, stream, news, _id, code) => client.webTransport?.streamNews(stream, news, code),
      openable: (handle) => client.webTransport?.openable(handle),
      datagrams: nothing,
      ticket: (handle, ticket) => this.#links.get(handle)?.owner.ticket?.(ticket.slice()),
      token: nothing,
      keyLog: nothing,
      path: nothing,
    };
  }

  get engine(): Engine {
    return this.#client.engine;
  }

  get isFailed(): boolean {
    return this.#client.failure !== null;
  }

  now(): number {
    return this.#client.now();
  }

  readEvents(): void {
    this.#client.readEvents();
    for (const { owner } of [...this.#links.values()]) owner.progressed();
  }

  armTimer(): void {
    this.#client.armTimer();
  }

  fail(error: unknown): void {
    this.#client.fail(error as Error);
  }

  /** The endpoint for addresses of a family, opened when it is first asked for. Rejects where UDP cannot be bound. */
  endpoint(family: Family, privateKeys: readonly KeyObject[]): Promise<ClientEndpoint> {
    let endpoint = this.#endpoints.get(family);
    if (endpoint === undefined) {
      this.#endpoints.set(family, (endpoint = this.#bind(family, privateKeys)));
      // Another attempt may find a port that is free.
      endpoint.catch(() => this.#endpoints.delete(family));
    }
    return endpoint;
  }

  /** Whom the events of a connection concern. */
  add(handle: number, endpoint: Endpoint, owner: LinkOwner): void {
    this.#links.set(handle, { endpoint, owner });
  }

  /** Sends what the endpoints have to send. */
  flush(): void {
    for (const endpoint of this.#open) endpoint.flush();
  }

  /** The instance is lost: no connection of it hears anything any more. */
  failed(end: QuicConnectionError): void {
    for (const handle of [...this.#links.keys()]) this.#lose(handle, end);
    for (const endpoint of this.#open) void endpoint.close();
    this.#open.clear();
  }

  /** Says what there is left to say, and frees the sockets. */
  stop(): void {
    this.#isStopped = true;
    if (!this.isFailed) this.#client.guarded(() => this.flush());
    for (const endpoint of this.#open) void endpoint.close();
    this.#open.clear();
  }

  #lose(handle: number, end: QuicConnectionError): void {
    const link = this.#links.get(handle);
    if (link === undefined) return;
    this.#links.delete(handle);
    link.endpoint.forget(handle);
    link.owner.closed(end);
  }

  async #bind(family: Family, privateKeys: readonly KeyObject[]): Promise<ClientEndpoint> {
    let sink: DatagramSink | null = null;
    const socket = await bindDatagrams(
      { host: family === 6 ? "::" : "0.0.0.0" },
      {
        onDatagram: (payload, host, port) => sink?.onDatagram(payload, host, port),
        onClose: (error) => sink?.onClose(error),
      },
    );
    if (this.#isStopped || this.isFailed) {
      await socket.close();
      throw new Error("the client was closed");
    }
    const endpoint = new Endpoint(this, privateKeys);
    sink = endpoint;
    endpoint.addSocket(socket);
    this.#open.add(endpoint);
    socket.unref();
    let holdCount = 0;
    return {
      endpoint,
      hold: (isHeld) => {
        holdCount += isHeld ? 1 : -1;
        if (holdCount === 1 && isHeld) socket.ref();
        if (holdCount === 0) socket.unref();
      },
    };
  }
}
