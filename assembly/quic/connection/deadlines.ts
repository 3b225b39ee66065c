/**
 * Time: one deadline of a connection out of all that it has, and what is due when it comes. RFC 9000 §10.1, §13.2.1; RFC 9002 §6.2.
 */
import { QuicStatus } from "../../abi/quic_status.ts";
import { timerDisarm } from "../../core/timer_wheel.ts";
import { arm, nowMs } from "../../session/deadline.ts";
import { pathsDeadlineMs } from "../path/paths.ts";
import { recoveryOnTimeout, RecoveryTimeout } from "../recovery/timer.ts";
import { recoveryHasSpace, recoveryReceived } from "../recovery/recovery.ts";
import { SpaceId } from "../recovery/packet_space.ts";
import { closeSilently, closeWith } from "./close.ts";
import { connectionStrip } from "./lifecycle.ts";
import {
  hasBit,
  isLive,
  pathsOf,
  Phase,
  QuicConnection,
  QuicFlag,
  recoveryOf,
  setBit,
} from "./connection.ts";
import { markDirty } from "./dirty.ts";
import { keepAliveAtMs } from "./idle.ts";
import { settleFates } from "./fates.ts";
import { pathsHandleTimeout } from "./migration.ts";

/** Sets the connection's timer to the earliest of its deadlines. After everything that was sent and received. */
export function deadlinesArm(connection: QuicConnection): void {
  timerDisarm(connection);
  if (!isLive(connection)) {
    arm(connection, hasBit(connection, QuicFlag.STRIP_OWED) ? nowMs : connection.closeAtMs);
    return;
  }
  const recovery = recoveryOf(connection);
  let earliest = min(min(connection.idleAtMs, connection.handshakeByMs), connection.applicationAtMs);
  earliest = min(earliest, min(recovery.deadlineMs, connection.paceAtMs));
  earliest = min(earliest, keepAliveAtMs(connection));
  earliest = min(earliest, pathsDeadlineMs(pathsOf(connection)));
  // What the peer's address does not allow waits for the peer, not for time.
  for (let id = recovery.isAmplificationBlocked ? SpaceId.COUNT : 0; id < SpaceId.COUNT; id++) {
    if (recoveryHasSpace(recovery, id)) earliest = min(earliest, recoveryReceived(recovery, id).ackDueMs);
  }
  if (earliest != Infinity) arm(connection, earliest);
}

/** The timer has come. What has to be sent is sent by the next poll, for which the connection is marked. */
export function quicHandleTimeout(connection: QuicConnection): void {
  markDirty(connection);
  if (!isLive(connection)) {
    if (hasBit(connection, QuicFlag.STRIP_OWED)) connectionStrip(connection);
    if (nowMs >= connection.closeAtMs) setBit(connection, QuicFlag.IS_DONE);
    return;
  }
  if (nowMs >= connection.idleAtMs) return closeSilently(connection, QuicStatus.CONNECTION_IDLE);
  if (nowMs >= connection.handshakeByMs && connection.phase == Phase.HANDSHAKE) {
    return closeWith(connection, QuicStatus.HANDSHAKE_TIMEOUT, 0);
  }
  if (nowMs >= keepAliveAtMs(connection)) setBit(connection, QuicFlag.PING_OWED);
  const recovery = recoveryOf(connection);
  if (nowMs >= recovery.deadlineMs && recoveryOnTimeout(recovery, nowMs) == RecoveryTimeout.LOSS)
    settleFates(connection);
  pathsHandleTimeout(connection);
}
