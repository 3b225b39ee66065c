/**
 * The transport parameters of one side as a struct, RFC 9000 §18.2, and what their defaults and ranges are. With
 * max_datagram_frame_size (RFC 9221 §3), version_information (RFC 9368 §3) and grease_quic_bit (RFC 9287 §3). How they look on the
 * wire: transport_parameters.ts.
 */
import { VARINT_MAX } from "../../core/writer.ts";
import { CONNECTION_ID_BYTES, ConnectionId } from "./connection_id.ts";
import { STREAM_COUNT_MAX } from "./max_streams.ts";

export const enum Parameter {
  ORIGINAL_DESTINATION_CONNECTION_ID = 0x00,
  MAX_IDLE_TIMEOUT = 0x01,
  STATELESS_RESET_TOKEN = 0x02,
  MAX_UDP_PAYLOAD_SIZE = 0x03,
  INITIAL_MAX_DATA = 0x04,
  INITIAL_MAX_STREAM_DATA_BIDI_LOCAL = 0x05,
  INITIAL_MAX_STREAM_DATA_BIDI_REMOTE = 0x06,
  INITIAL_MAX_STREAM_DATA_UNI = 0x07,
  INITIAL_MAX_STREAMS_BIDI = 0x08,
  INITIAL_MAX_STREAMS_UNI = 0x09,
  ACK_DELAY_EXPONENT = 0x0a,
  MAX_ACK_DELAY = 0x0b,
  DISABLE_ACTIVE_MIGRATION = 0x0c,
  PREFERRED_ADDRESS = 0x0d,
  ACTIVE_CONNECTION_ID_LIMIT = 0x0e,
  INITIAL_SOURCE_CONNECTION_ID = 0x0f,
  RETRY_SOURCE_CONNECTION_ID = 0x10,
  VERSION_INFORMATION = 0x11,
  MAX_DATAGRAM_FRAME_SIZE = 0x20,
  GREASE_QUIC_BIT = 0x2ab2,
}

/** Versions in version_information that are spoken here. */
export const enum AvailableVersion {
  V1 = 1,
  V2 = 2,
}

/** IPv4 address and port, IPv6 address and port, in network byte order. */
export const PREFERRED_ADDRESS_BYTES: u32 = 4 + 2 + 16 + 2;

/**
 * Numbers have their defaults where the parameter is absent; the rest is valid when `parameterIsPresent` says so. Where a name
 * ends in a number, the field is a part of what the functions below give the address of.
 */
@unmanaged
export class TransportParameters {
  /** 1 << parameterBit for each that is there. */
  present: u32;
  ackDelayExponent: u32;
  maxIdleTimeoutMs: u64;
  maxUdpPayloadSize: u64;
  initialMaxData: u64;
  initialMaxStreamDataBidiLocal: u64;
  initialMaxStreamDataBidiRemote: u64;
  initialMaxStreamDataUni: u64;
  initialMaxStreamsBidi: u64;
  initialMaxStreamsUni: u64;
  maxAckDelayMs: u64;
  activeConnectionIdLimit: u64;
  /** 0: the side takes no DATAGRAM frames. */
  maxDatagramFrameSize: u64;
  /** version_information: the version of this flight, and those of AvailableVersion. */
  chosenVersion: u32;
  availableVersions: u32;
  /** Four connection IDs, by `parameterId`. */
  ids0: v128;
  ids16: v128;
  ids32: v128;
  ids48: v128;
  ids64: v128;
  ids80: v128;
  resetToken: v128;
  preferredToken: v128;
  preferredAddress0: v128;
  preferredAddress16: u64;
}

export const TRANSPORT_PARAMETERS_BYTES: u32 = <u32>offsetof<TransportParameters>();

/** The bit of `present`. Parameters beyond the first 18 have the next ones in order; 31 is one that is not known. */
export function parameterBit(parameter: u64): u32 {
  if (parameter <= <u64>Parameter.VERSION_INFORMATION) return <u32>parameter;
  if (parameter == Parameter.MAX_DATAGRAM_FRAME_SIZE) return 18;
  return parameter == Parameter.GREASE_QUIC_BIT ? 19 : UNKNOWN_BIT;
}

export const UNKNOWN_BIT: u32 = 31;

/** Whether the parameter was read, or is to be written. */
// @ts-ignore: decorator
@inline
export function parameterIsPresent(parameters: TransportParameters, parameter: Parameter): bool {
  return (parameters.present & (1 << parameterBit(parameter))) != 0;
}

/** Has the parameter written, where that does not follow from a value other than the default. */
// @ts-ignore: decorator
@inline
export function parameterSet(parameters: TransportParameters, parameter: Parameter): void {
  parameters.present |= 1 << parameterBit(parameter);
}

/**
 * The connection ID of ORIGINAL_DESTINATION_, INITIAL_SOURCE_ or RETRY_SOURCE_CONNECTION_ID, or the one that goes with
 * PREFERRED_ADDRESS.
 */
export function parameterId(parameters: TransportParameters, parameter: Parameter): ConnectionId {
  let index: u32 = 0;
  if (parameter == Parameter.INITIAL_SOURCE_CONNECTION_ID) index = 1;
  else if (parameter == Parameter.RETRY_SOURCE_CONNECTION_ID) index = 2;
  else if (parameter == Parameter.PREFERRED_ADDRESS) index = 3;
  const ids = changetype<usize>(parameters) + offsetof<TransportParameters>("ids0");
  return changetype<ConnectionId>(ids + index * CONNECTION_ID_BYTES);
}

/** Address of the 16 bytes of the stateless reset token. */
export function parameterResetToken(parameters: TransportParameters): usize {
  return changetype<usize>(parameters) + offsetof<TransportParameters>("resetToken");
}

/** Address of the PREFERRED_ADDRESS_BYTES of a preferred address. */
export function preferredAddress(parameters: TransportParameters): usize {
  return changetype<usize>(parameters) + offsetof<TransportParameters>("preferredAddress0");
}

/** Address of the 16 bytes of the token that goes with a preferred address. */
export function preferredResetToken(parameters: TransportParameters): usize {
  return changetype<usize>(parameters) + offsetof<TransportParameters>("preferredToken");
}

/** RFC 9000 §18.2. */
export const UDP_PAYLOAD_SIZE_DEFAULT: u64 = 65527;
const UDP_PAYLOAD_SIZE_MIN: u64 = 1200;
export const ACK_DELAY_EXPONENT_DEFAULT: u64 = 3;
const ACK_DELAY_EXPONENT_MAX: u64 = 20;
export const MAX_ACK_DELAY_DEFAULT_MS: u64 = 25;
const MAX_ACK_DELAY_MAX_MS: u64 = (1 << 14) - 1;
const ACTIVE_CONNECTION_ID_LIMIT_MIN: u64 = 2;

/** The number where the parameter is absent. */
export function parameterDefault(parameter: u64): u64 {
  switch (<u32>parameter) {
    case Parameter.MAX_UDP_PAYLOAD_SIZE:
      return UDP_PAYLOAD_SIZE_DEFAULT;
    case Parameter.ACK_DELAY_EXPONENT:
      return ACK_DELAY_EXPONENT_DEFAULT;
    case Parameter.MAX_ACK_DELAY:
      return MAX_ACK_DELAY_DEFAULT_MS;
    case Parameter.ACTIVE_CONNECTION_ID_LIMIT:
      return ACTIVE_CONNECTION_ID_LIMIT_MIN;
  }
  return 0;
}

/** Nothing declared: every number is its default. */
export function transportParametersDefault(parameters: TransportParameters): void {
  memory.fill(changetype<usize>(parameters), 0, TRANSPORT_PARAMETERS_BYTES);
  parameters.maxUdpPayloadSize = UDP_PAYLOAD_SIZE_DEFAULT;
  parameters.ackDelayExponent = <u32>ACK_DELAY_EXPONENT_DEFAULT;
  parameters.maxAckDelayMs = MAX_ACK_DELAY_DEFAULT_MS;
  parameters.activeConnectionIdLimit = ACTIVE_CONNECTION_ID_LIMIT_MIN;
}

/** The least value that the number may have. */
export function parameterMin(parameter: u64): u64 {
  if (parameter == Parameter.MAX_UDP_PAYLOAD_SIZE) return UDP_PAYLOAD_SIZE_MIN;
  return parameter == Parameter.ACTIVE_CONNECTION_ID_LIMIT ? ACTIVE_CONNECTION_ID_LIMIT_MIN : 0;
}

/** The greatest. */
export function parameterMax(parameter: u64): u64 {
  switch (<u32>parameter) {
    case Parameter.ACK_DELAY_EXPONENT:
      return ACK_DELAY_EXPONENT_MAX;
    case Parameter.MAX_ACK_DELAY:
      return MAX_ACK_DELAY_MAX_MS;
    // RFC 9000 §4.6: more streams than 2^60 is a TRANSPORT_PARAMETER_ERROR.
    case Parameter.INITIAL_MAX_STREAMS_BIDI:
    case Parameter.INITIAL_MAX_STREAMS_UNI:
      return STREAM_COUNT_MAX;
  }
  return VARINT_MAX;
}

/** Whether the parameter is a number, which `parameterNumber` and `parameterNumberSet` know. */
export function parameterIsNumber(parameter: u64): bool {
  switch (<u32>parameter) {
    case Parameter.MAX_IDLE_TIMEOUT:
    case Parameter.MAX_UDP_PAYLOAD_SIZE:
    case Parameter.INITIAL_MAX_DATA:
    case Parameter.INITIAL_MAX_STREAM_DATA_BIDI_LOCAL:
    case Parameter.INITIAL_MAX_STREAM_DATA_BIDI_REMOTE:
    case Parameter.INITIAL_MAX_STREAM_DATA_UNI:
    case Parameter.INITIAL_MAX_STREAMS_BIDI:
    case Parameter.INITIAL_MAX_STREAMS_UNI:
    case Parameter.ACK_DELAY_EXPONENT:
    case Parameter.MAX_ACK_DELAY:
    case Parameter.ACTIVE_CONNECTION_ID_LIMIT:
    case Parameter.MAX_DATAGRAM_FRAME_SIZE:
      return true;
  }
  return false;
}

export function parameterNumber(parameters: TransportParameters, parameter: u64): u64 {
  if (parameter == Parameter.ACK_DELAY_EXPONENT) return parameters.ackDelayExponent;
  return load<u64>(changetype<usize>(parameters) + numberOffset(<u32>parameter));
}

export function parameterNumberSet(parameters: TransportParameters, parameter: u64, value: u64): void {
  if (parameter == Parameter.ACK_DELAY_EXPONENT) parameters.ackDelayExponent = <u32>value;
  else store<u64>(changetype<usize>(parameters) + numberOffset(<u32>parameter), value);
}

function numberOffset(parameter: u32): usize {
  switch (parameter) {
    case Parameter.MAX_IDLE_TIMEOUT:
      return offsetof<TransportParameters>("maxIdleTimeoutMs");
    case Parameter.MAX_UDP_PAYLOAD_SIZE:
      return offsetof<TransportParameters>("maxUdpPayloadSize");
    case Parameter.INITIAL_MAX_DATA:
      return offsetof<TransportParameters>("initialMaxData");
    case Parameter.INITIAL_MAX_STREAM_DATA_BIDI_LOCAL:
      return offsetof<TransportParameters>("initialMaxStreamDataBidiLocal");
    case Parameter.INITIAL_MAX_STREAM_DATA_BIDI_REMOTE:
      return offsetof<TransportParameters>("initialMaxStreamDataBidiRemote");
    case Parameter.INITIAL_MAX_STREAM_DATA_UNI:
      return offsetof<TransportParameters>("initialMaxStreamDataUni");
    case Parameter.INITIAL_MAX_STREAMS_BIDI:
      return offsetof<TransportParameters>("initialMaxStreamsBidi");
    case Parameter.INITIAL_MAX_STREAMS_UNI:
      return offsetof<TransportParameters>("initialMaxStreamsUni");
    case Parameter.MAX_ACK_DELAY:
      return offsetof<TransportParameters>("maxAckDelayMs");
    case Parameter.ACTIVE_CONNECTION_ID_LIMIT:
      return offsetof<TransportParameters>("activeConnectionIdLimit");
  }
  return offsetof<TransportParameters>("maxDatagramFrameSize");
}
