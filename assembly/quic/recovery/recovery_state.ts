/** The state of a connection's loss recovery (recovery.ts), and the small moves that all of its files make on it. */
import { congestionLeft } from "./congestion.ts";
import { Congestion } from "./congestion_state.ts";
import { Pacer } from "./pacer.ts";
import { PacketSpace } from "./packet_space.ts";
import { Rtt } from "./rtt.ts";
import { PacketFlag, SentPacket, sentPacketIs } from "./sent_packet.ts";

/** Its fields, and behind them one Rtt, one Congestion, one Pacer. */
@unmanaged
export class Recovery {
  /** When `recoveryOnTimeout` is due; Infinity when nothing is. */
  deadlineMs: f64;
  /** When the probes of the PTO are due, if nothing is acknowledged until then; Infinity when none are. */
  ptoAtMs: f64;
  /** ECN's test of the path ends then, at the latest. */
  ecnTestEndMs: f64;
  /** State of the generator that skips packet numbers. */
  random: u64;
  /** The spaces, by SpaceId; 0 where there is none. */
  initial: usize;
  handshake: usize;
  application: usize;
  /** Packets whose fate is known, linked by `next`, the lowest number first. */
  ackedHead: usize;
  ackedTail: usize;
  lostHead: usize;
  lostTail: usize;
  /** Open packets of all spaces. */
  sentCount: u32;
  /** PTOs since the last acknowledgement, each of which doubles the next. */
  ptoCount: u32;
  /** The space whose PTO is armed, and after a PTO the one to probe. */
  ptoSpace: u32;
  probeSpace: u32;
  /** Packets that the last PTO asks for, without regard to the window. */
  probeCount: u32;
  /** Marked packets of ECN's test, and those of them that were lost. */
  ecnSent: u32;
  ecnLost: u32;
  /** EcnState. */
  ecnState: u32;
  path: u16;
  isServer: bool;
  isConfirmed: bool;
  hasHandshakeKeys: bool;
  /** A Handshake packet was acknowledged: the server has validated this client's address. */
  isHandshakeAcked: bool;
  isAmplificationBlocked: bool;
  /** The last packet waits, or waited, for the pacer. */
  isPaced: bool;
}

const RTT_OFFSET: usize = (offsetof<Recovery>() + 7) & ~7;
const CONGESTION_OFFSET: usize = RTT_OFFSET + offsetof<Rtt>();
const PACER_OFFSET: usize = CONGESTION_OFFSET + ((offsetof<Congestion>() + 7) & ~7);
export const RECOVERY_BYTES: u32 = <u32>(PACER_OFFSET + offsetof<Pacer>());
/** Where the Bbr of a connection lies that uses it. */
export const BBR_OFFSET: u32 = (RECOVERY_BYTES + 7) & ~7;

// @ts-ignore: decorator
@inline
export function rttOf(recovery: Recovery): Rtt {
  return changetype<Rtt>(changetype<usize>(recovery) + RTT_OFFSET);
}

// @ts-ignore: decorator
@inline
export function congestionOf(recovery: Recovery): Congestion {
  return changetype<Congestion>(changetype<usize>(recovery) + CONGESTION_OFFSET);
}

// @ts-ignore: decorator
@inline
export function pacerOf(recovery: Recovery): Pacer {
  return changetype<Pacer>(changetype<usize>(recovery) + PACER_OFFSET);
}

/** The address of a space, 0 when there is none. */
// @ts-ignore: decorator
@inline
export function spaceAt(recovery: Recovery, id: u32): usize {
  return load<usize>(changetype<usize>(recovery) + id * sizeof<usize>(), offsetof<Recovery>("initial"));
}

// @ts-ignore: decorator
@inline
export function setSpaceAt(recovery: Recovery, id: u32, space: usize): void {
  store<usize>(changetype<usize>(recovery) + id * sizeof<usize>(), space, offsetof<Recovery>("initial"));
}

/** A space that exists. */
// @ts-ignore: decorator
@inline
export function spaceOf(recovery: Recovery, id: u32): PacketSpace {
  assert(spaceAt(recovery, id) != 0, "the space was not opened, or discarded");
  return changetype<PacketSpace>(spaceAt(recovery, id));
}

/** Takes a packet's bytes off those in flight, if they are of the current path. */
export function leaveFlight(recovery: Recovery, packet: SentPacket): void {
  if (!sentPacketIs(packet, PacketFlag.IN_FLIGHT) || packet.path != recovery.path) return;
  congestionLeft(congestionOf(recovery), packet.size);
}

export function appendAcked(recovery: Recovery, packet: SentPacket): void {
  const ptr = changetype<usize>(packet);
  packet.next = 0;
  if (recovery.ackedHead != 0) changetype<SentPacket>(recovery.ackedTail).next = ptr;
  else recovery.ackedHead = ptr;
  recovery.ackedTail = ptr;
}

export function appendLost(recovery: Recovery, packet: SentPacket): void {
  const ptr = changetype<usize>(packet);
  packet.next = 0;
  if (recovery.lostHead != 0) changetype<SentPacket>(recovery.lostTail).next = ptr;
  else recovery.lostHead = ptr;
  recovery.lostTail = ptr;
}

/** xorshift64*: its seed is random, its state is never shown. */
export function nextRandom(recovery: Recovery): u64 {
  let state = recovery.random;
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  recovery.random = state;
  return state * 0x2545f4914f6cdd1d;
}
