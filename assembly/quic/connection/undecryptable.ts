/**
 * Packets that came before their keys, RFC 9001 §5.7: kept as they came, few and small, and looked at again when TLS has moved.
 */
import { Limit } from "../../abi/limit.ts";
import { slabAllocate, slabFree } from "../../core/slab.ts";
import { limitHit, limitU32 } from "../../session/limits.ts";
import { QuicConnection } from "./connection.ts";

/** In front of each packet that waits, as it was received. */
@unmanaged
export class WaitingPacket {
  next: usize;
  len: u32;
  ecn: u32;
  reserved: u32;
}

/** A packet of the usual size; a larger one is not kept. */
const PACKET_BYTES_MAX: u32 = 1600;

/** Keeps a copy of a packet, within the limit. */
export function undecryptableAdd(connection: QuicConnection, ptr: usize, len: u32, ecn: u32): void {
  if (connection.waitingCount >= limitU32(Limit.QUIC_UNDECRYPTABLE_COUNT)) {
    limitHit(Limit.QUIC_UNDECRYPTABLE_COUNT);
    return;
  }
  if (len > PACKET_BYTES_MAX) return;
  const block = slabAllocate(<u32>offsetof<WaitingPacket>() + len);
  if (block == 0) return;
  const packet = changetype<WaitingPacket>(block);
  packet.next = 0;
  packet.len = len;
  packet.ecn = ecn;
  memory.copy(undecryptableBytes(block), ptr, len);
  if (connection.waitingTail != 0) changetype<WaitingPacket>(connection.waitingTail).next = block;
  else connection.waitingHead = block;
  connection.waitingTail = block;
  connection.waitingCount++;
}

// @ts-ignore: decorator
@inline
export function undecryptableBytes(block: usize): usize {
  return block + offsetof<WaitingPacket>();
}

/** The packets as a list of their own, linked by `next`, the oldest first; they are the caller's to free. */
export function undecryptableTake(connection: QuicConnection): usize {
  const head = connection.waitingHead;
  connection.waitingHead = 0;
  connection.waitingTail = 0;
  connection.waitingCount = 0;
  return head;
}

export function undecryptableClear(connection: QuicConnection): void {
  let block = undecryptableTake(connection);
  while (block != 0) {
    const next = changetype<WaitingPacket>(block).next;
    slabFree(block);
    block = next;
  }
}
