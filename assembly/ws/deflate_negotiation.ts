/**
 * Negotiating permessage-deflate, RFC 7692 §5 and §7.1: offers read, the answer decided and written, an answer checked.
 *
 * An offer with an unknown, repeated or invalid parameter, or one that the server cannot keep, is declined, not an error; the
 * first acceptable one wins (§5.1). Other extensions are passed over. Only a field that breaks the grammar fails the handshake
 * (RFC 6455 §9.1). An answer is the other way round: anything in it that does not fit the offer fails the handshake.
 */

import { FieldName } from "../abi/field_name.ts";
import { readDecimal, writeDecimal } from "../core/decimal.ts";
import { equalsIgnoreCase, writeAscii } from "../http/ascii.ts";
import {
  Deflate,
  WINDOW_BITS_LEAST,
  WINDOW_BITS_MOST,
  clientWindowBits,
  serverWindowBits,
} from "../abi/deflate_parameters.ts";
import { ExtensionPart, ExtensionReader, extensionReaderBegin, readExtensionPart } from "./extension_list.ts";
import { findLine, findOnlyLine, lineValueLen, lineValuePtr } from "./field_lines.ts";
import { WsStatus } from "../abi/ws_status.ts";

/** Room that `writeDeflateParameters` needs at most. */
export const DEFLATE_PARAMETERS_BYTES_MAX: u32 = 144;

const reader = changetype<ExtensionReader>(memory.data(offsetof<ExtensionReader>(), 4));

/**
 * What the server agrees to, given the request and the server's own `wishes` (both Deflate): parameters to answer with,
 * Deflate.NONE, or REQUEST_EXTENSIONS. Wishes of NONE check the grammar alone.
 */
export function negotiateDeflate(head: usize, wishes: i32): i32 {
  let agreed: i32 = Deflate.NONE;
  const name = FieldName.SEC_WEBSOCKET_EXTENSIONS;
  for (let index = findLine(head, name, 0); index >= 0; index = findLine(head, name, index + 1)) {
    extensionReaderBegin(reader, lineValuePtr(head, index), lineValueLen(head, index));
    let part = readExtensionPart(reader);
    // §9.1: the list has at least one element, and begins with it.
    if (part != ExtensionPart.EXTENSION) return WsStatus.REQUEST_EXTENSIONS;
    while (part == ExtensionPart.EXTENSION) {
      let offer: i32 = isDeflateName() ? Deflate.ON : Deflate.NONE;
      part = readExtensionPart(reader);
      while (part == ExtensionPart.PARAMETER) {
        offer = addParameter(offer, false);
        part = readExtensionPart(reader);
      }
      if (agreed == Deflate.NONE && offer != Deflate.NONE) agreed = answerTo(offer, wishes);
    }
    if (part == ExtensionPart.MALFORMED) return WsStatus.REQUEST_EXTENSIONS;
  }
  return agreed;
}

/** What the server's answer agrees to, given the client's `offer`: parameters, Deflate.NONE, or RESPONSE_EXTENSIONS. */
export function readDeflateAnswer(head: usize, offer: i32): i32 {
  if (findLine(head, FieldName.SEC_WEBSOCKET_EXTENSIONS, 0) < 0) return Deflate.NONE;
  const index = findOnlyLine(head, FieldName.SEC_WEBSOCKET_EXTENSIONS);
  // Only one extension was offered, so a second one answers nothing.
  if (index < 0 || offer == Deflate.NONE) return WsStatus.RESPONSE_EXTENSIONS;
  extensionReaderBegin(reader, lineValuePtr(head, index), lineValueLen(head, index));
  if (readExtensionPart(reader) != ExtensionPart.EXTENSION || !isDeflateName())
    return WsStatus.RESPONSE_EXTENSIONS;
  let answer: i32 = Deflate.ON;
  let part = readExtensionPart(reader);
  while (part == ExtensionPart.PARAMETER) {
    answer = addParameter(answer, true);
    part = readExtensionPart(reader);
  }
  const isAnswer = part == ExtensionPart.END && answer != Deflate.NONE && isAnswerTo(answer, offer);
  return isAnswer ? answer : WsStatus.RESPONSE_EXTENSIONS;
}

/** Writes the extension with its parameters, as an offer or as an answer, and answers the number of bytes. */
export function writeDeflateParameters(dest: usize, parameters: i32): u32 {
  let at = dest + writeAscii(dest, "permessage-deflate");
  if ((parameters & Deflate.SERVER_NO_CONTEXT_TAKEOVER) != 0)
    at += writeAscii(at, "; server_no_context_takeover");
  if ((parameters & Deflate.CLIENT_NO_CONTEXT_TAKEOVER) != 0)
    at += writeAscii(at, "; client_no_context_takeover");
  if (isServerWindowStated(parameters)) {
    at += writeAscii(at, "; server_max_window_bits=");
    at += writeDecimal(at, serverWindowBits(parameters));
  }
  if (isClientWindowStated(parameters)) {
    at += writeAscii(at, "; client_max_window_bits=");
    at += writeDecimal(at, clientWindowBits(parameters));
  } else if ((parameters & Deflate.CLIENT_WINDOW_HINT) != 0) {
    at += writeAscii(at, "; client_max_window_bits");
  }
  return <u32>(at - dest);
}

function isDeflateName(): bool {
  return equalsIgnoreCase(reader.namePtr, reader.nameLen, "permessage-deflate");
}

/** `parameters` with the one just read, or NONE when it is unknown, repeated or invalid, which then lasts. */
function addParameter(parameters: i32, isAnswer: bool): i32 {
  if (parameters == Deflate.NONE) return Deflate.NONE;
  const namePtr = reader.namePtr;
  const nameLen = reader.nameLen;
  if (equalsIgnoreCase(namePtr, nameLen, "server_no_context_takeover")) {
    return addFlag(parameters, Deflate.SERVER_NO_CONTEXT_TAKEOVER);
  }
  if (equalsIgnoreCase(namePtr, nameLen, "client_no_context_takeover")) {
    return addFlag(parameters, Deflate.CLIENT_NO_CONTEXT_TAKEOVER);
  }
  if (equalsIgnoreCase(namePtr, nameLen, "server_max_window_bits")) {
    return isServerWindowStated(parameters)
      ? Deflate.NONE
      : addWindow(parameters, Deflate.SERVER_WINDOW_SHIFT);
  }
  if (equalsIgnoreCase(namePtr, nameLen, "client_max_window_bits")) {
    if (isClientWindowOffered(parameters)) return Deflate.NONE;
    // §7.1.2.2: the value may be missing in an offer, never in an answer.
    if (reader.valuePtr == 0 && !isAnswer) return parameters | Deflate.CLIENT_WINDOW_HINT;
    return addWindow(parameters, Deflate.CLIENT_WINDOW_SHIFT);
  }
  return Deflate.NONE;
}

/** §7.1.1: a parameter without a value. */
function addFlag(parameters: i32, flag: i32): i32 {
  return reader.valuePtr == 0 && (parameters & flag) == 0 ? parameters | flag : Deflate.NONE;
}

/** §7.1.2: "a decimal integer value without leading zeroes between 8 to 15, inclusive". */
function addWindow(parameters: i32, shift: i32): i32 {
  if (reader.valuePtr == 0 || reader.valueLen > 2 || load<u8>(reader.valuePtr) == 0x30) return Deflate.NONE;
  const bits = <i32>readDecimal(reader.valuePtr, reader.valueLen);
  return bits >= WINDOW_BITS_LEAST && bits <= WINDOW_BITS_MOST ? parameters | (bits << shift) : Deflate.NONE;
}

/** The server's answer to a valid offer, or NONE when the wishes do not allow it. */
function answerTo(offer: i32, wishes: i32): i32 {
  if (wishes == Deflate.NONE) return Deflate.NONE;
  let answer: i32 = Deflate.ON;
  // A server may ask for either unprompted. That a client will not keep its context is a hint, and echoing it saves the
  // server an inflater per socket.
  answer |= (offer | wishes) & (Deflate.SERVER_NO_CONTEXT_TAKEOVER | Deflate.CLIENT_NO_CONTEXT_TAKEOVER);

  const serverBits = min(serverWindowBits(offer), serverWindowBits(wishes));
  if (serverBits < ((wishes >> Deflate.LEAST_SERVER_WINDOW_SHIFT) & Deflate.WINDOW_MASK)) return Deflate.NONE;
  // §7.1.2.1: an offer with this parameter is accepted by answering it, even where the value changes nothing.
  if (isServerWindowStated(offer) || serverBits < WINDOW_BITS_MOST)
    answer |= serverBits << Deflate.SERVER_WINDOW_SHIFT;

  // §7.1.2.2: without it in the offer, the client cannot be told; then the server's wish goes unmet.
  if (isClientWindowOffered(offer)) {
    const clientBits = min(clientWindowBits(offer), clientWindowBits(wishes));
    if (isClientWindowStated(offer) || clientBits < WINDOW_BITS_MOST) {
      answer |= clientBits << Deflate.CLIENT_WINDOW_SHIFT;
    }
  }
  return answer;
}

/** Whether the answer keeps what the offer asked, and asks nothing that the offer did not allow. */
function isAnswerTo(answer: i32, offer: i32): bool {
  const isServerContextKept = (answer & Deflate.SERVER_NO_CONTEXT_TAKEOVER) == 0;
  if ((offer & Deflate.SERVER_NO_CONTEXT_TAKEOVER) != 0 && isServerContextKept) return false;
  if (isServerWindowStated(offer)) {
    if (!isServerWindowStated(answer) || serverWindowBits(answer) > serverWindowBits(offer)) return false;
  }
  if (!isClientWindowStated(answer)) return true;
  return isClientWindowOffered(offer) && clientWindowBits(answer) <= clientWindowBits(offer);
}

function isServerWindowStated(parameters: i32): bool {
  return ((parameters >> Deflate.SERVER_WINDOW_SHIFT) & Deflate.WINDOW_MASK) != 0;
}

function isClientWindowStated(parameters: i32): bool {
  return ((parameters >> Deflate.CLIENT_WINDOW_SHIFT) & Deflate.WINDOW_MASK) != 0;
}

function isClientWindowOffered(parameters: i32): bool {
  return isClientWindowStated(parameters) || (parameters & Deflate.CLIENT_WINDOW_HINT) != 0;
}
