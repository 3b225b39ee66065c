// A client of WebTransport over real UDP, made of raw QUIC and hand-made frames: what it sends is what a test says.

import { connectQuic, type QuicClient } from "../../../host/quic/connect_quic.ts";
import type { QuicStream } from "../../../host/quic/quic_stream.ts";
import {
  Frame,
  frame,
  headers,
  readFrames,
  readVarint,
  settings,
  Stream,
  varint,
} from "../../wire/h3/frames.ts";
import type { Fields } from "../../wire/h3/frames.ts";

export const CLOSE_SESSION = 0x2843;
export const DRAIN_SESSION = 0x78ae;

/** A stream as a raw client has it: what has come so far, and a writer. */
export class RawTransportStream {
  readonly stream: QuicStream;
  bytes = Buffer.alloc(0);
  isEnded = false;
  error: Error | null = null;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;

  constructor(stream: QuicStream) {
    this.stream = stream;
    this.#writer = stream.writable.getWriter();
    this.#writer.closed.catch(() => undefined);
    void this.#read();
  }

  send(bytes: Uint8Array | string): Promise<void> {
    return this.#writer.write(Buffer.from(bytes as string));
  }

  end(): Promise<void> {
    return this.#writer.close();
  }

  reset(code: bigint): Promise<void> {
    return this.#writer.abort({ code });
  }

  async #read(): Promise<void> {
    try {
      for await (const chunk of this.stream.readable) this.bytes = Buffer.concat([this.bytes, chunk]);
      this.isEnded = true;
    } catch (error) {
      this.error = error as Error;
    }
  }
}

/** A connection that speaks as much HTTP/3 as a session needs. */
export class RawTransportClient {
  readonly quic: QuicClient;
  /** Streams that the server opened, without its three of HTTP/3. */
  readonly incoming: RawTransportStream[] = [];
  readonly datagrams: Buffer[] = [];
  readonly #authority: string;

  static async connect(port: number, ca: string): Promise<RawTransportClient> {
    const quic = await connectQuic({ alpn: ["h3"], host: "127.0.0.1", serverName: "localhost", ca, port });
    const client = new RawTransportClient(quic, `localhost:${port}`);
    const control = await client.open(true);
    await control.send(
      Buffer.concat([varint(Stream.control), settings([0x33, 1], [0x08, 1], [0x2b603742, 1])]),
    );
    return client;
  }

  private constructor(quic: QuicClient, authority: string) {
    this.quic = quic;
    this.#authority = authority;
    void this.#readStreams();
    void this.#readDatagrams();
  }

  async open(unidirectional: boolean): Promise<RawTransportStream> {
    return new RawTransportStream(await this.quic.connection.openStream({ unidirectional }));
  }

  /** Asks for a session. Answers its stream once a head has come, and the status code. */
  async connect(path: string, more: Fields = []): Promise<{ stream: RawTransportStream; fields: Buffer }> {
    const stream = await this.open(false);
    const fields: Fields = [
      [":method", "CONNECT"],
      [":protocol", "webtransport"],
      [":scheme", "https"],
      [":authority", this.#authority],
      [":path", path],
      ...more,
    ];
    await stream.send(headers(fields));
    while (stream.bytes.length === 0 && stream.error === null && !stream.isEnded) await pause();
    if (stream.bytes.length === 0) return { stream, fields: Buffer.alloc(0) };
    const type = readVarint(stream.bytes, 0);
    const length = readVarint(stream.bytes, type.end);
    const end = length.end + Number(length.value);
    const head = stream.bytes.subarray(length.end, end);
    stream.bytes = stream.bytes.subarray(end);
    return { stream, fields: head };
  }

  /** Opens a stream of a session. */
  async openIn(session: RawTransportStream, unidirectional: boolean): Promise<RawTransportStream> {
    const stream = await this.open(unidirectional);
    const type = unidirectional ? Stream.webTransport : Frame.webTransport;
    await stream.send(Buffer.concat([varint(type), varint(session.stream.id)]));
    return stream;
  }

  sendDatagram(session: RawTransportStream, content: string): void {
    const quarter = varint(session.stream.id / 4);
    this.quic.connection.sendDatagram(Buffer.concat([quarter, Buffer.from(content)]));
  }

  close(): Promise<void> {
    return this.quic.close({ code: 0x100 });
  }

  async #readStreams(): Promise<void> {
    for await (const stream of this.quic.connection.incomingStreams()) {
      const isCritical = (stream.id & 2) !== 0 && stream.id < 15;
      const raw = new RawTransportStream(stream);
      if (!isCritical) this.incoming.push(raw);
    }
  }

  async #readDatagrams(): Promise<void> {
    for await (const datagram of this.quic.connection.incomingDatagrams())
      this.datagrams.push(Buffer.from(datagram));
  }
}

/** The capsules that have come on a session's stream. */
export function capsulesOf(stream: RawTransportStream): { type: number; payload: Buffer }[] {
  return readFrames(Buffer.concat(readFrames(stream.bytes).map(({ payload }) => payload)));
}

export function closeCapsule(code: number, reason: string): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(code);
  return frame(Frame.data, frame(CLOSE_SESSION, Buffer.concat([payload, Buffer.from(reason)])));
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2));
}
