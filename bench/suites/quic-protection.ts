/*
 * Protecting one packet of 1,200 bytes as QUIC sends them: sealed, and a header-protection mask made of the result. RFC 9001 §5.
 *
 * The engine's module has no door to its cryptography, so the same sources are compiled, with the options of the release, into a
 * module of doors alone. `node:crypto` makes a cipher for every packet, for it has no other way, and reuses one for its masks.
 */
import { createCipheriv } from "node:crypto";
import { compileModule } from "../../test/wire/compile_entry.ts";
import { alternate } from "../rounds.ts";
import { BenchError } from "../suite.ts";
import type { Bar, Measure } from "../suite.ts";

const HEADER_LEN = 20;
const TAG_LEN = 16;
const PAYLOAD_LEN = 1200 - HEADER_LEN - TAG_LEN;
const MASK_BLOCK_LEN = 16;
const BATCH_COUNT = 500;
/** Nothing has to be started between rounds here, so there are more of them, each shorter. */
const SLICES = 5;
const AES_128_GCM = 0x1301;
const CHACHA20_POLY1305 = 0x1303;

interface Doors {
  memory: WebAssembly.Memory;
  bufferPtr(): number;
  sealPackets(
    suite: number,
    key: number,
    nonce: number,
    aad: number,
    aadLen: number,
    ptr: number,
    len: number,
    dest: number,
    count: number,
  ): void;
}

/** Protects that many packets. */
type Protector = (count: number) => void;

const key = Uint8Array.from({ length: 32 }, (_, index) => index);
const header = Uint8Array.from({ length: HEADER_LEN }, (_, index) => 255 - index);
const payload = Uint8Array.from({ length: PAYLOAD_LEN }, (_, index) => index % 251);

function sealWithNode(suite: number, nonce: Uint8Array): Buffer {
  const name = suite === AES_128_GCM ? "aes-128-gcm" : "chacha20-poly1305";
  const length = suite === AES_128_GCM ? 16 : 32;
  const cipher = createCipheriv(name as "aes-128-gcm", key.subarray(0, length), nonce, {
    authTagLength: TAG_LEN,
  });
  cipher.setAAD(header);
  const text = cipher.update(payload);
  cipher.final();
  return Buffer.concat([text, cipher.getAuthTag()]);
}

/** As a QUIC stack on `node:crypto` does it: the packet ends up in memory of its own, sealed and masked. */
function nodeProtector(): Protector {
  const masks = createCipheriv("aes-128-ecb", key.subarray(0, 16), null).setAutoPadding(false);
  const packet = new Uint8Array(HEADER_LEN + PAYLOAD_LEN + TAG_LEN);
  const nonce = new Uint8Array(12);
  const counter = new DataView(nonce.buffer);
  return (count) => {
    for (let index = 0; index < count; index++) {
      counter.setUint32(8, counter.getUint32(8, true) + 1, true);
      const cipher = createCipheriv("aes-128-gcm", key.subarray(0, 16), nonce);
      cipher.setAAD(header);
      packet.set(cipher.update(payload), HEADER_LEN);
      cipher.final();
      packet.set(cipher.getAuthTag(), HEADER_LEN + PAYLOAD_LEN);
      const mask = masks.update(packet.subarray(HEADER_LEN + 3, HEADER_LEN + 3 + MASK_BLOCK_LEN));
      packet[0] = (header[0] as number) ^ ((mask[0] as number) & 0x1f);
    }
  };
}

function engineProtector(doors: Doors, suite: number): Protector {
  const base = doors.bufferPtr();
  const at = { key: base, nonce: base + 64, header: base + 128, payload: base + 256, dest: base + 2048 };
  const memory = new Uint8Array(doors.memory.buffer);
  memory.set(key, at.key);
  memory.fill(0, at.nonce, at.nonce + 12);
  memory.set(header, at.header);
  memory.set(payload, at.payload);
  const run: Protector = (count) =>
    doors.sealPackets(
      suite,
      at.key,
      at.nonce,
      at.header,
      HEADER_LEN,
      at.payload,
      PAYLOAD_LEN,
      at.dest,
      count,
    );
  run(1);
  const sealed = memory.slice(at.dest, at.dest + PAYLOAD_LEN + TAG_LEN);
  const wanted = sealWithNode(suite, memory.slice(at.nonce, at.nonce + 12));
  if (!wanted.equals(sealed))
    throw new BenchError(`suite ${suite.toString(16)} is sealed otherwise than by node:crypto`);
  return run;
}

function bar(subject: string, factor: number): Bar {
  return { kind: "ratio", subject, peer: "node-aes-128-gcm", direction: "at least", factor };
}

export const protection: Measure = {
  name: "protection",
  title: "Seal and mask a packet of 1,200 bytes",
  peers: ["node-aes-128-gcm", "engine-chacha20", "engine-aes-128-gcm"],
  async run(options) {
    const bytes = await compileModule("test/assembly/crypto/crypto_entry.ts");
    const doors = new WebAssembly.Instance(new WebAssembly.Module(bytes), {}).exports as unknown as Doors;
    const protectors = new Map<string, Protector>();
    for (const name of options.selectPeers(this.peers)) {
      const suite = name === "engine-chacha20" ? CHACHA20_POLY1305 : AES_128_GCM;
      const protector = name.startsWith("node") ? nodeProtector() : engineProtector(doors, suite);
      packetsPerSecond(protector, options.warmupSeconds);
      protectors.set(name, protector);
    }
    const series = await alternate([...protectors.keys()], options.rounds * SLICES, async (name) => ({
      value: packetsPerSecond(protectors.get(name) as Protector, options.secondsPerRound / SLICES),
    }));
    return {
      unit: "packets/s",
      better: "higher",
      series,
      bars: [bar("engine-chacha20", 4), bar("engine-aes-128-gcm", 1.4)],
      notes: ["The engine's own sources with the release's options, each first held against node:crypto."],
    };
  },
};

function packetsPerSecond(protect: Protector, seconds: number): number {
  const startedAt = performance.now();
  let count = 0;
  let elapsedMs = 0;
  do {
    protect(BATCH_COUNT);
    count += BATCH_COUNT;
    elapsedMs = performance.now() - startedAt;
  } while (elapsedMs < seconds * 1000);
  return count / (elapsedMs / 1000);
}
