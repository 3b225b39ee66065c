/**
 * What the fields of a received head mean for the message: RFC 9112 §6.3 (length), §3.2 (host), §9.3 (persistence),
 * RFC 9110 §10.1.1 (expect), §7.8 (upgrade).
 *
 * One pass over the records; the answer is in the exported variables until the next call. Wherever RFC 9112 leaves a choice
 * between repairing and refusing, the message is refused: a repaired length is a length that another reader may have read
 * differently.
 */
import { FieldName } from "../abi/field_name.ts";
import { FieldLane, Method, Role, Version } from "../abi/message.ts";
import { Status } from "../abi/status.ts";
import { equalsIgnoreCase } from "../http/ascii.ts";
import { readContentLength } from "../http/content_length.ts";
import { listHasToken } from "../http/token_list.ts";

/** Declared length, or -1 when there is none. */
export let rulesContentLength: i64 = -1;
export let rulesChunked: bool = false;
/** `connection` lists. */
export let rulesClose: bool = false;
export let rulesKeepAlive: bool = false;
export let rulesUpgrade: bool = false;
export let rulesExpectContinue: bool = false;
export let rulesHostPtr: usize = 0;
export let rulesHostLen: u32 = 0;
export let rulesHostCount: u32 = 0;

/** The fields that `readRule` knows, one bit each; their numbers are below 64. */
const RULE_FIELDS: u64 =
  ((<u64>1) << FieldName.HOST) |
  ((<u64>1) << FieldName.CONTENT_LENGTH) |
  ((<u64>1) << FieldName.TRANSFER_ENCODING) |
  ((<u64>1) << FieldName.CONNECTION) |
  ((<u64>1) << FieldName.UPGRADE) |
  ((<u64>1) << FieldName.EXPECT);

let hasUpgradeField: bool = false;
let hasTransferEncoding: bool = false;

/** Reads the records of a head whose bytes begin at `base`, as `role` reads it. Status.OK, or why the message is refused. */
export function readMessageRules(records: usize, count: u32, base: usize, version: u32, role: u32): i32 {
  rulesContentLength = -1;
  rulesChunked = false;
  rulesClose = false;
  rulesKeepAlive = false;
  rulesUpgrade = false;
  rulesExpectContinue = false;
  rulesHostPtr = 0;
  rulesHostLen = 0;
  rulesHostCount = 0;
  hasUpgradeField = false;
  hasTransferEncoding = false;
  const end = records + count * (FieldLane.COUNT * sizeof<u32>());
  for (let record = records; record < end; record += FieldLane.COUNT * sizeof<u32>()) {
    const id = load<u16>(record);
    if (id >= 64 || ((RULE_FIELDS >> id) & 1) == 0) continue;
    const value = base + load<u32>(record, FieldLane.VALUE_OFFSET << 2);
    const status = readRule(id, value, load<u32>(record, FieldLane.VALUE_LEN << 2), version, role);
    if (status != Status.OK) return status;
  }
  if (hasTransferEncoding) {
    // RFC 9112 §6.1: a server MAY reject a message with both. It is how requests are smuggled, so it does.
    if (rulesContentLength >= 0) return Status.H1_TRANSFER_ENCODING_WITH_LENGTH;
    // RFC 9112 §6.1: transfer-encoding in HTTP/1.0 MUST be treated as faulty framing.
    if (version == Version.HTTP_1_0) return Status.H1_TRANSFER_ENCODING_VERSION;
  }
  // RFC 9110 §7.8: upgrade without the connection option is nobody's, and HTTP/1.0 has none.
  if (!hasUpgradeField || version == Version.HTTP_1_0) rulesUpgrade = false;
  if (version == Version.HTTP_1_0) rulesExpectContinue = false;
  return Status.OK;
}

function readRule(id: u32, value: usize, len: u32, version: u32, role: u32): i32 {
  switch (id) {
    case FieldName.HOST:
      rulesHostPtr = value;
      rulesHostLen = len;
      rulesHostCount++;
      break;
    case FieldName.CONTENT_LENGTH:
      if (rulesContentLength >= 0) return Status.CONTENT_LENGTH_DUPLICATE;
      rulesContentLength = readContentLength(value, len);
      if (rulesContentLength < 0) return Status.CONTENT_LENGTH_INVALID;
      break;
    case FieldName.TRANSFER_ENCODING:
      return readTransferEncoding(value, len);
    case FieldName.CONNECTION:
      // What browsers send with every request.
      if (equalsIgnoreCase(value, len, "keep-alive")) {
        rulesKeepAlive = true;
        break;
      }
      if (listHasToken(value, len, "close")) rulesClose = true;
      if (listHasToken(value, len, "keep-alive")) rulesKeepAlive = true;
      if (listHasToken(value, len, "upgrade")) rulesUpgrade = true;
      break;
    case FieldName.UPGRADE:
      hasUpgradeField = true;
      break;
    case FieldName.EXPECT:
      // RFC 9110 §10.1.1: 100-continue is the only expectation there is. In a response the field means nothing.
      if (role == Role.CLIENT) break;
      if (equalsIgnoreCase(value, len, "100-continue")) rulesExpectContinue = true;
      else if (version != Version.HTTP_1_0) return Status.EXPECTATION_FAILED;
      break;
  }
  return Status.OK;
}

/** RFC 9112 §6.1: exactly `chunked`, once. Other codings are 501; a list that does not end in one chunked is 400. */
function readTransferEncoding(value: usize, len: u32): i32 {
  if (hasTransferEncoding) return Status.H1_TRANSFER_ENCODING_INVALID;
  hasTransferEncoding = true;
  if (equalsIgnoreCase(value, len, "chunked")) {
    rulesChunked = true;
    return Status.OK;
  }
  // "gzip, chunked" is framed soundly, in a coding that is not implemented; everything else is not framed at all.
  const suffix: u32 = 7;
  if (len > suffix && equalsIgnoreCase(value + len - suffix, suffix, "chunked")) {
    let at = value + len - suffix;
    while (at > value && load<u8>(at - 1) == 0x20) at--;
    if (at > value && load<u8>(at - 1) == 0x2c && !listHasToken(value, <u32>(at - value), "chunked")) {
      return Status.H1_TRANSFER_ENCODING_UNSUPPORTED;
    }
  }
  return Status.H1_TRANSFER_ENCODING_INVALID;
}

/** Whether the connection persists after a message with these fields, RFC 9112 §9.3. */
export function rulesPersist(version: u32): bool {
  if (rulesClose) return false;
  return version != Version.HTTP_1_0 || rulesKeepAlive;
}

/** Whether a response to `method` with this status has no content whatever its fields say, RFC 9112 §6.3. */
export function isBodiless(method: u32, statusCode: u32): bool {
  return (
    method == Method.HEAD ||
    statusCode < 200 ||
    statusCode == 204 ||
    statusCode == 304 ||
    (method == Method.CONNECT && statusCode < 300)
  );
}
