/**
 * A datagram that arrived, as the packets that are coalesced in it, RFC 9000 §12.2 and §14.1.
 *
 * Packets for another destination than the first one's are not this connection's and are passed over (§12.2), and so is what
 * comes after the last packet without being one: some peers leave zeros there instead of padding inside of a packet.
 *
 * The loop over a datagram ends: each step takes a byte at least.
 */
import { QuicStatus } from "../../abi/quic_status.ts";
import { Status } from "../../abi/status.ts";
import { equalBytes } from "../../core/scan.ts";
import {
  packetDestinationLen,
  packetDestinationPtr,
  packetLength,
  packetType,
  readPacketHeader,
} from "./packet_header.ts";
import { PacketType } from "./packet_type.ts";

/** RFC 9000 §14.1: a client pads its Initials to this, a server drops those in less. */
export const INITIAL_DATAGRAM_BYTES_MIN: u32 = 1200;

/**
 *   0    4     8          12              16               20           24
 *   ┌────┬─────┬──────────┬───────────────┬────────────────┬────────────┐
 *   │ at │ end │ packetAt │ destinationPtr│ destinationLen │ localIdLen │
 *   └────┴─────┴──────────┴───────────────┴────────────────┴────────────┘
 *   24        28          32
 *   ┌─────────┬───────────┐
 *   │ isShort │ isGreased │
 *   └─────────┴───────────┘
 */
@unmanaged
export class DatagramReader {
  at: usize;
  end: usize;
  /** The packet that was read last: `packetLength` bytes from here. */
  packetAt: usize;
  destinationPtr: usize;
  destinationLen: u32;
  localIdLen: u32;
  /** Not 0: Initial packets are dropped, for the datagram is too short for them. */
  isShort: u32;
  isGreased: u32;
}

/**
 * Opens a datagram. Short headers in it name a connection ID of `localIdLen` bytes; `isServer` says that Initials want a datagram
 * of full size; `isGreased` as for `readPacketHeader`.
 */
export function datagramOpen(
  datagram: DatagramReader,
  ptr: usize,
  len: u32,
  localIdLen: u32,
  isServer: bool,
  isGreased: bool,
): void {
  datagram.at = ptr;
  datagram.end = ptr + len;
  datagram.packetAt = 0;
  datagram.destinationPtr = 0;
  datagram.destinationLen = 0;
  datagram.localIdLen = localIdLen;
  datagram.isShort = isServer && len < INITIAL_DATAGRAM_BYTES_MIN ? 1 : 0;
  datagram.isGreased = isGreased ? 1 : 0;
}

/** Whether bytes are left. */
// @ts-ignore: decorator
@inline
export function datagramHasMore(datagram: DatagramReader): bool {
  return datagram.at < datagram.end;
}

/** Reads the header of the next packet into packet_header.ts: OK, or a status to drop this packet with. Needs `datagramHasMore`. */
export function datagramNext(datagram: DatagramReader): i32 {
  const at = datagram.at;
  const status = readPacketHeader(at, <u32>(datagram.end - at), datagram.localIdLen, datagram.isGreased != 0);
  const isFirst = datagram.packetAt == 0;
  datagram.packetAt = at;
  datagram.at = at + packetLength;
  if (isFirst) {
    datagram.destinationPtr = packetDestinationPtr;
    datagram.destinationLen = packetDestinationLen;
  }
  if (status != Status.OK) return status;
  // RFC 9000 §14.1: a server MUST discard an Initial in a datagram below 1200 bytes.
  if (packetType == PacketType.INITIAL && datagram.isShort != 0) return QuicStatus.DATAGRAM_TOO_SHORT;
  // RFC 9000 §12.2: packets with another destination than the first one's SHOULD be ignored.
  const isSame =
    packetDestinationLen == datagram.destinationLen &&
    equalBytes(packetDestinationPtr, datagram.destinationPtr, packetDestinationLen);
  return isSame ? Status.OK : QuicStatus.PACKET_FOREIGN;
}
