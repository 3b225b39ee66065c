/** An encoder with a decoder at the other end: what the encoder's tests have in common. */

import { FIELD_ENTRY_HEADER_BYTES } from "../../../assembly/abi/layout.ts";
import { slabAllocate, slabBytesInUse } from "../../../assembly/core/slab.ts";
import { nameLookup } from "../../../assembly/http/pseudo_field.ts";
import { HpackDecoder, hpackDecoderFree, hpackDecoderInitialize } from "../../../assembly/hpack/decoder.ts";
import {
  HpackEncoder,
  hpackEncodeBegin,
  hpackEncodeDate,
  hpackEncodeEnd,
  hpackEncodeField,
  hpackEncoderFree,
  hpackEncoderInitialize,
} from "../../../assembly/hpack/encoder.ts";
import {
  block,
  BLOCK_BYTES,
  decodeBlock,
  hexOf,
  placeText,
  sectionText,
  setUp,
  tableText,
} from "./blocks.ts";

export const decoder = changetype<HpackDecoder>(heap.alloc(offsetof<HpackDecoder>()));
export const encoder = changetype<HpackEncoder>(heap.alloc(offsetof<HpackEncoder>()));
const name: usize = heap.alloc(4096 + 64);
export const value: usize = heap.alloc(65536 + 64);
export const fields: usize = heap.alloc(4096 + 64);

/** What a test itself has taken of the slab. */
let heldBytes: u32 = 0;

export function begin(capacity: u32 = BLOCK_BYTES): void {
  hpackEncodeBegin(encoder, block, capacity);
}

export function field(nameText: string, valueText: string): void {
  const nameLen = placeText(nameText, name);
  hpackEncodeField(0, name, nameLen, value, placeText(valueText, value));
}

/** Ends the block and gives its bytes. */
export function ended(): string {
  const len = hpackEncodeEnd();
  return len < 0 ? "status " + len.toString() : hexOf(block, len);
}

/** Ends the block, decodes it and gives the section; the tables must then agree. */
export function decoded(): string {
  const len = hpackEncodeEnd();
  if (len < 0) return "status " + len.toString();
  const status = decodeBlock(decoder, len);
  if (status < 0) return "decoder status " + status.toString();
  if (tableText(encoder) != tableText(decoder)) return "the tables differ";
  return sectionText();
}

/** Appends an entry to a field block and answers its end. */
export function placeField(at: usize, nameText: string, valueText: string): usize {
  const nameLen = placeText(nameText, at + FIELD_ENTRY_HEADER_BYTES);
  const nameId = nameLookup(at + FIELD_ENTRY_HEADER_BYTES, nameLen);
  const storedLen = nameId != 0 ? 0 : nameLen;
  store<u16>(at, <u16>nameId);
  store<u16>(at, <u16>storedLen, 2);
  store<u32>(at, placeText(valueText, at + FIELD_ENTRY_HEADER_BYTES + storedLen), 4);
  return at + FIELD_ENTRY_HEADER_BYTES + storedLen + valueText.length;
}

/** A response's block as a server has them. */
export function placeHead(): u32 {
  let at = placeField(fields, "content-type", "text/plain; charset=utf-8");
  at = placeField(at, "server", "test");
  at = placeField(at, "x-own", "field");
  return <u32>(at - fields);
}

export const HEAD = "content-type: text/plain; charset=utf-8\nserver: test\nx-own: field\n";
export const DATE_1 = "Mon, 21 Oct 2013 20:13:21 GMT";
export const DATE_2 = "Mon, 21 Oct 2013 20:13:22 GMT";

export function date(second: u32, text: string): void {
  placeText(text, value);
  hpackEncodeDate(second, value);
}

/** Fresh tables at both ends over a clean slab. */
export function openBoth(): void {
  setUp();
  heldBytes = 0;
  hpackDecoderInitialize(decoder, 4096);
  hpackEncoderInitialize(encoder);
}

/** Frees both ends; whether everything came back. */
export function closeBoth(): bool {
  hpackDecoderFree(decoder);
  hpackEncoderFree(encoder);
  return slabBytesInUse() == heldBytes;
}

/** Leaves no block in the slab. */
export function fillSlab(): void {
  while (slabAllocate(64) != 0) heldBytes += 64;
}
