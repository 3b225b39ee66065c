// The frames of a packet as qlog shows them (draft-ietf-quic-qlog-quic-events): types, numbers and lengths, and nothing of what they
// carry. Tokens, stateless reset tokens, reasons and all content stay out of the log.
//
// The bytes are those of a packet that the engine has built or has found genuine; still, a frame that cannot be read ends the list.

/** A frame as JSON has it. */
export type QlogFrame = Readonly<Record<string, unknown>>;

class FrameReader {
  readonly #bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.at;
  }

  /** A variable-length integer, RFC 9000 §16. Numbers above 2^53 lose their last bits, which no real connection reaches. */
  number(): number {
    const first = this.#byte();
    let value = first & 0x3f;
    for (let more = (1 << (first >> 6)) - 1; more > 0; more--) value = value * 256 + this.#byte();
    return value;
  }

  skip(length: number): void {
    if (length > this.left) throw new RangeError("a frame is not whole");
    this.at += length;
  }

  /** Passes over bytes of the same value. Answers how many. */
  run(value: number): number {
    const begin = this.at;
    while (this.left > 0 && this.#bytes[this.at] === value) this.at++;
    return this.at - begin;
  }

  #byte(): number {
    const value = this.#bytes[this.at++];
    if (value === undefined) throw new RangeError("a frame is not whole");
    return value;
  }
}

/** The frames of a packet in the clear. */
export function qlogFrames(bytes: Uint8Array): QlogFrame[] {
  const reader = new FrameReader(bytes);
  const frames: QlogFrame[] = [];
  try {
    while (reader.left > 0) frames.push(readFrame(reader));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    frames.push({ frame_type: "unknown", raw: { length: reader.left } });
  }
  return frames;
}

const RESET_TOKEN_BYTES = 16;
const PATH_DATA_BYTES = 8;

function readFrame(reader: FrameReader): QlogFrame {
  const type = reader.number();
  if (type >= 0x08 && type <= 0x0f) return readStream(reader, type);
  const number = (): number => reader.number();
  switch (type) {
    case 0x00:
      return { frame_type: "padding", raw: { length: 1 + reader.run(0) } };
    case 0x01:
      return { frame_type: "ping" };
    case 0x02:
    case 0x03:
      return readAck(reader, type === 0x03);
    case 0x04:
      return { frame_type: "reset_stream", stream_id: number(), error_code: number(), final_size: number() };
    case 0x05:
      return { frame_type: "stop_sending", stream_id: number(), error_code: number() };
    case 0x06:
      return { frame_type: "crypto", offset: number(), raw: { payload_length: blob(reader) } };
    case 0x07:
      return { frame_type: "new_token", raw: { payload_length: blob(reader) } };
    case 0x10:
      return { frame_type: "max_data", maximum: number() };
    case 0x11:
      return { frame_type: "max_stream_data", stream_id: number(), maximum: number() };
    case 0x12:
    case 0x13:
      return { frame_type: "max_streams", stream_type: directionOf(type === 0x13), maximum: number() };
    case 0x14:
      return { frame_type: "data_blocked", limit: number() };
    case 0x15:
      return { frame_type: "stream_data_blocked", stream_id: number(), limit: number() };
    case 0x16:
    case 0x17:
      return { frame_type: "streams_blocked", stream_type: directionOf(type === 0x17), limit: number() };
    case 0x18:
      return readNewConnectionId(reader);
    case 0x19:
      return { frame_type: "retire_connection_id", sequence_number: number() };
    case 0x1a:
    case 0x1b:
      reader.skip(PATH_DATA_BYTES);
      return { frame_type: type === 0x1a ? "path_challenge" : "path_response" };
    case 0x1c:
      return {
        frame_type: "connection_close",
        error_space: "transport",
        error_code: number(),
        ...closing(reader, true),
      };
    case 0x1d:
      return {
        frame_type: "connection_close",
        error_space: "application",
        error_code: number(),
        ...closing(reader, false),
      };
    case 0x1e:
      return { frame_type: "handshake_done" };
    case 0x30:
    case 0x31: {
      const length = type === 0x31 ? blob(reader) : rest(reader);
      return { frame_type: "datagram", raw: { payload_length: length } };
    }
  }
  return { frame_type: "unknown", frame_type_bytes: type, raw: { length: rest(reader) } };
}

const directionOf = (isUnidirectional: boolean): string =>
  isUnidirectional ? "unidirectional" : "bidirectional";

/** Bytes behind their length. Answers how many. */
function blob(reader: FrameReader): number {
  const length = reader.number();
  reader.skip(length);
  return length;
}

/** All that is left. */
function rest(reader: FrameReader): number {
  const { left } = reader;
  reader.skip(left);
  return left;
}

function readStream(reader: FrameReader, type: number): QlogFrame {
  const streamId = reader.number();
  const offset = type & 0x04 ? reader.number() : 0;
  const length = type & 0x02 ? blob(reader) : rest(reader);
  const fin = (type & 0x01) !== 0;
  return { frame_type: "stream", stream_id: streamId, offset, fin, raw: { payload_length: length } };
}

/** Ranges from the highest down; the delay as it is on the wire, in units that the parameters tell of. */
function readAck(reader: FrameReader, hasEcn: boolean): QlogFrame {
  const largest = reader.number();
  const delay = reader.number();
  const count = reader.number();
  let low = largest - reader.number();
  const ranges = [[low, largest]];
  for (let index = 0; index < count; index++) {
    const high = low - reader.number() - 2;
    low = high - reader.number();
    ranges.push([low, high]);
  }
  const ack = { frame_type: "ack", ack_delay_units: delay, acked_ranges: ranges };
  return hasEcn ? { ...ack, ect0: reader.number(), ect1: reader.number(), ce: reader.number() } : ack;
}

function readNewConnectionId(reader: FrameReader): QlogFrame {
  const sequence = reader.number();
  const prior = reader.number();
  const length = blob(reader);
  reader.skip(RESET_TOKEN_BYTES);
  return {
    frame_type: "new_connection_id",
    sequence_number: sequence,
    retire_prior_to: prior,
    connection_id_length: length,
  };
}

function closing(reader: FrameReader, hasType: boolean): QlogFrame {
  return { ...(hasType ? { trigger_frame_type: reader.number() } : {}), reason_length: blob(reader) };
}
