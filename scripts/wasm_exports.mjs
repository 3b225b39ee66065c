// Renames an export of a WebAssembly module: for names that the source language cannot write.
//
// Only the export section is read (WebAssembly core specification 5.5.10): a vector of name, kind and index.

const EXPORT_SECTION = 7;
const HEADER_BYTES = 8;

/**
 * The same module with another name for one export. Throws when there is no such export.
 * @param {Uint8Array} module
 * @param {string} from
 * @param {string} to
 */
export function withRenamedExport(module, from, to) {
  let at = HEADER_BYTES;
  while (at < module.length) {
    const id = module[at];
    const size = readU32(module, at + 1);
    const end = size.next + size.value;
    if (id === EXPORT_SECTION) {
      const contents = renamed(module.subarray(size.next, end), from, to);
      const head = Uint8Array.of(EXPORT_SECTION, ...leb128(contents.length));
      return Buffer.concat([module.subarray(0, at), head, contents, module.subarray(end)]);
    }
    at = end;
  }
  throw new Error("the module exports nothing");
}

/**
 * @param {Uint8Array} section
 * @param {string} from
 * @param {string} to
 */
function renamed(section, from, to) {
  const count = readU32(section, 0);
  let at = count.next;
  for (let i = 0; i < count.value; i++) {
    const length = readU32(section, at);
    const end = length.next + length.value;
    if (Buffer.from(section.subarray(length.next, end)).toString() === from) {
      const name = Buffer.from(to);
      return Buffer.concat([section.subarray(0, at), leb128(name.length), name, section.subarray(end)]);
    }
    at = readU32(section, end + 1).next;
  }
  throw new Error(`the module has no export ${from}`);
}

/**
 * @param {Uint8Array} bytes
 * @param {number} at
 */
function readU32(bytes, at) {
  let value = 0;
  let next = at;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[next++] ?? 0;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return { value: value >>> 0, next };
  }
}

/** @param {number} value */
function leb128(value) {
  const bytes = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Uint8Array.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}
