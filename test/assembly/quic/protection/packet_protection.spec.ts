// Protection of packets as a whole: every suite, every length of packet number, forgeries, reserved bits, key updates, limits. The
// published vectors are in test/wire/quic_vectors.test.ts.

import { QuicStatus } from "../../../../assembly/abi/quic_status.ts";
import { Status } from "../../../../assembly/abi/status.ts";
import { Writer, writerOpen, writeSpan } from "../../../../assembly/core/writer.ts";
import { Suite } from "../../../../assembly/crypto/aead.ts";
import { initialKeysDerive } from "../../../../assembly/quic/protection/initial_secrets.ts";
import * as Keys from "../../../../assembly/quic/protection/packet_keys.ts";
import * as Protection from "../../../../assembly/quic/protection/packet_protection.ts";
import {
  RETRY_BYTES_MAX,
  retryTagIsValid,
  retryTagWrite,
} from "../../../../assembly/quic/protection/retry_integrity.ts";
import {
  readPacketHeader,
  writeLongHeader,
  writeLongLength,
  writeShortHeader,
  packetNumberOffset,
} from "../../../../assembly/quic/wire/packet_header.ts";
import { PacketType } from "../../../../assembly/quic/wire/packet_type.ts";
import { Version } from "../../../../assembly/quic/wire/version.ts";
import { bytesOf, hexOf } from "../../crypto/hex.ts";

const bytes: usize = memory.data(2048, 16);
const plain: usize = memory.data(2048, 16);
const secret: usize = memory.data(48, 16);
const id: usize = memory.data<u8>([
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
]);
const writer = changetype<Writer>(memory.data(offsetof<Writer>(), 8));
const keys = changetype<Keys.PacketKeys>(memory.data(offsetof<Keys.PacketKeys>(), 16));
const others = changetype<Keys.PacketKeys>(memory.data(offsetof<Keys.PacketKeys>(), 16));
const suites: Suite[] = [Suite.AES_128_GCM_SHA256, Suite.AES_256_GCM_SHA384, Suite.CHACHA20_POLY1305_SHA256];

for (let at: u32 = 0; at < 2048; at++) store<u8>(plain + at, <u8>(at * 7 + 1));

/** Writes and protects a packet; answers its length. */
function protect(isLong: bool, number: i64, numberLen: u32, payloadLen: u32, reserved: u32 = 0): u32 {
  writerOpen(writer, bytes, 2048);
  if (isLong) {
    const at = writeLongHeader(writer, PacketType.HANDSHAKE, 1, id, 8, id, 5, 0, 0, number, numberLen);
    writeLongLength(at, numberLen + payloadLen + 16);
  } else {
    writeShortHeader(writer, id, 8, true, 1, number, numberLen);
  }
  store<u8>(bytes, load<u8>(bytes) | (<u8>reserved));
  const headerLen = <u32>(writer.at - bytes);
  memory.copy(writeSpan(writer, payloadLen), plain, payloadLen);
  const len = Protection.protectPacket(keys, bytes, headerLen, numberLen, number, payloadLen);
  expect(len).toBe(headerLen + payloadLen + 16);
  return len;
}

function unprotect(by: Keys.PacketKeys, len: u32, largest: i64): i32 {
  const status = readPacketHeader(bytes, len, 8, false);
  if (status != Status.OK) return status;
  const header = Protection.unprotectHeader(by, bytes, len, packetNumberOffset, largest);
  return header == Status.OK ? Protection.unprotectPayload(by, bytes, len, packetNumberOffset) : header;
}

function derive(into: Keys.PacketKeys, suite: Suite): void {
  memory.copy(secret, plain, 48);
  Keys.packetKeysDerive(into, suite, Version.V1, secret);
}

describe("a packet", () => {
  test("comes back as it was, with every suite, header and length of number", () => {
    for (let s = 0; s < 3; s++) {
      derive(keys, suites[s]);
      for (let numberLen: u32 = 1; numberLen <= 4; numberLen++) {
        for (let form = 0; form < 2; form++) {
          const number: i64 = (<i64>0x123456789a) >> ((4 - numberLen) << 3);
          const sizes: u32[] = [Protection.payloadBytesMin(numberLen), 20, 1180, 1420];
          for (let i = 0; i < sizes.length; i++) {
            if (sizes[i] == 0) continue;
            const len = protect(form == 0, number, numberLen, sizes[i]);
            expect(unprotect(keys, len, number - 1)).toBe(Status.OK);
            expect(Protection.unprotectedNumber).toBe(number);
            expect(Protection.unprotectedNumberLen).toBe(numberLen);
            expect(Protection.unprotectedPayloadLen).toBe(sizes[i]);
            expect(Protection.unprotectedKeyPhase).toBe(form == 0 ? 0 : 1);
            expect(memory.compare(Protection.unprotectedPayloadPtr, plain, sizes[i])).toBe(0);
          }
        }
      }
    }
  });

  test("with any bit changed is forged", () => {
    for (let s = 0; s < 3; s++) {
      derive(keys, suites[s]);
      for (let form = 0; form < 2; form++) {
        const len = protect(form == 0, 7, 2, 30);
        const copy = plain + 1024;
        memory.copy(copy, bytes, len);
        for (let bit: u32 = 0; bit < len * 8; bit++) {
          memory.copy(bytes, copy, len);
          const at = bytes + (bit >> 3);
          const flip: u32 = 1 << (bit & 7);
          store<u8>(at, load<u8>(at) ^ (<u8>flip));
          expect(unprotect(keys, len, 6)).not.toBe(Status.OK, `bit ${bit}`);
        }
      }
    }
    for (let at: u32 = 0; at < 1024; at++) store<u8>(plain + 1024 + at, <u8>((at + 1024) * 7 + 1));
  });

  test("of other keys is forged", () => {
    derive(keys, Suite.AES_128_GCM_SHA256);
    derive(others, Suite.CHACHA20_POLY1305_SHA256);
    const len = protect(false, 7, 2, 30);
    expect(unprotect(others, len, 6)).not.toBe(Status.OK);
  });

  test("with reserved bits is a violation, and only when it is genuine", () => {
    derive(keys, Suite.AES_128_GCM_SHA256);
    for (let bit = 3; bit <= 4; bit++) {
      const len = protect(false, 7, 2, 30, 1 << bit);
      expect(unprotect(keys, len, 6)).toBe(QuicStatus.RESERVED_BITS);
      const again = protect(false, 7, 2, 30, 1 << bit);
      store<u8>(bytes + again - 1, load<u8>(bytes + again - 1) ^ 1);
      expect(unprotect(keys, again, 6)).toBe(QuicStatus.PACKET_FORGED);
    }
    for (let bit = 2; bit <= 3; bit++) {
      const len = protect(true, 7, 2, 30, 1 << bit);
      expect(unprotect(keys, len, 6)).toBe(QuicStatus.RESERVED_BITS);
    }
  });

  test("without frames is a violation", () => {
    derive(keys, Suite.CHACHA20_POLY1305_SHA256);
    const len = protect(false, 7, 4, 0);
    expect(unprotect(keys, len, 6)).toBe(QuicStatus.FRAME_MISSING);
  });

  test("too short for a sample is told so", () => {
    derive(keys, Suite.AES_128_GCM_SHA256);
    protect(false, 7, 4, 10);
    for (let len: u32 = 0; len < 29; len++) {
      expect(Protection.unprotectHeader(keys, bytes, len, 9, 6)).toBe(QuicStatus.PACKET_TOO_SHORT);
    }
    expect(Protection.unprotectHeader(keys, bytes, 29, 9, 6)).toBe(Status.OK);
  });
});

describe("keys", () => {
  test("of the next phase keep the header-protection key and count anew", () => {
    for (let s = 0; s < 3; s++) {
      derive(keys, suites[s]);
      protect(false, 7, 2, 30);
      expect(keys.sealed).toBe(1);
      Keys.secretUpdate(suites[s], Version.V1, secret);
      Keys.packetKeysUpdate(others, keys, secret);
      expect(others.sealed).toBe(0);
      expect(others.suite).toBe(keys.suite);
      expect(memory.compare(Keys.packetKeysHeaderKey(others), Keys.packetKeysHeaderKey(keys), 32)).toBe(0);
      expect(memory.compare(Keys.packetKeysAeadKey(others), Keys.packetKeysAeadKey(keys), 16)).not.toBe(0);
      expect(memory.compare(Keys.packetKeysIv(others), Keys.packetKeysIv(keys), 12)).not.toBe(0);
      const len = protect(false, 8, 2, 30);
      // The header can be read by either phase, the payload only by its own.
      expect(unprotect(others, len, 7)).toBe(QuicStatus.PACKET_FORGED);
      expect(Protection.unprotectedNumber).toBe(8);
      expect(Protection.unprotectedKeyPhase).toBe(1);
    }
  });

  test("are gone when they are forgotten", () => {
    derive(keys, Suite.AES_128_GCM_SHA256);
    expect(Keys.packetKeysExist(keys)).toBe(true);
    Keys.packetKeysForget(keys, false);
    expect(Keys.packetKeysExist(keys)).toBe(false);
    Keys.packetKeysForget(keys, false);
    for (let at: u32 = 0; at < Keys.PACKET_KEYS_BYTES; at++) {
      expect(load<u8>(changetype<usize>(keys) + at)).toBe(0);
    }
  });
});

describe("QUIC 2", () => {
  // As RFC 9369 appendix A has them; computed again by another implementation.
  test("has Initial keys of its own", () => {
    initialKeysDerive(Version.V2, bytesOf("8394c8f03e515708"), 8, keys, others);
    expect(hexOf(Keys.packetKeysAeadKey(keys), 16)).toBe("8b1a0bc121284290a29e0971b5cd045d");
    expect(hexOf(Keys.packetKeysIv(keys), 12)).toBe("91f73e2351d8fa91660e909f");
    expect(hexOf(Keys.packetKeysHeaderKey(keys), 16)).toBe("45b95e15235d6f45a6b19cbcb0294ba9");
    expect(hexOf(Keys.packetKeysAeadKey(others), 16)).toBe("82db637861d55e1d011f19ea71d5d2a7");
    expect(hexOf(Keys.packetKeysIv(others), 12)).toBe("dd13c276499c0249d3310652");
    expect(hexOf(Keys.packetKeysHeaderKey(others), 16)).toBe("edf6d05c83121201b436e16877593c3a");
  });

  test("has labels of its own", () => {
    const from = bytesOf("9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b");
    memory.copy(secret, from, 32);
    Keys.packetKeysDerive(keys, Suite.CHACHA20_POLY1305_SHA256, Version.V2, secret);
    expect(hexOf(Keys.packetKeysAeadKey(keys), 32)).toBe(
      "3bfcddd72bcf02541d7fa0dd1f5f9eeea817e09a6963a0e6c7df0f9a1bab90f2",
    );
    expect(hexOf(Keys.packetKeysIv(keys), 12)).toBe("a6b5bc6ab7dafce30ffff5dd");
    expect(hexOf(Keys.packetKeysHeaderKey(keys), 32)).toBe(
      "d659760d2ba434a226fd37b35c69e2da8211d10c4f12538787d65645d5d1b8e2",
    );
    writerOpen(writer, bytes, 100);
    writeShortHeader(writer, id, 0, false, 0, 654360564, 3);
    store<u8>(writer.at, 1);
    const len = Protection.protectPacket(keys, bytes, 4, 3, 654360564, 1);
    expect(hexOf(bytes, len)).toBe("5558b1c60ae7b6b932bc27d786f4bc2bb20f2162ba");
    Keys.secretUpdate(Suite.CHACHA20_POLY1305_SHA256, Version.V2, secret);
    expect(hexOf(secret, 32)).toBe("c69374c49e3d2a9466fa689e49d476db5d0dfbc87d32ceeaa6343fd0ae4c7d88");
  });

  test("has Retry keys of its own", () => {
    const packet = "cf6b3343cf0008f067a5502a4262b5746f6b656ec8646ce8bfe33952d955543665dcc7b6";
    const ptr = bytesOf(packet);
    const original = bytesOf("8394c8f03e515708");
    expect(retryTagIsValid(Version.V2, original, 8, ptr, 20, ptr + 20)).toBe(true);
    expect(retryTagIsValid(Version.V1, original, 8, ptr, 20, ptr + 20)).toBe(false);
    expect(retryTagIsValid(Version.V2, original, 7, ptr, 20, ptr + 20)).toBe(false);
    expect(retryTagWrite(Version.V2, original, 8, ptr, 20, bytes)).toBe(true);
    expect(hexOf(bytes, 16)).toBe("c8646ce8bfe33952d955543665dcc7b6");
  });

  test("and QUIC 1 take no Retry beyond the longest", () => {
    expect(retryTagWrite(1, id, 20, plain, RETRY_BYTES_MAX, bytes)).toBe(true);
    expect(retryTagWrite(1, id, 21, plain, 20, bytes)).toBe(false);
    expect(retryTagIsValid(1, id, 20, plain, RETRY_BYTES_MAX + 1, bytes)).toBe(false);
  });
});
