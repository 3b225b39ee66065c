/**
 * The largest datagram that a path carries, found by probing: DPLPMTUD, RFC 8899 §5, RFC 9000 §14.3.
 *
 *               a probe of `mostSize` or between is acknowledged, or lost three times
 *                  ┌──────┐
 *                  ▼      │
 *       ┌────── SEARCHING ┘ ───── nothing left between ─────▶ DONE
 *       │          ▲  ▲                                        │
 *       │          │  └──────────────── 600 s ─────────────────┤
 *       └──────────┴──── black hole: back to 1200 bytes ◀──────┘
 *
 * The search tries the most first, for most paths are Ethernet all along, then halves what is left. The caller sends probes (PING
 * and PADDING) when `mtuProbeSize` names one, one at a time, and tells what became of them. A lost probe is no sign of congestion
 * (RFC 9000 §14.4), so it must not be told to the congestion controller.
 *
 * Black holes, RFC 8899 §4.3: when packets above 1200 bytes are lost in three rounds, one after the other, and none as large
 * arrives, the path no longer carries them.
 */

/** RFC 9000 §14.1: what every path must carry; RFC 8899's BASE_PLPMTU here. */
export const BASE_DATAGRAM_SIZE: u32 = 1200;
/** What Ethernet leaves of 1500 bytes after the headers of IP and UDP. */
const IPV4_DATAGRAM_SIZE: u32 = 1500 - 20 - 8;
const IPV6_DATAGRAM_SIZE: u32 = 1500 - 40 - 8;
/** RFC 8899 §5.1.2: MAX_PROBES. */
const PROBES_MAX: u32 = 3;
/** RFC 8899 §5.1.1: PMTU_RAISE_TIMER. */
const RAISE_INTERVAL_MS: f64 = 600_000;
/** A gain of less than a percent is not worth three lost probes. */
const STEP_BYTES: u32 = 12;
const BLACK_HOLE_ROUNDS: u32 = 3;


@unmanaged
export class PathMtu {
  /** When probing may begin (again); Infinity while it goes on. */
  raiseAtMs: f64;
  /** Losses of packets that were sent before then are of a round that counts already. */
  roundEndMs: f64;
  /** What may be sent: bytes of a datagram. */
  size: u32;
  /** The largest that is not known to be too large. */
  upperSize: u32;
  /** Never more than this. */
  mostSize: u32;
  /** Of the probe under way; 0 when there is none. */
  probeSize: u32;
  /** Probes of the present size that were lost. */
  lostProbes: u32;
  /** Rounds in which large packets were lost, and the smallest of those. */
  lostRounds: u32;
  lostSize: u32;
}

export const PATH_MTU_BYTES: u32 = (<u32>offsetof<PathMtu>() + 7) & ~7;

/**
 * A new path: 1200 bytes, and probing may begin. `maxUdpPayloadSize` is the peer's parameter, `isIpv4` as `addressIsIpv4` says.
 */
export function mtuOpen(mtu: PathMtu, maxUdpPayloadSize: u64, isIpv4: bool): void {
  memory.fill(changetype<usize>(mtu), 0, PATH_MTU_BYTES);
  mtu.size = BASE_DATAGRAM_SIZE;
  const most = isIpv4 ? IPV4_DATAGRAM_SIZE : IPV6_DATAGRAM_SIZE;
  mtu.mostSize = max(<u32>min<u64>(maxUdpPayloadSize, most), BASE_DATAGRAM_SIZE);
  search(mtu);
}

/** Bytes of the datagram to probe with now; 0 when there is nothing to probe. Not before the handshake is confirmed. */
export function mtuProbeSize(mtu: PathMtu, nowMs: f64): u32 {
  if (mtu.probeSize != 0) return 0;
  if (nowMs >= mtu.raiseAtMs) search(mtu);
  if (mtu.raiseAtMs != Infinity) return 0;
  if (mtu.upperSize < mtu.size + STEP_BYTES) {
    mtu.raiseAtMs = mtu.size < mtu.mostSize ? nowMs + RAISE_INTERVAL_MS : Infinity;
    return 0;
  }
  if (mtu.upperSize == mtu.mostSize) return mtu.mostSize;
  return mtu.size + (mtu.upperSize - mtu.size + 1) / 2;
}

/** A probe of that size was sent. */
export function mtuOnProbeSent(mtu: PathMtu, size: u32): void {
  mtu.probeSize = size;
}

/** The probe arrived: `size` has grown. */
export function mtuOnProbeAcked(mtu: PathMtu): void {
  const size = mtu.probeSize;
  if (size == 0) return;
  mtu.probeSize = 0;
  mtu.lostProbes = 0;
  mtu.size = max(mtu.size, size);
  mtuOnAcked(mtu, size);
}

/** The probe was lost. */
export function mtuOnProbeLost(mtu: PathMtu): void {
  const size = mtu.probeSize;
  if (size == 0) return;
  mtu.probeSize = 0;
  mtu.lostProbes++;
  if (mtu.lostProbes < PROBES_MAX) return;
  mtu.lostProbes = 0;
  mtu.upperSize = size - 1;
}

/** A packet in a datagram of `size` bytes was acknowledged. */
// @ts-ignore: decorator
@inline
export function mtuOnAcked(mtu: PathMtu, size: u32): void {
  if (size >= mtu.lostSize) mtu.lostRounds = 0;
}

/**
 * A packet that is no probe was lost, in a datagram of `size` bytes. True when the path has a black hole: `size` is 1200 from now
 * on, and a new search begins.
 */
export function mtuOnLost(mtu: PathMtu, size: u32, sentAtMs: f64, nowMs: f64): bool {
  if (size <= BASE_DATAGRAM_SIZE || mtu.size == BASE_DATAGRAM_SIZE) return false;
  if (mtu.lostRounds == 0) {
    mtu.lostSize = size;
  } else {
    mtu.lostSize = min(mtu.lostSize, size);
    if (sentAtMs < mtu.roundEndMs) return false;
  }
  mtu.roundEndMs = nowMs;
  mtu.lostRounds++;
  if (mtu.lostRounds < BLACK_HOLE_ROUNDS) return false;
  mtu.size = BASE_DATAGRAM_SIZE;
  mtu.lostRounds = 0;
  search(mtu);
  return true;
}

function search(mtu: PathMtu): void {
  mtu.raiseAtMs = Infinity;
  mtu.upperSize = mtu.mostSize;
  mtu.lostProbes = 0;
}
