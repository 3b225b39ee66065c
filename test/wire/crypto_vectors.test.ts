// The crypto room against others: every case of Wycheproof for its AEADs, HKDF and HMAC, the key schedule of RFC 8448
// §3, Appendix A of RFC 9001, and node:crypto at lengths from 0 to 9000, in place and forged.
//
// The room is compiled into a module of its own (test/assembly/crypto/crypto_entry.ts). Published vectors are read from
// beside the project where they are there; the room's own small cases in test/assembly/crypto/ stand alone.

import { createCipheriv, createHash, createHmac, hkdfSync } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { compileEntry } from "./compile_entry.ts";

interface CryptoDoors {
  memory: WebAssembly.Memory;
  bufferPtr(): number;
  aeadSeal: (
    suite: number,
    key: number,
    nonce: number,
    aad: number,
    aadLen: number,
    ptr: number,
    len: number,
    dest: number,
  ) => void;
  aeadOpen: (
    suite: number,
    key: number,
    nonce: number,
    aad: number,
    aadLen: number,
    ptr: number,
    len: number,
    dest: number,
  ) => number;
  headerMask(suite: number, key: number, sample: number, dest: number): void;
  hashOf(id: number, ptr: number, len: number, dest: number): void;
  hmac(id: number, key: number, keyLen: number, ptr: number, len: number, dest: number): void;
  hkdfExtract(id: number, salt: number, saltLen: number, ikm: number, ikmLen: number, dest: number): void;
  hkdfExpand(id: number, prk: number, info: number, infoLen: number, dest: number, len: number): number;
  hkdfExpandLabel: (
    id: number,
    secret: number,
    label: number,
    labelLen: number,
    context: number,
    contextLen: number,
    dest: number,
    len: number,
  ) => number;
}

interface Vectors<T> {
  testGroups: { ivSize?: number; keySize?: number; tagSize?: number; tests: T[] }[];
}

type Result = { tcId: number; result: "valid" | "invalid" | "acceptable" };

const suites = [
  { suite: 0x1301, cipher: "aes-128-gcm", keyLen: 16 },
  { suite: 0x1302, cipher: "aes-256-gcm", keyLen: 32 },
  { suite: 0x1303, cipher: "chacha20-poly1305", keyLen: 32 },
] as const;
const hashes = [
  { id: 1, name: "sha256" },
  { id: 2, name: "sha384" },
] as const;
const tagLen = 16;

let doors: CryptoDoors;
let memory: Uint8Array<ArrayBuffer>;
/** Where the next argument goes. */
let at = 0;

beforeAll(async () => {
  doors = await compileEntry<CryptoDoors>("test/assembly/crypto/crypto_entry.ts");
  memory = new Uint8Array(doors.memory.buffer);
});

function begin(): void {
  at = doors.bufferPtr();
}

/** Room for `len` bytes. */
function room(len: number): number {
  const ptr = at;
  at += (len + 15) & ~15;
  return ptr;
}

function put(bytes: Uint8Array): number {
  const ptr = room(bytes.length);
  memory.set(bytes, ptr);
  return ptr;
}

function taken(ptr: number, len: number): Buffer {
  return Buffer.from(memory.slice(ptr, ptr + len));
}

const hex = (text: string) => Buffer.from(text, "hex");

function seal(suite: number, key: Buffer, nonce: Buffer, aad: Buffer, text: Buffer, inPlace = false): Buffer {
  begin();
  const [keyPtr, noncePtr, aadPtr] = [put(key), put(nonce), put(aad)];
  const ptr = room(text.length + tagLen);
  memory.set(text, ptr);
  const dest = inPlace ? ptr : room(text.length + tagLen);
  doors.aeadSeal(suite, keyPtr, noncePtr, aadPtr, aad.length, ptr, text.length, dest);
  return taken(dest, text.length + tagLen);
}

/** The text, or null where the packet is refused. */
function open(
  suite: number,
  key: Buffer,
  nonce: Buffer,
  aad: Buffer,
  sealed: Buffer,
  inPlace = false,
): Buffer | null {
  begin();
  const [keyPtr, noncePtr, aadPtr, ptr] = [put(key), put(nonce), put(aad), put(sealed)];
  const dest = inPlace ? ptr : room(sealed.length);
  const ok = doors.aeadOpen(suite, keyPtr, noncePtr, aadPtr, aad.length, ptr, sealed.length, dest);
  return ok ? taken(dest, sealed.length - tagLen) : null;
}

function extract(id: number, salt: Buffer, ikm: Buffer): Buffer {
  begin();
  const dest = room(48);
  doors.hkdfExtract(id, put(salt), salt.length, put(ikm), ikm.length, dest);
  return taken(dest, id === 2 ? 48 : 32);
}

function expand(id: number, prk: Buffer, info: Buffer, len: number): Buffer | null {
  begin();
  const [prkPtr, infoPtr] = [put(prk), put(info)];
  const dest = room(Math.max(len, 48));
  return doors.hkdfExpand(id, prkPtr, infoPtr, info.length, dest, len) ? taken(dest, len) : null;
}

function expandLabel(secret: Buffer, label: string, context: Buffer, len: number): string {
  begin();
  const dest = room(48);
  const text = Buffer.from(label);
  doors.hkdfExpandLabel(1, put(secret), put(text), text.length, put(context), context.length, dest, len);
  return taken(dest, len).toString("hex");
}

/** Bytes that look random and are the same in every run. */
function bytes(seed: number, len: number): Buffer {
  const key = createHash("sha256").update(String(seed)).digest();
  return createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(len));
}

function vectors<T>(name: string): T | null {
  const path = resolve("../shared/data", name);
  if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8")) as T;
  process.stdout.write(`skipped: no ${name} beside the project\n`);
  return null;
}

describe("against node:crypto", () => {
  const lengths = [...Array(300).keys(), 447, 448, 449, 1171, 1200, 1201, 1280, 1452, 4095, 8192, 9000];

  test.each(suites)("$cipher seals and opens every length, in place and not", ({ suite, cipher, keyLen }) => {
    for (const len of lengths) {
      const [key, nonce, text] = [bytes(len, keyLen), bytes(len + 1, 12), bytes(len + 2, len)];
      const aad = bytes(len + 3, len % 41);
      const peer = createCipheriv(cipher as "aes-128-gcm", key, nonce, { authTagLength: tagLen });
      peer.setAAD(aad);
      const wanted = Buffer.concat([peer.update(text), peer.final(), peer.getAuthTag()]);
      expect(seal(suite, key, nonce, aad, text, len % 2 === 0).equals(wanted), `${len} sealed`).toBe(true);
      expect(open(suite, key, nonce, aad, wanted, len % 3 === 0)?.equals(text), `${len} opened`).toBe(true);
      const forged = Buffer.from(wanted);
      forged[(len * 7) % forged.length]! ^= 1 << (len % 8);
      expect(open(suite, key, nonce, aad, forged), `${len} forged`).toBeNull();
    }
  });

  test("the masks of many samples", () => {
    for (let round = 0; round < 100; round++) {
      const [key, sample] = [bytes(round, 32), bytes(round + 1000, 16)];
      for (const { suite, keyLen } of suites) {
        begin();
        const dest = room(16);
        doors.headerMask(suite, put(key.subarray(0, keyLen)), put(sample), dest);
        const peer =
          suite === 0x1303
            ? createCipheriv("chacha20", key, sample).update(Buffer.alloc(5))
            : createCipheriv(`aes-${keyLen * 8}-ecb`, key.subarray(0, keyLen), null).update(sample);
        expect(taken(dest, 5).equals(peer.subarray(0, 5)), `${suite} round ${round}`).toBe(true);
      }
    }
  });

  test.each(hashes)("$name, its HMAC and its HKDF at many lengths", ({ id, name }) => {
    for (let len = 0; len < 600; len += 7) {
      const [key, text] = [bytes(len, len % 200), bytes(len + 1, len)];
      begin();
      const dest = room(48);
      const [keyPtr, textPtr] = [put(key), put(text)];
      doors.hashOf(id, textPtr, len, dest);
      const digest = createHash(name).update(text).digest();
      expect(taken(dest, digest.length).equals(digest), `${len} hashed`).toBe(true);
      doors.hmac(id, keyPtr, key.length, textPtr, len, dest);
      const mac = createHmac(name, key).update(text).digest();
      expect(taken(dest, mac.length).equals(mac), `${len} authenticated`).toBe(true);
      const okm = Buffer.from(hkdfSync(name, key, Buffer.from("salt"), text, len + 1));
      expect(expand(id, extract(id, Buffer.from("salt"), key), text, len + 1)?.equals(okm)).toBe(true);
    }
  });
});

describe("Wycheproof", () => {
  type AeadCase = Result & { key: string; iv: string; aad: string; msg: string; ct: string; tag: string };

  test.each(["aes_gcm", "chacha20_poly1305"])("%s", (name) => {
    const file = vectors<Vectors<AeadCase>>(`wycheproof/${name}_test.json`);
    if (!file) return;
    let caseCount = 0;
    for (const { ivSize, keySize, tagSize, tests } of file.testGroups) {
      // Nonces of other sizes and keys of 192 bits do not occur in TLS 1.3, and have no door.
      if (ivSize !== 96 || keySize === 192) continue;
      expect(tagSize).toBe(tagLen * 8);
      const suite = name === "chacha20_poly1305" ? 0x1303 : keySize === 128 ? 0x1301 : 0x1302;
      for (const { tcId, result, ...c } of tests) {
        const [key, iv, aad, msg] = [hex(c.key), hex(c.iv), hex(c.aad), hex(c.msg)];
        const opened = open(suite, key, iv, aad, hex(c.ct + c.tag));
        expect(opened?.toString("hex") ?? null, `case ${tcId}`).toBe(result === "valid" ? c.msg : null);
        if (result === "valid") {
          expect(seal(suite, key, iv, aad, msg).toString("hex"), `case ${tcId}`).toBe(c.ct + c.tag);
        }
        caseCount++;
      }
    }
    expect(caseCount).toBeGreaterThan(100);
  });

  test.each(hashes)("hkdf_$name", ({ id, name }) => {
    type Case = Result & { ikm: string; salt: string; info: string; size: number; okm: string };
    const file = vectors<Vectors<Case>>(`wycheproof/hkdf_${name}_test.json`);
    for (const c of file?.testGroups.flatMap(({ tests }) => tests) ?? []) {
      const okm = expand(id, extract(id, hex(c.salt), hex(c.ikm)), hex(c.info), c.size);
      expect(okm?.toString("hex") ?? null, `case ${c.tcId}`).toBe(c.result === "valid" ? c.okm : null);
    }
  });

  test.each(hashes)("hmac_$name", ({ id, name }) => {
    type Case = Result & { key: string; msg: string; tag: string };
    const file = vectors<Vectors<Case>>(`wycheproof/hmac_${name}_test.json`);
    for (const c of file?.testGroups.flatMap(({ tests }) => tests) ?? []) {
      begin();
      const dest = room(48);
      const [key, msg] = [hex(c.key), hex(c.msg)];
      doors.hmac(id, put(key), key.length, put(msg), msg.length, dest);
      const isEqual = taken(dest, c.tag.length / 2).toString("hex") === c.tag;
      expect(isEqual, `case ${c.tcId}`).toBe(c.result === "valid");
    }
  });
});

interface Rfc8448 {
  values: Record<string, string>;
  transcript_hashes: Record<string, string>;
}

describe("RFC 8448 §3", () => {
  const file = vectors<Rfc8448>("tls13-rfc8448/simple-1rtt.json");

  test.skipIf(!file)("the key schedule", () => {
    const { values: v, transcript_hashes: transcripts } = file!;
    const empty = createHash("sha256").digest();
    const zeros = Buffer.alloc(32);
    const derived = (secret: string, label: string, context: Buffer) =>
      expandLabel(hex(v[secret]!), label, context, 32);
    const extracted = (salt: string, ikm: Buffer) => extract(1, hex(v[salt]!), ikm).toString("hex");
    expect(extract(1, Buffer.alloc(0), zeros).toString("hex")).toBe(v.early_secret);
    expect(derived("early_secret", "derived", empty)).toBe(v.derived_early_secret);
    expect(extracted("derived_early_secret", hex(v.shared_secret!))).toBe(v.handshake_secret);
    expect(derived("handshake_secret", "derived", empty)).toBe(v.derived_master_secret);
    expect(extracted("derived_master_secret", zeros)).toBe(v.master_secret);
    const transcriptOf = (name: string) => hex(transcripts[name]!);
    const secrets = [
      ["handshake_secret", "c hs traffic", "CH_SH", "client_hs_traffic_secret"],
      ["handshake_secret", "s hs traffic", "CH_SH", "server_hs_traffic_secret"],
      ["master_secret", "c ap traffic", "CH_SF", "client_ap_traffic_secret"],
      ["master_secret", "s ap traffic", "CH_SF", "server_ap_traffic_secret"],
      ["master_secret", "exp master", "CH_SF", "exporter_master_secret"],
      ["master_secret", "res master", "CH_CF", "resumption_master_secret"],
    ] as const;
    for (const [secret, label, transcript, wanted] of secrets) {
      expect(derived(secret, label, transcriptOf(transcript)), wanted).toBe(v[wanted]);
    }
    const none = Buffer.alloc(0);
    for (const side of ["client", "server"]) {
      const secret = hex(v[`${side}_hs_traffic_secret`]!);
      expect(expandLabel(secret, "finished", none, 32)).toBe(v[`${side}_finished_key`]);
      expect(expandLabel(secret, "key", none, 16)).toBe(v[`${side}_hs_write_key`]);
      expect(expandLabel(secret, "iv", none, 12)).toBe(v[`${side}_hs_write_iv`]);
    }
  });
});

interface Rfc9001 {
  client: Record<string, string>;
  client_initial: Record<string, string>;
  chacha20_short: Record<string, string>;
}

describe("RFC 9001 Appendix A", () => {
  const file = vectors<Rfc9001>("quic-rfc-vectors/rfc9001-appendix-a.json");

  test.skipIf(!file)("the client's Initial packet, sealed and protected", () => {
    const { client, client_initial: initial } = file!;
    const header = hex(initial.unprotected_header!);
    const payload = Buffer.concat([hex(initial.crypto_frame!), Buffer.alloc(1162)]).subarray(0, 1162);
    const nonce = hex(client.iv!);
    nonce[11]! ^= 2;
    const sealed = seal(0x1301, hex(client.key!), nonce, header, payload);
    const packet = hex(initial.packet!);
    expect(sealed.equals(packet.subarray(header.length))).toBe(true);
    expect(sealed.subarray(0, 16).toString("hex")).toBe(initial.sample);
    expect(open(0x1301, hex(client.key!), nonce, header, sealed)?.equals(payload)).toBe(true);
  });

  test.skipIf(!file)("the short header packet under ChaCha20", () => {
    const short = file!.chacha20_short;
    const [key, nonce, header] = [hex(short.key!), hex(short.nonce!), hex(short.unprotected_header!)];
    expect(seal(0x1303, key, nonce, header, hex(short.plaintext!)).toString("hex")).toBe(short.ciphertext);
    const secret = hex(short.secret!);
    const none = Buffer.alloc(0);
    expect(expandLabel(secret, "quic key", none, 32)).toBe(short.key);
    expect(expandLabel(secret, "quic hp", none, 32)).toBe(short.hp);
    expect(expandLabel(secret, "quic ku", none, 32)).toBe(short.ku);
  });
});
