/**
 * Heads and trailer sections as a whole: lines in, field records out.
 *
 * A head is checked as its bytes arrive: whole lines are never looked at twice while it is incomplete, only the line that is
 * being received is. When a head came in pieces its records are made in one further pass over the complete head, so that a
 * connection in the middle of a head keeps the bytes and two numbers.
 */
import { FieldLane, Role } from "../abi/message.ts";
import { Limit } from "../abi/limit.ts";
import { Status } from "../abi/status.ts";
import { limitHit, limitU32 } from "../session/limits.ts";
import { H1Connection } from "./connection.ts";
import { readFieldLine, SECTION_END } from "./field_line.ts";
import { ordinaryRecordsEnd, readOrdinaryLines } from "./ordinary_lines.ts";
import { readRequestLine, readStatusLine } from "./start_line.ts";

const RECORD_BYTES: u32 = FieldLane.COUNT * sizeof<u32>();
/** The most fields any choice of limits allows, and the one that is refused. */
const RECORD_CAPACITY: u32 = 1001;

/** Records of the section read last; offsets count from its first byte. Valid until the next section is read. */
export const sectionRecords: usize = memory.data(RECORD_CAPACITY * RECORD_BYTES, 16);
export let sectionCount: u32 = 0;

/** Length of the complete head at `base`, 0 when it is not complete, or a status. */
export function readHead(connection: H1Connection, base: usize, end: usize): i32 {
  // Nothing beyond the limit is looked at, so that what is refused, and why, does not depend on how the bytes were split.
  const last = base + min<usize>(end - base, limitU32(Limit.HEAD_BYTES));
  const resumed = connection.lineOffset != 0;
  let length = readHeadLines(connection, base, last);
  if (length > 0 && resumed) {
    sectionForget(connection);
    length = readHeadLines(connection, base, last);
  }
  if (length == 0 && last != end) {
    limitHit(Limit.HEAD_BYTES);
    return Status.H1_HEAD_TOO_LARGE;
  }
  if (length > 0) sectionForget(connection);
  return length;
}

/** Length of the complete trailer section at `base`, 0 when it is not complete, or a status. RFC 9112 §7.1.2. */
export function readTrailers(connection: H1Connection, base: usize, end: usize): i32 {
  const last = base + min<usize>(end - base, limitU32(Limit.TRAILER_BYTES));
  const resumed = connection.lineOffset != 0;
  let length = readFieldLines(connection, base, last, limitU32(Limit.TRAILER_COUNT));
  if (length > 0 && resumed) {
    sectionForget(connection);
    length = readFieldLines(connection, base, last, limitU32(Limit.TRAILER_COUNT));
  }
  if (length == Status.H1_TOO_MANY_FIELDS) {
    limitHit(Limit.TRAILER_COUNT);
    return Status.H1_TRAILERS_TOO_LARGE;
  }
  if (length == 0 && last != end) {
    limitHit(Limit.TRAILER_BYTES);
    return Status.H1_TRAILERS_TOO_LARGE;
  }
  if (length > 0) sectionForget(connection);
  return length;
}

/** Begins the next head or trailer section. */
export function sectionForget(connection: H1Connection): void {
  connection.lineOffset = 0;
  connection.lineCount = 0;
  connection.startLineRead = 0;
}

function readHeadLines(connection: H1Connection, base: usize, end: usize): i32 {
  if (!connection.startLineRead) {
    const length = connection.role == Role.SERVER ? readRequestLine(base, end) : readStatusLine(base, end);
    if (length <= 0) return length;
    connection.startLineRead = 1;
    connection.lineOffset = length;
  }
  const length = readFieldLines(connection, base, end, limitU32(Limit.FIELD_COUNT));
  if (length == Status.H1_TOO_MANY_FIELDS) limitHit(Limit.FIELD_COUNT);
  return length;
}

function readFieldLines(connection: H1Connection, base: usize, end: usize, maxCount: u32): i32 {
  const recordsEnd = sectionRecords + maxCount * RECORD_BYTES;
  let record = sectionRecords + connection.lineCount * RECORD_BYTES;
  let line = base + connection.lineOffset;
  while (true) {
    line = readOrdinaryLines(line, end, record, recordsEnd, base);
    record = ordinaryRecordsEnd;
    // The line it stopped at; after it there may be ordinary ones again.
    const length = readFieldLine(line, end, record, base);
    if (length <= 0) {
      connection.lineOffset = <u32>(line - base);
      connection.lineCount = <u32>(record - sectionRecords) / RECORD_BYTES;
      return length;
    }
    line += length;
    if (length == SECTION_END) break;
    if (record == recordsEnd) return Status.H1_TOO_MANY_FIELDS;
    record += RECORD_BYTES;
  }
  sectionCount = <u32>(record - sectionRecords) / RECORD_BYTES;
  return <i32>(line - base);
}
