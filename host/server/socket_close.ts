// What a close frame may carry, told to whoever calls `close` in the wrong way; the engine checks it again.

import { CloseCode } from "../engine/index.ts";

const REASON_BYTES_MOST = 123;
const encoder = new TextEncoder();

/** RFC 6455 §7.4.2 and the IANA registry. Throws RangeError. */
export function checkClose(code: number, reason: string): void {
  if (!isCloseCode(code)) {
    throw new RangeError(
      `close code ${String(code)}; it must be 1000 to 1003, 1007 to 1014, or 3000 to 4999`,
    );
  }
  if (code === CloseCode.NO_STATUS && reason !== "") throw new RangeError("a reason without a close code");
  // Three bytes at most for each code unit: the usual reason is not encoded for its length.
  if (reason.length * 3 <= REASON_BYTES_MOST) return;
  const byteLength = encoder.encode(reason).length;
  if (byteLength > REASON_BYTES_MOST) {
    throw new RangeError(`a close reason of ${byteLength} bytes; it may have ${REASON_BYTES_MOST}`);
  }
}

function isCloseCode(code: number): boolean {
  if (!Number.isInteger(code)) return false;
  if (code >= 3000) return code <= 4999;
  return (code >= 1000 && code <= 1003) || code === CloseCode.NO_STATUS || (code >= 1007 && code <= 1014);
}
