/**
 * PING, RFC 9000 §19.2: a type and nothing else. There is nothing to read.
 */
import { writeU8, Writer } from "../../core/writer.ts";
import { FrameType } from "./frame_type.ts";

export function writePing(writer: Writer): void {
  writeU8(writer, FrameType.PING);
}
