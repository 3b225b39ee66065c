// The option `http3` of `listen`: what it may say, and what is wrong with it.

import { CONGESTION_NAMES, type CongestionControl, congestionNumber } from "../quic/congestion.ts";
import { preferredAddressProblem, type PreferredAddress } from "../quic/preferred_address.ts";
import type { QlogTarget } from "../quic/qlog.ts";
import { flag, isObject, known, whole, wrong } from "./option_checks.ts";

/** What `http3` may say. */
export interface Http3Options {
  /** Takes safe requests before the handshake is complete (0-RTT); others are answered 425. Default false. */
  readonly earlyData?: boolean;
  /** Has every client prove its address first (Retry). Default: only under load. */
  readonly retry?: boolean;
  /** 32 bytes that processes on one port share, and the number of this one among them. */
  readonly secret?: Uint8Array;
  readonly process?: number;
  /**
   * Keeps a qlog of every connection: a folder for the files, or a function that is called with the name of each trace and answers
   * what it is written to. It says when what was sent and how long, and nothing of what.
   */
  readonly qlog?: QlogTarget;
  /** How this side finds out how fast it may send (docs/guide/tuning.md). Default: "cubic". */
  readonly congestion?: CongestionControl;
  /** The version of QUIC that connections go over to where the client speaks it (RFC 9368). Default: the one that it begins with. */
  readonly preferredVersion?: 1 | 2;
  /**
   * Where clients are to go once their handshake is confirmed (RFC 9000 §9.6), beside the listener's own address, on which all
   * begin. It is bound too. For one listener alone.
   */
  readonly preferredAddress?: PreferredAddress;
}

const SECRET_BYTES = 32;
const HTTP3_NAMES = [
  "earlyData",
  "retry",
  "secret",
  "process",
  "qlog",
  "congestion",
  "preferredVersion",
  "preferredAddress",
];

/** Checks `http3`, which is for listeners with TLS; null where it is not to be served. Throws RangeError or TypeError. */
export function resolveHttp3(
  http3: boolean | Http3Options | undefined,
  secureCount: number,
): Http3Options | null {
  if (http3 === undefined || http3 === false) return null;
  if (secureCount === 0)
    throw new TypeError("listen option http3 needs a listener with tls: HTTP/3 has no other form");
  if (http3 === true) return {};
  if (!isObject(http3)) throw wrong("http3", http3, "true, false or an object");
  known("http3", http3, HTTP3_NAMES, "listen option http3:");
  flag("http3.earlyData", http3.earlyData);
  flag("http3.retry", http3.retry);
  const { secret, process, qlog, congestion } = http3;
  if (congestion !== undefined && congestionNumber(congestion) === undefined)
    throw wrong("http3.congestion", congestion, CONGESTION_NAMES);
  if (qlog !== undefined && typeof qlog !== "function" && (typeof qlog !== "string" || qlog === ""))
    throw wrong("http3.qlog", qlog, "the name of a folder, or a function that answers a writer");
  if (secret !== undefined && !(secret instanceof Uint8Array && secret.length === SECRET_BYTES))
    throw wrong("http3.secret", secret, `a Uint8Array of ${SECRET_BYTES} bytes`);
  const { preferredVersion: version } = http3;
  if (version !== undefined && version !== 1 && version !== 2)
    throw wrong("http3.preferredVersion", version, "1 or 2");
  if (process !== undefined) whole("http3.process", process, 0, 255);
  checkPreferred(http3.preferredAddress, secureCount);
  return http3;
}

function checkPreferred(preferred: unknown, secureCount: number): void {
  if (preferred === undefined) return;
  const problem = preferredAddressProblem(preferred);
  if (problem !== null) throw wrong(`http3.${problem.name}`, problem.value, problem.allowed);
  if (secureCount > 1)
    throw new TypeError(
      "listen option http3.preferredAddress is given with several listeners with tls; it is for one",
    );
}
