// Packets in the open: numbers, headers, and datagrams that hold several packets, garbage, or lies about their length.

import { QuicStatus } from "../../../../assembly/abi/quic_status.ts";
import { Status } from "../../../../assembly/abi/status.ts";
import {
  Writer,
  writerOpen,
  writeSpan,
  writeU32,
  writeU8,
  writeVarint,
} from "../../../../assembly/core/writer.ts";
import {
  ConnectionId,
  connectionIdIs,
  connectionIdSet,
} from "../../../../assembly/quic/wire/connection_id.ts";
import {
  datagramHasMore,
  datagramNext,
  datagramOpen,
  DatagramReader,
} from "../../../../assembly/quic/wire/datagram.ts";
import * as Header from "../../../../assembly/quic/wire/packet_header.ts";
import {
  packetNumberDecode,
  packetNumberLength,
  packetNumberRead,
  packetNumberWrite,
  PACKET_NUMBER_MAX,
} from "../../../../assembly/quic/wire/packet_number.ts";
import {
  longTypeBits,
  longTypeOf,
  PacketNumberSpace,
  packetNumberSpaceOf,
  PacketType,
} from "../../../../assembly/quic/wire/packet_type.ts";
import { isReservedVersion, isSupportedVersion, Version } from "../../../../assembly/quic/wire/version.ts";
import { random64, randomBelow, seedRandom } from "../../core/random.ts";

const bytes: usize = memory.data(4096, 16);
const ids: usize = memory.data<u8>([
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
]);
const otherIds: usize = ids + 3;
const writer = changetype<Writer>(memory.data(offsetof<Writer>(), 8));
const datagram = changetype<DatagramReader>(memory.data(offsetof<DatagramReader>(), 8));
const versions: u32[] = [Version.V1, Version.V2];

function open(): void {
  memory.fill(bytes, 0, 4096);
  writerOpen(writer, bytes, 2048);
}

function written(): u32 {
  return <u32>(writer.at - bytes);
}

/** A long packet with a payload of `payloadLen` bytes, tag included. */
function writePacket(type: PacketType, version: u32, destination: usize, payloadLen: u32): void {
  const lengthAt = Header.writeLongHeader(writer, type, version, destination, 8, otherIds, 5, ids, 3, 7, 2);
  Header.writeLongLength(lengthAt, 2 + payloadLen);
  writeSpan(writer, payloadLen);
}

describe("a packet number", () => {
  test("is as long as RFC 9000 A.2 says", () => {
    expect(packetNumberLength(0xac5c02, 0xabe8b3)).toBe(2);
    expect(packetNumberLength(0xace8fe, 0xabe8b3)).toBe(3);
    expect(packetNumberLength(0, -1)).toBe(1);
    expect(packetNumberLength(127, -1)).toBe(1);
    expect(packetNumberLength(128, -1)).toBe(2);
    expect(packetNumberLength(0x7fff, -1)).toBe(2);
    expect(packetNumberLength(0x8000, -1)).toBe(3);
    expect(packetNumberLength(0x800000, -1)).toBe(4);
    expect(packetNumberLength(PACKET_NUMBER_MAX, -1)).toBe(4);
  });

  test("is found again as RFC 9000 A.3 says", () => {
    expect(packetNumberDecode(0xa82f30ea, 0x9b32, 2)).toBe(0xa82f9b32);
    expect(packetNumberDecode(-1, 0, 1)).toBe(0);
    expect(packetNumberDecode(-1, 255, 1)).toBe(255);
    expect(packetNumberDecode(0, 255, 1)).toBe(255);
    expect(packetNumberDecode(255, 0, 1)).toBe(256);
    expect(packetNumberDecode(PACKET_NUMBER_MAX - 1, 0xff, 1)).toBe(PACKET_NUMBER_MAX);
    // Beyond the last number nothing is counted on.
    expect(packetNumberDecode(PACKET_NUMBER_MAX, 0, 1)).toBe(PACKET_NUMBER_MAX - 0xff);
    expect(packetNumberDecode(PACKET_NUMBER_MAX, 0xffffffff, 4)).toBe(PACKET_NUMBER_MAX);
  });

  test("is found again at every distance that its length allows", () => {
    seedRandom(5);
    for (let i = 0; i < 3000; i++) {
      const acked = <i64>(random64() >> (3 + randomBelow(60)));
      const sent = acked + 1 + <i64>(random64() >> (34 + randomBelow(29)));
      const len = packetNumberLength(sent, acked);
      // The receiver has at least what it acknowledged and at most everything before.
      const received = acked + <i64>(<f64>(sent - 1 - acked) * (<f64>randomBelow(1000) / 1000));
      packetNumberWrite(bytes, sent, len);
      if (sent - acked > 0x80000000) continue;
      expect(packetNumberDecode(received, packetNumberRead(bytes, len), len)).toBe(sent);
    }
  });
});

describe("types and versions", () => {
  test("say each other in both versions", () => {
    const types: PacketType[] = [
      PacketType.INITIAL,
      PacketType.ZERO_RTT,
      PacketType.HANDSHAKE,
      PacketType.RETRY,
    ];
    for (let i = 0; i < 4; i++) {
      // RFC 9000 table 5, RFC 9369 §3.2.
      expect(longTypeBits(types[i], Version.V1)).toBe(i << 4);
      expect(longTypeBits(types[i], Version.V2)).toBe(((i + 1) & 3) << 4);
      for (let v = 0; v < 2; v++) {
        expect(longTypeOf(0xcf | longTypeBits(types[i], versions[v]), versions[v])).toBe(types[i]);
      }
    }
  });

  test("share three spaces", () => {
    expect(packetNumberSpaceOf(PacketType.INITIAL)).toBe(PacketNumberSpace.INITIAL);
    expect(packetNumberSpaceOf(PacketType.HANDSHAKE)).toBe(PacketNumberSpace.HANDSHAKE);
    expect(packetNumberSpaceOf(PacketType.ZERO_RTT)).toBe(PacketNumberSpace.APPLICATION);
    expect(packetNumberSpaceOf(PacketType.ONE_RTT)).toBe(PacketNumberSpace.APPLICATION);
  });

  test("are spoken, reserved or unknown", () => {
    expect(isSupportedVersion(1)).toBe(true);
    expect(isSupportedVersion(0x6b3343cf)).toBe(true);
    expect(isSupportedVersion(0)).toBe(false);
    expect(isSupportedVersion(0xff00001d)).toBe(false);
    expect(isReservedVersion(0x1a2a3a4a)).toBe(true);
    expect(isReservedVersion(0x1a2a3a4b)).toBe(false);
  });
});

describe("a connection ID", () => {
  test("is its bytes and its length", () => {
    const id = changetype<ConnectionId>(bytes);
    for (let len: u32 = 0; len <= 20; len++) {
      connectionIdSet(id, ids, len);
      expect(connectionIdIs(id, ids, len)).toBe(true);
      expect(connectionIdIs(id, ids, len + 1)).toBe(false);
      expect(connectionIdIs(id, otherIds, len)).toBe(len == 0);
    }
  });
});

describe("a long header", () => {
  test("is read as it was written, and refused wherever it is cut", () => {
    const types: PacketType[] = [PacketType.INITIAL, PacketType.ZERO_RTT, PacketType.HANDSHAKE];
    for (let i = 0; i < 3; i++) {
      for (let v = 0; v < 2; v++) {
        open();
        writePacket(types[i], versions[v], ids, 30);
        const len = written();
        expect(Header.longHeaderBytes(types[i], 8, 5, 3, 2)).toBe(len - 30);
        for (let short: u32 = 1; short < len; short++) {
          const status = Header.readPacketHeader(bytes, short, 8, false);
          const cut = short >= len - 32 ? QuicStatus.PACKET_LENGTH : QuicStatus.PACKET_TRUNCATED;
          expect(status).toBe(cut, `${short} of ${len} bytes`);
          expect(Header.packetLength).toBe(short);
        }
        expect(Header.readPacketHeader(bytes, 2000, 8, false)).toBe(Status.OK);
        expect(Header.packetType).toBe(types[i]);
        expect(Header.packetVersion).toBe(versions[v]);
        expect(Header.packetLength).toBe(len);
        expect(Header.packetNumberOffset).toBe(len - 32);
        expect(Header.packetDestinationLen).toBe(8);
        expect(load<u64>(Header.packetDestinationPtr)).toBe(load<u64>(ids));
        expect(Header.packetSourceLen).toBe(5);
        expect(load<u32>(Header.packetSourcePtr)).toBe(load<u32>(otherIds));
        expect(Header.packetTokenLen).toBe(types[i] == PacketType.INITIAL ? 3 : 0);
        expect(load<u8>(bytes) & 3).toBe(1);
        expect(packetNumberRead(bytes + Header.packetNumberOffset, 2)).toBe(7);
      }
    }
  });

  test("has connection IDs of at most 20 bytes in the versions spoken here, 255 in others", () => {
    for (let len: u32 = 0; len < 256; len++) {
      for (let version: u32 = 1; version < 3; version++) {
        open();
        writeU8(writer, 0xc0);
        writeU32(writer, version);
        writeU8(writer, len);
        writeSpan(writer, len);
        writeU8(writer, 255 - len);
        writeSpan(writer, 255 - len);
        writeSpan(writer, 100);
        const status = Header.readPacketHeader(bytes, written(), 8, false);
        // One of the two is longer than 20 always.
        expect(status).toBe(version == 1 ? QuicStatus.PACKET_CONNECTION_ID : QuicStatus.PACKET_VERSION);
        expect(Header.packetDestinationLen).toBe(len);
        expect(Header.packetSourceLen).toBe(255 - len);
        expect(Header.packetLength).toBe(written());
      }
    }
  });

  test("has the fixed bit, unless it was agreed to leave it out", () => {
    open();
    writePacket(PacketType.HANDSHAKE, Version.V1, ids, 30);
    store<u8>(bytes, load<u8>(bytes) & 0xbf);
    expect(Header.readPacketHeader(bytes, written(), 8, false)).toBe(QuicStatus.PACKET_FIXED_BIT);
    expect(Header.readPacketHeader(bytes, written(), 8, true)).toBe(Status.OK);
  });

  test("with a length that has no room for the sample is passed over by that length", () => {
    for (let payloadLen: u32 = 0; payloadLen < 20; payloadLen++) {
      open();
      writePacket(PacketType.HANDSHAKE, Version.V1, ids, payloadLen);
      const status = Header.readPacketHeader(bytes, 2000, 8, false);
      expect(status).toBe(payloadLen < 18 ? QuicStatus.PACKET_TOO_SHORT : Status.OK);
      expect(Header.packetLength).toBe(written());
    }
  });

  test("of an Initial with a token beyond the datagram is refused", () => {
    open();
    writeU8(writer, 0xc0);
    writeU32(writer, 1);
    writeU8(writer, 0);
    writeU8(writer, 0);
    writeVarint(writer, 0x3fffffffffffffff);
    writeSpan(writer, 200);
    expect(Header.readPacketHeader(bytes, written(), 8, false)).toBe(QuicStatus.PACKET_TRUNCATED);
  });

  test("is not written where there is no room", () => {
    for (let room: u32 = 0; room < 28; room++) {
      writerOpen(writer, bytes, room);
      const at = Header.writeLongHeader(writer, PacketType.INITIAL, 1, ids, 8, ids, 5, ids, 3, 7, 2);
      expect(at == 0).toBe(room < 28, `${room}`);
      expect(writer.failed).toBe(1);
    }
  });
});

describe("a short header", () => {
  test("is read as it was written, and refused wherever it is cut", () => {
    for (let idLen: u32 = 0; idLen <= 20; idLen += 5) {
      for (let bits: u32 = 0; bits < 8; bits++) {
        open();
        Header.writeShortHeader(writer, ids, idLen, (bits & 1) != 0, bits >> 1, 0x01020304, 1 + (bits >> 1));
        const numberLen = 1 + (bits >> 1);
        expect(written()).toBe(1 + idLen + numberLen);
        const first = 0x40 | ((bits & 1) << 5) | (bits >> 1 != 0 ? 4 : 0) | (numberLen - 1);
        expect(load<u8>(bytes)).toBe(<u8>first);
        for (let len: u32 = 1; len < idLen + 40; len++) {
          const status = Header.readPacketHeader(bytes, len, idLen, false);
          const cut = len > idLen ? QuicStatus.PACKET_TOO_SHORT : QuicStatus.PACKET_TRUNCATED;
          expect(status).toBe(len < idLen + 21 ? cut : Status.OK);
          expect(Header.packetLength).toBe(len);
        }
        expect(Header.packetType).toBe(PacketType.ONE_RTT);
        expect(Header.packetNumberOffset).toBe(1 + idLen);
        expect(Header.packetDestinationLen).toBe(idLen);
        expect(Header.packetVersion).toBe(0);
      }
    }
  });

  test("has the fixed bit, unless it was agreed to leave it out", () => {
    open();
    expect(Header.readPacketHeader(bytes, 100, 8, false)).toBe(QuicStatus.PACKET_FIXED_BIT);
    expect(Header.packetLength).toBe(100);
    expect(Header.readPacketHeader(bytes, 100, 8, true)).toBe(Status.OK);
  });
});

describe("packets without protection", () => {
  test("Version Negotiation lists versions, whole ones, and a reserved one", () => {
    open();
    Header.writeVersionNegotiation(writer, ids, 8, otherIds, 5, 0xdeadbeef);
    const len = written();
    for (let cut: u32 = 1; cut <= len; cut++) {
      const status = Header.readPacketHeader(bytes, cut, 8, false);
      const isWhole = cut > len - 12 && (len - cut) % 4 == 0;
      expect(status).toBe(isWhole ? Status.OK : QuicStatus.PACKET_TRUNCATED, `${cut} of ${len} bytes`);
    }
    expect(Header.packetType).toBe(PacketType.VERSION_NEGOTIATION);
    expect(Header.packetDestinationLen).toBe(5);
    expect(Header.packetSourceLen).toBe(8);
    expect(Header.packetTokenLen).toBe(12);
    expect(bswap<u32>(load<u32>(Header.packetTokenPtr))).toBe(Version.V1);
    expect(bswap<u32>(load<u32>(Header.packetTokenPtr + 4))).toBe(Version.V2);
    expect(isReservedVersion(bswap<u32>(load<u32>(Header.packetTokenPtr + 8)))).toBe(true);
    // Free bits are free: the fixed bit means nothing there.
    store<u8>(bytes, 0x80);
    expect(Header.readPacketHeader(bytes, len, 8, false)).toBe(Status.OK);
  });

  test("Retry has a token and a tag", () => {
    for (let v = 0; v < 2; v++) {
      open();
      Header.writeRetry(writer, versions[v], ids, 8, otherIds, 5, ids, 20);
      writeSpan(writer, 16);
      expect(Header.readPacketHeader(bytes, written(), 8, false)).toBe(Status.OK);
      expect(Header.packetType).toBe(PacketType.RETRY);
      expect(Header.packetTokenLen).toBe(20);
      expect(load<u64>(Header.packetTokenPtr)).toBe(load<u64>(ids));
      expect(Header.readPacketHeader(bytes, written() - 20, 8, false)).toBe(QuicStatus.PACKET_TRUNCATED);
    }
  });
});

describe("a datagram", () => {
  test("holds packets one after another, and garbage after them is dropped", () => {
    open();
    writePacket(PacketType.INITIAL, Version.V1, ids, 200);
    const handshakeAt = writer.at;
    writePacket(PacketType.HANDSHAKE, Version.V1, ids, 60);
    const end = written();
    // The 890 bytes that one client leaves behind its Initial.
    datagramOpen(datagram, bytes, end + 890, 8, false, false);
    expect(datagramNext(datagram)).toBe(Status.OK);
    expect(Header.packetType).toBe(PacketType.INITIAL);
    expect(datagram.packetAt).toBe(bytes);
    expect(datagramNext(datagram)).toBe(Status.OK);
    expect(Header.packetType).toBe(PacketType.HANDSHAKE);
    expect(datagram.packetAt).toBe(handshakeAt);
    expect(datagramHasMore(datagram)).toBe(true);
    expect(datagramNext(datagram)).toBe(QuicStatus.PACKET_FIXED_BIT);
    expect(datagramHasMore(datagram)).toBe(false);
    // Where the fixed bit may be 0, the zeros name another destination.
    datagramOpen(datagram, bytes, end + 890, 8, false, true);
    datagramNext(datagram);
    datagramNext(datagram);
    expect(datagramNext(datagram)).toBe(QuicStatus.PACKET_FOREIGN);
    expect(datagramHasMore(datagram)).toBe(false);
  });

  test("goes on behind a packet for somebody else, and behind one that is too short", () => {
    open();
    writePacket(PacketType.HANDSHAKE, Version.V1, ids, 5);
    writePacket(PacketType.HANDSHAKE, Version.V1, otherIds, 60);
    writePacket(PacketType.HANDSHAKE, Version.V1, ids, 60);
    datagramOpen(datagram, bytes, written(), 8, false, false);
    expect(datagramNext(datagram)).toBe(QuicStatus.PACKET_TOO_SHORT);
    expect(datagramNext(datagram)).toBe(QuicStatus.PACKET_FOREIGN);
    expect(datagramNext(datagram)).toBe(Status.OK);
    expect(datagramHasMore(datagram)).toBe(false);
  });

  test("below 1200 bytes brings a server no Initial, but other packets", () => {
    for (let len: u32 = 1198; len < 1202; len++) {
      open();
      writePacket(PacketType.INITIAL, Version.V1, ids, 200);
      datagramOpen(datagram, bytes, len, 8, true, false);
      expect(datagramNext(datagram)).toBe(len < 1200 ? QuicStatus.DATAGRAM_TOO_SHORT : Status.OK);
      datagramOpen(datagram, bytes, len, 8, false, false);
      expect(datagramNext(datagram)).toBe(Status.OK);
    }
    open();
    writePacket(PacketType.HANDSHAKE, Version.V1, ids, 200);
    datagramOpen(datagram, bytes, written(), 8, true, false);
    expect(datagramNext(datagram)).toBe(Status.OK);
  });

  test("of any bytes ends", () => {
    seedRandom(9);
    for (let round = 0; round < 3000; round++) {
      open();
      if (round % 3 != 0) writePacket(randomBelow(3), versions[randomBelow(2)], ids, randomBelow(100));
      const start = written();
      const len = start + randomBelow(1300) + 1;
      for (let at = start; at < len; at += 8) store<u64>(bytes + at, random64());
      for (let flips = randomBelow(4); flips > 0; flips--) {
        store<u8>(bytes + randomBelow(len), <u8>random64());
      }
      datagramOpen(datagram, bytes, len, randomBelow(21), (round & 1) != 0, (round & 2) != 0);
      let before = datagram.at;
      while (datagramHasMore(datagram)) {
        const status = datagramNext(datagram);
        const isStep = datagram.at > before && datagram.at <= bytes + len;
        const isProtected = status == Status.OK && Header.packetType <= PacketType.ONE_RTT;
        const hasSample = !isProtected || Header.packetNumberOffset + 20 <= Header.packetLength;
        const areWithin = Header.packetTokenLen < len && Header.packetDestinationLen < 256;
        if (!isStep || !hasSample || !areWithin) {
          expect(round).toBe(-1, "a step or a span beyond the datagram");
          return;
        }
        before = datagram.at;
      }
    }
  });
});
