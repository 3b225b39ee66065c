// `/ws` of the contract server from outside: every case of web_socket_cases.ts over each carrier, and permessage-deflate with the
// parameters that a client may offer, message by message.

import { constants, createDeflateRaw, createInflateRaw, deflateRawSync } from "node:zlib";
import type { DeflateRaw, InflateRaw } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { webSocketCases } from "../wire/web_socket_cases.ts";
import { closeBody, closeFrame, frame, readFrames } from "../wire/web_socket_frames.ts";
import type { ServerFrame } from "../wire/web_socket_frames.ts";
import { startContract } from "./contract_process.ts";
import type { ContractServer } from "./contract_process.ts";
import { openRawWebSocket } from "./raw_web_socket.ts";
import type { Carrier, RawWebSocket } from "./raw_web_socket.ts";

let server: ContractServer;
beforeAll(async () => void (server = await startContract()));
afterAll(() => server.stop());

const CONCURRENCY = 16;

/** Runs the work on every item, a few at a time. */
async function forEach<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
    }),
  );
}

function textOf({ firstByte, payload }: ServerFrame): string {
  return `${firstByte.toString(16)} ${payload.toString("hex")}`;
}

describe.each<Carrier>(["h1", "h1s", "h2", "h2s"])("over %s", (carrier) => {
  test("every case is answered as it has to be", { timeout: 30_000 }, async () => {
    // With TLS a part of them will do: it changes where bytes are cut, and nothing else.
    const step = carrier.endsWith("s") ? 5 : 1;
    const cases = webSocketCases().filter((_, index) => index % step === 0);
    const wrong: string[] = [];
    await forEach(cases, async ({ name, sent, answers }) => {
      const socket = await openRawWebSocket(server, carrier, "/ws");
      socket.send(sent);
      const { frames, rest } = readFrames(await socket.untilEnd());
      socket.destroy();
      const expected = answers.map(([firstByte, payload]) => textOf({ firstByte, payload }));
      if (rest !== 0 || frames.map(textOf).join() !== expected.join()) {
        wrong.push(`${name}: ${frames.map(textOf).join().slice(0, 80)}, ${rest} bytes more`);
      }
    });
    expect(wrong).toEqual([]);
  });

  test("a message of 16 MiB comes back, and one byte more is 1009 at its header", async () => {
    const socket = await openRawWebSocket(server, carrier, "/ws");
    const largest = Buffer.alloc(16 << 20, "0123456789abcdef");
    socket.send(frame(0x82, largest));
    const { frames } = readFrames(await socket.untilLength(largest.length + 10));
    expect(frames.length === 1 && frames[0]?.payload.equals(largest)).toBe(true);
    socket.send(Buffer.from([0x82, 0xff, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0]));
    const all = await socket.untilEnd();
    expect(all.subarray(-4)).toEqual(Buffer.concat([Buffer.from([0x88, 2]), closeBody(1009)]));
    socket.destroy();
  });
});

/** What a client offers, and what has to come back. */
const OFFERS: readonly (readonly [offer: string, answer: string])[] = [
  ["permessage-deflate", "permessage-deflate"],
  ["permessage-deflate; client_max_window_bits", "permessage-deflate"],
  ["permessage-deflate; client_max_window_bits=15", "permessage-deflate"],
  ["permessage-deflate; client_max_window_bits=9", "permessage-deflate"],
  ["permessage-deflate; server_max_window_bits=9", "permessage-deflate; server_max_window_bits=9"],
  ["permessage-deflate; server_max_window_bits=15", "permessage-deflate; server_max_window_bits=15"],
  ["permessage-deflate; server_no_context_takeover", "permessage-deflate; server_no_context_takeover"],
  ["permessage-deflate; client_no_context_takeover", "permessage-deflate"],
  [
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12; client_max_window_bits",
    "permessage-deflate; server_no_context_takeover; server_max_window_bits=12",
  ],
  [
    'x-webkit-deflate-frame, permessage-deflate; server_max_window_bits="10"',
    "permessage-deflate; server_max_window_bits=10",
  ],
  ["permessage-deflate; unknown, permessage-deflate", "permessage-deflate"],
];

/** Offers that are declined: the WebSocket opens without the extension. */
const DECLINED: readonly string[] = [
  "permessage-deflate; unknown",
  "permessage-deflate; server_max_window_bits",
  "permessage-deflate; server_max_window_bits=7",
  "permessage-deflate; server_max_window_bits=16",
  "permessage-deflate; server_max_window_bits=010",
  "permessage-deflate; client_max_window_bits=0",
  "permessage-deflate; server_no_context_takeover=1",
  "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
  "x-webkit-deflate-frame",
];

const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/** A message through a compressor that goes on. */
function through(stream: DeflateRaw | InflateRaw, bytes: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const onData = (chunk: Buffer): void => void chunks.push(chunk);
    stream.on("data", onData).once("error", reject);
    stream.write(bytes);
    stream.flush(constants.Z_SYNC_FLUSH, () => {
      stream.off("data", onData).off("error", reject);
      resolve(Buffer.concat(chunks));
    });
  });
}

async function answersOf(socket: RawWebSocket, count: number): Promise<ServerFrame[]> {
  const bytes = await socket.until((received) => readFrames(received).frames.length >= count);
  return readFrames(bytes).frames;
}

test("over HTTP/2 a key is answered where a client sends one, and not where none does", async () => {
  const key = { "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" };
  const withKey = await openRawWebSocket(server, "h2", "/ws", key);
  expect(withKey.fields.get("sec-websocket-accept")).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  const without = await openRawWebSocket(server, "h2", "/ws");
  expect(without.fields.has("sec-websocket-accept")).toBe(false);
  withKey.destroy();
  without.destroy();
});

describe.each<Carrier>(["h1", "h2"])("permessage-deflate over %s", (carrier) => {
  const open = (extensions: string) =>
    openRawWebSocket(server, carrier, "/ws", { "sec-websocket-extensions": extensions });

  test.each(OFFERS)("%s is agreed on, and kept to in every message", async (offer, answer) => {
    const socket = await open(offer);
    const agreed = socket.fields.get("sec-websocket-extensions") ?? "";
    expect(agreed.startsWith("permessage-deflate")).toBe(true);
    const parameters = (list: string) => list.split(/;\s*/).sort();
    // It may bind the client further than asked, where the client said that it can be bound.
    const added = parameters(agreed).filter((one) => !parameters(answer).includes(one));
    expect(added.every((one) => /^client_/.test(one))).toBe(true);
    expect(parameters(agreed)).toEqual(expect.arrayContaining(parameters(answer)));

    const windowOf = (name: string): number => Number(new RegExp(`${name}=(\\d+)`).exec(agreed)?.[1] ?? 15);
    const keeps = (name: string): boolean => !agreed.includes(name);
    const inflate = createInflateRaw({ windowBits: windowOf("server_max_window_bits") });
    const clientBits = Math.max(9, Math.min(windowOf("client_max_window_bits"), 15));
    const deflate = createDeflateRaw({ windowBits: clientBits });
    const texts = Array.from({ length: 6 }, (_, index) => `message ${index} `.repeat(400 + index));
    for (const [index, text] of texts.entries()) {
      const compressed = keeps("client_no_context_takeover")
        ? await through(deflate, Buffer.from(text))
        : deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH, windowBits: clientBits });
      const payload = compressed.subarray(0, -4);
      // In two fragments: only the first carries the bit, RFC 7692 §6.1.
      const middle = payload.length >> 1;
      socket.send(frame(0x41, payload.subarray(0, middle)));
      socket.send(frame(0x89, "between"));
      socket.send(frame(0x80, payload.subarray(middle)));
      const echoed = (await answersOf(socket, 2 * (index + 1))).filter(({ firstByte }) => firstByte !== 0x8a);
      const answered = echoed.at(-1);
      expect(answered.firstByte).toBe(0xc1);
      expect(answered.payload.length).toBeLessThan(text.length);
      const whole = Buffer.concat([answered.payload, TAIL]);
      // One inflater for all messages reads both, kept contexts and fresh ones.
      expect((await through(inflate, whole)).toString()).toBe(text);
    }
    socket.send(closeFrame(1000));
    await socket.untilEnd();
    socket.destroy();
  });

  test.each(DECLINED)("%s is declined", async (offer) => {
    const socket = await open(offer);
    expect(socket.fields.has("sec-websocket-extensions")).toBe(false);
    socket.send(frame(0x81, "Hello"));
    expect((await answersOf(socket, 1)).map(textOf)).toEqual([`81 ${Buffer.from("Hello").toString("hex")}`]);
    socket.send(frame(0xc1, deflateRawSync("Hello")));
    expect((await answersOf(socket, 2)).map(textOf)[1]).toBe(`88 ${closeBody(1002).toString("hex")}`);
    socket.destroy();
  });

  test("what it has to refuse: bits on control frames and continuations, data that is not deflate's, bad UTF-8", async () => {
    const hello = deflateRawSync("Hello", { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
    const bad = deflateRawSync(Buffer.from("ceba80", "hex"), { finishFlush: constants.Z_SYNC_FLUSH });
    const refusals: readonly (readonly [Buffer, number])[] = [
      [frame(0xc9, "ping"), 1002],
      [frame(0xc8, closeBody(1000)), 1002],
      [Buffer.concat([frame(0x41, hello.subarray(0, 2)), frame(0xc0, hello.subarray(2))]), 1002],
      [frame(0xe1, hello), 1002],
      [frame(0xc1, Buffer.from("ffffffff", "hex")), 1007],
      [frame(0xc1, bad.subarray(0, -4)), 1007],
    ];
    for (const [sent, code] of refusals) {
      const socket = await open("permessage-deflate");
      socket.send(frame(0xc1, hello));
      expect((await answersOf(socket, 1)).map(({ firstByte }) => firstByte & 0x8f)).toEqual([0x81]);
      socket.send(sent);
      const { frames } = readFrames(await socket.untilEnd());
      expect(frames.at(-1), sent.toString("hex")).toEqual({ firstByte: 0x88, payload: closeBody(code) });
      socket.destroy();
    }
  });
});
