/**
 * SETTINGS, RFC 9113 §6.5: pairs of identifier and value, read one by one and checked against their ranges.
 *
 *     +-------------------------------+
 *     |       Identifier (16)         |
 *     +-------------------------------+-------------------------------+
 *     |                        Value (32)                             |
 *     +---------------------------------------------------------------+
 */
import { Status } from "../abi/status.ts";
import { FrameFlag, FrameType, writeFrameHeader } from "./frame.ts";

export const enum Setting {
  HEADER_TABLE_SIZE = 0x1,
  ENABLE_PUSH = 0x2,
  MAX_CONCURRENT_STREAMS = 0x3,
  INITIAL_WINDOW_SIZE = 0x4,
  MAX_FRAME_SIZE = 0x5,
  MAX_HEADER_LIST_SIZE = 0x6,
  /** RFC 8441 §3. */
  ENABLE_CONNECT_PROTOCOL = 0x8,
  /** RFC 9218 §2.1. */
  NO_RFC7540_PRIORITIES = 0x9,
}

export const SETTING_BYTES: u32 = 6;
export const INITIAL_WINDOW_DEFAULT: u32 = 65535;
const FRAME_SIZE_LEAST: u32 = 16384;
const FRAME_SIZE_MOST: u32 = 16777215;
const WINDOW_MOST: u32 = 0x7fffffff;

export let settingId: u32 = 0;
export let settingValue: u32 = 0;

/** Checks the frame as a whole. */
export function checkSettings(len: u32, flags: u32, streamId: u32): i32 {
  if (streamId != 0) return Status.H2_STREAM_ID;
  if ((flags & FrameFlag.ACK) != 0 && len != 0) return Status.H2_FRAME_SIZE;
  return len % SETTING_BYTES == 0 ? Status.OK : Status.H2_FRAME_SIZE;
}

/** Reads one entry into `settingId` and `settingValue`. Unknown ones are read too, and ignored by whoever acts (§6.5.2). */
export function readSetting(ptr: usize): i32 {
  settingId = bswap(load<u16>(ptr));
  settingValue = bswap(load<u32>(ptr, 2));
  switch (settingId) {
    case Setting.ENABLE_PUSH:
    case Setting.ENABLE_CONNECT_PROTOCOL:
    case Setting.NO_RFC7540_PRIORITIES:
      return settingValue <= 1 ? Status.OK : Status.H2_SETTING;
    case Setting.INITIAL_WINDOW_SIZE:
      return settingValue <= WINDOW_MOST ? Status.OK : Status.H2_INITIAL_WINDOW;
    case Setting.MAX_FRAME_SIZE:
      return settingValue >= FRAME_SIZE_LEAST && settingValue <= FRAME_SIZE_MOST
        ? Status.OK
        : Status.H2_SETTING;
  }
  return Status.OK;
}

export function writeSetting(dest: usize, id: Setting, value: u32): usize {
  store<u16>(dest, bswap(<u16>id));
  store<u32>(dest, bswap(value), 2);
  return dest + SETTING_BYTES;
}

export function writeSettingsAck(dest: usize): usize {
  return writeFrameHeader(dest, 0, FrameType.SETTINGS, FrameFlag.ACK, 0);
}
