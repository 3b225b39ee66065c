/**
 * `upgrade: h2c`, RFC 7540 §3.2: whether the first request of a connection may go on in HTTP/2.
 *
 * It is taken without TLS, without content, and when `HTTP2-Settings` is there once, listed in `connection`, and decodes. Anything
 * else is no error: the request is answered in HTTP/1.1, as §3.2 allows.
 */
import { FieldName } from "../abi/field_name.ts";
import { FieldLane, OpenFlag, Role } from "../abi/message.ts";
import { readBase64Url } from "../http/base64url.ts";
import { listHasToken } from "../http/token_list.ts";
import { ConnectionFlag, ConnectionState } from "../session/connection.ts";
import { upgradeSettings, UPGRADE_SETTINGS_MAX } from "../session/upgrade.ts";
import { H1Connection } from "./connection.ts";

/** Bytes of one setting. */
const SETTING_BYTES: u32 = 6;

/** Length of the settings that came along, now in `upgradeSettings`; negative when the request stays in HTTP/1.1. */
export function readH2cUpgrade(connection: H1Connection, records: usize, count: u32, base: usize): i32 {
  if (connection.role != Role.SERVER || connection.exchangeOrdinal != 0) return -1;
  if (connection.state != ConnectionState.OPEN || (connection.openFlags & OpenFlag.SECURE) != 0) return -1;
  // Read from the input block after a pause: nobody is there to take the connection over.
  if (connection.flags & ConnectionFlag.RESUME_OWED) return -1;
  let isOffered = false;
  let isListed = false;
  let settings: usize = 0;
  let settingsCount: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const record = records + i * (FieldLane.COUNT * sizeof<u32>());
    const value = base + load<u32>(record, FieldLane.VALUE_OFFSET << 2);
    const len = load<u32>(record, FieldLane.VALUE_LEN << 2);
    switch (load<u32>(record) & 0xffff) {
      case FieldName.UPGRADE:
        if (listHasToken(value, len, "h2c")) isOffered = true;
        break;
      case FieldName.CONNECTION:
        if (listHasToken(value, len, "http2-settings")) isListed = true;
        break;
      case FieldName.HTTP2_SETTINGS:
        settings = record;
        settingsCount++;
        break;
    }
  }
  if (!isOffered || !isListed || settingsCount != 1) return -1;
  const decoded = readBase64Url(
    base + load<u32>(settings, FieldLane.VALUE_OFFSET << 2),
    load<u32>(settings, FieldLane.VALUE_LEN << 2),
    upgradeSettings,
    UPGRADE_SETTINGS_MAX,
  );
  return decoded >= 0 && decoded % <i32>SETTING_BYTES == 0 ? decoded : -1;
}
