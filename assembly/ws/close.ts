/**
 * The body of a close frame, RFC 6455 §5.5.1 and §7.4: nothing, or a code of two bytes and a reason in UTF-8. Read and written
 * side by side; a written one always reads back.
 *
 * Who answers whom, and when the connection ends, is the business of the owner.
 */

import { Status } from "../abi/status.ts";
import { CONTROL_PAYLOAD_BYTES_MAX } from "./frame_header.ts";
import { isUtf8 } from "./utf8.ts";
import { CloseCode, WsStatus } from "../abi/ws_status.ts";

const CODE_BYTES: u32 = 2;

export const CLOSE_REASON_BYTES_MAX: u32 = CONTROL_PAYLOAD_BYTES_MAX - CODE_BYTES;

/**
 * Whether a close frame may carry the code, §7.4.2 and the IANA registry: 1000 to 2999 are the protocol's, of which those
 * assigned so far may be sent except the ones that only report locally (1004 is reserved, 1005, 1006, 1015); 3000 to 3999 are
 * registered by frameworks and 4000 to 4999 are private.
 */
export function isCloseCodeOnWire(code: u32): bool {
  if (code >= 3000) return code <= 4999;
  if (code >= 1007) return code <= 1014;
  return code >= 1000 && code <= 1003;
}

/** The code of a close frame's body, CloseCode.NO_STATUS when it is empty, or a negative WsStatus. The reason follows the code. */
export function readCloseBody(ptr: usize, len: u32): i32 {
  if (len == 0) return CloseCode.NO_STATUS;
  if (len < CODE_BYTES) return WsStatus.CLOSE_BODY;
  const code: u32 = bswap(load<u16>(ptr));
  if (!isCloseCodeOnWire(code)) return WsStatus.CLOSE_CODE;
  if (!isUtf8(ptr + CODE_BYTES, len - CODE_BYTES)) return WsStatus.CLOSE_REASON;
  return code;
}

/** Where the reason begins in a body of `len` bytes that was read without a fault. */
export function closeReasonOffset(len: u32): u32 {
  return min(len, CODE_BYTES);
}

/**
 * Writes a body to `dest` and answers its length. CloseCode.NO_STATUS writes the empty body. INVALID_ARGUMENT for a code that
 * must not be sent, a reason without a code, too long or not UTF-8; then nothing is written.
 */
export function writeCloseBody(dest: usize, code: u32, reasonPtr: usize, reasonLen: u32): i32 {
  if (code == CloseCode.NO_STATUS && reasonLen == 0) return 0;
  if (!isCloseCodeOnWire(code)) return Status.INVALID_ARGUMENT;
  if (reasonLen > CLOSE_REASON_BYTES_MAX || !isUtf8(reasonPtr, reasonLen)) return Status.INVALID_ARGUMENT;
  store<u16>(dest, bswap(<u16>code));
  memory.copy(dest + CODE_BYTES, reasonPtr, reasonLen);
  return CODE_BYTES + reasonLen;
}
