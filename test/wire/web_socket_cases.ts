// What a server that echoes has to answer to frames, RFC 6455: framing, pings, reserved bits, opcodes, fragments, UTF-8, close.
// The order is that of the cases that the Autobahn project made known; sections are RFC 6455's.

import { closeBody, closeFrame, frame } from "./web_socket_frames.ts";

export interface WebSocketCase {
  readonly name: string;
  /** What the client sends behind its handshake. */
  readonly sent: Buffer;
  /** First byte and payload of each frame that the server sends, its close frame included; then it ends the connection. */
  readonly answers: readonly (readonly [firstByte: number, payload: Buffer])[];
}

const TEXT = 0x81;
const BINARY = 0x82;
const CLOSE = 0x88;
const PING = 0x89;
const PONG = 0x8a;
const BYE = closeFrame(1000);

type Answer = readonly [number, Buffer | string];

const cases: WebSocketCase[] = [];

function add(name: string, sent: Buffer[], answers: Answer[]): void {
  cases.push({
    name,
    sent: Buffer.concat(sent),
    answers: answers.map(([firstByte, payload]) => [firstByte, Buffer.from(payload as string)] as const),
  });
}

/** Ends well: the client closes with 1000 behind what it sends. */
function fine(name: string, sent: Buffer[], answers: Answer[]): void {
  add(name, [...sent, BYE], [...answers, [CLOSE, closeBody(1000)]]);
}

/** Ends with the server's close frame; whatever follows is not answered. */
function refused(name: string, code: number, sent: Buffer[], answers: Answer[] = []): void {
  add(
    name,
    [...sent, frame(PING, "too late"), frame(TEXT, "too late")],
    [...answers, [CLOSE, closeBody(code)]],
  );
}

function pattern(length: number): Buffer {
  return Buffer.alloc(length, "*0123456789 abcdefghijklmnopqrstuvwxyz");
}

function framing(): void {
  for (const [kind, firstByte] of [
    ["text", TEXT],
    ["binary", BINARY],
  ] as const) {
    for (const length of [0, 1, 124, 125, 126, 127, 128, 4095, 4096, 65535, 65536, 65537]) {
      fine(`${kind} of ${length} bytes`, [frame(firstByte, pattern(length))], [[firstByte, pattern(length)]]);
    }
    for (const length of [0, 125]) {
      // §5.2: "the minimal number of bytes MUST be used to encode the length"
      const padded = Buffer.from([firstByte, 0xfe, 0, length, 0, 0, 0, 0]);
      refused(`${kind} of ${length} bytes with its length in 2`, 1002, [padded]);
      const longer = Buffer.from([firstByte, 0xff, 0, 0, 0, 0, 0, 0, 0, length, 0, 0, 0, 0]);
      refused(`${kind} of ${length} bytes with its length in 8`, 1002, [longer]);
    }
    refused(`${kind} with the length's highest bit`, 1002, [
      Buffer.from([firstByte, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]),
    ]);
    refused(`${kind} of 2^63 - 1 bytes`, 1009, [
      Buffer.from([firstByte, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255]),
    ]);
    // §5.1: "a server MUST close the connection upon receiving a frame that is not masked"
    refused(`${kind} without a mask`, 1002, [Buffer.from([firstByte, 2, 0x68, 0x69])]);
    fine(`${kind} masked with zeros`, [frame(firstByte, "Hello", Buffer.alloc(4))], [[firstByte, "Hello"]]);
  }
}

function pings(): void {
  for (const payload of ["", "Hello, world!", Buffer.from([0, 255, 254, 253]), Buffer.alloc(125, 0xfe)]) {
    fine(`a ping of ${payload.length} bytes`, [frame(PING, payload)], [[PONG, payload]]);
    fine(`a pong of ${payload.length} bytes`, [frame(PONG, payload)], []);
  }
  refused("a ping of 126 bytes", 1002, [frame(PING, Buffer.alloc(126))]);
  refused("a pong of 126 bytes", 1002, [frame(PONG, Buffer.alloc(126))]);
  fine("a pong, then a ping", [frame(PONG, "nobody asked"), frame(PING, "asked")], [[PONG, "asked"]]);
  const ten = Array.from({ length: 10 }, (_, index) => `payload-${index}`);
  fine(
    "ten pings",
    ten.map((text) => frame(PING, text)),
    ten.map((text): Answer => [PONG, text]),
  );
}

function reservedBits(): void {
  for (let bits = 1; bits <= 7; bits++) {
    for (const opcode of [0x0, 0x1, 0x2, 0x8, 0x9, 0xa]) {
      const bad = frame(0x80 | (bits << 4) | opcode, opcode === 8 ? closeBody(1000) : "Hello");
      refused(`reserved bits ${bits} on opcode ${opcode}`, 1002, [bad]);
      if (opcode === 0) continue;
      refused(
        `reserved bits ${bits} on opcode ${opcode}, behind a text`,
        1002,
        [frame(TEXT, "first"), bad],
        [[TEXT, "first"]],
      );
    }
  }
}

function opcodes(): void {
  for (const opcode of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) {
    refused(`opcode ${opcode}`, 1002, [frame(0x80 | opcode)]);
    refused(`opcode ${opcode} with a payload`, 1002, [frame(0x80 | opcode, "reserved")]);
    refused(`opcode ${opcode}, not final`, 1002, [frame(opcode, "reserved")]);
    const behind = [frame(TEXT, "first"), frame(0x80 | opcode, "reserved")];
    refused(`opcode ${opcode} behind a text`, 1002, behind, [[TEXT, "first"]]);
    refused(`opcode ${opcode} within a text`, 1002, [frame(0x01, "first"), frame(0x80 | opcode)]);
  }
}

function fragments(): void {
  for (const opcode of [8, 9, 10]) {
    // §5.5: "MUST NOT be fragmented"
    refused(`opcode ${opcode} in fragments`, 1002, [frame(opcode, "fragment1"), frame(0x80, "fragment2")]);
  }
  for (const [kind, first] of [
    ["text", 0x01],
    ["binary", 0x02],
  ] as const) {
    const final = 0x80 | first;
    fine(`${kind} in two fragments`, [frame(first, "one"), frame(0x80, "two")], [[final, "onetwo"]]);
    fine(
      `${kind} in three fragments with pings between`,
      [
        frame(first, "one"),
        frame(PING, "a"),
        frame(0x00, "two"),
        frame(PING, "b"),
        frame(PONG),
        frame(0x80, "three"),
      ],
      [
        [PONG, "a"],
        [PONG, "b"],
        [final, "onetwothree"],
      ],
    );
    fine(`${kind} in empty fragments`, [frame(first), frame(0x00), frame(0x80)], [[final, ""]]);
    fine(
      `${kind} with an empty fragment in the middle`,
      [frame(first, "a"), frame(0x00), frame(0x80, "b")],
      [[final, "ab"]],
    );
    fine(
      `${kind} in one-byte fragments`,
      [frame(first, "0"), ...Array.from({ length: 98 }, () => frame(0x00, "x")), frame(0x80, "1")],
      [[final, `0${"x".repeat(98)}1`]],
    );
    refused(`${kind} within a fragmented one`, 1002, [frame(first, "one"), frame(final, "two")]);
    refused(`${kind} begun within a fragmented one`, 1002, [frame(first, "one"), frame(first, "two")]);
    const large = [frame(first, pattern(40_000)), frame(0x00, pattern(40_000)), frame(0x80, pattern(40_000))];
    fine(`${kind} of 120,000 bytes in three fragments`, large, [
      [final, Buffer.concat([pattern(40_000), pattern(40_000), pattern(40_000)])],
    ]);
    add(`${kind} cut by a close`, [frame(first, "one"), BYE], [[CLOSE, closeBody(1000)]]);
  }
  refused("a final continuation of nothing", 1002, [frame(0x80, "nothing")]);
  refused("a continuation of nothing", 1002, [frame(0x00, "nothing"), frame(TEXT, "Hello")]);
  refused(
    "a continuation behind a message",
    1002,
    [frame(TEXT, "whole"), frame(0x80, "more")],
    [[TEXT, "whole"]],
  );
}

const VALID_TEXTS: readonly string[] = [
  "Hello-µ@ßöäüàá-UTF-8!!",
  "κόσμε",
  "\u{0}",
  "\u{7f}",
  "\u{80}",
  "\u{7ff}",
  "\u{800}",
  "\u{ffff}",
  "\u{10000}",
  "\u{10ffff}",
  "\u{d7ff}",
  "\u{e000}",
  "\u{fffd}",
  "\u{fffe}",
  "\u{1fffe}",
  "\u{feff}a byte order mark",
];
/** Hex of what is no UTF-8, RFC 3629 §4. */
const INVALID_TEXTS: readonly string[] = [
  "80",
  "bf",
  "8080",
  "80bf80bf",
  "c0",
  "c080",
  "c1bf",
  "c2",
  "c220",
  "c2c2",
  "df",
  "e0",
  "e080",
  "e08080",
  "e09fbf",
  "e0a0",
  "e28228",
  "ed",
  "eda080",
  "edbfbf",
  "eda081edb080",
  "ef",
  "efbf",
  "f0",
  "f08080",
  "f0808080",
  "f08fbfbf",
  "f0908080f4",
  "f09080",
  "f4",
  "f48fbf",
  "f4908080",
  "f5808080",
  "f7bfbfbf",
  "f880808080",
  "fc8080808080",
  "fe",
  "ff",
  "fefeffff",
  "cebae1bdb9cf83cebcceb5f4908080656469746564",
  "cebae1bdb9cf83cebcceb5eda080656469746564",
];

function texts(): void {
  for (const text of VALID_TEXTS) {
    const bytes = Buffer.from(text);
    fine(`text ${JSON.stringify(text)}`, [frame(TEXT, bytes)], [[TEXT, bytes]]);
    const pieces = Array.from(bytes, (byte, at) => frame(at === 0 ? 0x01 : 0x00, Uint8Array.of(byte)));
    fine(`text ${JSON.stringify(text)} in one-byte fragments`, [...pieces, frame(0x80)], [[TEXT, bytes]]);
  }
  for (const hex of INVALID_TEXTS) {
    const bytes = Buffer.from(hex, "hex");
    refused(`text of ${hex}`, 1007, [frame(TEXT, bytes)]);
    refused(`text of ${hex} behind sixteen characters`, 1007, [
      frame(TEXT, Buffer.concat([pattern(16), bytes])),
    ]);
    const pieces = Array.from(bytes, (byte, at) => frame(at === 0 ? 0x01 : 0x00, Uint8Array.of(byte)));
    refused(`text of ${hex} in one-byte fragments`, 1007, [...pieces, frame(0x80)]);
    fine(`binary of ${hex}`, [frame(BINARY, bytes)], [[BINARY, bytes]]);
  }
  // §8.1: at the first wrong byte, though the message, and even its frame, is not complete.
  refused("a wrong byte in a fragment that is not the last", 1007, [
    frame(0x01, Buffer.from("ceba80", "hex")),
  ]);
  const begun = frame(TEXT, Buffer.concat([Buffer.from("f48fbfbff490", "hex"), pattern(100)]));
  refused("a wrong byte in a frame that is not complete", 1007, [begun.subarray(0, 12)]);
}

const REASON_MOST = "a".repeat(123);

function closes(): void {
  add("a close without a code", [frame(CLOSE)], [[CLOSE, ""]]);
  refused("a close of one byte", 1002, [frame(CLOSE, Uint8Array.of(3))]);
  for (const reason of ["", "Hello World!", REASON_MOST]) {
    add(
      `a close with a reason of ${reason.length} bytes`,
      [closeFrame(1000, reason)],
      [[CLOSE, closeBody(1000)]],
    );
  }
  refused("a close with a reason of 124 bytes", 1002, [closeFrame(1000, `${REASON_MOST}a`)]);
  refused("a close with a reason that is no UTF-8", 1007, [
    frame(CLOSE, Buffer.concat([closeBody(1000), Buffer.from("cebae1bdb9f4908080", "hex")])),
  ]);
  add("a second close", [BYE, BYE], [[CLOSE, closeBody(1000)]]);
  add("a text behind a close", [BYE, frame(TEXT, "late")], [[CLOSE, closeBody(1000)]]);
  add("a ping behind a close", [BYE, frame(PING)], [[CLOSE, closeBody(1000)]]);
  add(
    "a text, a close and a text",
    [frame(TEXT, "in time"), BYE, frame(TEXT, "late")],
    [
      [TEXT, "in time"],
      [CLOSE, closeBody(1000)],
    ],
  );
  for (const code of [
    1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
  ]) {
    add(`a close with ${code}`, [closeFrame(code)], [[CLOSE, closeBody(code)]]);
  }
  for (const code of [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 5001, 65535]) {
    refused(`a close with ${code}`, 1002, [closeFrame(code)]);
  }
}

/** Every case; all of them are answered in the same way however the bytes are cut. */
export function webSocketCases(): readonly WebSocketCase[] {
  if (cases.length === 0) {
    framing();
    pings();
    reservedBits();
    opcodes();
    fragments();
    texts();
    closes();
  }
  return cases;
}
