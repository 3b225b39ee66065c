/**
 * A request whose connection changes the protocol: what HTTP/1.1 has read of it and HTTP/2 answers (RFC 7540 §3.2).
 *
 * The two rooms do not know each other. The one fills this in and stops reading; the other takes it over within the same call,
 * while the bytes of the head still lie where they were read.
 */
import { FieldName } from "../abi/field_name.ts";
import { FieldLane } from "../abi/message.ts";

export let upgradeHead: usize = 0;
export let upgradeHeadLen: u32 = 0;
export let upgradeRecords: usize = 0;
export let upgradeRecordCount: u32 = 0;
export let upgradeMethod: u32 = 0;
export let upgradeMethodLen: u32 = 0;
export let upgradeTargetPtr: usize = 0;
export let upgradeTargetLen: u32 = 0;
export let upgradeAuthorityPtr: usize = 0;
export let upgradeAuthorityLen: u32 = 0;
/** The payload of SETTINGS that the client sent along, as bytes. */
export const upgradeSettings: usize = memory.data(192, 16);
export const UPGRADE_SETTINGS_MAX: u32 = 192;
export let upgradeSettingsLen: u32 = 0;

/** Whether the last head that was read wants to go on in HTTP/2. Cleared by `upgradeTaken`. */
export let isUpgradeOffered: bool = false;

/** Offers a request without content whose head lies at [head, head + len). */
export function offerUpgrade(
  head: usize,
  len: u32,
  records: usize,
  recordCount: u32,
  method: u32,
  methodLen: u32,
  targetPtr: usize,
  targetLen: u32,
  authorityPtr: usize,
  authorityLen: u32,
  settingsLen: u32,
): void {
  upgradeHead = head;
  upgradeHeadLen = len;
  upgradeRecords = records;
  upgradeRecordCount = recordCount;
  upgradeMethod = method;
  upgradeMethodLen = methodLen;
  upgradeTargetPtr = targetPtr;
  upgradeTargetLen = targetLen;
  upgradeAuthorityPtr = authorityPtr;
  upgradeAuthorityLen = authorityLen;
  upgradeSettingsLen = settingsLen;
  isUpgradeOffered = true;
}

export function upgradeTaken(): void {
  isUpgradeOffered = false;
}

/** Whether a field of the request belongs to its connection, and so does not go along. */
export function staysBehind(record: usize): bool {
  switch (load<u32>(record, FieldLane.NAME << 2) & 0xffff) {
    case FieldName.CONNECTION:
    case FieldName.HTTP2_SETTINGS:
    case FieldName.KEEP_ALIVE:
    case FieldName.PROXY_CONNECTION:
    case FieldName.UPGRADE:
      return true;
  }
  return false;
}
