/** First bytes, headers, close bodies, statuses: the rules, each walked through whole. */

import { Status } from "../../../assembly/abi/status.ts";
import {
  CLOSE_REASON_BYTES_MAX,
  closeReasonOffset,
  isCloseCodeOnWire,
  readCloseBody,
  writeCloseBody,
} from "../../../assembly/ws/close.ts";
import {
  FRAME_HEADER_BYTES_MAX,
  LENGTH_PENDING,
  frameHeaderBytes,
  hasExtendedLength,
  hasMaskBit,
  readMaskKey,
  readPayloadLength,
  writeFrameHeader,
  writeMaskedFrameHeader,
} from "../../../assembly/ws/frame_header.ts";
import { firstByteStatus } from "../../../assembly/ws/opcode.ts";
import {
  PENDING_PONG_BYTES,
  PendingPong,
  hasPendingPong,
  pendingPongClear,
  pendingPongLen,
  pendingPongPtr,
  pendingPongSet,
} from "../../../assembly/ws/pending_pong.ts";
import {
  CloseCode,
  WsStatus,
  closeCodeOf,
  handshakeHttpStatusOf,
  wsStatusText,
} from "../../../assembly/abi/ws_status.ts";
import { bytesOf, textAt } from "./text.ts";

const bytes: usize = heap.alloc(256);

describe("first bytes", () => {
  /** The rule of opcode.ts once more, as sets of bytes: 4 rows of allowed first bytes. */
  test("all 256, in and outside of a message, with and without compression", () => {
    const control: StaticArray<u8> = [0x88, 0x89, 0x8a];
    const start: StaticArray<u8> = [0x01, 0x02, 0x81, 0x82];
    const compressedStart: StaticArray<u8> = [0x41, 0x42, 0xc1, 0xc2];
    const continuation: StaticArray<u8> = [0x00, 0x80];
    let wrong = 0;
    for (let firstByte: u32 = 0; firstByte < 256; firstByte++) {
      const byte = <u8>firstByte;
      for (let row = 0; row < 4; row++) {
        const isMessageOpen = (row & 1) != 0;
        const isDeflateAgreed = (row & 2) != 0;
        let isAllowed = control.includes(byte);
        if (isMessageOpen) isAllowed = isAllowed || continuation.includes(byte);
        else
          isAllowed =
            isAllowed || start.includes(byte) || (isDeflateAgreed && compressedStart.includes(byte));
        const status = firstByteStatus(firstByte, isMessageOpen, isDeflateAgreed);
        if ((status == Status.OK) != isAllowed) wrong++;
        if (closeCodeOf(status) != CloseCode.PROTOCOL_ERROR) wrong++;
      }
    }
    expect(wrong).toBe(0);
  });
});

/** Faults in writing a header of this length and reading it back, and in its every truncation. */
function roundTripFaults(payloadLen: u64): i32 {
  let faults = 0;
  for (let role = 0; role < 2; role++) {
    const isMasked = role == 1;
    memory.fill(bytes, 0xee, 2 * FRAME_HEADER_BYTES_MAX);
    const headerLen = isMasked
      ? writeMaskedFrameHeader(bytes, 0x82, payloadLen, 0x04030201)
      : writeFrameHeader(bytes, 0x82, payloadLen);
    const secondByte: u32 = load<u8>(bytes, 1);
    if (load<u8>(bytes) != 0x82 || load<u8>(bytes + headerLen) != 0xee) faults++;
    if (hasMaskBit(secondByte) != isMasked || frameHeaderBytes(secondByte) != headerLen) faults++;
    if (hasExtendedLength(secondByte) != payloadLen > 125) faults++;
    if (isMasked && readMaskKey(bytes, headerLen) != 0x04030201) faults++;
    const lengthEnd = isMasked ? headerLen - 4 : headerLen;
    for (let len: u32 = 2; len <= headerLen; len++) {
      const expected = len < lengthEnd ? LENGTH_PENDING : <i64>payloadLen;
      if (readPayloadLength(bytes, len) != expected) faults++;
    }
  }
  return faults;
}

describe("frame headers", () => {
  test("every length up to 70000 reads back, in its shortest form", () => {
    let faults = 0;
    for (let payloadLen: u64 = 0; payloadLen <= 70000; payloadLen++) faults += roundTripFaults(payloadLen);
    expect(faults).toBe(0);
  });

  test("every power of two up to 2^62 and its neighbours read back", () => {
    let faults = 0;
    for (let bit: u64 = 17; bit <= 62; bit++) {
      faults += roundTripFaults((1 << bit) - 1) + roundTripFaults(1 << bit) + roundTripFaults((1 << bit) + 1);
    }
    expect(faults).toBe(0);
    expect(roundTripFaults(i64.MAX_VALUE)).toBe(0);
  });

  test("the writer's bytes", () => {
    expect(writeFrameHeader(bytes, 0x81, 125)).toBe(2);
    expect(writeFrameHeader(bytes, 0x81, 126)).toBe(4);
    expect(load<u32>(bytes)).toBe(0x7e007e81);
    expect(writeMaskedFrameHeader(bytes, 0x81, 65535, 1)).toBe(8);
    expect(writeMaskedFrameHeader(bytes, 0x81, 65536, 1)).toBe(14);
    expect(load<u32>(bytes, 10)).toBe(1);
  });
});

/** RFC 6455 §7.4.1 and §7.4.2 as a list of ranges. */
function isSendable(code: i32): bool {
  if (code == 1004 || code == 1005 || code == 1006) return false;
  return (code >= 1000 && code <= 1014) || (code >= 3000 && code <= 4999);
}

describe("close bodies", () => {
  test("every code from 0 to 65535", () => {
    let wrong = 0;
    for (let code = 0; code <= 0xffff; code++) {
      store<u16>(bytes, bswap(<u16>code));
      if (isCloseCodeOnWire(code) != isSendable(code)) wrong++;
      if (readCloseBody(bytes, 2) != (isSendable(code) ? code : WsStatus.CLOSE_CODE)) wrong++;
      const written = writeCloseBody(bytes + 16, code, 0, 0);
      const expected = isSendable(code) ? 2 : code == CloseCode.NO_STATUS ? 0 : Status.INVALID_ARGUMENT;
      if (written != expected) wrong++;
      if (written == 2 && readCloseBody(bytes + 16, 2) != code) wrong++;
    }
    expect(wrong).toBe(0);
  });

  test("an empty body has no code, a body of one byte is a fault", () => {
    expect(readCloseBody(bytes, 0)).toBe(CloseCode.NO_STATUS);
    expect(readCloseBody(bytes, 1)).toBe(WsStatus.CLOSE_BODY);
    expect(closeReasonOffset(0)).toBe(0);
    expect(closeReasonOffset(2)).toBe(2);
    expect(closeReasonOffset(125)).toBe(2);
  });

  test("a reason of 123 bytes is written, one of 124 is not", () => {
    const reason = bytesOf("r".repeat(124));
    expect(writeCloseBody(bytes, CloseCode.NORMAL, reason, CLOSE_REASON_BYTES_MAX)).toBe(125);
    expect(readCloseBody(bytes, 125)).toBe(CloseCode.NORMAL);
    expect(writeCloseBody(bytes, CloseCode.NORMAL, reason, CLOSE_REASON_BYTES_MAX + 1)).toBe(
      Status.INVALID_ARGUMENT,
    );
  });

  test("a reason must be UTF-8 and needs a code", () => {
    const reason = bytesOf("é");
    expect(writeCloseBody(bytes, 4000, reason, 2)).toBe(4);
    expect(textAt(bytes + 2, 2)).toBe("é");
    expect(writeCloseBody(bytes, 4000, reason, 1)).toBe(Status.INVALID_ARGUMENT);
    expect(writeCloseBody(bytes, CloseCode.NO_STATUS, reason, 2)).toBe(Status.INVALID_ARGUMENT);
  });
});

describe("the pending pong", () => {
  test("keeps the latest payload only", () => {
    const pong = changetype<PendingPong>(heap.alloc(PENDING_PONG_BYTES));
    memory.fill(changetype<usize>(pong), 0, PENDING_PONG_BYTES);
    expect(hasPendingPong(pong)).toBe(false);
    pendingPongSet(pong, bytesOf("first"), 5);
    pendingPongSet(pong, bytesOf("x"), 1);
    expect(hasPendingPong(pong)).toBe(true);
    expect(textAt(pendingPongPtr(pong), pendingPongLen(pong))).toBe("x");
    pendingPongClear(pong);
    expect(hasPendingPong(pong)).toBe(false);
    pendingPongSet(pong, 0, 0);
    expect(hasPendingPong(pong)).toBe(true);
    expect(pendingPongLen(pong)).toBe(0);
    pendingPongSet(pong, bytesOf("p".repeat(125)), 125);
    expect(pendingPongLen(pong)).toBe(125);
  });
});

describe("statuses", () => {
  test("every number has a close code that says something, and an HTTP status that refuses", () => {
    let wrong = 0;
    for (let status = -1000; status <= 0; status++) {
      const code = closeCodeOf(status);
      if (!isCloseCodeOnWire(code) && code != CloseCode.ABNORMAL) wrong++;
      const httpStatus = handshakeHttpStatusOf(status);
      if (httpStatus != 400 && httpStatus != 405 && httpStatus != 426) wrong++;
      if (status < -499 || status > -450) {
        if (wsStatusText(status) != "unknown status") wrong++;
      }
    }
    expect(wrong).toBe(0);
  });

  test("close codes of RFC 6455 §7.4.1", () => {
    expect(closeCodeOf(WsStatus.TEXT_INVALID)).toBe(1007);
    expect(closeCodeOf(WsStatus.CLOSE_REASON)).toBe(1007);
    expect(closeCodeOf(WsStatus.TOO_MANY_FRAGMENTS)).toBe(1008);
    expect(closeCodeOf(WsStatus.MESSAGE_TOO_LARGE)).toBe(1009);
    expect(closeCodeOf(WsStatus.NOT_MASKED)).toBe(1002);
    expect(closeCodeOf(WsStatus.UNEXPECTED_END)).toBe(1006);
  });

  test("every status in use has a text", () => {
    for (let status: i32 = WsStatus.CLOSE_TIMEOUT; status <= WsStatus.RESERVED_BITS; status++) {
      expect(wsStatusText(status)).not.toBe("unknown status", status.toString());
    }
    for (let status: i32 = WsStatus.REQUEST_EXTENSIONS; status <= WsStatus.REQUEST_METHOD; status++) {
      expect(wsStatusText(status)).not.toBe("unknown status", status.toString());
    }
    for (let status: i32 = WsStatus.RESPONSE_EXTENSIONS; status <= WsStatus.RESPONSE_STATUS_CODE; status++) {
      expect(wsStatusText(status)).not.toBe("unknown status", status.toString());
    }
  });
});
