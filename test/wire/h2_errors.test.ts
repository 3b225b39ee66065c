// What a peer may do wrong in HTTP/2, and the code it is told (RFC 9113): one row per rule, each run whole, byte by byte and cut
// in two at every place, with the same frames and events every time.

import { describe, expect, test } from "vitest";
import { Protocol, Role } from "../../assembly/abi/message.ts";
import { Driver } from "./driver.ts";
import {
  block,
  data,
  describeFrame,
  Flag,
  frame,
  FrameType,
  GET,
  goaway,
  headers,
  ping,
  POST,
  PREFACE,
  readFrames,
  rstStream,
  settings,
  settingsAck,
  uint32,
  windowUpdate,
} from "./h2_frames.ts";
import type { Fields } from "./h2_frames.ts";
import { answering } from "./h2_server.ts";

interface Row {
  readonly name: string;
  readonly bytes: Buffer[];
  /** The frames that answer, without the server's own preface, acknowledgements of settings and credit. */
  readonly answer: string[];
  readonly isBare?: boolean;
  /** What a late frame means depends on whether the answer was given before it: fed frame by frame, and not cut. */
  readonly isStepwise?: boolean;
}

const OPEN = headers(1, POST, 0);
const conn = (code: string, last = 0): string[] => [`GOAWAY ${last} ${code}`];
const stream = (code: string, id = 1): string[] => [`RST_STREAM ${id} ${code}`];
const served = (id = 1): string[] => [`HEADERS ${id}`, `DATA ${id} 1 END`];
const without = (name: string): Fields => GET.filter(([other]) => other !== name);
const withField = (name: string, value: string): Fields => [...GET, [name, value]];
const malformed = (name: string, fields: Fields): Row => ({
  name,
  bytes: [headers(1, fields), headers(3)],
  answer: [...stream("PROTOCOL_ERROR"), ...served(3)],
});

const connectionRows: Row[] = [
  {
    name: "§3.4 a preface that is none",
    bytes: [Buffer.from("PRI * HTTP/2.0\r\n\r\nXX")],
    answer: conn("PROTOCOL_ERROR"),
    isBare: true,
  },
  {
    name: "§3.4 a preface without SETTINGS",
    bytes: [PREFACE, ping()],
    answer: conn("PROTOCOL_ERROR"),
    isBare: true,
  },
  {
    name: "§4.2 a frame beyond SETTINGS_MAX_FRAME_SIZE",
    bytes: [frame(FrameType.DATA, 0, 1, Buffer.alloc(16385))],
    answer: conn("FRAME_SIZE_ERROR"),
  },
  {
    name: "§4.3 a block that does not decode",
    bytes: [frame(FrameType.HEADERS, 5, 1, Buffer.from([0x80]))],
    answer: conn("COMPRESSION_ERROR"),
  },
  { name: "§5.1 DATA on an idle stream", bytes: [data(1, "x")], answer: conn("PROTOCOL_ERROR") },
  { name: "§5.1 RST_STREAM on an idle stream", bytes: [rstStream(1)], answer: conn("PROTOCOL_ERROR") },
  {
    name: "§5.1 WINDOW_UPDATE on an idle stream",
    bytes: [windowUpdate(1, 1)],
    answer: conn("PROTOCOL_ERROR"),
  },
  {
    isStepwise: true,
    name: "§5.1 HEADERS on a closed stream",
    bytes: [headers(1), headers(1)],
    answer: [...served(), ...conn("STREAM_CLOSED", 1)],
  },
  {
    isStepwise: true,
    name: "§5.1 DATA on a closed stream",
    bytes: [headers(1), data(1, "x")],
    answer: [...served(), ...conn("STREAM_CLOSED", 1)],
  },
  { name: "§5.1.1 a stream of the server's parity", bytes: [headers(2)], answer: conn("PROTOCOL_ERROR") },
  {
    isStepwise: true,
    name: "§5.1.1 a stream that was passed over",
    bytes: [headers(5), headers(3)],
    answer: [...served(5), ...conn("PROTOCOL_ERROR", 5)],
  },
  { name: "§6.1 DATA on stream 0", bytes: [data(0, "x")], answer: conn("PROTOCOL_ERROR") },
  {
    name: "§6.1 padding as long as the payload",
    bytes: [OPEN, data(1, Buffer.from([3, 0, 0]), Flag.PADDED)],
    answer: conn("PROTOCOL_ERROR", 1),
  },
  {
    name: "§6.2 HEADERS on stream 0",
    bytes: [frame(FrameType.HEADERS, 5, 0, block(GET))],
    answer: conn("PROTOCOL_ERROR"),
  },
  {
    name: "§6.4 RST_STREAM of three bytes",
    bytes: [OPEN, frame(FrameType.RST_STREAM, 0, 1, Buffer.alloc(3))],
    answer: conn("FRAME_SIZE_ERROR", 1),
  },
  { name: "§6.4 RST_STREAM on stream 0", bytes: [rstStream(0)], answer: conn("PROTOCOL_ERROR") },
  {
    name: "§6.5 SETTINGS on a stream",
    bytes: [frame(FrameType.SETTINGS, 0, 1)],
    answer: conn("PROTOCOL_ERROR"),
  },
  {
    name: "§6.5 SETTINGS of five bytes",
    bytes: [frame(FrameType.SETTINGS, 0, 0, Buffer.alloc(5))],
    answer: conn("FRAME_SIZE_ERROR"),
  },
  {
    name: "§6.5 an acknowledgement with content",
    bytes: [frame(FrameType.SETTINGS, 1, 0, Buffer.alloc(6))],
    answer: conn("FRAME_SIZE_ERROR"),
  },
  { name: "§6.5.2 ENABLE_PUSH of 2", bytes: [settings([[2, 2]])], answer: conn("PROTOCOL_ERROR") },
  {
    name: "§6.5.2 INITIAL_WINDOW_SIZE of 2^31",
    bytes: [settings([[4, 0x80000000]])],
    answer: conn("FLOW_CONTROL_ERROR"),
  },
  { name: "§6.5.2 MAX_FRAME_SIZE of 16383", bytes: [settings([[5, 16383]])], answer: conn("PROTOCOL_ERROR") },
  {
    name: "§6.6 PUSH_PROMISE from a client",
    bytes: [OPEN, frame(FrameType.PUSH_PROMISE, 4, 1, Buffer.concat([uint32(2), block(GET)]))],
    answer: conn("PROTOCOL_ERROR", 1),
  },
  {
    name: "§6.7 PING of seven bytes",
    bytes: [frame(FrameType.PING, 0, 0, Buffer.alloc(7))],
    answer: conn("FRAME_SIZE_ERROR"),
  },
  {
    name: "§6.7 PING on a stream",
    bytes: [frame(FrameType.PING, 0, 1, Buffer.alloc(8))],
    answer: conn("PROTOCOL_ERROR"),
  },
  {
    name: "§6.8 GOAWAY on a stream",
    bytes: [frame(FrameType.GOAWAY, 0, 1, Buffer.alloc(8))],
    answer: conn("PROTOCOL_ERROR"),
  },
  {
    name: "§6.9 WINDOW_UPDATE of nothing on stream 0",
    bytes: [windowUpdate(0, 0)],
    answer: conn("PROTOCOL_ERROR"),
  },
  {
    name: "§6.9 WINDOW_UPDATE of three bytes",
    bytes: [frame(FrameType.WINDOW_UPDATE, 0, 0, Buffer.alloc(3))],
    answer: conn("FRAME_SIZE_ERROR"),
  },
  {
    name: "§6.9.1 the connection's window beyond 2^31 - 1",
    bytes: [windowUpdate(0, 0x7fffffff)],
    answer: conn("FLOW_CONTROL_ERROR"),
  },
  {
    name: "§6.9.2 a stream's window beyond 2^31 - 1 by SETTINGS",
    bytes: [OPEN, windowUpdate(1, 0x70000000), settings([[4, 0x7fffffff]])],
    answer: conn("FLOW_CONTROL_ERROR", 1),
  },
  {
    name: "§6.10 CONTINUATION without HEADERS",
    bytes: [frame(FrameType.CONTINUATION, 4, 1, block(GET))],
    answer: conn("PROTOCOL_ERROR"),
  },
  {
    name: "§6.10 another frame within a block",
    bytes: [frame(FrameType.HEADERS, 0, 1, block(GET)), ping()],
    answer: conn("PROTOCOL_ERROR"),
  },
  {
    name: "§6.10 CONTINUATION of another stream",
    bytes: [frame(FrameType.HEADERS, 0, 1, block(GET)), frame(FrameType.CONTINUATION, 4, 3)],
    answer: conn("PROTOCOL_ERROR"),
  },
  {
    name: "RFC 9218 §7.1 PRIORITY_UPDATE for stream 0",
    bytes: [frame(FrameType.PRIORITY_UPDATE, 0, 0, uint32(0))],
    answer: conn("PROTOCOL_ERROR"),
  },
  {
    name: "RFC 9218 §7.1 PRIORITY_UPDATE for a push that was not promised",
    bytes: [frame(FrameType.PRIORITY_UPDATE, 0, 0, uint32(2))],
    answer: conn("PROTOCOL_ERROR"),
  },
];

const streamRows: Row[] = [
  {
    isStepwise: true,
    name: "§5.1 DATA after END_STREAM",
    bytes: [headers(1, GET, Flag.END_STREAM), headers(3, POST, 0), data(3, "", 1), data(3, "x")],
    answer: [...served(), ...served(3), ...conn("STREAM_CLOSED", 3)],
  },
  {
    name: "§5.1 HEADERS after a reset by the peer",
    bytes: [OPEN, rstStream(1), headers(1)],
    answer: stream("STREAM_CLOSED"),
  },
  {
    name: "§5.1 DATA after a reset by this side is dropped",
    bytes: [headers(1, withField("te", "x"), 0), data(1, "x"), headers(3)],
    answer: [...stream("PROTOCOL_ERROR"), ...served(3)],
  },
  {
    name: "§5.3 HEADERS that depend on their own stream",
    bytes: [frame(FrameType.HEADERS, 0x25, 1, Buffer.concat([uint32(1), Buffer.from([0]), block(GET)]))],
    answer: stream("PROTOCOL_ERROR"),
  },
  {
    name: "§6.3 PRIORITY of four bytes on an open stream",
    bytes: [OPEN, frame(FrameType.PRIORITY, 0, 1, Buffer.alloc(4))],
    answer: stream("FRAME_SIZE_ERROR"),
  },
  {
    name: "§6.9 WINDOW_UPDATE of nothing on a stream",
    bytes: [OPEN, windowUpdate(1, 0)],
    answer: stream("PROTOCOL_ERROR"),
  },
  {
    name: "§6.9.1 a stream's window beyond 2^31 - 1",
    bytes: [OPEN, windowUpdate(1, 0x7fffffff)],
    answer: stream("FLOW_CONTROL_ERROR"),
  },
  {
    name: "§8.1 a second head that does not end the stream",
    bytes: [OPEN, headers(1, [["x", "y"]], 0)],
    answer: stream("PROTOCOL_ERROR"),
  },
  {
    name: "§8.1 pseudo-fields in trailers",
    bytes: [OPEN, headers(1, GET)],
    answer: stream("PROTOCOL_ERROR"),
  },
  {
    name: "§8.1.1 less content than content-length",
    bytes: [headers(1, [...POST, ["content-length", "5"]], 0), data(1, "1234", 1)],
    answer: stream("PROTOCOL_ERROR"),
  },
  {
    name: "§8.1.1 more content than content-length",
    bytes: [headers(1, [...POST, ["content-length", "1"]], 0), data(1, "12")],
    answer: stream("PROTOCOL_ERROR"),
  },
  {
    name: "§8.1.1 content-length without content",
    bytes: [headers(1, [...POST, ["content-length", "1"]])],
    answer: stream("PROTOCOL_ERROR"),
  },
  malformed("§8.2.1 a name in upper case", withField("X-Upper", "1")),
  malformed("§8.2.1 a name with a blank", withField("a b", "1")),
  malformed("§8.2.1 an empty name", withField("", "1")),
  malformed("§8.2.1 a value with CR and LF", withField("x", "1\r\ny: 2")),
  malformed("§8.2.1 a value with NUL", withField("x", "a\0b")),
  malformed("§8.2.1 a value that begins with a blank", withField("x", " a")),
  malformed("§8.2.1 a value that ends with a tab", withField("x", "a\t")),
  malformed("§8.2.2 connection", withField("connection", "close")),
  malformed("§8.2.2 keep-alive", withField("keep-alive", "1")),
  malformed("§8.2.2 proxy-connection", withField("proxy-connection", "close")),
  malformed("§8.2.2 transfer-encoding", withField("transfer-encoding", "chunked")),
  malformed("§8.2.2 upgrade", withField("upgrade", "x")),
  malformed("§8.2.2 te other than trailers", withField("te", "gzip")),
  malformed("§8.3 an unknown pseudo-field", [...GET.slice(0, 4), [":x", "y"]]),
  malformed("§8.3 a response's pseudo-field", [...GET.slice(0, 4), [":status", "200"]]),
  malformed("§8.3 a pseudo-field after another field", [["x", "y"], ...GET]),
  malformed("§8.3.1 no :method", without(":method")),
  malformed("§8.3.1 no :scheme", without(":scheme")),
  malformed("§8.3.1 no :path", without(":path")),
  malformed("§8.3.1 an empty :path", [...without(":path"), [":path", ""]]),
  malformed("§8.3.1 a :path that begins with no slash", [...without(":path"), [":path", "a"]]),
  malformed("§8.3.1 :path * with GET", [...without(":path"), [":path", "*"]]),
  malformed("§8.3.1 two :path", [...GET.slice(0, 4), [":path", "/x"]]),
  malformed("§8.3.1 a :method that is no token", [[":method", "G T"], ...without(":method")]),
  malformed("§8.3.1 a :path with a line break", [...without(":path"), [":path", "/ HTTP/1.1\r\nx: y"]]),
  malformed("§8.3.1 no authority at all", without(":authority")),
  malformed("§8.3.1 an :authority with userinfo", [...without(":authority"), [":authority", "u@a"]]),
  malformed("§8.3.1 :authority and host that differ", withField("host", "other.org")),
  malformed("two content-length", [...GET, ["content-length", "0"], ["content-length", "0"]]),
  malformed("a content-length that is no number", withField("content-length", "0x1")),
  malformed("§8.5 CONNECT with :path", [[":method", "CONNECT"], ...without(":method")]),
  malformed("RFC 8441 §4 :protocol that was not announced", [
    [":method", "CONNECT"],
    ...without(":method"),
    [":protocol", "websocket"],
  ]),
];

const acceptedRows: Row[] = [
  {
    name: "§5.5 an unknown frame",
    bytes: [frame(0xfa, 0xff, 7, Buffer.from("anything")), headers(1)],
    answer: served(),
  },
  { name: "§6.5.2 an unknown setting", bytes: [settings([[0x7777, 1]]), headers(1)], answer: served() },
  {
    name: "§6.3 PRIORITY on an idle stream",
    bytes: [frame(FrameType.PRIORITY, 0, 9, Buffer.from([0, 0, 0, 3, 9])), headers(1)],
    answer: served(),
  },
  { name: "§6.7 PING", bytes: [ping("abcdefgh")], answer: ["PING ACK"] },
  {
    name: "§6.9 WINDOW_UPDATE on a closed stream",
    bytes: [headers(1), windowUpdate(1, 1)],
    answer: served(),
  },
  {
    isStepwise: true,
    name: "§6.4 RST_STREAM on a closed stream",
    bytes: [headers(1), rstStream(1), headers(3)],
    answer: [...served(), ...served(3)],
  },
  {
    name: "§6.10 a block in three frames",
    bytes: [
      frame(FrameType.HEADERS, 1, 1, block(GET.slice(0, 1))),
      frame(FrameType.CONTINUATION, 0, 1, block(GET.slice(1, 2))),
      frame(FrameType.CONTINUATION, 4, 1, block(GET.slice(2))),
    ],
    answer: served(),
  },
  {
    name: "§6.1, §6.2 padding",
    bytes: [
      frame(FrameType.HEADERS, 4 | 8, 1, Buffer.concat([Buffer.from([2]), block(POST), Buffer.alloc(2)])),
      data(1, Buffer.from([3, 65, 0, 0, 0]), 1 | 8),
    ],
    answer: served(),
  },
  { name: "§8.1 trailers", bytes: [OPEN, data(1, "abc"), headers(1, [["x-sum", "1"]])], answer: served() },
  { name: "§8.2.2 te: trailers", bytes: [headers(1, withField("te", "trailers"))], answer: served() },
  {
    name: "§8.3.1 host in the place of :authority",
    bytes: [headers(1, [...without(":authority"), ["host", "a"]])],
    answer: served(),
  },
  {
    name: "§8.3.1 :authority and the same host in another case",
    bytes: [headers(1, withField("host", "EXAMPLE.org"))],
    answer: served(),
  },
  {
    name: "§8.3.1 OPTIONS *",
    bytes: [
      headers(1, [
        [":method", "OPTIONS"],
        [":scheme", "http"],
        [":authority", "a"],
        [":path", "*"],
      ]),
    ],
    answer: served(),
  },
  {
    name: "§6.8 GOAWAY of the client",
    bytes: [headers(1), goaway(0)],
    answer: [...served(), ...conn("NO_ERROR", 1)],
  },
];

/** One engine for all connections: each is gone, with all its memory, before the next one opens. */
const driver = new Driver({ handler: answering });

/** Everything that can be seen of a run. */
function run(
  row: Row,
  pieces: (bytes: Buffer) => Buffer[],
): { frames: string[]; events: string[]; traffic: string[] } {
  const connection = driver.open(Role.SERVER, 0, Protocol.HTTP_2);
  const bytes = Buffer.concat(row.isBare ? row.bytes : [PREFACE, settings(), settingsAck, ...row.bytes]);
  for (const piece of pieces(bytes)) driver.feed(connection, piece);
  const traffic = readFrames(connection.sent).map(describeFrame);
  const events = connection.events;
  driver.hangUp(connection);
  expect(driver.counter("connections_open")).toBe(0);
  expect(driver.memoryInUse()).toBe(0);
  const frames = traffic.filter((line) => !/^(SETTINGS|WINDOW_UPDATE)/u.test(line));
  return { frames, events, traffic };
}

const whole = (bytes: Buffer): Buffer[] => [bytes];

describe.each([
  ["ends the connection", connectionRows],
  ["ends the stream", streamRows],
  ["is accepted", acceptedRows],
])("HTTP/2: what %s", (_, rows) => {
  test.each(rows)("$name", (row) => {
    if (row.isStepwise) {
      const stepwise = run(row, () => [PREFACE, settings(), settingsAck, ...row.bytes]);
      expect(stepwise.frames).toEqual(row.answer);
      return;
    }
    const once = run(row, whole);
    expect(once.frames).toEqual(row.answer);
    const byBytes = run(row, (bytes) => [...bytes].map((byte) => Buffer.from([byte])));
    expect(byBytes).toEqual(once);
    const length = Buffer.concat(
      row.isBare ? row.bytes : [PREFACE, settings(), settingsAck, ...row.bytes],
    ).length;
    const step = length > 2000 ? 997 : 1;
    for (let at = 1; at < length; at += step) {
      const cut = run(row, (bytes) => [bytes.subarray(0, at), bytes.subarray(at)]);
      expect(cut, `cut at ${at}`).toEqual(once);
    }
  });
});
