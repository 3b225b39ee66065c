/** What is known of a connection's path and traffic, for the host: QuicStat. */
import { QuicStat } from "../../abi/quic.ts";
import { EcnState } from "../recovery/ecn.ts";
import { congestionOf, rttOf } from "../recovery/recovery_state.ts";
import { Version } from "../wire/version.ts";
import { isLive, mtuOf, oneRttOf, QuicConnection, recoveryOf, tlsOf } from "./connection.ts";

/** Writes QuicStat.COUNT numbers of type f64 to `dest`. */
export function statsWrite(connection: QuicConnection, dest: usize): void {
  memory.fill(dest, 0, QuicStat.COUNT * sizeof<f64>());
  put(dest, QuicStat.BYTES_SENT, connection.bytesSent);
  put(dest, QuicStat.BYTES_RECEIVED, connection.bytesReceived);
  put(dest, QuicStat.PACKETS_SENT, connection.datagramsSent);
  put(dest, QuicStat.PACKETS_RECEIVED, connection.datagramsReceived);
  put(dest, QuicStat.PACKETS_LOST, connection.lostCount);
  put(dest, QuicStat.MTU_BYTES, mtuOf(connection).size);
  put(dest, QuicStat.VERSION, connection.version == Version.V2 ? 2 : 1);
  if (!isLive(connection)) return;
  const recovery = recoveryOf(connection);
  const rtt = rttOf(recovery);
  put(dest, QuicStat.SMOOTHED_RTT_MS, rtt.smoothedMs);
  put(dest, QuicStat.LATEST_RTT_MS, rtt.latestMs);
  put(dest, QuicStat.MIN_RTT_MS, rtt.minMs);
  put(dest, QuicStat.CONGESTION_WINDOW_BYTES, congestionOf(recovery).window);
  put(dest, QuicStat.BYTES_IN_FLIGHT, congestionOf(recovery).bytesInFlight);
  put(dest, QuicStat.ECN_CAPABLE, recovery.ecnState == EcnState.CAPABLE ? 1 : 0);
  if (connection.tls != 0) put(dest, QuicStat.SUITE, tlsOf(connection).suite);
  if (connection.keys != 0) put(dest, QuicStat.KEY_UPDATES, oneRttOf(connection).updateCount);
}

// @ts-ignore: decorator
@inline
function put(dest: usize, stat: QuicStat, value: f64): void {
  store<f64>(dest + stat * sizeof<f64>(), value);
}
