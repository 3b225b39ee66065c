/**
 * Field lines of a message head (abi/message.ts), found by name. A field may come in several lines; where it is a list, their
 * elements count as those of one list (RFC 9110 §5.3).
 */

import { FieldLane, MessageLane } from "../abi/message.ts";
import { listHasToken } from "../http/token_list.ts";

const LANE_BYTES: u32 = 4;

// @ts-ignore: decorator
@inline
export function headLane(head: usize, lane: MessageLane): u32 {
  return load<u32>(head + <u32>lane * LANE_BYTES);
}

/** Index of the first line named `nameId` (abi/field_name.ts) at or after `from`, or -1. */
export function findLine(head: usize, nameId: u32, from: u32): i32 {
  const lineCount = headLane(head, MessageLane.FIELD_COUNT);
  for (let index = from; index < lineCount; index++) {
    if ((fieldLane(head, index, FieldLane.NAME) & 0xffff) == nameId) return index;
  }
  return -1;
}

/** Index of the line named `nameId` when there is exactly one, else -1. */
export function findOnlyLine(head: usize, nameId: u32): i32 {
  const index = findLine(head, nameId, 0);
  return index >= 0 && findLine(head, nameId, index + 1) < 0 ? index : -1;
}

export function lineValuePtr(head: usize, index: u32): usize {
  return headLane(head, MessageLane.BYTES_PTR) + fieldLane(head, index, FieldLane.VALUE_OFFSET);
}

export function lineValueLen(head: usize, index: u32): u32 {
  return fieldLane(head, index, FieldLane.VALUE_LEN);
}

/** Whether `token` (in lower case) is an element of any line named `nameId`, in any case. */
export function linesHaveToken(head: usize, nameId: u32, token: string): bool {
  for (let index = findLine(head, nameId, 0); index >= 0; index = findLine(head, nameId, index + 1)) {
    if (listHasToken(lineValuePtr(head, index), lineValueLen(head, index), token)) return true;
  }
  return false;
}

// @ts-ignore: decorator
@inline
function fieldLane(head: usize, index: u32, lane: FieldLane): u32 {
  const record = headLane(head, MessageLane.FIELDS_PTR) + index * FieldLane.COUNT * LANE_BYTES;
  return load<u32>(record + <u32>lane * LANE_BYTES);
}
