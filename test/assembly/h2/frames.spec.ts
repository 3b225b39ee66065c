// Each frame by itself: what is written is read back, and every payload that is too short or too long is refused.

import { Status } from "../../../assembly/abi/status.ts";
import {
  FrameFlag,
  frameFlags,
  frameLength,
  frameStreamId,
  FrameType,
  frameType,
  FRAME_HEADER_BYTES,
  readFrameHeader,
  writeFrameHeader,
} from "../../../assembly/h2/frame.ts";
import { goawayCode, goawayLastStreamId, readGoaway, writeGoaway } from "../../../assembly/h2/goaway.ts";
import {
  headersDependOnSelf,
  headersFragmentLen,
  headersFragmentPtr,
  readHeaders,
} from "../../../assembly/h2/headers.ts";
import { paddingAfter, paddingBefore, readPadding } from "../../../assembly/h2/padding.ts";
import { pingData, readPing, writePing } from "../../../assembly/h2/ping.ts";
import { readPriority, readPriorityUpdate } from "../../../assembly/h2/priority.ts";
import {
  promisedStreamId,
  promiseFragmentLen,
  readPushPromise,
  writePromisedId,
} from "../../../assembly/h2/push_promise.ts";
import { readRstStream, rstStreamCode, writeRstStream } from "../../../assembly/h2/rst_stream.ts";
import {
  checkSettings,
  readSetting,
  Setting,
  settingId,
  settingValue,
  writeSetting,
  writeSettingsAck,
} from "../../../assembly/h2/settings.ts";
import { readWindowUpdate, windowIncrement, writeWindowUpdate } from "../../../assembly/h2/window_update.ts";

const bytes: usize = memory.data(512, 16);
const PAYLOAD: usize = bytes + FRAME_HEADER_BYTES;

describe("a frame header", () => {
  test("is read as it was written, at the ends of every field", () => {
    const lengths: u32[] = [0, 1, 16384, 0xffffff];
    const ids: u32[] = [0, 1, 0x7fffffff];
    for (let i = 0; i < lengths.length; i++) {
      for (let j = 0; j < ids.length; j++) {
        expect(writeFrameHeader(bytes, lengths[i], FrameType.PRIORITY_UPDATE, 0xff, ids[j])).toBe(PAYLOAD);
        readFrameHeader(bytes);
        expect(frameLength).toBe(lengths[i]);
        expect(frameType).toBe(FrameType.PRIORITY_UPDATE);
        expect(frameFlags).toBe(0xff);
        expect(frameStreamId).toBe(ids[j]);
      }
    }
  });

  test("ignores the reserved bit of the stream", () => {
    writeFrameHeader(bytes, 0, FrameType.PING, 0, 0x80000003);
    readFrameHeader(bytes);
    expect(frameStreamId).toBe(3);
  });
});

describe("RST_STREAM", () => {
  test("carries its code", () => {
    expect(writeRstStream(bytes, 5, 0x0b)).toBe(PAYLOAD + 4);
    readFrameHeader(bytes);
    expect(frameType).toBe(FrameType.RST_STREAM);
    expect(readRstStream(PAYLOAD, frameLength, frameStreamId)).toBe(Status.OK);
    expect(rstStreamCode).toBe(0x0b);
  });

  test("has four bytes and a stream", () => {
    for (let len: u32 = 0; len < 8; len++) {
      expect(readRstStream(PAYLOAD, len, 1)).toBe(len == 4 ? Status.OK : Status.H2_FRAME_SIZE);
    }
    expect(readRstStream(PAYLOAD, 4, 0)).toBe(Status.H2_STREAM_ID);
  });
});

describe("PING", () => {
  test("carries eight bytes there and back", () => {
    expect(writePing(bytes, 0x1122334455667788, true)).toBe(PAYLOAD + 8);
    readFrameHeader(bytes);
    expect(frameFlags).toBe(FrameFlag.ACK);
    expect(readPing(PAYLOAD, 8, 0)).toBe(Status.OK);
    expect(pingData).toBe(0x1122334455667788);
  });

  test("has eight bytes and no stream", () => {
    for (let len: u32 = 0; len < 17; len++) {
      expect(readPing(PAYLOAD, len, 0)).toBe(len == 8 ? Status.OK : Status.H2_FRAME_SIZE);
    }
    expect(readPing(PAYLOAD, 8, 3)).toBe(Status.H2_STREAM_ID);
  });
});

describe("GOAWAY", () => {
  test("carries the last stream, the code and a text", () => {
    const end = writeGoaway(bytes, 7, 0x0b, "calm");
    readFrameHeader(bytes);
    expect(end - PAYLOAD).toBe(frameLength);
    expect(readGoaway(PAYLOAD, frameLength, 0)).toBe(Status.OK);
    expect(goawayLastStreamId).toBe(7);
    expect(goawayCode).toBe(0x0b);
    expect(load<u8>(end - 1)).toBe(0x6d);
  });

  test("has at least eight bytes and no stream", () => {
    for (let len: u32 = 0; len < 12; len++) {
      expect(readGoaway(PAYLOAD, len, 0)).toBe(len < 8 ? Status.H2_FRAME_SIZE : Status.OK);
    }
    expect(readGoaway(PAYLOAD, 8, 1)).toBe(Status.H2_STREAM_ID);
  });
});

describe("WINDOW_UPDATE", () => {
  test("carries an increment of 31 bits", () => {
    writeWindowUpdate(bytes, 9, 0x7fffffff);
    readFrameHeader(bytes);
    expect(readWindowUpdate(PAYLOAD, frameLength)).toBe(Status.OK);
    expect(windowIncrement).toBe(0x7fffffff);
    store<u32>(PAYLOAD, 0x01000080);
    readWindowUpdate(PAYLOAD, 4);
    expect(windowIncrement).toBe(1);
  });

  test("has four bytes", () => {
    for (let len: u32 = 0; len < 8; len++) {
      expect(readWindowUpdate(PAYLOAD, len)).toBe(len == 4 ? Status.OK : Status.H2_FRAME_SIZE);
    }
  });
});

describe("SETTINGS", () => {
  test("are read one by one as they were written", () => {
    writeSetting(PAYLOAD, Setting.MAX_CONCURRENT_STREAMS, 100);
    expect(readSetting(PAYLOAD)).toBe(Status.OK);
    expect(settingId).toBe(Setting.MAX_CONCURRENT_STREAMS);
    expect(settingValue).toBe(100);
  });

  test("have whole entries, no stream, and nothing in an acknowledgement", () => {
    for (let len: u32 = 0; len < 20; len++) {
      expect(checkSettings(len, 0, 0)).toBe(len % 6 == 0 ? Status.OK : Status.H2_FRAME_SIZE);
      expect(checkSettings(len, FrameFlag.ACK, 0)).toBe(len == 0 ? Status.OK : Status.H2_FRAME_SIZE);
    }
    expect(checkSettings(0, 0, 1)).toBe(Status.H2_STREAM_ID);
    const end = writeSettingsAck(bytes);
    expect(end).toBe(PAYLOAD);
  });

  test("keep to their ranges", () => {
    const cases: u32[][] = [
      [Setting.ENABLE_PUSH, 1, Status.OK],
      [Setting.ENABLE_PUSH, 2, Status.H2_SETTING],
      [Setting.INITIAL_WINDOW_SIZE, 0x7fffffff, Status.OK],
      [Setting.INITIAL_WINDOW_SIZE, 0x80000000, <u32>Status.H2_INITIAL_WINDOW],
      [Setting.MAX_FRAME_SIZE, 16383, <u32>Status.H2_SETTING],
      [Setting.MAX_FRAME_SIZE, 16384, Status.OK],
      [Setting.MAX_FRAME_SIZE, 16777215, Status.OK],
      [Setting.MAX_FRAME_SIZE, 16777216, <u32>Status.H2_SETTING],
      [Setting.ENABLE_CONNECT_PROTOCOL, 2, <u32>Status.H2_SETTING],
      [Setting.NO_RFC7540_PRIORITIES, 2, <u32>Status.H2_SETTING],
      [0x1234, 0xffffffff, Status.OK],
    ];
    for (let i = 0; i < cases.length; i++) {
      writeSetting(PAYLOAD, cases[i][0], cases[i][1]);
      expect(readSetting(PAYLOAD)).toBe(<i32>cases[i][2], `case ${i}`);
    }
  });
});

describe("padding", () => {
  test("leaves room for its length and no more than the payload", () => {
    for (let len: u32 = 1; len < 20; len++) {
      for (let padding: u32 = 0; padding < 24; padding++) {
        store<u8>(PAYLOAD, <u8>padding);
        const status = readPadding(PAYLOAD, len, FrameFlag.PADDED);
        expect(status).toBe(padding < len ? Status.OK : Status.H2_PADDING);
        if (status == Status.OK) expect(paddingBefore + paddingAfter).toBe(1 + padding);
      }
    }
    expect(readPadding(PAYLOAD, 0, FrameFlag.PADDED)).toBe(Status.H2_FRAME_SIZE);
    expect(readPadding(PAYLOAD, 0, 0)).toBe(Status.OK);
  });
});

describe("HEADERS", () => {
  test("find their fragment between padding and priority, whatever is missing is refused", () => {
    store<u8>(PAYLOAD, 2);
    store<u32>(PAYLOAD + 1, 0x03000000);
    store<u8>(PAYLOAD + 5, 200);
    const flags = FrameFlag.PADDED | FrameFlag.PRIORITY;
    for (let len: u32 = 0; len < 8; len++) expect(readHeaders(PAYLOAD, len, flags, 5)).not.toBe(Status.OK);
    for (let len: u32 = 8; len < 20; len++) {
      expect(readHeaders(PAYLOAD, len, flags, 5)).toBe(Status.OK);
      expect(headersFragmentPtr).toBe(PAYLOAD + 6);
      expect(headersFragmentLen).toBe(len - 8);
      expect(headersDependOnSelf).toBe(false);
    }
    expect(readHeaders(PAYLOAD, 12, flags, 3)).toBe(Status.OK);
    expect(headersDependOnSelf).toBe(true);
  });
});

describe("PUSH_PROMISE", () => {
  test("carries the promised stream in front of its fragment", () => {
    expect(writePromisedId(PAYLOAD, 8)).toBe(PAYLOAD + 4);
    for (let len: u32 = 0; len < 10; len++) {
      const status = readPushPromise(PAYLOAD, len, 0, 1);
      expect(status).toBe(len < 4 ? Status.H2_FRAME_SIZE : Status.OK);
      if (len < 4) continue;
      expect(promisedStreamId).toBe(8);
      expect(promiseFragmentLen).toBe(len - 4);
    }
    expect(readPushPromise(PAYLOAD, 4, 0, 0)).toBe(Status.H2_STREAM_ID);
  });
});

describe("PRIORITY", () => {
  test("has five bytes, a stream, and does not depend on itself", () => {
    store<u32>(PAYLOAD, 0x07000080);
    for (let len: u32 = 0; len < 8; len++) {
      expect(readPriority(PAYLOAD, len, 5)).toBe(len == 5 ? Status.OK : Status.H2_FRAME_SIZE);
    }
    expect(readPriority(PAYLOAD, 5, 7)).toBe(Status.H2_DEPENDENCY);
    expect(readPriority(PAYLOAD, 5, 0)).toBe(Status.H2_STREAM_ID);
  });

  test("updates name another stream, on stream 0", () => {
    store<u32>(PAYLOAD, 0x05000000);
    for (let len: u32 = 0; len < 4; len++) {
      expect(readPriorityUpdate(PAYLOAD, len, 0)).toBe(Status.H2_FRAME_SIZE);
    }
    expect(readPriorityUpdate(PAYLOAD, 4, 0)).toBe(Status.OK);
    expect(readPriorityUpdate(PAYLOAD, 4, 5)).toBe(Status.H2_STREAM_ID);
    store<u32>(PAYLOAD, 0);
    expect(readPriorityUpdate(PAYLOAD, 4, 0)).toBe(Status.H2_PRIORITY);
  });
});
