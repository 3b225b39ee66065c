// An engine with one QUIC endpoint, driven by hand: datagrams in and out, events as callbacks. Who answers TLS' questions is left to
// those that extend it, so that this runs wherever the engine does.

import type { KeyObject } from "node:crypto";
import type { QuicOption } from "../../assembly/abi/quic.ts";
import { QuestionKind } from "../../assembly/abi/quic.ts";
import { encodeAddress } from "../../host/engine/datagram_batch.ts";
import { Engine } from "../../host/engine/engine.ts";
import { checked } from "../../host/engine/engine_error.ts";
import type { EventSink } from "../../host/engine/event_reader.ts";
import { type LimitOptions, resolveLimits } from "../../host/engine/limits.ts";
import type { QuicEvents } from "../../host/engine/quic_events.ts";
import type { Recorder } from "../../host/engine/recorder.ts";

export interface NodeOptions {
  readonly limits?: LimitOptions;
  readonly options?: readonly (readonly [QuicOption, number])[];
  readonly alpn?: readonly string[];
  readonly groups?: readonly number[];
  readonly shareCount?: number;
  readonly certificate?: {
    /** For those that sign by themselves. */
    readonly key?: KeyObject;
    readonly chain: readonly Uint8Array[];
    readonly names: string[];
    readonly scheme: number;
  };
  readonly root?: Uint8Array;
  readonly seed: number;
  readonly address: string;
  readonly unixMs?: number;
  /** Keeps what the engine is given. */
  readonly recorder?: Recorder;
  /** Of the engine's memory. Default 48 MiB. */
  readonly memoryBytes?: number;
}

const MEMORY_BYTES = 48 * 1024 * 1024;
const KEY_ID = 7;

/** Called with what a node sends. */
export type Send = (payload: Uint8Array, to: Uint8Array, local: number) => void;

/** What a question is answered with: bytes, how many signatures are valid, or null where it cannot be. */
export type Answer = Uint8Array | number | null;

/** What happens on a node; each may be left out. */
export type NodeEvents = Partial<Omit<QuicEvents, "question">>;

/** Events of exchanges. */
export type HttpEvents = Partial<
  Pick<EventSink, "request" | "response" | "informational" | "body" | "end" | "aborted" | "writable">
>;

export abstract class EngineNode {
  readonly engine: Engine;
  readonly endpoint: number;
  readonly config: number;
  /** 20 bytes; a test may change it, as a NAT does. */
  address: Uint8Array;
  events: NodeEvents = {};
  /** What happens to exchanges of HTTP/3; what is left out is passed over. */
  http: HttpEvents = {};
  /** Answers to questions are held back while this is set. */
  holdAnswers = false;
  readonly #held: (() => void)[] = [];
  readonly #sink: EventSink;

  constructor(module: WebAssembly.Module, options: NodeOptions, nowMs: number) {
    const limits = resolveLimits({ connectionCount: 4096, exchangeCount: 4096, ...options.limits });
    const entropy = new Uint8Array(32).fill(options.seed & 0xff);
    new DataView(entropy.buffer).setUint32(0, options.seed);
    this.engine = Engine.create(module, {
      memoryBytes: options.memoryBytes ?? MEMORY_BYTES,
      limits,
      entropy,
      ...(options.recorder === undefined ? {} : { recorder: options.recorder }),
      now: nowMs,
    });
    checked(this.engine.doors.setDate(options.unixMs ?? Date.UTC(2027, 0, 1)), "setting the date");
    const { quic } = this.engine;
    this.config = checked(quic.createConfig(), "making a configuration");
    for (const [option, value] of options.options ?? [])
      checked(quic.setOption(this.config, option, value), "setting an option");
    checked(quic.setAlpn(this.config, options.alpn ?? ["sim"]), "setting ALPN");
    if (options.groups !== undefined)
      checked(quic.setGroups(this.config, options.groups, options.shareCount ?? 1), "setting groups");
    const { certificate } = options;
    if (certificate !== undefined) {
      const { chain, names, scheme } = certificate;
      checked(
        quic.addCertificate(this.config, { keyId: KEY_ID, names, chain, schemes: [scheme] }),
        "adding a certificate",
      );
    }
    if (options.root !== undefined) checked(quic.addRoot(this.config, options.root), "adding a root");
    checked(quic.rotateTicketKey(this.config, new Uint8Array(48).fill(9)), "setting a ticket key");
    this.endpoint = checked(quic.openEndpoint(nowMs), "opening an endpoint");
    if (certificate !== undefined) checked(quic.listen(this.endpoint, this.config), "listening");
    this.address = encodeAddress(options.address, 4433);
    this.#sink = this.#makeSink();
  }

  /** Takes datagrams that arrived at the same time. */
  receive(nowMs: number, payloads: readonly Uint8Array[], from: Uint8Array, local = 0): void {
    const { batch } = this.engine.quic;
    batch.clear();
    for (const payload of payloads) batch.add(payload, from, local);
    let taken = 0;
    while (taken < batch.length) {
      taken += checked(this.engine.quic.receive(this.endpoint, taken, nowMs), "receiving");
      this.read(nowMs);
    }
  }

  /** Sends what there is to send. */
  send(nowMs: number, send: Send): void {
    while (this.engine.quic.poll(this.endpoint, nowMs, send)) this.read(nowMs);
    this.read(nowMs);
  }

  get deadlineMs(): number {
    return this.engine.doors.pollDeadline();
  }

  handleTimeout(nowMs: number): void {
    checked(this.engine.doors.handleTimeout(nowMs), "handling a timeout");
    this.read(nowMs);
  }

  /** Opens a connection to `to`. */
  connect(
    nowMs: number,
    to: Uint8Array,
    serverName: string,
    rest: { ticket?: Uint8Array; token?: Uint8Array } = {},
  ): number {
    const connection = this.engine.quic.connect(
      this.endpoint,
      this.config,
      { address: to, serverName, ...rest },
      nowMs,
    );
    checked(connection, "connecting");
    this.read(nowMs);
    return connection;
  }

  /** Answers what was held back. */
  release(): void {
    for (const answer of this.#held.splice(0)) answer();
  }

  #nowMs = 0;

  read(nowMs: number): void {
    this.#nowMs = nowMs;
    this.engine.readEvents(this.#sink);
  }

  #answer(connection: number, kind: number, question: Uint8Array): void {
    const copy = question.slice();
    const run = () => this.#answerNow(connection, kind, copy);
    if (this.holdAnswers) this.#held.push(run);
    else run();
  }

  #answerNow(connection: number, kind: number, question: Uint8Array): void {
    const { quic } = this.engine;
    const answer = this.answerTo(connection, kind, question);
    if (kind === QuestionKind.VERIFY) quic.answerVerify(connection, answer as number, this.#nowMs);
    else if (answer === null) quic.fail(connection, this.#nowMs);
    else quic.answer(connection, answer as Uint8Array, this.#nowMs);
  }

  protected abstract answerTo(connection: number, kind: number, question: Uint8Array): Answer;

  #makeSink(): EventSink {
    const nothing = () => undefined;
    const quic: QuicEvents = {
      question: (connection, kind, question) => this.#answer(connection, kind, question),
      accepted: (...args) => this.events.accepted?.(...args),
      connected: (...args) => this.events.connected?.(...args),
      confirmed: (...args) => this.events.confirmed?.(...args),
      closed: (...args) => this.events.closed?.(...args),
      stream: (...args) => this.events.stream?.(...args),
      openable: (...args) => this.events.openable?.(...args),
      datagrams: (...args) => this.events.datagrams?.(...args),
      ticket: (...args) => this.events.ticket?.(...args),
      token: (...args) => this.events.token?.(...args),
      keyLog: (...args) => this.events.keyLog?.(...args),
      path: (...args) => this.events.path?.(...args),
      packet: (...args) => this.events.packet?.(...args),
    };
    return {
      request: (...args) => this.http.request?.(...args),
      response: (...args) => this.http.response?.(...args),
      informational: (...args) => this.http.informational?.(...args),
      body: (...args) => this.http.body?.(...args),
      end: (...args) => this.http.end?.(...args),
      aborted: (...args) => this.http.aborted?.(...args),
      peerEnded: nothing,
      writable: (...args) => this.http.writable?.(...args),
      tunnel: nothing,
      transmit: nothing,
      readPause: nothing,
      readResume: nothing,
      close: nothing,
      quic,
    };
  }
}
