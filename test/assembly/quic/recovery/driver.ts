/** A connection in small: sends packets into a recovery, acknowledges them, and says what became of them. */

import { slabInitialize } from "../../../../assembly/core/slab.ts";
import { ackBegin, ackEnd, ackRange } from "../../../../assembly/quic/recovery/acknowledgement.ts";
import { CongestionAlgorithm } from "../../../../assembly/quic/recovery/congestion_state.ts";
import { SpaceId } from "../../../../assembly/quic/recovery/packet_space.ts";
import {
  recoveryAllocate,
  recoveryNextNumber,
  recoveryOnConfirmed,
  recoveryOnSent,
  recoveryOpenSpace,
  recoveryTakeAcked,
  recoveryTakeLost,
  recoveryReceived,
} from "../../../../assembly/quic/recovery/recovery.ts";
import { Ecn, receivedAdd } from "../../../../assembly/quic/recovery/received_packets.ts";
import { Recovery } from "../../../../assembly/quic/recovery/recovery_state.ts";
import {
  PacketFlag,
  SentPacket,
  sentPacketFree,
  sentPacketOpen,
} from "../../../../assembly/quic/recovery/sent_packet.ts";
import { SentFrameList } from "../../../../assembly/quic/wire/sent_frame.ts";
import { limitsReset } from "../../../../assembly/session/limits.ts";

const REGION_BYTES: usize = 256 * 65536;
const region: usize = heap.alloc(REGION_BYTES);

export const list = changetype<SentFrameList>(heap.alloc(offsetof<SentFrameList>()));
export const DATAGRAM: u32 = 1200;
export const DATA: u32 = PacketFlag.ACK_ELICITING | PacketFlag.IN_FLIGHT;
export const INITIAL = SpaceId.INITIAL;
export const HANDSHAKE = SpaceId.HANDSHAKE;
export const APPLICATION = SpaceId.APPLICATION;

export let recovery: Recovery = changetype<Recovery>(0);

export function freshSlab(): void {
  slabInitialize(region, region + REGION_BYTES);
  limitsReset();
}

/** A recovery with all spaces that skips no numbers. */
export function fresh(isServer: bool, algorithm: CongestionAlgorithm = CongestionAlgorithm.NEW_RENO): void {
  freshSlab();
  recovery = changetype<Recovery>(recoveryAllocate(isServer, algorithm, DATAGRAM, 1, 0));
  for (let id = 0; id < SpaceId.COUNT; id++) assert(recoveryOpenSpace(recovery, id));
}

/** The same after a handshake: only the application's space counts. */
export function confirmed(algorithm: CongestionAlgorithm = CongestionAlgorithm.NEW_RENO): void {
  fresh(true, algorithm);
  recoveryOnConfirmed(recovery, 0);
}

export function send(id: SpaceId, nowMs: f64, flags: u32 = DATA, size: u32 = DATAGRAM): u64 {
  const packet = sentPacketOpen(list);
  assert(packet != 0);
  const number = recoveryNextNumber(recovery, id);
  recoveryOnSent(recovery, id, packet, list.count, size, flags, nowMs);
  return number;
}

export function ack(id: SpaceId, first: u64, last: u64, nowMs: f64, delayMs: f64 = 0): i32 {
  let status = ackBegin(recovery, id, last);
  if (status == 0) status = ackRange(first, last);
  if (status == 0) ackEnd(recovery, delayMs, false, 0, 0, 0, nowMs);
  return status;
}

/** The numbers of the acknowledged packets, which are freed. */
export function acked(): string {
  let text = "";
  for (let ptr = recoveryTakeAcked(recovery); ptr != 0; ptr = recoveryTakeAcked(recovery)) {
    text += `${changetype<SentPacket>(ptr).number} `;
    sentPacketFree(ptr);
  }
  return text;
}

/** The numbers of the lost packets, which are freed. */
export function lost(): string {
  let text = "";
  for (let ptr = recoveryTakeLost(recovery); ptr != 0; ptr = recoveryTakeLost(recovery)) {
    text += `${changetype<SentPacket>(ptr).number} `;
    sentPacketFree(ptr);
  }
  return text;
}

/** The peer's packets have a gap, so that what becomes of our acknowledgements matters and they are kept like other packets. */
export function receiveWithGap(space: SpaceId): void {
  const received = recoveryReceived(recovery, space);
  receivedAdd(received, 0, false, Ecn.NOT_ECT, 0, 0);
  receivedAdd(received, 2, false, Ecn.NOT_ECT, 0, 0);
}
