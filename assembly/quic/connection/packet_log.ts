/**
 * What a log of the connection is made of, where the configuration asks for one: every packet with its frames as they were on the wire,
 * and every loss, as events that the host turns into qlog (host/quic/qlog.ts). Nothing of it is done otherwise.
 *
 * A full event ring or slab costs the log an entry, never the connection anything. Frames are copied, since packets are sealed in
 * place; the host shows their types and lengths alone.
 */
import { EventKind } from "../../abi/event.ts";
import { QuicConfigFlag } from "../../abi/quic.ts";
import { slabAllocate } from "../../core/slab.ts";
import { emitStreamEvent, hasEventRoom } from "../../session/events.ts";
import { retireBlock } from "../../session/retired.ts";
import { QuicConfig } from "./config.ts";
import { QuicConnection } from "./connection.ts";

/** More than a datagram needs that is received while there is room (assembly/engine/quic.ts). */
const EXCHANGES_LEFT: u32 = 80;
/** The link of a retired block. */
const LINK_BYTES: u32 = 8;

/** `flags` are PacketLogFlag; the packet's frames are [payload, payload + len), `size` its bytes where there are none. */
export function logPacket(
  connection: QuicConnection,
  flags: u32,
  number: u64,
  size: u32,
  payload: usize,
  len: u32,
): void {
  const isWanted = changetype<QuicConfig>(connection.config).flags & QuicConfigFlag.PACKET_LOG;
  if (!isWanted || !hasEventRoom(EXCHANGES_LEFT)) return;
  const block = slabAllocate(len + LINK_BYTES);
  if (block == 0) return;
  memory.copy(block + LINK_BYTES, payload, len);
  retireBlock(block);
  const frames = ((<u64>len) << 32) | (block + LINK_BYTES);
  emitStreamEvent(EventKind.QUIC_PACKET, flags, connection, size, number, frames);
}
