/**
 * Connections that may have something to send, or to tell: a list of each endpoint's, in which a connection stands once, served in
 * the order in which they came.
 */
import { Endpoint } from "../endpoint/endpoint_state.ts";
import { clearBit, hasBit, QuicConnection, QuicFlag, setBit } from "./connection.ts";

export function markDirty(connection: QuicConnection): void {
  if (hasBit(connection, QuicFlag.DIRTY)) return;
  const endpoint = changetype<Endpoint>(connection.endpoint);
  const ptr = changetype<usize>(connection);
  setBit(connection, QuicFlag.DIRTY);
  connection.dirtyNext = 0;
  connection.dirtyPrevious = endpoint.dirtyTail;
  if (endpoint.dirtyTail != 0) changetype<QuicConnection>(endpoint.dirtyTail).dirtyNext = ptr;
  else endpoint.dirtyHead = ptr;
  endpoint.dirtyTail = ptr;
}

export function dirtyClear(connection: QuicConnection): void {
  if (!hasBit(connection, QuicFlag.DIRTY)) return;
  const endpoint = changetype<Endpoint>(connection.endpoint);
  clearBit(connection, QuicFlag.DIRTY);
  if (connection.dirtyPrevious != 0) {
    changetype<QuicConnection>(connection.dirtyPrevious).dirtyNext = connection.dirtyNext;
  } else endpoint.dirtyHead = connection.dirtyNext;
  if (connection.dirtyNext != 0) {
    changetype<QuicConnection>(connection.dirtyNext).dirtyPrevious = connection.dirtyPrevious;
  } else endpoint.dirtyTail = connection.dirtyPrevious;
}
