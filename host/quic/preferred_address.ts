// The preferred address of a server (RFC 9000 §9.6) as an option.

import { parseIp } from "../engine/datagram_batch.ts";

/**
 * Where clients are to go once their handshake is confirmed, as an address of this machine alone behind one that many share: an IP
 * address, and a port, 0 for any.
 */
export interface PreferredAddress {
  readonly host: string;
  /** Default 0. */
  readonly port?: number;
}

const PORT_MOST = 65535;

/** What is wrong with a preferred address: which part of it, its value and what is allowed. Null when nothing is. */
export function preferredAddressProblem(
  preferred: unknown,
): { readonly name: string; readonly value: unknown; readonly allowed: string } | null {
  if (typeof preferred !== "object" || preferred === null)
    return { name: "preferredAddress", value: preferred, allowed: "an object with host and port" };
  const { host, port, ...others } = preferred as Record<string, unknown>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    return {
      name: `preferredAddress.${unknown}`,
      value: others[unknown],
      allowed: "left out: it is unknown",
    };
  if (!isAddress(host))
    return { name: "preferredAddress.host", value: host, allowed: "an IP address, and not that of any host" };
  if (
    port !== undefined &&
    !(Number.isInteger(port) && (port as number) >= 0 && (port as number) <= PORT_MOST)
  )
    return { name: "preferredAddress.port", value: port, allowed: `a whole number from 0 to ${PORT_MOST}` };
  return null;
}

function isAddress(host: unknown): boolean {
  try {
    return typeof host === "string" && parseIp(host).some((byte) => byte !== 0);
  } catch {
    return false;
  }
}
