// The second socket of a server with a preferred address, and what clients are told of it (RFC 9000 §9.6).

import { checked } from "../engine/engine_error.ts";
import { parseIp } from "../engine/datagram_batch.ts";
import type { QuicCommands } from "../engine/quic_commands.ts";
import { bindDatagrams } from "../transport/runtime_datagrams.ts";
import type { Endpoint } from "./endpoint.ts";
import type { PreferredAddress } from "./preferred_address.ts";

/** Of the parameter's 24 bytes: an IPv4 address and its port, then an IPv6 one and its port, of which one is all zero (§18.2). */
const PARAMETER_BYTES = 24;
const IPV6_OFFSET = 6;

/** Binds the address as the endpoint's second socket, and has the configuration tell it. */
export async function listenOnPreferred(
  quic: QuicCommands,
  config: number,
  endpoint: Endpoint,
  preferred: PreferredAddress,
): Promise<void> {
  const socket = await bindDatagrams(preferred, endpoint.sinkFor(1)).catch((cause: unknown) => {
    const { host, port = 0 } = preferred;
    throw new Error(`the preferred address ${host}, port ${port}, cannot be bound`, { cause });
  });
  endpoint.addSocket(socket);
  const parameter = new Uint8Array(PARAMETER_BYTES);
  const ip = parseIp(socket.host);
  const at = ip.length === 4 ? 0 : IPV6_OFFSET;
  parameter.set(ip, at);
  new DataView(parameter.buffer).setUint16(at + ip.length, socket.port);
  checked(quic.setPreferredAddress(config, parameter), "setting the preferred address");
}
