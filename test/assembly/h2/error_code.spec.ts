// From a status to the error code on the wire, RFC 9113 §7.

import { Status } from "../../../assembly/abi/status.ts";
import { ErrorCode, errorCodeOf } from "../../../assembly/h2/error_code.ts";

describe("the error code of a status", () => {
  test("is one of RFC 9113 for every number there could be", () => {
    for (let status = 10; status > -700; status--) {
      expect(<u32>errorCodeOf(status)).toBeLessThanOrEqual(ErrorCode.HTTP_1_1_REQUIRED);
    }
  });

  test("blames this side for its own faults and the peer for its own", () => {
    expect(errorCodeOf(Status.MEMORY_FULL)).toBe(ErrorCode.INTERNAL_ERROR);
    expect(errorCodeOf(Status.INVALID_STATE)).toBe(ErrorCode.INTERNAL_ERROR);
    expect(errorCodeOf(Status.H2_PSEUDO_FIELD)).toBe(ErrorCode.PROTOCOL_ERROR);
    expect(errorCodeOf(Status.HOST_MISMATCH)).toBe(ErrorCode.PROTOCOL_ERROR);
  });

  test("tells floods to calm down", () => {
    for (let status = <i32>Status.H2_RESET_FLOOD; status >= Status.H2_HEADER_BLOCK_TOO_LARGE; status--) {
      expect(errorCodeOf(status)).toBe(ErrorCode.ENHANCE_YOUR_CALM);
    }
  });
});
