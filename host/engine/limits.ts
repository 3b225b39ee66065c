// The engine's limits as options: names, ranges and defaults come from the table that the engine itself reads.

import { Limit, LIMIT_NAMES, LIMIT_TABLE, LimitColumn } from "../../assembly/abi/limit.ts";

/** Values for the engine's limits by name; what is left out keeps its default. */
export type LimitOptions = { readonly [Name in LimitName]?: number };

/** The limits' names, in the order of assembly/abi/limit.ts. */
export type LimitName =
  | "connectionCount"
  | "exchangeCount"
  | "pipelinedCount"
  | "methodBytes"
  | "targetBytes"
  | "headBytes"
  | "fieldCount"
  | "trailerBytes"
  | "trailerCount"
  | "chunkExtensionBytes"
  | "bodyBytes"
  | "drainBytes"
  | "readWindowBytes"
  | "outputBytes"
  | "headTimeoutMs"
  | "idleTimeoutMs"
  | "bodyWindowMs"
  | "bodyRateBytesPerS"
  | "writeTimeoutMs"
  | "lingerTimeoutMs"
  | "streamCount"
  | "resetBurst"
  | "resetRatePerS"
  | "continuationCount"
  | "headerBlockBytes"
  | "headerListBytes"
  | "headerListCount"
  | "queuedReplyCount"
  | "emptyFramesPerS"
  | "controlFramesPerS"
  | "streamWindowBytes"
  | "streamWindowMostBytes"
  | "connectionWindowBytes"
  | "connectionWindowMostBytes"
  | "streamOutputBytes"
  | "stallTimeoutMs"
  | "settingsTimeoutMs"
  | "pingIntervalMs"
  | "pingTimeoutMs"
  | "goawayTimeoutMs"
  | "pushCount"
  | "ackRangeCount"
  | "sentPacketCount"
  | "webSocketMessageBytes"
  | "webSocketFragmentCount"
  | "webSocketIdleTimeoutMs"
  | "webSocketPingIntervalMs"
  | "webSocketPingTimeoutMs"
  | "webSocketCloseTimeoutMs"
  | "quicBidiStreamCount"
  | "quicUniStreamCount"
  | "quicStreamWindowBytes"
  | "quicStreamWindowMostBytes"
  | "quicConnectionWindowBytes"
  | "quicConnectionWindowMostBytes"
  | "quicStreamGapCount"
  | "quicStreamOutputBytes"
  | "quicOutputBytes"
  | "quicDatagramCount"
  | "quicDatagramBytes"
  | "quicIdReissueBurst"
  | "quicIdReissueRatePerS"
  | "quicRetryTokenMs"
  | "quicNewTokenMs"
  | "quicResetBurst"
  | "quicResetRatePerS"
  | "quicCryptoBytes"
  | "quicUndecryptableCount"
  | "quicGlitchBurst"
  | "quicGlitchRatePerS"
  | "quicKeyUpdatePackets"
  | "quicHandshakeTimeoutMs"
  | "quicIdleTimeoutMs"
  | "quicHalfOpenCount"
  | "quicHandshakeCount"
  | "quicReplyBytes"
  | "quicRouteCount"
  | "quicUdpPayloadBytes"
  | "qpackTableBytes"
  | "qpackBlockedStreamCount"
  | "qpackEncoderTableBytes"
  | "qpackEncoderStreamBytes"
  | "qpackDecoderStreamBytes"
  | "qpackSectionCount"
  | "h3ControlFrameBytes"
  | "webTransportSessionCount"
  | "webTransportWaitingStreamCount"
  | "capsuleBytes"
  | "quicSealedPackets"
  | "quicForgedPackets";

/** One limit: its name, default and range. */
export interface LimitEntry {
  readonly name: LimitName;
  readonly default: number;
  readonly least: number;
  readonly most: number;
}

/** Every limit of the engine, in the order of its table. */
export function limitEntries(): LimitEntry[] {
  return LIMIT_NAMES.map((name, index) => ({
    name: name as LimitName,
    default: column(index, LimitColumn.DEFAULT),
    least: column(index, LimitColumn.LEAST),
    most: column(index, LimitColumn.MOST),
  }));
}

/** The engine's limit table for these options. Throws a RangeError that names the option, its value and what is allowed. */
export function resolveLimits(options: LimitOptions = {}): Float64Array {
  const values = new Float64Array(Limit.COUNT);
  const entries = limitEntries();
  entries.forEach((entry, index) => (values[index] = entry.default));
  for (const [name, value] of Object.entries(options) as [string, unknown][]) {
    if (value === undefined) continue;
    const index = LIMIT_NAMES.indexOf(name);
    const entry = entries[index];
    if (entry === undefined) {
      throw new RangeError(`limits.${name} is not a limit; there are ${LIMIT_NAMES.join(", ")}`);
    }
    if (!Number.isSafeInteger(value) || (value as number) < entry.least || (value as number) > entry.most) {
      throw new RangeError(
        `limits.${name} is ${shown(value)}; it must be a whole number from ${entry.least} to ${entry.most}`,
      );
    }
    values[index] = value as number;
  }
  return values;
}

/** JSON writes NaN and Infinity as null. */
function shown(value: unknown): string {
  return typeof value === "number" ? String(value) : (JSON.stringify(value) ?? typeof value);
}

function column(limit: number, index: number): number {
  return LIMIT_TABLE[limit * LimitColumn.COUNT + index] as number;
}
