// Field blocks: the fields that the host sends, as the engine reads them (assembly/abi/layout.ts).
//
// The engine checks every block again; what is checked here is only what could not be written at all.

import { FIELD_NAMES } from "../../assembly/abi/field_name.ts";
import { FIELD_ENTRY_HEADER_BYTES } from "../../assembly/abi/layout.ts";
import { Status } from "../../assembly/abi/status.ts";
import { EngineError } from "./engine_error.ts";
import type { EngineMemory } from "./memory.ts";

/** Fields to send; names in lower case. */
export type FieldPairs = Iterable<readonly [name: string, value: string]>;

const NAME_IDS = new Map(FIELD_NAMES.map((name, id) => [name, id]));
NAME_IDS.delete("");

/** Writes a block into [ptr, end) and answers its end. Throws EngineError for what cannot be sent. */
export function writeFields(memory: EngineMemory, fields: FieldPairs, ptr: number, end: number): number {
  const { bytes } = memory;
  let at = ptr;
  for (const [name, value] of fields) {
    const id = NAME_IDS.get(name) ?? 0;
    const nameLen = id === 0 ? name.length : 0;
    const valueLen = value.length;
    const next = at + FIELD_ENTRY_HEADER_BYTES + nameLen + valueLen;
    if (next > end || nameLen > 0xffff) throw new EngineError(Status.FIELDS_TOO_LARGE, name.slice(0, 64));
    if (!isLatin1(name) || !isLatin1(value)) {
      throw new EngineError(Status.FIELD_VALUE_INVALID, name.slice(0, 64));
    }
    bytes[at] = id & 0xff;
    bytes[at + 1] = id >>> 8;
    bytes[at + 2] = nameLen & 0xff;
    bytes[at + 3] = nameLen >>> 8;
    bytes[at + 4] = valueLen & 0xff;
    bytes[at + 5] = (valueLen >>> 8) & 0xff;
    bytes[at + 6] = (valueLen >>> 16) & 0xff;
    bytes[at + 7] = valueLen >>> 24;
    at += FIELD_ENTRY_HEADER_BYTES;
    if (nameLen !== 0) at += memory.writeLatin1(name, at);
    at += memory.writeLatin1(value, at);
  }
  return at;
}

/** The same, answering a status in place of an EngineError. */
export function tryWriteFields(memory: EngineMemory, fields: FieldPairs, ptr: number, end: number): number {
  try {
    return writeFields(memory, fields, ptr, end);
  } catch (error) {
    if (error instanceof EngineError) return error.status;
    throw error;
  }
}

/** Field bytes are sent as they are: a code unit above 255 has none. */
function isLatin1(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return false;
  return true;
}
