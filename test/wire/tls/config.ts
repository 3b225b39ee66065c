// Configs of the engine's TLS, made of what a test says.

import type { KeyObject } from "node:crypto";
import { schemesOfKey } from "../../../host/crypto/signature.ts";
import type { Room } from "./room.ts";
import { check } from "./room.ts";

export const enum ConfigFlag {
  EARLY_DATA = 1,
  KEY_LOG = 2,
  ANY_CERTIFICATE = 4,
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

/** Names with a length of one byte before each. */
export function shortStrings(names: readonly string[]): Buffer {
  return Buffer.concat(names.flatMap((name) => [Uint8Array.of(name.length), Buffer.from(name)]));
}

function number24(value: number): Buffer {
  const bytes = Buffer.alloc(3);
  bytes.writeUIntBE(value, 0, 3);
  return bytes;
}
