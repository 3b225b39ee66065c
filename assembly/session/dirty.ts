/**
 * How a room that speaks on a multiplexed transport says that a connection has something to send: the transport, which lies above
 * it and writes its packets later, is told through here. The engine's room puts it in place once.
 */
import { Connection } from "./connection.ts";

type Notice = (connection: Connection) => void;

let noticeBy: Notice = (_connection: Connection): void => {};

/** Puts in place what is told of connections that have something to send. */
export function dirtyNoticeBy(notice: Notice): void {
  noticeBy = notice;
}

/** The connection has something to send. May be called as often as one likes. */
export function markDirty(connection: Connection): void {
  noticeBy(connection);
}
