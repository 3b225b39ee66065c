/**
 * The grammar of `sec-websocket-extensions`, RFC 6455 §9.1, read part by part:
 *
 *   extension-list = 1#( token *( ";" token [ "=" ( token / quoted-string ) ] ) )
 *
 * What the extensions mean is decided elsewhere. Every byte is looked at a fixed number of times, so a field of 100 KB costs no
 * more than its length.
 *
 * Deviation: escapes in a quoted string are passed over, not undone. No parameter in use needs them, so a value that has them
 * is one that nobody understands.
 */

import { findNonTokenScalar } from "../core/scan.ts";
import { skipBlanks, skipEmptyElements } from "./list.ts";

const QUOTE: u32 = 0x22;
const COMMA: u32 = 0x2c;
const SEMICOLON: u32 = 0x3b;
const EQUALS: u32 = 0x3d;
const BACKSLASH: u32 = 0x5c;

export const enum ExtensionPart {
  END = 0,
  /** namePtr, nameLen. */
  EXTENSION = 1,
  /** Of the extension before: namePtr, nameLen; valuePtr is 0 when there is no value. */
  PARAMETER = 2,
  MALFORMED = 3,
}


@unmanaged
export class ExtensionReader {
  at: usize;
  end: usize;
  namePtr: usize;
  nameLen: u32;
  valuePtr: usize;
  valueLen: u32;
}

/** Sets the reader to the start of one field value. */
export function extensionReaderBegin(reader: ExtensionReader, ptr: usize, len: u32): void {
  reader.at = skipEmptyElements(ptr, ptr + len);
  reader.end = ptr + len;
}

/** The next part, in order. After MALFORMED the reader must be begun again. */
export function readExtensionPart(reader: ExtensionReader): ExtensionPart {
  const at = reader.at;
  const end = reader.end;
  if (at == end) return ExtensionPart.END;
  // Between calls the reader stands at a semicolon or at the name of an extension.
  if (load<u8>(at) != SEMICOLON) {
    return readName(reader, at) && skipGap(reader) ? ExtensionPart.EXTENSION : ExtensionPart.MALFORMED;
  }
  if (!readName(reader, skipBlanks(at + 1, end)) || !readValue(reader)) return ExtensionPart.MALFORMED;
  return skipGap(reader) ? ExtensionPart.PARAMETER : ExtensionPart.MALFORMED;
}

function readName(reader: ExtensionReader, at: usize): bool {
  const nameEnd = findNonTokenScalar(at, reader.end);
  reader.namePtr = at;
  reader.nameLen = <u32>(nameEnd - at);
  reader.at = nameEnd;
  return nameEnd != at;
}

/** The value of a parameter, where there is one. */
function readValue(reader: ExtensionReader): bool {
  const end = reader.end;
  reader.valuePtr = 0;
  reader.valueLen = 0;
  let at = skipBlanks(reader.at, end);
  if (at == end || load<u8>(at) != EQUALS) return true;
  at = skipBlanks(at + 1, end);
  if (at < end && load<u8>(at) == QUOTE) return readQuoted(reader, at + 1);
  const valueEnd = findNonTokenScalar(at, end);
  reader.valuePtr = at;
  reader.valueLen = <u32>(valueEnd - at);
  reader.at = valueEnd;
  return valueEnd != at;
}

/** A quoted string up to its closing quote; `at` is behind the opening one. */
function readQuoted(reader: ExtensionReader, at: usize): bool {
  const end = reader.end;
  reader.valuePtr = at;
  while (at < end && load<u8>(at) != QUOTE) at += load<u8>(at) == BACKSLASH ? 2 : 1;
  if (at >= end) return false;
  reader.valueLen = <u32>(at - reader.valuePtr);
  reader.at = at + 1;
  return true;
}

/** Moves to the next part. False when something else follows. */
function skipGap(reader: ExtensionReader): bool {
  const end = reader.end;
  const at = skipBlanks(reader.at, end);
  reader.at = at;
  if (at == end || load<u8>(at) == SEMICOLON) return true;
  if (load<u8>(at) != COMMA) return false;
  reader.at = skipEmptyElements(at, end);
  // A list element cannot begin with a semicolon: it would be a parameter of nothing.
  return reader.at == end || load<u8>(reader.at) != SEMICOLON;
}
