// A received message head, read where it lies in linear memory (assembly/abi/message.ts).
//
// Strings are made when asked for. Everything here is valid until the exchange is released; afterwards `release` has cut it
// off and reading answers as if the message had no fields.

import { FieldName, FIELD_NAMES } from "../../assembly/abi/field_name.ts";
import {
  FieldLane,
  MessageFlag,
  MessageLane,
  Method,
  METHOD_NAMES,
  Version,
} from "../../assembly/abi/message.ts";
import type { EngineMemory } from "./memory.ts";

const VERSION_NAMES = ["", "http/1.0", "http/1.1", "h2", "h3"] as const;
const NAME_IDS = new Map(FIELD_NAMES.map((name, id) => [name, id]));
const UNKNOWN = 0xffffffff;
const TWO_POW_32 = 4294967296;

/** A head that was received, read from the engine's memory as it is asked for. Valid until its exchange is released. */
export class ReceivedHead {
  readonly #memory: EngineMemory;
  /** Index of the head's first lane in words; 0 once released. */
  #at: number;

  constructor(memory: EngineMemory, ptr: number) {
    this.#memory = memory;
    this.#at = ptr >>> 2;
  }

  get method(): string {
    const id = (this.#lane(MessageLane.KIND) & 0xff) as Method;
    return id === Method.OTHER
      ? this.#text(MessageLane.METHOD_PTR, MessageLane.METHOD_LEN)
      : (METHOD_NAMES[id] as string);
  }

  get target(): string {
    return this.#text(MessageLane.TARGET_PTR, MessageLane.TARGET_LEN);
  }

  /** Host, :authority, or the authority of an absolute target; empty when there is none. */
  get authority(): string {
    return this.#text(MessageLane.AUTHORITY_PTR, MessageLane.AUTHORITY_LEN);
  }

  get protocol(): "http/1.0" | "http/1.1" | "h2" | "h3" {
    const version = ((this.#lane(MessageLane.KIND) >>> 8) & 0xff) as Version;
    return VERSION_NAMES[version] || "http/1.1";
  }

  get statusCode(): number {
    return this.#lane(MessageLane.STATUS_CODE);
  }

  /** Content length in bytes, 0 without content, -1 when it is not known. */
  get contentLength(): number {
    const low = this.#lane(MessageLane.CONTENT_LENGTH_LOW);
    const high = this.#lane(MessageLane.CONTENT_LENGTH_HIGH);
    return low === UNKNOWN && high === UNKNOWN ? -1 : high * TWO_POW_32 + low;
  }

  get hasBody(): boolean {
    return this.#hasFlag(MessageFlag.HAS_BODY);
  }

  get isConnect(): boolean {
    return this.#hasFlag(MessageFlag.CONNECT);
  }

  /** `connection: upgrade` with an upgrade field. */
  get isUpgrade(): boolean {
    return this.#hasFlag(MessageFlag.UPGRADE);
  }

  /** The connection closes after this exchange. */
  get isLast(): boolean {
    return this.#hasFlag(MessageFlag.LAST);
  }

  /** The value of a field by lower-case name, several lines joined by `, `, those of cookie by `; `. */
  field(name: string): string | undefined {
    const id = NAME_IDS.get(name) ?? FieldName.NONE;
    const words = this.#memory.words;
    const count = this.#lane(MessageLane.FIELD_COUNT);
    const base = this.#lane(MessageLane.BYTES_PTR);
    let at = this.#lane(MessageLane.FIELDS_PTR) >>> 2;
    let value: string | undefined;
    for (let i = 0; i < count; i++, at += FieldLane.COUNT) {
      const nameLane = words[at + FieldLane.NAME] as number;
      if ((nameLane & 0xffff) !== id) continue;
      if (id === FieldName.NONE && !this.#isNamed(at, base, name)) continue;
      const text = this.#value(at, base);
      value = value === undefined ? text : value + (id === FieldName.COOKIE ? "; " : ", ") + text;
    }
    return value;
  }

  /** Every field line, in order; names in lower case. */
  fields(): [name: string, value: string][] {
    return this.#section(MessageLane.FIELDS_PTR, MessageLane.BYTES_PTR, MessageLane.FIELD_COUNT);
  }

  /** The trailer section, empty until the content has ended. */
  trailers(): [name: string, value: string][] {
    return this.#section(
      MessageLane.TRAILER_FIELDS_PTR,
      MessageLane.TRAILER_BYTES_PTR,
      MessageLane.TRAILER_COUNT,
    );
  }

  /** Cuts the head off: its memory is about to belong to somebody else. */
  release(): void {
    this.#at = 0;
  }

  #section(fieldsLane: number, bytesLane: number, countLane: number): [string, string][] {
    const words = this.#memory.words;
    const pairs: [string, string][] = [];
    const isCrumbled = ((this.#lane(MessageLane.KIND) >>> 8) & 0xff) >= Version.HTTP_2;
    const count = this.#lane(countLane);
    const base = this.#lane(bytesLane);
    let at = this.#lane(fieldsLane) >>> 2;
    for (let i = 0; i < count; i++, at += FieldLane.COUNT) {
      const nameLane = words[at + FieldLane.NAME] as number;
      const id = nameLane & 0xffff;
      const name =
        id !== FieldName.NONE
          ? (FIELD_NAMES[id] as string)
          : this.#memory.latin1(base + (words[at + FieldLane.NAME_OFFSET] as number), nameLane >>> 16);
      // RFC 9113 §8.2.3: HTTP/2 may cut a cookie field into crumbs; whoever reads it wants one.
      const first =
        isCrumbled && id === FieldName.COOKIE ? pairs.find(([other]) => other === name) : undefined;
      if (first === undefined) pairs.push([name, this.#value(at, base)]);
      else first[1] += `; ${this.#value(at, base)}`;
    }
    return pairs;
  }

  #value(record: number, base: number): string {
    const words = this.#memory.words;
    return this.#memory.latin1(
      base + (words[record + FieldLane.VALUE_OFFSET] as number),
      words[record + FieldLane.VALUE_LEN] as number,
    );
  }

  #isNamed(record: number, base: number, name: string): boolean {
    const words = this.#memory.words;
    const len = (words[record + FieldLane.NAME] as number) >>> 16;
    if (len !== name.length) return false;
    const ptr = base + (words[record + FieldLane.NAME_OFFSET] as number);
    const bytes = this.#memory.bytes;
    for (let i = 0; i < len; i++) if (bytes[ptr + i] !== name.charCodeAt(i)) return false;
    return true;
  }

  #text(ptrLane: number, lenLane: number): string {
    const len = this.#lane(lenLane);
    return len === 0 ? "" : this.#memory.latin1(this.#lane(ptrLane), len);
  }

  #hasFlag(flag: number): boolean {
    return ((this.#lane(MessageLane.KIND) >>> 16) & flag) !== 0;
  }

  #lane(lane: number): number {
    return this.#at === 0 ? 0 : (this.#memory.words[this.#at + lane] as number);
  }
}
