/**
 * SETTINGS, RFC 9114 §7.2.4: identifiers and values, each at most once; those of HTTP/2 that HTTP/3 does not have are refused, and
 * what is not known is passed over. RFC 9204 §5, RFC 9220 §3, RFC 9297 §2.1.1, draft-ietf-webtrans-http3 §3.1.
 */
import { H3Status } from "../abi/h3_status.ts";
import { Status } from "../abi/status.ts";
import { readVarint, Reader, readerOpen } from "../core/reader.ts";
import { putVarint } from "./frame.ts";

export const enum Setting {
  QPACK_MAX_TABLE_CAPACITY = 0x01,
  MAX_FIELD_SECTION_SIZE = 0x06,
  QPACK_BLOCKED_STREAMS = 0x07,
  ENABLE_CONNECT_PROTOCOL = 0x08,
  H3_DATAGRAM = 0x33,
  /** Sessions at once in older drafts of WebTransport, of which browsers speak some. */
  WEBTRANSPORT_MAX_SESSIONS = 0xc671706a,
  /** Whether WebTransport is spoken at all, in drafts 02 to 06. */
  ENABLE_WEBTRANSPORT = 0x2b603742,
  /** Sessions at once, from draft 13 on. */
  WT_MAX_SESSIONS = 0x14e9cd29,
}

/** What `readSettings` found; what was not there has its default. */
export let settingsTableCapacity: u64 = 0;
export let settingsBlockedStreams: u64 = 0;
/** u64.MAX_VALUE: no limit. */
export let settingsFieldSectionSize: u64 = u64.MAX_VALUE;
export let settingsConnectProtocol: bool = false;
export let settingsDatagram: bool = false;
export let settingsWebTransport: bool = false;

/** Settings of one frame: each is compared with all before it. */
const SETTING_COUNT_MAX: u32 = 64;

const reader = changetype<Reader>(memory.data(offsetof<Reader>(), 8));
const inner = changetype<Reader>(memory.data(offsetof<Reader>(), 8));

/** Reads a payload. Status.OK, or why the connection ends. */
export function readSettings(ptr: usize, len: u32): i32 {
  settingsTableCapacity = 0;
  settingsBlockedStreams = 0;
  settingsFieldSectionSize = u64.MAX_VALUE;
  settingsConnectProtocol = false;
  settingsDatagram = false;
  settingsWebTransport = false;
  readerOpen(reader, ptr, len);
  let count: u32 = 0;
  while (reader.at != reader.end) {
    const at = reader.at;
    const id = readVarint(reader);
    const value = readVarint(reader);
    if (reader.failed) return H3Status.FRAME_LENGTH;
    if (++count > SETTING_COUNT_MAX) return H3Status.FRAME_TOO_LARGE;
    // §7.2.4: the same identifier must not occur twice.
    if (isAmong(ptr, <u32>(at - ptr), id)) return H3Status.SETTINGS_DUPLICATE;
    const status = takeSetting(id, value);
    if (status != Status.OK) return status;
  }
  return Status.OK;
}

/** Whether the settings in [ptr, ptr + len) name `id`.  */
function isAmong(ptr: usize, len: u32, id: u64): bool {
  readerOpen(inner, ptr, len);
  while (inner.at != inner.end) {
    if (readVarint(inner) == id) return true;
    readVarint(inner);
  }
  return false;
}

function takeSetting(id: u64, value: u64): i32 {
  switch (id) {
    // §7.2.4.1: ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE of HTTP/2.
    case 0x00:
    case 0x02:
    case 0x03:
    case 0x04:
    case 0x05:
      return H3Status.SETTINGS_RESERVED;
    case Setting.QPACK_MAX_TABLE_CAPACITY:
      settingsTableCapacity = value;
      break;
    case Setting.MAX_FIELD_SECTION_SIZE:
      settingsFieldSectionSize = value;
      break;
    case Setting.QPACK_BLOCKED_STREAMS:
      settingsBlockedStreams = value;
      break;
    case Setting.ENABLE_CONNECT_PROTOCOL:
      if (value > 1) return H3Status.SETTINGS_VALUE;
      settingsConnectProtocol = value != 0;
      break;
    case Setting.H3_DATAGRAM:
      if (value > 1) return H3Status.SETTINGS_VALUE;
      settingsDatagram = value != 0;
      break;
    case <u32>Setting.WEBTRANSPORT_MAX_SESSIONS:
    case Setting.WT_MAX_SESSIONS:
    case Setting.ENABLE_WEBTRANSPORT:
      if (value != 0) settingsWebTransport = true;
      break;
  }
  return Status.OK;
}

/** Writes one setting at `dest`. Answers the address behind it. */
export function putSetting(dest: usize, id: Setting, value: u64): usize {
  // Some are beyond what an enum holds with a sign.
  return putVarint(putVarint(dest, <u32>id), value);
}
