/**
 * The field section that was encoded last, for the one after it, which mostly says the same: answers of one route differ in nothing but
 * their stream. What was encoded is used again while nothing has changed that it depends on.
 *
 *   repetitionFind(…)    whether the fields are those of the section kept, and the encoder as it was then
 *   repetitionKeep(…)    keeps a section of the encoder that `repetitionFind` was asked about last
 *
 * It depends on the fields; on the table, which only insertions change; on what the peer is known to have, and what may be referred to.
 * The caller keeps no section for which it tried to change the table, for the next one may succeed.
 *
 * One is kept for the whole module: streams of a connection are mostly answered in a row.
 */
import { equalBytes } from "../core/scan.ts";
import { copyBytes } from "../http/copy_bytes.ts";

/** Longer ones are not kept. */
const FIELDS_MOST: u32 = 512;
const LINES_MOST: u32 = 256;
/** What `equalBytes` may load beyond. */
const SLACK: u32 = 16;

/** What a section is known by, beside its fields: all of the encoder's state that it depends on. */
@unmanaged
export class SectionState {
  encoder: usize;
  insertTotal: u64;
  knownReceivedCount: u64;
  /** Of the caller: what is encoded besides the fields. */
  first: u64;
  second: u64;
  mayRefer: bool;
  mayWait: bool;
}

const STATE_BYTES: u32 = <u32>offsetof<SectionState>();

/** The state asked about last; set before `repetitionFind`. Bytes that no field covers stay 0. */
export const asked = changetype<SectionState>(memory.data(STATE_BYTES + SLACK, 16));
const kept = changetype<SectionState>(memory.data(STATE_BYTES + SLACK, 16));

const fields: usize = memory.data(FIELDS_MOST + SLACK, 16);
let headLen: u32 = 0;
let blockLen: u32 = 0;
let askedHead: usize = 0;
let askedHeadLen: u32 = 0;
let askedBlock: usize = 0;
let askedBlockLen: u32 = 0;

/** Of the section kept: its field lines, and what they refer to. */
export const repeatedLines: usize = memory.data(LINES_MOST + SLACK, 16);
export let repeatedLen: u32 = 0;
export let repeatedRequired: u64 = 0;
export let repeatedSmallest: u64 = 0;

/** Whether the section kept has these fields, in the state that was set. Both runs of bytes stay as they are until `repetitionKeep`. */
export function repetitionFind(head: usize, headBytes: u32, block: usize, blockBytes: u32): bool {
  askedHead = head;
  askedHeadLen = headBytes;
  askedBlock = block;
  askedBlockLen = blockBytes;
  return (
    headBytes == headLen &&
    blockBytes == blockLen &&
    equalBytes(changetype<usize>(asked), changetype<usize>(kept), STATE_BYTES) &&
    equalBytes(block, fields + headBytes, blockBytes) &&
    equalBytes(head, fields, headBytes)
  );
}

/** Keeps field lines of the fields asked about last. */
export function repetitionKeep(ptr: usize, len: u32, required: u64, smallest: u64): void {
  if (len > LINES_MOST || askedHeadLen + askedBlockLen > FIELDS_MOST || askedHeadLen > FIELDS_MOST) return;
  copyBytes(changetype<usize>(kept), changetype<usize>(asked), STATE_BYTES);
  headLen = askedHeadLen;
  blockLen = askedBlockLen;
  copyBytes(fields, askedHead, headLen);
  copyBytes(fields + headLen, askedBlock, blockLen);
  copyBytes(repeatedLines, ptr, len);
  repeatedLen = len;
  repeatedRequired = required;
  repeatedSmallest = smallest;
}

/** Forgets what was kept: an encoder gets a table, where another one may have been. */
export function repetitionForget(): void {
  kept.encoder = 0;
}
