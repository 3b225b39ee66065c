/**
 * Transport parameters on the wire, RFC 9000 §7.4 and §18: what each side declares in its first flight of TLS.
 *
 *   Transport Parameter ID (i), Transport Parameter Length (i), Transport Parameter Value (..)
 *
 * Reading starts from the defaults and checks everything that can be told from the parameters alone: shapes, ranges, duplicates,
 * what only servers may send, what has to be there. Whether connection IDs are the ones that were used (§7.3) is for the
 * connection to compare. Parameters that are not known are passed over, those reserved for that purpose among them (§18.1).
 */
import { QuicStatus } from "../../abi/quic_status.ts";
import { Status } from "../../abi/status.ts";
import {
  readerIsExact,
  readerLeft,
  readerOpen,
  readSpan,
  readU32,
  readU8,
  readVarint,
  Reader,
} from "../../core/reader.ts";
import { varintLength, writeBytes, writeU32, writeU8, writeVarint, Writer } from "../../core/writer.ts";
import { CONNECTION_ID_LENGTH_MAX, connectionIdBytes, connectionIdSet } from "./connection_id.ts";
import { RESET_TOKEN_BYTES } from "./new_connection_id.ts";
import {
  AvailableVersion,
  Parameter,
  parameterBit,
  parameterDefault,
  parameterId,
  parameterIsNumber,
  parameterIsPresent,
  parameterMax,
  parameterMin,
  parameterNumber,
  parameterNumberSet,
  parameterResetToken,
  PREFERRED_ADDRESS_BYTES,
  preferredAddress,
  preferredResetToken,
  TransportParameters,
  transportParametersDefault,
  UNKNOWN_BIT,
} from "./transport_parameter.ts";
import { Version } from "./version.ts";

const list = changetype<Reader>(memory.data(offsetof<Reader>(), 8));
const value = changetype<Reader>(memory.data(offsetof<Reader>(), 8));

/** RFC 9000 §18.2: a client MUST NOT send these. */
const SERVER_ONLY: u32 =
  (1 << Parameter.ORIGINAL_DESTINATION_CONNECTION_ID) |
  (1 << Parameter.STATELESS_RESET_TOKEN) |
  (1 << Parameter.PREFERRED_ADDRESS) |
  (1 << Parameter.RETRY_SOURCE_CONNECTION_ID);

/** RFC 9000 §7.3: their absence is a TRANSPORT_PARAMETER_ERROR. */
const REQUIRED_OF_CLIENT: u32 = 1 << Parameter.INITIAL_SOURCE_CONNECTION_ID;
const REQUIRED_OF_SERVER: u32 = REQUIRED_OF_CLIENT | (1 << Parameter.ORIGINAL_DESTINATION_CONNECTION_ID);

/** Reads what a server or a client declared in [ptr, ptr + len). */
export function readTransportParameters(
  parameters: TransportParameters,
  ptr: usize,
  len: u32,
  isFromServer: bool,
): i32 {
  transportParametersDefault(parameters);
  readerOpen(list, ptr, len);
  while (readerLeft(list) > 0) {
    const parameter = readVarint(list);
    const valueLen = readVarint(list);
    const valuePtr = readSpan(list, valueLen);
    if (list.failed != 0) return QuicStatus.PARAMETER_TRUNCATED;
    const bit = parameterBit(parameter);
    if (bit == UNKNOWN_BIT) continue;
    const flag: u32 = 1 << bit;
    // RFC 9000 §7.4: a parameter MUST NOT be sent twice, and SHOULD be an error when it is.
    if ((parameters.present & flag) != 0) return QuicStatus.PARAMETER_DUPLICATE;
    if (!isFromServer && (SERVER_ONLY & flag) != 0) return QuicStatus.PARAMETER_FORBIDDEN;
    parameters.present |= flag;
    readerOpen(value, valuePtr, <u32>valueLen);
    const status = readValue(parameters, parameter, isFromServer);
    if (status != Status.OK) return status;
  }
  const required = isFromServer ? REQUIRED_OF_SERVER : REQUIRED_OF_CLIENT;
  if ((parameters.present & required) != required) return QuicStatus.PARAMETER_MISSING;
  // RFC 9000 §18.2: a server with a connection ID of no bytes MUST NOT give a preferred address.
  const hasNoId = parameterId(parameters, Parameter.INITIAL_SOURCE_CONNECTION_ID).len == 0;
  return hasNoId && parameterIsPresent(parameters, Parameter.PREFERRED_ADDRESS)
    ? <i32>QuicStatus.PARAMETER_VALUE
    : <i32>Status.OK;
}

function readValue(parameters: TransportParameters, parameter: u64, isFromServer: bool): i32 {
  if (parameterIsNumber(parameter)) return readNumber(parameters, parameter);
  switch (<u32>parameter) {
    case Parameter.ORIGINAL_DESTINATION_CONNECTION_ID:
    case Parameter.INITIAL_SOURCE_CONNECTION_ID:
    case Parameter.RETRY_SOURCE_CONNECTION_ID:
      return readId(parameters, <u32>parameter, readerLeft(value));
    case Parameter.STATELESS_RESET_TOKEN:
      copy(parameterResetToken(parameters), RESET_TOKEN_BYTES);
      break;
    case Parameter.PREFERRED_ADDRESS:
      return readPreferredAddress(parameters);
    case Parameter.VERSION_INFORMATION:
      return readVersionInformation(parameters, isFromServer);
  }
  // DISABLE_ACTIVE_MIGRATION and GREASE_QUIC_BIT have no value.
  return valueEnd();
}

function valueEnd(): i32 {
  return readerIsExact(value) ? <i32>Status.OK : <i32>QuicStatus.PARAMETER_VALUE;
}

function copy(dest: usize, len: u32): void {
  const at = readSpan(value, len);
  if (at != 0) memory.copy(dest, at, len);
}

function readNumber(parameters: TransportParameters, parameter: u64): i32 {
  const number = readVarint(value);
  if (number < parameterMin(parameter) || number > parameterMax(parameter)) return QuicStatus.PARAMETER_VALUE;
  parameterNumberSet(parameters, parameter, number);
  return valueEnd();
}

function readId(parameters: TransportParameters, parameter: u32, len: u32): i32 {
  if (len > CONNECTION_ID_LENGTH_MAX) return QuicStatus.PARAMETER_VALUE;
  connectionIdSet(parameterId(parameters, parameter), readSpan(value, len), len);
  return Status.OK;
}

function readPreferredAddress(parameters: TransportParameters): i32 {
  copy(preferredAddress(parameters), PREFERRED_ADDRESS_BYTES);
  const idLen = readU8(value);
  // RFC 9000 §18.2: of 1 to 20 bytes, as in NEW_CONNECTION_ID.
  if (idLen == 0 || idLen + RESET_TOKEN_BYTES != readerLeft(value)) return QuicStatus.PARAMETER_VALUE;
  if (readId(parameters, Parameter.PREFERRED_ADDRESS, idLen) != Status.OK) return QuicStatus.PARAMETER_VALUE;
  copy(preferredResetToken(parameters), RESET_TOKEN_BYTES);
  return valueEnd();
}

/** RFC 9368 §3: Chosen Version (32), Available Versions (32) ..., none of which is 0. */
function readVersionInformation(parameters: TransportParameters, isFromServer: bool): i32 {
  const chosen = readU32(value);
  if (chosen == 0) return QuicStatus.PARAMETER_VALUE;
  parameters.chosenVersion = chosen;
  let isChosenAvailable = false;
  while (readerLeft(value) > 0) {
    const version = readU32(value);
    if (version == 0) return QuicStatus.PARAMETER_VALUE;
    if (version == chosen) isChosenAvailable = true;
    if (version == Version.V1) parameters.availableVersions |= AvailableVersion.V1;
    if (version == Version.V2) parameters.availableVersions |= AvailableVersion.V2;
  }
  // RFC 9368 §4: a client whose chosen version is not among its available ones MUST be refused.
  return isFromServer || isChosenAvailable ? valueEnd() : <i32>QuicStatus.PARAMETER_VALUE;
}

/**
 * Writes what this side declares: every number that is not its default, its connection ID, and what `parameterSet` named. What
 * only servers may send is left out for a client.
 */
export function writeTransportParameters(
  writer: Writer,
  parameters: TransportParameters,
  isServer: bool,
): void {
  for (let parameter: u32 = 0; parameter <= <u32>Parameter.MAX_DATAGRAM_FRAME_SIZE; parameter++) {
    if (parameterIsNumber(parameter)) writeNumber(writer, parameters, parameter);
  }
  writeId(writer, parameters, Parameter.INITIAL_SOURCE_CONNECTION_ID);
  writeEmpty(writer, parameters, Parameter.DISABLE_ACTIVE_MIGRATION);
  writeEmpty(writer, parameters, Parameter.GREASE_QUIC_BIT);
  if (parameterIsPresent(parameters, Parameter.VERSION_INFORMATION))
    writeVersionInformation(writer, parameters);
  if (!isServer) return;
  writeId(writer, parameters, Parameter.ORIGINAL_DESTINATION_CONNECTION_ID);
  if (parameterIsPresent(parameters, Parameter.RETRY_SOURCE_CONNECTION_ID)) {
    writeId(writer, parameters, Parameter.RETRY_SOURCE_CONNECTION_ID);
  }
  if (parameterIsPresent(parameters, Parameter.STATELESS_RESET_TOKEN)) {
    writeHead(writer, Parameter.STATELESS_RESET_TOKEN, RESET_TOKEN_BYTES);
    writeBytes(writer, parameterResetToken(parameters), RESET_TOKEN_BYTES);
  }
  if (parameterIsPresent(parameters, Parameter.PREFERRED_ADDRESS)) writePreferredAddress(writer, parameters);
}

/** One parameter of those reserved to exercise that unknown ones are ignored, RFC 9000 §18.1: 31 × N + 27. `seed`: any bits. */
export function writeReservedParameter(writer: Writer, seed: u32): void {
  writeHead(writer, 31 * <u64>(seed >> 4) + 27, seed & 7);
  for (let left = seed & 7; left > 0; left--) writeU8(writer, seed >> left);
}

function writeHead(writer: Writer, parameter: u64, len: u32): void {
  writeVarint(writer, parameter);
  writeVarint(writer, len);
}

function writeEmpty(writer: Writer, parameters: TransportParameters, parameter: Parameter): void {
  if (parameterIsPresent(parameters, parameter)) writeHead(writer, parameter, 0);
}

function writeNumber(writer: Writer, parameters: TransportParameters, parameter: u32): void {
  const number = parameterNumber(parameters, parameter);
  if (number == parameterDefault(parameter)) return;
  writeHead(writer, parameter, varintLength(number));
  writeVarint(writer, number);
}

function writeId(writer: Writer, parameters: TransportParameters, parameter: Parameter): void {
  const id = parameterId(parameters, parameter);
  writeHead(writer, parameter, id.len);
  writeBytes(writer, connectionIdBytes(id), id.len);
}

function writePreferredAddress(writer: Writer, parameters: TransportParameters): void {
  const id = parameterId(parameters, Parameter.PREFERRED_ADDRESS);
  writeHead(writer, Parameter.PREFERRED_ADDRESS, PREFERRED_ADDRESS_BYTES + 1 + id.len + RESET_TOKEN_BYTES);
  writeBytes(writer, preferredAddress(parameters), PREFERRED_ADDRESS_BYTES);
  writeU8(writer, id.len);
  writeBytes(writer, connectionIdBytes(id), id.len);
  writeBytes(writer, preferredResetToken(parameters), RESET_TOKEN_BYTES);
}

function writeVersionInformation(writer: Writer, parameters: TransportParameters): void {
  const available = parameters.availableVersions;
  writeHead(writer, Parameter.VERSION_INFORMATION, 4 + 4 * <u32>popcnt(available));
  writeU32(writer, parameters.chosenVersion);
  // §3: in the order of preference, which begins with what was chosen.
  const isFirst = parameters.chosenVersion == Version.V1;
  if (isFirst && (available & AvailableVersion.V1) != 0) writeU32(writer, Version.V1);
  if ((available & AvailableVersion.V2) != 0) writeU32(writer, Version.V2);
  if (!isFirst && (available & AvailableVersion.V1) != 0) writeU32(writer, Version.V1);
}

/** Numbers that a server must not lower from what a client remembered for 0-RTT, RFC 9000 §7.4.1, RFC 9221 §3. */
// prettier-ignore
const remembered: usize = memory.data<u8>([
  <u8>Parameter.ACTIVE_CONNECTION_ID_LIMIT, <u8>Parameter.INITIAL_MAX_DATA, <u8>Parameter.INITIAL_MAX_STREAM_DATA_BIDI_LOCAL,
  <u8>Parameter.INITIAL_MAX_STREAM_DATA_BIDI_REMOTE, <u8>Parameter.INITIAL_MAX_STREAM_DATA_UNI,
  <u8>Parameter.INITIAL_MAX_STREAMS_BIDI, <u8>Parameter.INITIAL_MAX_STREAMS_UNI, <u8>Parameter.MAX_DATAGRAM_FRAME_SIZE,
]);
const REMEMBERED_COUNT: u32 = 8;

/** Whether 0-RTT data that were sent within the limits of `before` stay within those of `after`. */
export function transportParametersCover(after: TransportParameters, before: TransportParameters): bool {
  for (let index: u32 = 0; index < REMEMBERED_COUNT; index++) {
    const parameter = load<u8>(remembered + index);
    if (parameterNumber(after, parameter) < parameterNumber(before, parameter)) return false;
  }
  return true;
}
