/**
 * The engine's own answer to what it could not accept: status, one sentence as text/plain, and `connection: close`.
 * None of the peer's bytes are in it.
 */
import { httpStatusOf, Status } from "../abi/status.ts";
import { wireStatusText } from "../abi/status_text.ts";
import { writeAscii } from "../http/ascii.ts";
import { reasonPhrase } from "../http/reason.ts";
import { outputCommit, outputReserve } from "../session/output.ts";
import { H1Connection } from "./connection.ts";
import {
  writeConnection,
  writeContentLength,
  writeDate,
  writeLineEnd,
  writeStatusLine,
} from "./head_writer.ts";

const RESPONSE_BYTES_MAX: u32 = 1024;

/** Queues the error response. A connection that has no memory even for that closes without. */
export function writeErrorResponse(connection: H1Connection, status: i32): void {
  // Nobody asked anything: the peer ended, or timed out, between requests.
  if (status == Status.H1_UNEXPECTED_END && !connection.headBegun && connection.exchangeOrdinal == 0) return;
  const code = <u32>httpStatusOf(status);
  const dest = outputReserve(connection, connection.output, RESPONSE_BYTES_MAX);
  const text = wireStatusText(status);
  const reason = reasonPhrase(code);
  // "400 Bad Request: invalid field name\n"
  const bodyLen = 4 + reason.length + 2 + text.length + 1;
  let at = writeStatusLine(dest, code);
  at += writeAscii(at, "content-type: text/plain; charset=utf-8\r\n");
  at = writeContentLength(at, bodyLen);
  at = writeDate(at);
  at = writeConnection(at, "close");
  at = writeLineEnd(at);
  store<u8>(at, <u8>(0x30 + code / 100), 0);
  store<u8>(at, <u8>(0x30 + ((code / 10) % 10)), 1);
  store<u8>(at, <u8>(0x30 + (code % 10)), 2);
  store<u8>(at, 0x20, 3);
  at += 4;
  at += writeAscii(at, reason);
  at += writeAscii(at, ": ");
  at += writeAscii(at, text);
  store<u8>(at, 0x0a);
  outputCommit(<u32>(at + 1 - dest));
}
