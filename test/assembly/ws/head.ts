/** Message heads (abi/message.ts) written from a few lines of text. */

import { FIELD_NAMES } from "../../../assembly/abi/field_name.ts";
import { FieldLane, MessageFlag, MessageLane, Method, Version } from "../../../assembly/abi/message.ts";
import { bytesOf } from "./text.ts";

const LANE_BYTES: u32 = 4;
const LINES_MAX: u32 = 64;

function setLane(head: usize, lane: MessageLane, value: u32): void {
  store<u32>(head + <u32>lane * LANE_BYTES, value);
}

/** A head with these lines ("name: value", one per line), of the shape that a handshake over HTTP/1.1 has. */
export function headOf(lines: string): usize {
  const head = heap.alloc(MessageLane.COUNT * LANE_BYTES);
  memory.fill(head, 0, MessageLane.COUNT * LANE_BYTES);
  const records = heap.alloc(LINES_MAX * FieldLane.COUNT * LANE_BYTES);
  const rows = lines.split("\n");
  let lineCount: u32 = 0;
  const base = bytesOf(lines);
  let offset: u32 = 0;
  for (let row = 0; row < rows.length; row++) {
    const line = rows[row];
    const colon = line.indexOf(":");
    if (colon > 0) {
      const record = records + lineCount++ * FieldLane.COUNT * LANE_BYTES;
      const nameId = max(FIELD_NAMES.indexOf(line.slice(0, colon)), 0);
      store<u32>(record + FieldLane.NAME * LANE_BYTES, nameId | (colon << 16));
      store<u32>(record + FieldLane.NAME_OFFSET * LANE_BYTES, offset);
      const valueStart = colon + 1 + (line.charCodeAt(colon + 1) == 0x20 ? 1 : 0);
      store<u32>(record + FieldLane.VALUE_OFFSET * LANE_BYTES, offset + valueStart);
      store<u32>(record + FieldLane.VALUE_LEN * LANE_BYTES, line.length - valueStart);
    }
    offset += line.length + 1;
  }
  setLane(head, MessageLane.BYTES_PTR, base);
  setLane(head, MessageLane.FIELDS_PTR, records);
  setLane(head, MessageLane.FIELD_COUNT, lineCount);
  setLane(head, MessageLane.AUTHORITY_PTR, base);
  setLane(head, MessageLane.AUTHORITY_LEN, 9);
  setStatusCode(head, 101);
  setKind(head, Method.GET, Version.HTTP_1_1, MessageFlag.UPGRADE);
  return head;
}

export function setKind(head: usize, method: Method, version: Version, flags: MessageFlag): void {
  setLane(head, MessageLane.KIND, method | (version << 8) | (flags << 16));
}

export function setStatusCode(head: usize, statusCode: u32): void {
  setLane(head, MessageLane.STATUS_CODE, statusCode);
}

export function setAuthorityLen(head: usize, len: u32): void {
  setLane(head, MessageLane.AUTHORITY_LEN, len);
}
