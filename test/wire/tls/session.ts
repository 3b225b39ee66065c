// Sessions of the engine's TLS that talk to each other: their questions are answered by node:crypto through host/crypto, as a
// real host does, or by nothing at all where a test is only about what is refused.

import { Group } from "../../../host/crypto/key_exchange.ts";
import { ConnectionKeys, countValidSignatures, readSignQuestion } from "../../../host/crypto/question.ts";
import { signWith } from "../../../host/crypto/signature.ts";
import type { Config } from "./config.ts";
import type { Room } from "./room.ts";
import { check } from "./room.ts";

export const enum Role {
  CLIENT = 0,
  SERVER = 1,
}

export const enum Level {
  INITIAL = 0,
  EARLY = 1,
  HANDSHAKE = 2,
  APPLICATION = 3,
}

export const enum Wanted {
  NONE = 0,
  KEY_EXCHANGE = 1,
  SIGN = 2,
  VERIFY = 3,
}

export const enum Early {
  NONE = 0,
  OFFERED = 1,
  ACCEPTED = 2,
  REJECTED = 3,
}

export const enum Span {
  ALPN = 0,
  REMOTE_PARAMETERS = 1,
  SERVER_NAME = 2,
  PEER_CERTIFICATES = 3,
  REMEMBERED_PARAMETERS = 4,
}

export const levels: readonly Level[] = [Level.INITIAL, Level.EARLY, Level.HANDSHAKE, Level.APPLICATION];

export interface Secret {
  readonly level: Level;
  readonly isWrite: boolean;
  readonly suite: number;
  readonly secret: string;
}

/** What a test may change about how a session is answered. */
export interface Answers {
  /** Leaves questions open until `answer` is called. */
  readonly isLate?: boolean;
  readonly keyExchange?: (question: Uint8Array) => Uint8Array;
  /** Answers without any cryptography, at once: for tests of what is refused, by the thousand. */
  readonly isFake?: boolean;
}

/** Shares of the right length and secrets, the same for everybody. */
function fakeKeyExchange(question: Uint8Array): Uint8Array {
  const isP256 = Buffer.from(question).readUInt16BE(question[0] === 1 ? 2 : 1) === Group.SECP256R1;
  const length = isP256 ? 65 : 32;
  const share = Buffer.concat([Buffer.of(0, length), Buffer.alloc(length, 4)]);
  if (question[0] === 1) return share;
  return question[0] === 2 ? Buffer.alloc(32, 8) : Buffer.concat([share, Buffer.alloc(32, 8)]);
}

export class Session {
  readonly room: Room;
  readonly config: Config;
  readonly ptr: number;
  readonly secrets: Secret[] = [];
  readonly questions: Wanted[] = [];
  readonly #keys = new ConnectionKeys();
  readonly #answers: Answers;

  constructor(config: Config, role: Role, answers: Answers = {}, parameters = Buffer.from([role, 1, 2, 3])) {
    this.config = config;
    this.room = config.room;
    this.#answers = answers;
    const { doors } = this.room;
    this.ptr = doors.tlsOpen!(role, config.ptr);
    if (this.ptr === 0) throw new Error("no room for a session");
    check(doors.tlsSetTransportParameters!(this.ptr, this.room.write(parameters), parameters.length));
    doors.tlsSetTime!(this.ptr, 1_800_000_000_000);
  }

  setTime(unixMs: number): void {
    this.room.doors.tlsSetTime!(this.ptr, unixMs);
  }

  setServerName(name: string): void {
    const bytes = Buffer.from(name);
    check(this.room.doors.tlsSetServerName!(this.ptr, this.room.write(bytes), bytes.length));
  }

  setServerAddress(address: readonly number[]): void {
    const bytes = Uint8Array.from(address);
    check(this.room.doors.tlsSetServerAddress!(this.ptr, this.room.write(bytes), bytes.length));
  }

  setResumption(record: Uint8Array): boolean {
    return this.room.doors.tlsSetResumption!(this.ptr, this.room.write(record), record.length) !== 0;
  }

  start(): void {
    this.room.doors.tlsStart!(this.ptr);
    this.#look();
  }

  /** Gives the session bytes of a level, and answers what it asks. */
  receive(level: Level, bytes: Uint8Array): number {
    this.room.doors.tlsReceive!(this.ptr, level, this.room.write(bytes), bytes.length);
    this.#look();
    return this.status;
  }

  /** Takes the bytes that wait at a level. */
  output(level: Level): Buffer {
    const parts: Buffer[] = [];
    for (;;) {
      const length = this.room.doors.readOutput!(this.ptr, level, this.room.scratch, 65536);
      if (length === 0) return Buffer.concat(parts);
      parts.push(this.room.read(this.room.scratch, length));
    }
  }

  get status(): number {
    return this.room.doors.statusOf!(this.ptr);
  }

  get alert(): number {
    return this.room.doors.alert!(this.status);
  }

  get isComplete(): boolean {
    return this.room.doors.isComplete!(this.ptr) !== 0;
  }

  get isResumed(): boolean {
    return this.room.doors.isResumed!(this.ptr) !== 0;
  }

  get earlyData(): Early {
    return this.room.doors.earlyDataOf!(this.ptr);
  }

  get suite(): number {
    return this.room.doors.suiteOf!(this.ptr);
  }

  get group(): number {
    return this.room.doors.groupOf!(this.ptr);
  }

  get wanted(): Wanted {
    return this.room.doors.wantedKind!(this.ptr);
  }

  get question(): Buffer {
    return this.room.read(this.room.doors.wantedPtr!(this.ptr), this.room.doors.wantedLen!(this.ptr));
  }

  span(which: Span): Buffer {
    const { doors } = this.room;
    return this.room.read(doors.spanPtr!(this.ptr, which), doors.spanLen!(this.ptr, which));
  }

  /** The certificates of the peer. */
  peerCertificates(): Buffer[] {
    const list = this.span(Span.PEER_CERTIFICATES);
    const certificates: Buffer[] = [];
    for (let at = 0; at < list.length;) {
      const length = list.readUIntBE(at, 3);
      certificates.push(list.subarray(at + 3, at + 3 + length));
      at += 3 + length + 2 + list.readUInt16BE(at + 3 + length);
    }
    return certificates;
  }

  readTickets(): Buffer[] {
    const tickets: Buffer[] = [];
    for (;;) {
      const length = this.room.doors.tlsReadTicket!(this.ptr, this.room.scratch, 65536);
      if (length === 0) return tickets;
      tickets.push(this.room.read(this.room.scratch, length));
    }
  }

  readKeyLog(): string {
    const length = this.room.doors.tlsReadKeyLog!(this.ptr, this.room.scratch, 65536);
    return this.room.read(this.room.scratch, length).toString("latin1");
  }

  export(label: string, context: string, length: number): Buffer | undefined {
    const labelPtr = this.room.write(Buffer.from(label));
    const contextPtr = this.room.write(Buffer.from(context), 512);
    const dest = this.room.scratch + 1024;
    const args = [this.ptr, labelPtr, label.length, contextPtr, context.length, dest, length];
    return this.room.doors.tlsExport!(...args) === 0 ? undefined : this.room.read(dest, length);
  }

  /** Answers the open question as a host does. */
  answer(): void {
    const { doors } = this.room;
    const question = this.question;
    this.questions.push(this.wanted);
    if (this.#answers.isFake === true) return this.#answerFake(question);
    switch (this.wanted) {
      case Wanted.NONE:
        return;
      case Wanted.KEY_EXCHANGE: {
        let reply: Uint8Array;
        try {
          reply = this.#answers.keyExchange?.(question) ?? this.#keys.answer(question);
        } catch {
          doors.tlsWantedFailed!(this.ptr);
          return;
        }
        doors.tlsKeyExchangeDone!(this.ptr, this.room.write(reply), reply.length);
        return;
      }
      case Wanted.SIGN: {
        const { keyId, scheme, content } = readSignQuestion(question);
        const reply = signWith(this.config.keys[keyId]!, scheme, content);
        doors.tlsSignDone!(this.ptr, this.room.write(reply), reply.length);
        return;
      }
      case Wanted.VERIFY:
        doors.tlsVerifyDone!(this.ptr, countValidSignatures(question));
    }
  }

  /** Answers the open question with these bytes, whatever they mean. */
  answerWith(reply: Uint8Array): void {
    const { doors } = this.room;
    const ptr = this.room.write(reply);
    if (this.wanted === Wanted.KEY_EXCHANGE) doors.tlsKeyExchangeDone!(this.ptr, ptr, reply.length);
    else if (this.wanted === Wanted.SIGN) doors.tlsSignDone!(this.ptr, ptr, reply.length);
    else if (this.wanted === Wanted.VERIFY) doors.tlsVerifyDone!(this.ptr, reply.length);
  }

  /** Says that the open question cannot be answered. */
  answerNot(): void {
    this.room.doors.tlsWantedFailed!(this.ptr);
  }

  #answerFake(question: Uint8Array): void {
    if (this.wanted === Wanted.KEY_EXCHANGE) this.answerWith(fakeKeyExchange(question));
    else if (this.wanted === Wanted.SIGN) this.answerWith(Buffer.alloc(64, 7));
    else if (this.wanted === Wanted.VERIFY) this.room.doors.tlsVerifyDone!(this.ptr, 255);
  }

  free(): void {
    this.room.doors.tlsFree!(this.ptr);
  }

  takeSecrets(): void {
    const { room } = this;
    while (room.doors.tlsPollSecret!(this.ptr) !== 0) {
      const secret = room.read(room.global("polledSecret"), room.global("polledSecretLen"));
      this.secrets.push({
        level: room.global("polledLevel"),
        isWrite: room.global("polledDirection") === 1,
        suite: room.global("polledSuite"),
        secret: secret.toString("hex"),
      });
    }
  }

  #look(): void {
    this.takeSecrets();
    if (this.#answers.isLate === true) return;
    while (this.wanted !== Wanted.NONE && this.status >= 0) {
      this.answer();
      this.takeSecrets();
    }
  }
}

/** How bytes on their way are cut. */
export type Cut = (bytes: Buffer) => Buffer[];

export const whole: Cut = (bytes) => [bytes];

/** Carries what waits from one to the other and back until both are silent. */
export function converse(client: Session, server: Session, cut: Cut = whole): void {
  let isMoving = true;
  while (isMoving) {
    isMoving = false;
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      for (const level of levels) {
        const bytes = from.output(level);
        if (bytes.length === 0) continue;
        isMoving = true;
        for (const piece of cut(bytes)) if (to.receive(level, piece) < 0) return;
      }
    }
  }
}
