// The rooms of TLS, compiled into a module of their own, and sessions of it that talk to each other: their questions are
// answered by node:crypto through host/crypto, as a real host does.

import { createHash } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { resolve } from "node:path";
import * as asc from "assemblyscript/asc";
import { ConnectionKeys, countValidSignatures, readSignQuestion } from "../../../host/crypto/question.ts";
import { schemesOfKey, signWith } from "../../../host/crypto/signature.ts";

const root = resolve(import.meta.dirname, "../../..");
const entry = "test/assembly/tls/tls_entry.ts";

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

type Door = (...args: number[]) => number;
export type Doors = Record<string, Door> & { memory: WebAssembly.Memory };

let compiled: WebAssembly.Module | undefined;

/** Compiles an entry with the options of the release module; asconfig.json itself would add the engine's entry. */
async function compile(): Promise<WebAssembly.Module> {
  const modules: Uint8Array<ArrayBuffer>[] = [];
  const files = ["--config", "none.json", "--baseDir", root, "--outFile", "tls.wasm"];
  const target = ["-O2", "--noAssert", "--runtime", "stub", "--enable", "simd", "--use", "abort="];
  const { error } = await asc.main([entry, ...files, ...target], {
    writeFile: (_name: string, contents: Uint8Array | string) => {
      if (typeof contents !== "string") modules.push(Uint8Array.from(contents));
    },
  });
  if (error) throw new Error(`${error.message}`);
  return new WebAssembly.Module(modules[0]!);
}

export interface Secret {
  readonly level: Level;
  readonly isWrite: boolean;
  readonly suite: number;
  readonly secret: string;
}

export class Room {
  readonly doors: Doors;
  readonly #scratch: number;

  private constructor(doors: Doors) {
    this.doors = doors;
    this.#scratch = doors.bufferPtr!();
  }

  static async create(seed = 1, slabBytes = 1 << 23): Promise<Room> {
    compiled ??= await compile();
    const { exports } = new WebAssembly.Instance(compiled, {});
    const doors = exports as unknown as Doors;
    const room = new Room(doors);
    room.restart(seed, slabBytes);
    return room;
  }

  restart(seed: number, slabBytes = 1 << 23): void {
    this.doors.initialize!(seed, slabBytes);
  }

  /** Puts bytes into linear memory, `at` bytes behind the start of the scratch region. */
  write(bytes: Uint8Array, at = 0): number {
    new Uint8Array(this.doors.memory.buffer, this.#scratch + at, bytes.length).set(bytes);
    return this.#scratch + at;
  }

  read(ptr: number, length: number): Buffer {
    return Buffer.from(new Uint8Array(this.doors.memory.buffer, ptr, length));
  }

  /** The scratch region itself, for a door that writes there. */
  get scratch(): number {
    return this.#scratch;
  }

  get bytesInUse(): number {
    return this.doors.bytesInUse!();
  }

  global(name: string): number {
    return (this.doors[name] as unknown as { value: number }).value;
  }
}

export interface CertificateOptions {
  readonly key: KeyObject;
  readonly chain: readonly Uint8Array[];
  readonly names?: readonly string[];
}

export interface ConfigOptions {
  readonly alpn?: readonly string[];
  readonly certificates?: readonly CertificateOptions[];
  readonly roots?: readonly Uint8Array[];
  readonly groups?: readonly number[];
  readonly shareCount?: number;
  readonly suite?: number;
  readonly onlySuite?: number;
  readonly flags?: number;
  readonly clientAuth?: number;
  readonly ticketCount?: number;
  readonly ticketKey?: Uint8Array;
}

export const enum ConfigFlag {
  EARLY_DATA = 1,
  KEY_LOG = 2,
  ANY_CERTIFICATE = 4,
}

export class Config {
  readonly room: Room;
  readonly ptr: number;
  readonly keys: KeyObject[] = [];

  constructor(room: Room, options: ConfigOptions = {}) {
    this.room = room;
    const { doors } = room;
    this.ptr = doors.tlsConfigCreate!();
    if (this.ptr === 0) throw new Error("no room for a config");
    const { alpn = ["h3"], certificates = [], roots = [], groups, suite, onlySuite } = options;
    const names = shortStrings(alpn);
    check(doors.tlsConfigSetAlpn!(this.ptr, room.write(names), names.length));
    for (const certificate of certificates) this.#addCertificate(certificate);
    for (const der of roots) check(doors.tlsConfigAddRoot!(this.ptr, room.write(der), der.length));
    if (groups !== undefined) {
      const bytes = new Uint8Array(Uint16Array.from(groups).buffer);
      check(doors.tlsConfigSetGroups!(this.ptr, room.write(bytes), groups.length, options.shareCount ?? 1));
    }
    if (suite !== undefined) doors.tlsConfigPrefer!(this.ptr, suite);
    if (onlySuite !== undefined) doors.tlsConfigOnly!(this.ptr, onlySuite);
    if (options.ticketKey !== undefined) this.rotateTicketKey(options.ticketKey);
    const flags = options.flags ?? ConfigFlag.ANY_CERTIFICATE;
    doors.configure!(this.ptr, flags, options.clientAuth ?? 0, options.ticketCount ?? 2);
  }

  rotateTicketKey(key: Uint8Array): void {
    this.room.doors.tlsConfigRotateTicketKey!(this.ptr, this.room.write(key));
  }

  release(): void {
    this.room.doors.tlsConfigRelease!(this.ptr);
  }

  #addCertificate({ key, chain, names = [] }: CertificateOptions): void {
    const { room } = this;
    const nameBytes = shortStrings(names);
    const chainBytes = Buffer.concat(chain.flatMap((der) => [number24(der.length), der]));
    const schemes = new Uint8Array(Uint16Array.from(schemesOfKey(key)).buffer);
    const namesPtr = room.write(nameBytes);
    const chainPtr = room.write(chainBytes, 4096);
    const schemesPtr = room.write(schemes, 3000);
    const keyId = this.keys.push(key) - 1;
    check(
      room.doors.tlsConfigAddCertificate!(
        this.ptr,
        keyId,
        namesPtr,
        nameBytes.length,
        chainPtr,
        chainBytes.length,
        schemesPtr,
        schemes.length / 2,
      ),
    );
  }
}

/** What a test may change about how a session is answered. */
export interface Answers {
  /** Leaves questions open until `answer` is called. */
  readonly isLate?: boolean;
  readonly keyExchange?: (question: Uint8Array) => Uint8Array;
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

/** Names with a length of one byte before each. */
export function shortStrings(names: readonly string[]): Buffer {
  return Buffer.concat(names.flatMap((name) => [Uint8Array.of(name.length), Buffer.from(name)]));
}

function number24(value: number): Buffer {
  const bytes = Buffer.alloc(3);
  bytes.writeUIntBE(value, 0, 3);
  return bytes;
}

function check(result: number): void {
  if (result === 0) throw new Error("the room refused");
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
