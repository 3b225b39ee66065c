// What the engine tells of sessions of WebTransport, written down, and their streams, capsules and datagrams as bytes.

import { StreamNews } from "../../../assembly/abi/quic.ts";
import { Frame, frame, Stream, varint } from "./frames.ts";
import type { Pair } from "./pair.ts";

export const SESSION_GONE = 0x170d7b68;
export const STREAM_REJECTED = 0x3994bd84;
export const CLOSE = 0x2843;
export const DRAIN = 0x78ae;

/** Has what is told of sessions and their streams put down in `log`. What streams bring is read at once. */
export function logSessions(pair: Pair, log: string[], nameOf: (session: number) => string): void {
  const { engine } = pair.driver;
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
  Object.assign(pair.driver, {
    webTransport: {
      sessionDatagram: (session: number, bytes: Uint8Array) =>
        log.push(`${nameOf(session)} datagram ${text(bytes)}`),
      sessionStream: (session: number, _stream: number, id: number) =>
        log.push(`${nameOf(session)} stream ${id}`),
      sessionDrain: (session: number) => log.push(`${nameOf(session)} drain`),
      sessionClose: (session: number, code: number, reason: string) => {
        log.push(`${nameOf(session)} close ${code} ${reason}`);
        engine.doors.releaseExchange(session);
      },
    },
    quic: {
      stream: (_connection: number, stream: number, news: number, id: number, code: bigint) => {
        if (news & StreamNews.READABLE) {
          const bytes = engine.quic.peekStream(stream);
          // A header may have been all there was.
          if (bytes.length !== 0) log.push(`${id} reads ${text(bytes)}`);
          // The engine's own door wants a connection of QUIC, which a pair has none of.
          pair.door("handleConsume")(stream, bytes.length);
        }
        if (news & StreamNews.RESET) log.push(`${id} reset ${code}`);
        if (news & StreamNews.STOPPED) log.push(`${id} stopped ${code}`);
      },
      openable: (_connection: number, directions: number) => log.push(`openable ${directions}`),
    },
  });
}

export const closing = (code: number, reason = ""): Buffer => {
  const payload = Buffer.alloc(4 + reason.length);
  payload.writeUInt32BE(code);
  payload.write(reason, 4, "latin1");
  return frame(CLOSE, payload);
};
export const bidi = (session: number, content = ""): Buffer =>
  Buffer.concat([varint(Frame.webTransport), varint(session), Buffer.from(content)]);
export const uni = (session: number, content = ""): Buffer =>
  Buffer.concat([varint(Stream.webTransport), varint(session), Buffer.from(content)]);
export const datagram = (session: number, content: string): Buffer =>
  Buffer.concat([varint(session / 4), Buffer.from(content)]);
