/**
 * A connection ID, RFC 9000 §5.1: opaque bytes, at most 20 in the versions spoken here, none at all allowed.
 */
import { equalBytes } from "../../core/scan.ts";

/** RFC 9000 §17.2. */
export const CONNECTION_ID_LENGTH_MAX: u32 = 20;
/** RFC 8999 §5.1: what another version may use; its length is a byte. */
export const FOREIGN_CONNECTION_ID_LENGTH_MAX: u32 = 255;
/** RFC 9000 §7.2: the destination that a client makes up for its first packets, at least. */
export const FIRST_DESTINATION_LENGTH_MIN: u32 = 8;

/**
 *   0     4                    24
 *   ┌─────┬────────────────────┐
 *   │ len │ bytes              │
 *   └─────┴────────────────────┘
 */
@unmanaged
export class ConnectionId {
  len: u32;
  bytes0: u32;
  bytes4: u32;
  bytes8: u32;
  bytes12: u32;
  bytes16: u32;
}

export const CONNECTION_ID_BYTES: u32 = <u32>offsetof<ConnectionId>();

const BYTES_OFFSET: usize = offsetof<ConnectionId>("bytes0");

/** Address of the bytes; valid as long as the struct is. */
// @ts-ignore: decorator
@inline
export function connectionIdBytes(id: ConnectionId): usize {
  return changetype<usize>(id) + BYTES_OFFSET;
}

/** Copies [ptr, ptr + len), len ≤ CONNECTION_ID_LENGTH_MAX. */
export function connectionIdSet(id: ConnectionId, ptr: usize, len: u32): void {
  id.len = len;
  memory.copy(connectionIdBytes(id), ptr, len);
}

/** Whether the ID is exactly [ptr, ptr + len). */
export function connectionIdIs(id: ConnectionId, ptr: usize, len: u32): bool {
  return id.len == len && equalBytes(connectionIdBytes(id), ptr, len);
}
