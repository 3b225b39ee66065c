// Each frame by itself: what is written is read back at the ends of its fields, every truncation is refused, and so is every
// value that the RFC forbids.

import { QuicStatus } from "../../../../assembly/abi/quic_status.ts";
import { Status } from "../../../../assembly/abi/status.ts";
import { Reader, readerLeft, readerOpen } from "../../../../assembly/core/reader.ts";
import {
  VARINT_MAX,
  writeBytes,
  Writer,
  writerOpen,
  writeU8,
  writeVarint,
  writeVarintOf,
} from "../../../../assembly/core/writer.ts";
import * as Ack from "../../../../assembly/quic/wire/ack.ts";
import * as Close from "../../../../assembly/quic/wire/connection_close.ts";
import * as Crypto from "../../../../assembly/quic/wire/crypto.ts";
import { dataBlockedLimit, writeDataBlocked } from "../../../../assembly/quic/wire/data_blocked.ts";
import * as Datagram from "../../../../assembly/quic/wire/datagram_frame.ts";
import {
  FrameType,
  frameStatus,
  isAckEliciting,
  isInFlight,
  isProbing,
  readFrameType,
} from "../../../../assembly/quic/wire/frame_type.ts";
import { writeHandshakeDone } from "../../../../assembly/quic/wire/handshake_done.ts";
import { maxDataLimit, writeMaxData } from "../../../../assembly/quic/wire/max_data.ts";
import {
  maxStreamDataId,
  maxStreamDataLimit,
  writeMaxStreamData,
} from "../../../../assembly/quic/wire/max_stream_data.ts";
import {
  maxStreamsLimit,
  STREAM_COUNT_MAX,
  writeMaxStreams,
} from "../../../../assembly/quic/wire/max_streams.ts";
import * as NewId from "../../../../assembly/quic/wire/new_connection_id.ts";
import { newTokenLen, newTokenPtr, writeNewToken } from "../../../../assembly/quic/wire/new_token.ts";
import { PacketType } from "../../../../assembly/quic/wire/packet_type.ts";
import { writePadding } from "../../../../assembly/quic/wire/padding.ts";
import { pathChallengeData, writePathChallenge } from "../../../../assembly/quic/wire/path_challenge.ts";
import { pathResponseData, writePathResponse } from "../../../../assembly/quic/wire/path_response.ts";
import { writePing } from "../../../../assembly/quic/wire/ping.ts";
import {
  resetStreamCode,
  resetStreamFinalSize,
  resetStreamId,
  writeResetStream,
} from "../../../../assembly/quic/wire/reset_stream.ts";
import {
  retireConnectionIdSequence,
  writeRetireConnectionId,
} from "../../../../assembly/quic/wire/retire_connection_id.ts";
import {
  stopSendingCode,
  stopSendingId,
  writeStopSending,
} from "../../../../assembly/quic/wire/stop_sending.ts";
import * as Stream from "../../../../assembly/quic/wire/stream.ts";
import {
  streamDataBlockedId,
  streamDataBlockedLimit,
  writeStreamDataBlocked,
} from "../../../../assembly/quic/wire/stream_data_blocked.ts";
import { streamsBlockedLimit, writeStreamsBlocked } from "../../../../assembly/quic/wire/streams_blocked.ts";
import { anyFrameType, readAnyFrame, walkAckRanges } from "./any_frame.ts";

const bytes: usize = memory.data(2048, 16);
const text: usize = memory.data<u8>([
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
]);
const writer = changetype<Writer>(memory.data(offsetof<Writer>(), 8));
const reader = changetype<Reader>(memory.data(offsetof<Reader>(), 8));
const values: u64[] = [0, 0x3f, 0x40, 0x3fff, 0x4000, 0x3fffffff, 0x40000000, VARINT_MAX];

function open(): void {
  writerOpen(writer, bytes, 2048);
}

function written(): u32 {
  return <u32>(writer.at - bytes);
}

function read(len: u32): i32 {
  readerOpen(reader, bytes, len);
  return readAnyFrame(reader, PacketType.ONE_RTT, true);
}

/** What was written is one frame of this type, whole; every proper prefix of it, from `least` bytes on, is refused. */
function expectWhole(type: u32, isOpenEnded: bool = false): void {
  const len = written();
  expect(writer.failed).toBe(0);
  for (let short: u32 = 0; short < len && !isOpenEnded; short++) {
    expect(read(short)).toBe(QuicStatus.FRAME_TRUNCATED, `type ${type}, ${short} of ${len} bytes`);
  }
  expect(read(len)).toBe(Status.OK, `type ${type}`);
  expect(anyFrameType).toBe(type);
  expect(readerLeft(reader)).toBe(0, `type ${type}`);
  // Without room for the last byte, the writer says so.
  expect(len).toBeGreaterThan(0);
}

function expectStatus(status: i32): void {
  expect(read(written())).toBe(status);
}

describe("frames with numbers only", () => {
  test("are read as they were written and refused when they are cut", () => {
    for (let i = 0; i < values.length; i++) {
      const a = values[i];
      const b = values[values.length - 1 - i];
      const c = values[(i + 3) % values.length];
      open();
      writeResetStream(writer, a, b, c);
      expectWhole(FrameType.RESET_STREAM);
      expect(resetStreamId).toBe(a);
      expect(resetStreamCode).toBe(b);
      expect(resetStreamFinalSize).toBe(c);
      open();
      writeStopSending(writer, a, b);
      expectWhole(FrameType.STOP_SENDING);
      expect(stopSendingId).toBe(a);
      expect(stopSendingCode).toBe(b);
      open();
      writeMaxData(writer, a);
      expectWhole(FrameType.MAX_DATA);
      expect(maxDataLimit).toBe(a);
      open();
      writeMaxStreamData(writer, a, b);
      expectWhole(FrameType.MAX_STREAM_DATA);
      expect(maxStreamDataId).toBe(a);
      expect(maxStreamDataLimit).toBe(b);
      open();
      writeDataBlocked(writer, a);
      expectWhole(FrameType.DATA_BLOCKED);
      expect(dataBlockedLimit).toBe(a);
      open();
      writeStreamDataBlocked(writer, a, b);
      expectWhole(FrameType.STREAM_DATA_BLOCKED);
      expect(streamDataBlockedId).toBe(a);
      expect(streamDataBlockedLimit).toBe(b);
      open();
      writeRetireConnectionId(writer, a);
      expectWhole(FrameType.RETIRE_CONNECTION_ID);
      expect(retireConnectionIdSequence).toBe(a);
    }
  });

  test("that are only a type", () => {
    open();
    writePing(writer);
    expectWhole(FrameType.PING);
    open();
    writeHandshakeDone(writer);
    expectWhole(FrameType.HANDSHAKE_DONE);
  });

  test("of paths carry eight bytes", () => {
    open();
    writePathChallenge(writer, 0x0102030405060708);
    expectWhole(FrameType.PATH_CHALLENGE);
    expect(pathChallengeData).toBe(0x0102030405060708);
    expect(load<u8>(bytes + 1)).toBe(1);
    open();
    writePathResponse(writer, u64.MAX_VALUE);
    expectWhole(FrameType.PATH_RESPONSE);
    expect(pathResponseData).toBe(u64.MAX_VALUE);
  });

  test("count streams to 2^60 and no further", () => {
    for (let kind = 0; kind < 2; kind++) {
      open();
      writeMaxStreams(writer, kind == 1, STREAM_COUNT_MAX);
      expectWhole(FrameType.MAX_STREAMS_BIDI + kind);
      expect(maxStreamsLimit).toBe(0x1000000000000000);
      open();
      writeStreamsBlocked(writer, kind == 1, STREAM_COUNT_MAX);
      expectWhole(FrameType.STREAMS_BLOCKED_BIDI + kind);
      expect(streamsBlockedLimit).toBe(0x1000000000000000);
      open();
      writeMaxStreams(writer, kind == 1, STREAM_COUNT_MAX + 1);
      expectStatus(QuicStatus.STREAM_COUNT);
      open();
      writeStreamsBlocked(writer, kind == 1, STREAM_COUNT_MAX + 1);
      expectStatus(QuicStatus.STREAM_COUNT);
    }
  });
});

describe("PADDING", () => {
  test("is a run of zeros of any length, which ends before the next frame", () => {
    for (let len: u32 = 1; len < 40; len++) {
      open();
      writePadding(writer, len);
      expectWhole(FrameType.PADDING, true);
      writePing(writer);
      expect(read(len + 1)).toBe(Status.OK);
      expect(readerLeft(reader)).toBe(1);
      expect(readAnyFrame(reader, PacketType.ONE_RTT, true)).toBe(Status.OK);
      expect(anyFrameType).toBe(FrameType.PING);
    }
  });
});

describe("ACK", () => {
  test("tells its ranges from the largest down", () => {
    open();
    Ack.writeAckStart(writer, FrameType.ACK_ECN, 100000, 99990, VARINT_MAX, 2);
    Ack.writeAckRange(writer, 99990, 99988, 5000);
    Ack.writeAckRange(writer, 5000, 2, 0);
    Ack.writeAckEcn(writer, 1, VARINT_MAX, 3);
    expectWhole(FrameType.ACK_ECN);
    expect(Ack.ackLargest).toBe(100000);
    expect(Ack.ackDelay).toBe(VARINT_MAX);
    expect(Ack.ackEct0).toBe(1);
    expect(Ack.ackEct1).toBe(VARINT_MAX);
    expect(Ack.ackCe).toBe(3);
    expect(Ack.ackNextRange()).toBe(true);
    expect(Ack.ackRangeLargest).toBe(100000);
    expect(Ack.ackRangeSmallest).toBe(99990);
    expect(Ack.ackNextRange()).toBe(true);
    expect(Ack.ackRangeLargest).toBe(99988);
    expect(Ack.ackRangeSmallest).toBe(5000);
    expect(Ack.ackNextRange()).toBe(true);
    expect(Ack.ackRangeLargest).toBe(2);
    expect(Ack.ackRangeSmallest).toBe(0);
    expect(Ack.ackNextRange()).toBe(false);
    expect(Ack.ackNextRange()).toBe(false);
  });

  test("says how long a range is going to be", () => {
    open();
    Ack.writeAckRange(writer, 99990, 99988, 5000);
    expect(Ack.ackRangeBytes(99990, 99988, 5000)).toBe(written());
  });

  test("reaches to the last number and counts no ECN without saying so", () => {
    open();
    Ack.writeAckStart(writer, FrameType.ACK, <i64>VARINT_MAX, 0, 0, 0);
    expectWhole(FrameType.ACK);
    expect(Ack.ackEct0 + Ack.ackEct1 + Ack.ackCe).toBe(0);
    expect(walkAckRanges()).toBe(1);
    expect(Ack.ackRangeSmallest).toBe(0);
    expect(Ack.ackRangeLargest).toBe(<i64>VARINT_MAX);
  });

  test("never reaches below zero", () => {
    // largest, first range, then gap and length.
    const cases: u64[][] = [
      [5, 6],
      [5, VARINT_MAX],
      [5, 5, 0, 0],
      [5, 4, 0, 0],
      [5, 3, 0, 1],
      [9, 0, 8, 0],
      [9, 0, VARINT_MAX, VARINT_MAX, VARINT_MAX, VARINT_MAX],
    ];
    for (let i = 0; i < cases.length; i++) {
      const given = cases[i];
      open();
      writeU8(writer, FrameType.ACK);
      writeVarint(writer, given[0]);
      writeVarint(writer, 0);
      writeVarint(writer, (given.length - 2) / 2);
      for (let at = 1; at < given.length; at++) writeVarint(writer, given[at]);
      expect(read(written())).toBe(QuicStatus.ACK_RANGE, `case ${i}`);
    }
  });

  test("with a count beyond the packet ends with the packet", () => {
    open();
    writeU8(writer, FrameType.ACK);
    writeVarint(writer, VARINT_MAX);
    writeVarint(writer, 0);
    writeVarint(writer, VARINT_MAX);
    for (let i = 0; i < 1000; i++) writeU8(writer, 0);
    expectStatus(QuicStatus.FRAME_TRUNCATED);
  });
});

describe("frames with bytes", () => {
  test("CRYPTO", () => {
    for (let i = 0; i < values.length - 1; i++) {
      open();
      Crypto.writeCryptoHeader(writer, values[i], 24);
      expect(written()).toBe(Crypto.cryptoHeaderBytes(values[i], 24));
      writeBytes(writer, text, 24);
      expectWhole(FrameType.CRYPTO);
      expect(Crypto.cryptoOffset).toBe(values[i]);
      expect(Crypto.cryptoLen).toBe(24);
      expect(Crypto.cryptoPtr).toBe(writer.at - 24);
    }
    open();
    Crypto.writeCryptoHeader(writer, VARINT_MAX - 1, 2);
    writeBytes(writer, text, 2);
    expectStatus(QuicStatus.CRYPTO_OFFSET);
    open();
    Crypto.writeCryptoHeader(writer, VARINT_MAX - 1, 1);
    writeBytes(writer, text, 1);
    expectStatus(Status.OK);
  });

  test("STREAM, in its eight types", () => {
    for (let type: u32 = FrameType.STREAM; type < <u32>FrameType.MAX_DATA; type++) {
      const hasLength = (type & 2) != 0;
      const offset: u64 = (type & 4) != 0 ? 0x12345 : 0;
      open();
      Stream.writeStreamHeader(writer, 7, offset, 24, (type & 1) != 0, hasLength);
      expect(written()).toBe(Stream.streamHeaderBytes(7, offset, 24, hasLength));
      writeBytes(writer, text, 24);
      expectWhole(type, !hasLength);
      expect(Stream.streamFrameId).toBe(7);
      expect(Stream.streamFrameOffset).toBe(offset);
      expect(Stream.streamFrameLen).toBe(24);
      expect(Stream.streamFramePtr).toBe(writer.at - 24);
      expect(Stream.streamFrameFin).toBe((type & 1) != 0);
    }
    open();
    Stream.writeStreamHeader(writer, VARINT_MAX, VARINT_MAX, 0, true, true);
    expectWhole(0x0f);
    expect(Stream.streamFrameId).toBe(VARINT_MAX);
    expect(Stream.streamFrameLen).toBe(0);
    open();
    Stream.writeStreamHeader(writer, 0, VARINT_MAX, 1, true, false);
    writeBytes(writer, text, 1);
    expectStatus(QuicStatus.STREAM_OFFSET);
  });

  test("NEW_TOKEN, which is not empty", () => {
    open();
    writeNewToken(writer, text, 20);
    expectWhole(FrameType.NEW_TOKEN);
    expect(newTokenLen).toBe(20);
    expect(load<u64>(newTokenPtr)).toBe(load<u64>(text));
    open();
    writeNewToken(writer, text, 0);
    expectStatus(QuicStatus.TOKEN_EMPTY);
  });

  test("NEW_CONNECTION_ID, of 1 to 20 bytes", () => {
    for (let len: u32 = 0; len < 24; len++) {
      open();
      NewId.writeNewConnectionId(writer, VARINT_MAX, 5, text, len, text + 4);
      if (len == 0 || len > 20) {
        expectStatus(QuicStatus.CONNECTION_ID_LENGTH);
        continue;
      }
      expectWhole(FrameType.NEW_CONNECTION_ID);
      expect(NewId.newConnectionIdSequence).toBe(VARINT_MAX);
      expect(NewId.newConnectionIdRetirePriorTo).toBe(5);
      expect(NewId.newConnectionIdLen).toBe(len);
      expect(load<u8>(NewId.newConnectionIdPtr)).toBe(1);
      expect(load<u8>(NewId.newConnectionIdTokenPtr)).toBe(5);
    }
    open();
    NewId.writeNewConnectionId(writer, 4, 5, text, 8, text);
    expectStatus(QuicStatus.RETIRE_PRIOR_TO);
    open();
    NewId.writeNewConnectionId(writer, 5, 5, text, 8, text);
    expectStatus(Status.OK);
  });

  test("CONNECTION_CLOSE, of the transport and of the application", () => {
    open();
    Close.writeConnectionClose(writer, VARINT_MAX, 0x1f, text, 24);
    expectWhole(FrameType.CONNECTION_CLOSE);
    expect(Close.connectionCloseIsApplication).toBe(false);
    expect(Close.connectionCloseCode).toBe(VARINT_MAX);
    expect(Close.connectionCloseFrameType).toBe(0x1f);
    expect(Close.connectionCloseReasonLen).toBe(24);
    expect(load<u8>(Close.connectionCloseReasonPtr)).toBe(1);
    open();
    Close.writeApplicationClose(writer, 0x100, text, 0);
    expectWhole(FrameType.CONNECTION_CLOSE_APPLICATION);
    expect(Close.connectionCloseIsApplication).toBe(true);
    expect(Close.connectionCloseCode).toBe(0x100);
    expect(Close.connectionCloseFrameType).toBe(0);
    expect(Close.connectionCloseReasonLen).toBe(0);
  });

  test("DATAGRAM, with a length and without", () => {
    for (let kind = 0; kind < 2; kind++) {
      open();
      Datagram.writeDatagramHeader(writer, 24, kind == 1);
      expect(written()).toBe(Datagram.datagramHeaderBytes(24, kind == 1));
      writeBytes(writer, text, 24);
      expectWhole(FrameType.DATAGRAM + kind, kind == 0);
      expect(Datagram.datagramLen).toBe(24);
      expect(Datagram.datagramPtr).toBe(writer.at - 24);
      expect(Datagram.datagramFrameLen).toBe(written());
    }
  });

  test("do not reach beyond the packet with a length of any size", () => {
    const types: u32[] = [FrameType.NEW_TOKEN, FrameType.DATAGRAM_WITH_LENGTH];
    for (let i = 0; i < types.length; i++) {
      open();
      writeU8(writer, types[i]);
      writeVarint(writer, VARINT_MAX);
      writeBytes(writer, text, 24);
      expectStatus(QuicStatus.FRAME_TRUNCATED);
    }
  });
});

// RFC 9000 table 3 with §12.5, and RFC 9221 §4, as text: I, H, 0, 1 are packets, S comes from servers only, N is not to be
// acknowledged, C is not in flight, P probes.
const table: string[] = [
  "IH01 NP",
  "IH01",
  "IH1 NC",
  "IH1 NC",
  "01",
  "01",
  "IH1",
  "1 S",
  "01",
  "01",
  "01",
  "01",
  "01",
  "01",
  "01",
  "01",
  "01",
  "01",
  "01",
  "01",
  "01",
  "01",
  "01",
  "01",
  "01 P",
  "1",
  "01 P",
  "1 P",
  "IH01 NC",
  "01 NC",
  "1 S",
];

function rowOf(type: u32): string {
  if (type < <u32>table.length) return table[type];
  return type == 0x30 || type == 0x31 ? "01" : "";
}

describe("types", () => {
  test("stand in the packets that the RFC allows, and in no others", () => {
    const packets = ["I", "0", "H", "1"];
    for (let type: u32 = 0; type < 300; type++) {
      const row = rowOf(type);
      const isServers = row.includes("S");
      for (let packet = 0; packet < 4; packet++) {
        const isAllowed = row.split(" ")[0].includes(packets[packet]);
        const refusal = row == "" ? QuicStatus.FRAME_TYPE_UNKNOWN : QuicStatus.FRAME_NOT_ALLOWED;
        const name = `type ${type} in packet ${packets[packet]}`;
        expect(frameStatus(type, packet, true)).toBe(isAllowed ? Status.OK : refusal, name);
        expect(frameStatus(type, packet, false)).toBe(isAllowed && !isServers ? Status.OK : refusal, name);
      }
      // Retry and Version Negotiation have no frames.
      expect(frameStatus(type, PacketType.RETRY, true)).not.toBe(Status.OK);
      expect(frameStatus(type, PacketType.VERSION_NEGOTIATION, true)).not.toBe(Status.OK);
      expect(isAckEliciting(type)).toBe(row != "" && !row.includes("N"));
      expect(isInFlight(type)).toBe(row != "" && !row.includes("C"));
      expect(isProbing(type)).toBe(row.includes("P"));
    }
    expect(frameStatus(u64.MAX_VALUE, PacketType.ONE_RTT, true)).toBe(QuicStatus.FRAME_TYPE_UNKNOWN);
  });

  test("are written in one byte", () => {
    const lengths: u32[] = [2, 4, 8];
    for (let type: u32 = 0; type < 0x32; type++) {
      for (let i = 0; i < lengths.length; i++) {
        open();
        writeVarintOf(writer, type, lengths[i]);
        readerOpen(reader, bytes, written());
        const status = rowOf(type) == "" ? QuicStatus.FRAME_TYPE_UNKNOWN : QuicStatus.FRAME_TYPE_NOT_MINIMAL;
        expect(readFrameType(reader, PacketType.ONE_RTT, true)).toBe(status, `type ${type}`);
      }
    }
  });
});
