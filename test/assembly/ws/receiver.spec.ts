/**
 * Frames in, steps out: golden cases at every split, byte by byte and at every truncation.
 * Limits as in logOfSplit: messages of 65536 bytes, 8 fragments.
 */

import { Role } from "../../../assembly/abi/message.ts";
import { isWsReceiverEnded } from "../../../assembly/ws/receiver.ts";
import { Peer, concat, fromHex, logOfBytes, logOfSplit } from "./wire.ts";

/** A header, then `payloadLen` bytes of "a", for a client. */
function withPayload(header: string, payloadLen: i32): Uint8Array {
  return concat(fromHex(header), new Uint8Array(payloadLen).fill(0x61));
}

function expectLog(role: Role, isDeflateAgreed: bool, bytes: Uint8Array, expected: string): void {
  expect(logOfSplit(role, isDeflateAgreed, bytes, 0)).toBe(expected);
  expect(logOfBytes(role, isDeflateAgreed, bytes)).toBe(expected, "byte by byte");
  // Around the start and the end, and sparsely inside long payloads.
  for (let cut = 1; cut < bytes.length; cut += cut < 200 || bytes.length - cut < 200 ? 1 : 97) {
    const log = logOfSplit(role, isDeflateAgreed, bytes, cut);
    if (log != expected) expect(log).toBe(expected, "cut at " + cut.toString());
  }
}

function asServer(hex: string, expected: string): void {
  expectLog(Role.SERVER, false, fromHex(hex), expected);
}

function asClient(hex: string, expected: string): void {
  expectLog(Role.CLIENT, false, fromHex(hex), expected);
}

function withDeflate(hex: string, expected: string): void {
  expectLog(Role.CLIENT, true, fromHex(hex), expected);
}

describe("messages", () => {
  test("the examples of RFC 6455 §5.7", () => {
    asClient("81 05 48 65 6c 6c 6f", "text(48656c6c6f)");
    asServer("81 85 37 fa 21 3d 7f 9f 4d 51 58", "text(48656c6c6f)");
    asClient("01 03 48 65 6c 80 02 6c 6f", "text(48656c6c6f)");
    asClient("89 05 48 65 6c 6c 6f", "ping(48656c6c6f)");
    asServer("8a 85 37 fa 21 3d 7f 9f 4d 51 58", "pong(48656c6c6f)");
  });

  test("empty messages", () => {
    asClient("81 00 82 00", "text() binary()");
    asServer("81 80 00 00 00 00 82 80 01 02 03 04", "text() binary()");
    asClient("01 00 00 00 80 00", "text()");
  });

  test("empty fragments before, between and after", () => {
    asClient("02 00 00 01 61 00 00 80 01 62", "binary(6162)");
    asClient("02 01 61 80 00 81 01 62", "binary(61) text(62)");
  });

  test("a key applies per frame, in every phase", () => {
    asServer("02 83 01 02 03 04 60 60 60 80 82 05 06 07 08 61 62", "binary(6162636464)");
  });

  test("a key of zero is a key", () => {
    asServer("82 82 00 00 00 00 61 62", "binary(6162)");
  });

  test("control frames between fragments", () => {
    asClient("01 02 61 62 89 01 70 8a 00 80 01 63 81 01 64", "ping(70) pong() text(616263) text(64)");
    asServer("01 81 01 00 00 00 60 89 82 01 02 03 04 60 60 80 81 00 00 00 00 62", "ping(6162) text(6162)");
  });

  test("a control frame of 125 bytes", () => {
    const payload = "61".repeat(125);
    expect(logOfBytes(Role.CLIENT, false, fromHex("89 7d" + payload))).toBe(
      logOfSplit(Role.CLIENT, false, fromHex("89 7d" + payload), 0),
    );
    expectLog(Role.CLIENT, false, withPayload("8a 7d", 125), "pong(125#" + checksumOfA(125) + ")");
  });

  test("both extended lengths at their edges", () => {
    expectLog(Role.CLIENT, false, withPayload("82 7d", 125), "binary(125#" + checksumOfA(125) + ")");
    expectLog(Role.CLIENT, false, withPayload("82 7e 00 7e", 126), "binary(126#" + checksumOfA(126) + ")");
    const longest = withPayload("82 7e ff ff", 65535);
    expect(logOfSplit(Role.CLIENT, false, longest, 3)).toBe("binary(65535#" + checksumOfA(65535) + ")");
    const longer = withPayload("82 7f 00 00 00 00 00 01 00 00", 65536);
    expect(logOfSplit(Role.CLIENT, false, longer, 9)).toBe("binary(65536#" + checksumOfA(65536) + ")");
  });

  test("a small message that lies whole in the bytes is one step", () => {
    const peer = new Peer();
    const bytes = fromHex("81 02 61 62 82 01 63");
    peer.begin(Role.CLIENT, false, 65536, 8);
    peer.receive(bytes.dataStart, bytes.length);
    expect(peer.dataStepCount).toBe(2);
    expect(peer.log).toBe("text(6162) binary(63) ");
    peer.free();
  });

  test("no proper prefix completes a message", () => {
    const bytes = fromHex("01 83 01 02 03 04 60 60 60 80 82 05 06 07 08 64 64");
    const peer = new Peer();
    for (let len = 0; len < bytes.length; len++) {
      peer.begin(Role.SERVER, false, 65536, 8);
      peer.receive(bytes.dataStart, len);
      expect(peer.log).toBe("");
      expect(isWsReceiverEnded(peer.receiver)).toBe(false);
    }
    peer.free();
  });
});

function checksumOfA(len: i32): string {
  let sum: u32 = 1;
  for (let index = 0; index < len; index++) sum = sum * 31 + 0x61;
  return sum.toString();
}

describe("compression", () => {
  test("RSV1 marks the message in all its slices", () => {
    withDeflate("c1 02 f2 48", "compressed-text(f248)");
    withDeflate("42 01 ff 00 01 fe 80 01 fd", "compressed-binary(fffefd)");
  });

  test("compressed text is not checked as text", () => {
    withDeflate("c1 01 ff 81 01 61", "compressed-text(ff) text(61)");
  });

  test("plain text beside it is checked", () => {
    withDeflate("c1 01 ff 81 01 ff", "compressed-text(ff) error(-462,1007)");
  });

  test("RSV1 without agreement, on a continuation or on a control frame", () => {
    asClient("c1 01 61", "error(-450,1002)");
    withDeflate("41 01 61 c0 01 62", "error(-450,1002)");
    withDeflate("c9 00", "error(-450,1002)");
    withDeflate("c8 00", "error(-450,1002)");
  });

  test("a message that does not compress may be longer on the wire than its limit", () => {
    const peer = new Peer();
    const longest = fromHex("c2 7e 04 9b");
    const tooLong = fromHex("c2 7e 04 9c");
    peer.begin(Role.CLIENT, true, 1024, 8);
    peer.receive(longest.dataStart, longest.length);
    expect(peer.log).toBe("");
    peer.begin(Role.CLIENT, true, 1024, 8);
    peer.receive(tooLong.dataStart, tooLong.length);
    expect(peer.log).toBe("error(-460,1009) ");
    peer.free();
  });
});

describe("faults of framing", () => {
  test("reserved bits", () => {
    asClient("a1 00", "error(-450,1002)");
    asClient("91 00", "error(-450,1002)");
    withDeflate("e1 00", "error(-450,1002)");
    withDeflate("d1 00", "error(-450,1002)");
  });

  test("unknown opcodes", () => {
    asClient("83 00", "error(-451,1002)");
    asClient("87 00", "error(-451,1002)");
    asClient("8b 00", "error(-451,1002)");
    asClient("8f 00", "error(-451,1002)");
  });

  test("a continuation of nothing", () => {
    asClient("80 00", "error(-452,1002)");
    asClient("81 01 61 00 01 62", "text(61) error(-452,1002)");
  });

  test("a message inside a message", () => {
    asClient("01 01 61 81 01 62", "error(-453,1002)");
    asClient("02 00 02 00", "error(-453,1002)");
  });

  test("a fragmented control frame", () => {
    asClient("09 00", "error(-454,1002)");
    asClient("08 00", "error(-454,1002)");
  });

  test("a control frame of 126 bytes or more", () => {
    asClient("89 7e 00 7e", "error(-455,1002)");
    asClient("88 7f 00 00 00 00 00 00 00 7e", "error(-455,1002)");
    asServer("8a fe", "error(-455,1002)");
  });

  test("a client that does not mask and a server that does", () => {
    asServer("81 05 48 65 6c 6c 6f", "error(-456,1002)");
    asServer("88 00", "error(-456,1002)");
    asClient("81 85 37 fa 21 3d 7f 9f 4d 51 58", "error(-457,1002)");
  });

  test("lengths that are not in their shortest form", () => {
    asClient("82 7e 00 7d", "error(-458,1002)");
    asClient("82 7e 00 00", "error(-458,1002)");
    asClient("82 7f 00 00 00 00 00 00 ff ff", "error(-458,1002)");
  });

  test("a length with its highest bit set", () => {
    asClient("82 7f 80 00 00 00 00 00 00 00", "error(-459,1002)");
    asClient("82 7f ff ff ff ff ff ff ff ff", "error(-459,1002)");
  });

  test("the first of two faults is the one reported", () => {
    asServer("a3 7e 00 01", "error(-450,1002)");
    asServer("83 7e 00 01", "error(-451,1002)");
  });

  test("nothing is read after a fault", () => {
    asClient("83 00 81 01 61 88 00", "error(-451,1002)");
  });
});

describe("limits", () => {
  test("a message over the limit is refused at its header", () => {
    asClient("82 7f 00 00 00 00 00 01 00 01", "error(-460,1009)");
    asClient("82 7f 7f ff ff ff ff ff ff ff", "error(-460,1009)");
    asServer("82 ff 7f ff ff ff ff ff ff ff", "error(-460,1009)");
  });

  test("fragments count together", () => {
    expectLog(
      Role.CLIENT,
      false,
      concat(withPayload("02 7e ff ff", 65535), fromHex("00 00 80 02")),
      "error(-460,1009)",
    );
    const whole = concat(withPayload("02 7e ff ff", 65535), fromHex("00 00 80 01 61"));
    expect(logOfSplit(Role.CLIENT, false, whole, 0)).toBe("binary(65536#" + checksumOfA(65536) + ")");
  });

  test("each message starts afresh", () => {
    const one = withPayload("82 7e ff ff", 65535);
    const text = "binary(65535#" + checksumOfA(65535) + ")";
    expect(logOfSplit(Role.CLIENT, false, concat(one, one), 70000)).toBe(text + " " + text);
    const inTwo = concat(withPayload("02 7e ff fe", 65534), fromHex("80 01 61"));
    expect(logOfSplit(Role.CLIENT, false, concat(inTwo, inTwo), 70000)).toBe(text + " " + text);
  });

  test("the limit of fragments, from both sides", () => {
    asClient("02 00 00 00 00 00 00 00 00 00 00 00 00 00 80 00", "binary()");
    asClient("02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 80 00", "error(-461,1008)");
    asClient("02 01 61 00 00 00 00 00 00 00 00 00 00 00 00 80 00 82 00", "binary(61) binary()");
  });

  test("a million empty fragments end at the limit", () => {
    const peer = new Peer();
    peer.begin(Role.SERVER, false, 1 << 20, 131072);
    const first = fromHex("01 80 01 02 03 04");
    const chunk = fromHex("00 80 01 02 03 04".repeat(1000));
    peer.receive(first.dataStart, first.length);
    for (let round = 0; round < 131; round++) peer.receive(chunk.dataStart, chunk.length);
    expect(peer.log).toBe("");
    peer.receive(chunk.dataStart, 71 * 6);
    expect(peer.log).toBe("");
    peer.receive(chunk.dataStart, 6);
    expect(peer.log).toBe("error(-461,1008) ");
    for (let round = 0; round < 869; round++) peer.receive(chunk.dataStart, chunk.length);
    expect(peer.log).toBe("error(-461,1008) ");
    expect(peer.dataStepCount).toBe(0);
    peer.free();
  });
});

describe("text", () => {
  test("a character may be cut by a frame", () => {
    asClient("01 01 c3 80 01 a9", "text(c3a9)");
    asClient("01 02 f0 9f 89 00 00 02 98 80 80 00", "ping() text(f09f9880)");
  });

  test("a fault is found at its byte, not at the end of the message", () => {
    const peer = new Peer();
    const bytes = fromHex("81 7e 01 00 61 c3 28");
    peer.begin(Role.CLIENT, false, 65536, 8);
    peer.receive(bytes.dataStart, bytes.length - 1);
    expect(peer.log).toBe("");
    peer.receive(bytes.dataStart + bytes.length - 1, 1);
    expect(peer.log).toBe("error(-462,1007) ");
    peer.free();
  });

  test("a fault across frames", () => {
    asClient("01 01 ed 00 01 a0", "error(-462,1007)");
  });

  test("a text that ends inside a character", () => {
    asClient("81 01 c3", "error(-462,1007)");
    asClient("01 01 c3 80 00", "error(-462,1007)");
  });

  test("the state does not leak into the next message", () => {
    asClient("82 01 c3 81 01 61", "binary(c3) text(61)");
  });
});

describe("close", () => {
  test("without a code", () => {
    asClient("88 00", "close(1005,)");
    asServer("88 80 01 02 03 04", "close(1005,)");
  });

  test("with a code and a reason", () => {
    asClient("88 02 03 e8", "close(1000,)");
    asClient("88 05 0f a0 c3 a9 21", "close(4000,c3a921)");
    asServer("88 82 01 02 03 04 02 ea", "close(1000,)");
  });

  test("inside a fragmented message", () => {
    asClient("01 01 61 88 02 03 e9", "close(1001,)");
  });

  test("a body of one byte", () => {
    asClient("88 01 03", "error(-463,1002)");
  });

  test("a code that must not be sent", () => {
    asClient("88 02 03 ed", "error(-464,1002)");
  });

  test("a reason that is not UTF-8", () => {
    asClient("88 03 03 e8 ff", "error(-465,1007)");
    asClient("88 03 03 e8 c3", "error(-465,1007)");
  });

  test("nothing is read after it", () => {
    asClient("88 00 81 01 61 83 00 88 00", "close(1005,)");
  });
});
