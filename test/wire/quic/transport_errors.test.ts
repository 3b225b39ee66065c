// Each error code of RFC 9000 §20.1 that a peer can bring about, as it stands in CONNECTION_CLOSE, with rules that share one.

import { describe, expect, test } from "vitest";
import { CloseFlag } from "../../../assembly/abi/quic.ts";
import * as f from "./frames.ts";
import { memoryOf } from "./nodes.ts";
import { Rogue } from "./rogue.ts";
import { TransportError } from "./transport_error.ts";

const BIG = (1n << 62n) - 1n;
const byte = Buffer.of(1);

interface Case {
  readonly name: string;
  readonly code: number;
  readonly packets: readonly (readonly Uint8Array[])[];
  readonly firstByte?: number;
}

const fromClient: readonly Case[] = [
  {
    name: "bytes of a stream beyond its window",
    code: TransportError.FLOW_CONTROL_ERROR,
    packets: [[f.stream(0, 262_144, byte)]],
  },
  {
    name: "bytes of streams beyond the window of the connection",
    code: TransportError.FLOW_CONTROL_ERROR,
    packets: [0, 4, 8, 12, 16].map((id) => [f.stream(id, 262_143, byte)]),
  },
  {
    name: "a final size beyond the window",
    code: TransportError.FLOW_CONTROL_ERROR,
    packets: [[f.resetStream(0, 1, 300_000)]],
  },
  {
    name: "a stream beyond the limit",
    code: TransportError.STREAM_LIMIT_ERROR,
    packets: [[f.stream(4 * 100, 0, byte)]],
  },
  {
    name: "RESET_STREAM of a stream beyond the limit",
    code: TransportError.STREAM_LIMIT_ERROR,
    packets: [[f.resetStream(4 * 100, 1, 0)]],
  },
  {
    name: "STREAM on a stream of the server's that sends only",
    code: TransportError.STREAM_STATE_ERROR,
    packets: [[f.stream(3, 0, byte)]],
  },
  {
    name: "STREAM on a stream that the server has not opened",
    code: TransportError.STREAM_STATE_ERROR,
    packets: [[f.stream(1, 0, byte)]],
  },
  {
    name: "MAX_STREAM_DATA on a stream that only receives",
    code: TransportError.STREAM_STATE_ERROR,
    packets: [[f.frame(0x11, 2, 1000)]],
  },
  {
    name: "MAX_STREAM_DATA on a stream that the server has not opened",
    code: TransportError.STREAM_STATE_ERROR,
    packets: [[f.frame(0x11, 1, 1000)]],
  },
  {
    name: "STOP_SENDING on a stream that the server has not opened",
    code: TransportError.STREAM_STATE_ERROR,
    packets: [[f.stopSending(1, 1)]],
  },
  {
    name: "RESET_STREAM on a stream of the server's that sends only",
    code: TransportError.STREAM_STATE_ERROR,
    packets: [[f.resetStream(3, 1, 0)]],
  },
  {
    name: "STOP_SENDING on a stream that only receives",
    code: TransportError.STREAM_STATE_ERROR,
    packets: [[f.stopSending(2, 1)]],
  },
  {
    name: "bytes behind the end of a stream",
    code: TransportError.FINAL_SIZE_ERROR,
    packets: [[f.stream(0, 0, byte, true), f.stream(0, 1, byte)]],
  },
  {
    name: "an end before bytes that have come",
    code: TransportError.FINAL_SIZE_ERROR,
    packets: [[f.stream(0, 0, Buffer.alloc(9))], [f.resetStream(0, 1, 3)]],
  },
  {
    name: "another end",
    code: TransportError.FINAL_SIZE_ERROR,
    packets: [[f.stream(0, 5, byte, true)], [f.stream(0, 6, byte, true)]],
  },
  {
    name: "a frame that is not whole",
    code: TransportError.FRAME_ENCODING_ERROR,
    packets: [[Buffer.of(0x0a, 0, 40, 1, 2, 3)]],
  },
  { name: "an unknown type", code: TransportError.FRAME_ENCODING_ERROR, packets: [[f.frame(0x2f)]] },
  {
    name: "an offset beyond 2^62",
    code: TransportError.FRAME_ENCODING_ERROR,
    packets: [[f.stream(0, BIG, Buffer.alloc(9))]],
  },
  {
    name: "MAX_STREAMS beyond 2^60",
    code: TransportError.FRAME_ENCODING_ERROR,
    packets: [[f.frame(0x12, (1n << 60n) + 1n)]],
  },
  {
    name: "STREAMS_BLOCKED beyond 2^60",
    code: TransportError.FRAME_ENCODING_ERROR,
    packets: [[f.frame(0x16, (1n << 60n) + 1n)]],
  },
  {
    name: "a connection ID of no bytes",
    code: TransportError.FRAME_ENCODING_ERROR,
    packets: [[f.newConnectionId(9, 0, Buffer.alloc(0))]],
  },
  {
    name: "an ACK whose first range is longer than the largest",
    code: TransportError.FRAME_ENCODING_ERROR,
    packets: [[f.ack(2, 3)]],
  },
  {
    name: "a connection ID of 21 bytes",
    code: TransportError.FRAME_ENCODING_ERROR,
    packets: [[f.newConnectionId(9, 0, Buffer.alloc(21))]],
  },
  {
    name: "retire_prior_to behind its sequence number",
    code: TransportError.FRAME_ENCODING_ERROR,
    packets: [[f.newConnectionId(9, 10, Buffer.alloc(8))]],
  },
  {
    name: "one sequence number for two connection IDs",
    code: TransportError.PROTOCOL_VIOLATION,
    packets: [[f.newConnectionId(1, 0, Buffer.alloc(8, 0xee))]],
  },
  { name: "a packet without frames", code: TransportError.PROTOCOL_VIOLATION, packets: [[]] },
  {
    name: "reserved bits that are set",
    code: TransportError.PROTOCOL_VIOLATION,
    packets: [[f.ping()]],
    firstByte: 0x58,
  },
  {
    name: "HANDSHAKE_DONE from a client",
    code: TransportError.PROTOCOL_VIOLATION,
    packets: [[f.frame(0x1e)]],
  },
  {
    name: "NEW_TOKEN from a client",
    code: TransportError.PROTOCOL_VIOLATION,
    packets: [[f.frame(0x07, 3, Buffer.alloc(3))]],
  },
  {
    name: "DATAGRAM where none was allowed",
    code: TransportError.PROTOCOL_VIOLATION,
    packets: [[f.frame(0x31, 3, Buffer.alloc(3))]],
  },
  {
    name: "a type in more bytes than it needs",
    code: TransportError.PROTOCOL_VIOLATION,
    packets: [[Buffer.of(0x40, 0x01, 0, 0, 0)]],
  },
  {
    name: "an acknowledgement of what was not sent",
    code: TransportError.PROTOCOL_VIOLATION,
    packets: [[f.ack(100_000)]],
  },
  {
    name: "CRYPTO beyond its buffer",
    code: TransportError.CRYPTO_BUFFER_EXCEEDED,
    packets: [[f.crypto(70_000, byte)]],
  },
  {
    name: "a TLS message that a client never sends",
    code: 0x100 + 10,
    packets: [[f.crypto(0, Buffer.of(2, 0, 0, 0))]],
  },
  {
    name: "KeyUpdate of TLS",
    code: 0x100 + 10,
    packets: [[f.crypto(0, Buffer.of(24, 0, 0, 1, 0))]],
  },
];

const fromServer: readonly Case[] = [
  {
    name: "STREAM on a stream that the client has not opened",
    code: TransportError.STREAM_STATE_ERROR,
    packets: [[f.stream(0, 0, byte)]],
  },
  {
    name: "MAX_STREAM_DATA on a stream that the client has not opened",
    code: TransportError.STREAM_STATE_ERROR,
    packets: [[f.frame(0x11, 4, 1000)]],
  },
  {
    name: "an empty token",
    code: TransportError.FRAME_ENCODING_ERROR,
    packets: [[f.frame(0x07, 0)]],
  },
];

function provoke(rogue: Rogue, { packets, firstByte = 0x40 }: Case): void {
  for (const frames of packets) {
    if (rogue.closed !== null) break;
    const isEmpty = frames.length === 0;
    rogue.deliver([isEmpty ? emptyPacket(rogue) : rogue.packet(frames, rogue.number++, firstByte)]);
  }
}

/** A number of four bytes makes the sample fit a packet without payload. */
function emptyPacket(rogue: Rogue): Buffer {
  const header = Buffer.concat([Buffer.of(0x43), rogue.destination, Buffer.alloc(4)]);
  return rogue.writeKeys.seal(header, rogue.number++, Buffer.alloc(0));
}

describe("a server ends the connection", () => {
  test.each(fromClient)("for $name", (attempt) => {
    const rogue = new Rogue();
    provoke(rogue, attempt);
    expect(rogue.closeCode).toBe(attempt.code);
    expect(rogue.closed).toMatchObject({ code: attempt.code, flags: 0 });
    // All of it is forgotten once the peer has had the time to hear of it.
    rogue.wait(5000);
    expect(rogue.victim.engine.quic.connectionCount(rogue.victim.endpoint)).toBe(0);
  });
});

describe("a client ends the connection", () => {
  test.each(fromServer)("for $name", (attempt) => {
    const rogue = new Rogue({ role: "server" });
    provoke(rogue, attempt);
    expect(rogue.closeCode).toBe(attempt.code);
  });
});

test("what the peer closes with is told as the peer's", () => {
  const rogue = new Rogue();
  const before = memoryOf(rogue.victim);
  rogue.send(f.frame(0x1c, TransportError.INVALID_TOKEN, 0, 2, Buffer.from("no")));
  expect(rogue.closed).toMatchObject({ code: TransportError.INVALID_TOKEN, flags: CloseFlag.REMOTE });
  rogue.wait(5000);
  expect(memoryOf(rogue.victim)).toBeLessThan(before);
});

test("whoever sends on to a closed connection hears of it ever more rarely", () => {
  const rogue = new Rogue();
  rogue.send(f.frame(0x2f));
  rogue.datagrams = 0;
  for (let packet = 0; packet < 100; packet++) rogue.send(f.ping());
  expect(rogue.datagrams).toBeGreaterThan(0);
  expect(rogue.datagrams).toBeLessThanOrEqual(8);
});

describe("keys are updated by the book (RFC 9001 §6)", () => {
  test("an update by the peer is followed", () => {
    const rogue = new Rogue();
    rogue.send(f.ping());
    rogue.writeKeys = rogue.writeKeys.next();
    rogue.deliver([rogue.packet([f.ping()], rogue.number++, 0x44)]);
    rogue.readKeys = rogue.readKeys.next();
    rogue.frames.length = 0;
    rogue.deliver([rogue.packet([f.ping()], rogue.number++, 0x44)]);
    rogue.wait(30);
    expect(rogue.closed).toBeNull();
    expect(rogue.framesOf(0x02).length).toBeGreaterThan(0);
  });

  test("two updates with nothing acknowledged between them end the connection", () => {
    const rogue = new Rogue();
    rogue.writeKeys = rogue.writeKeys.next();
    rogue.push([rogue.packet([f.ping()], rogue.number++, 0x44)]);
    rogue.writeKeys = rogue.writeKeys.next();
    rogue.push([rogue.packet([f.ping()], rogue.number++, 0x40)]);
    expect(rogue.closed?.code).toBe(TransportError.KEY_UPDATE_ERROR);
  });

  test("a packet under old keys with a number behind new ones is not opened, as §6.4 has it", () => {
    const rogue = new Rogue();
    const old = rogue.writeKeys;
    rogue.writeKeys = old.next();
    rogue.deliver([rogue.packet([f.ping()], rogue.number++, 0x44)]);
    rogue.writeKeys = old;
    rogue.deliver([rogue.packet([f.stream(0, 0, byte)], rogue.number++, 0x40)]);
    rogue.writeKeys = old.next();
    rogue.readKeys = rogue.readKeys.next();
    rogue.frames.length = 0;
    rogue.deliver([rogue.packet([f.stream(4, 0, byte)], rogue.number++, 0x44)]);
    rogue.wait(30);
    // Two ranges: the packet between them never arrived.
    expect(rogue.framesOf(0x02)[0]?.values).toEqual([rogue.number - 1, 3]);
  });
});
