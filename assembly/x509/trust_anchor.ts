/** A trust anchor, RFC 5280 §6.1.1: the certificate of an authority that is trusted because the host says so. */
import { slabAllocate } from "../core/slab.ts";

/** One slab block of a list, followed by the certificate in DER. */
@unmanaged
export class TrustAnchor {
  next: usize;
  len: u32;
}

const HEADER_BYTES: u32 = offsetof<TrustAnchor>();

/** A block with a copy of [ptr, ptr + len) before `next`; 0 when the slab is full. */
export function trustAnchorCreate(ptr: usize, len: u32, next: usize): usize {
  if (len > u32.MAX_VALUE - HEADER_BYTES) return 0;
  const block = slabAllocate(HEADER_BYTES + len);
  if (block == 0) return 0;
  const anchor = changetype<TrustAnchor>(block);
  anchor.next = next;
  anchor.len = len;
  memory.copy(block + HEADER_BYTES, ptr, len);
  return block;
}

/** Where the certificate lies. */
// @ts-ignore: decorator
@inline
export function trustAnchorDer(anchor: TrustAnchor): usize {
  return changetype<usize>(anchor) + HEADER_BYTES;
}
