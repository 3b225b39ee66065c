// A WebSocket over HTTP/3, RFC 9220: the handshake of RFC 8441, then frames of RFC 6455 in the content of the stream.

import { expect, test } from "vitest";
import type { SocketPayload } from "../../../host/engine/socket_payload.ts";
import { closeFrame, frame as wsFrame } from "../web_socket_frames.ts";
import { data, Frame, GET, headers, readFrames, settings, Stream, varint } from "./frames.ts";
import { Pair } from "./pair.ts";

const CONNECT = [
  [":method", "CONNECT"],
  [":protocol", "websocket"],
  ...GET.slice(1),
  ["sec-websocket-version", "13"],
] as const;

test("messages are echoed, and the stream ends with the WebSocket", async () => {
  const terms = { protocol: "", deflate: -1, messageBytesMax: -1, idleTimeoutMs: -1, pingIntervalMs: -1 };
  const pair = await Pair.create({
    client: false,
    handler: {
      request(message, driver) {
        expect(driver.engine.sockets.accept(message.exchange, [], terms, driver.now)).toBe(0);
      },
    },
  });
  const { engine } = pair.driver;
  const closes: number[] = [];
  Object.assign(pair.driver, {
    sockets: {
      socketData: (socket: number, _flags: number, payload: SocketPayload) =>
        engine.sockets.sendText(socket, payload.text()),
      socketClose: (socket: number, _flags: number, code: number) => {
        closes.push(code);
        expect(engine.sockets.close(socket, 1000, "", pair.driver.now)).toBe(0);
      },
    },
  });
  pair.open(true, Buffer.concat([varint(Stream.control), settings()]));
  const stream = pair.open(false, headers(CONNECT));
  pair.run();
  pair.send(stream, data(wsFrame(0x81, "hello"))).run();
  // One frame of the WebSocket in two of HTTP/3.
  const second = wsFrame(0x81, "again");
  pair.send(stream, Buffer.concat([data(second.subarray(0, 3)), data(second.subarray(3))])).run();
  pair.send(stream, data(closeFrame(1000))).run();
  pair.send(stream, [], true).run();
  const frames = readFrames(stream.bytes);
  expect(frames[0]!.type).toBe(Frame.headers);
  const content = Buffer.concat(frames.slice(1).map(({ payload }) => payload)).toString("latin1");
  expect(content).toContain("\x81\x05hello\x81\x05again");
  expect(closes).toEqual([1000]);
  expect(stream.isEnded).toBe(true);
  expect(pair.answers).toEqual([0, 0]);
});
