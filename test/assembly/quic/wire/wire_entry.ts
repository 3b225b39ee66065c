/**
 * Doors for the fuzzer (test/fuzz/quic_target.ts) to what of QUIC reads a peer's bytes: frames, headers, transport parameters,
 * protected packets, tokens. The engine's own module has none of them.
 *
 * Each door answers a status and leaves a digest of everything it found. `fault` says what no input may bring about.
 */

import { readerLeft, readerOpen, Reader } from "../../../../assembly/core/reader.ts";
import { writerOpen, Writer } from "../../../../assembly/core/writer.ts";
import { Status } from "../../../../assembly/abi/status.ts";
import { Suite } from "../../../../assembly/crypto/aead.ts";
import { drbgSeed } from "../../../../assembly/crypto/drbg.ts";
import { HASH_LENGTH_MAX } from "../../../../assembly/crypto/hash.ts";
import { packetKeysDerive, PacketKeys } from "../../../../assembly/quic/protection/packet_keys.ts";
import {
  payloadBytesMin,
  protectPacket,
  unprotectedNumber,
  unprotectedPayloadLen,
  unprotectedPayloadPtr,
  unprotectHeader,
  unprotectPayload,
} from "../../../../assembly/quic/protection/packet_protection.ts";
import { retryTagIsValid } from "../../../../assembly/quic/protection/retry_integrity.ts";
import {
  datagramHasMore,
  datagramNext,
  datagramOpen,
  DatagramReader,
} from "../../../../assembly/quic/wire/datagram.ts";
import {
  packetDestinationLen,
  packetDestinationPtr,
  packetLength,
  packetNumberOffset,
  packetSourceLen,
  packetSourcePtr,
  packetTokenLen,
  packetTokenPtr,
  packetType,
  packetVersion,
} from "../../../../assembly/quic/wire/packet_header.ts";
import { packetNumberWrite } from "../../../../assembly/quic/wire/packet_number.ts";
import { PacketType } from "../../../../assembly/quic/wire/packet_type.ts";
import {
  Parameter,
  parameterBit,
  parameterIsNumber,
  parameterIsPresent,
  TransportParameters,
} from "../../../../assembly/quic/wire/transport_parameter.ts";
import {
  readTransportParameters,
  writeTransportParameters,
} from "../../../../assembly/quic/wire/transport_parameters.ts";
import { isSupportedVersion } from "../../../../assembly/quic/wire/version.ts";
import { anyFrameType, readAnyFrame } from "./any_frame.ts";
import {
  digest,
  fold,
  foldFrame,
  foldSpan,
  foldStart,
  isFoldFaulty,
  isWritable,
  writeFrame,
} from "./written_frame.ts";

const enum Fault {
  NONE = 0,
  /** A span outside of what was read, or ranges out of order. */
  SPAN = 1,
  /** A step that took nothing, or more than there was. */
  STEP = 2,
  /** What was written says something else. */
  ROUND_TRIP = 3,
}

const INPUT_BYTES: u32 = 1 << 17;
const input: usize = memory.data(INPUT_BYTES, 16);
const written: usize = memory.data(INPUT_BYTES, 16);
const reader = changetype<Reader>(memory.data(offsetof<Reader>(), 8));
const again = changetype<Reader>(memory.data(offsetof<Reader>(), 8));
const writer = changetype<Writer>(memory.data(offsetof<Writer>(), 8));
const datagram = changetype<DatagramReader>(memory.data(offsetof<DatagramReader>(), 8));
const parameters = changetype<TransportParameters>(memory.data(offsetof<TransportParameters>(), 16));
const reread = changetype<TransportParameters>(memory.data(offsetof<TransportParameters>(), 16));
const keys = changetype<PacketKeys>(memory.data(offsetof<PacketKeys>(), 16));
const secret: usize = memory.data(HASH_LENGTH_MAX, 16);

let faultFound: Fault = Fault.NONE;

export function inputPtr(): usize {
  return input;
}

export function fault(): i32 {
  return faultFound;
}

/** The digest of what the last door found. */
export function found(): f64 {
  return <f64>(digest >> 12);
}

function start(ptr: usize, len: u32): void {
  faultFound = Fault.NONE;
  foldStart(ptr, len);
}

/** Ends a door: its status is a part of what it found. */
function end(status: i32): i32 {
  fold(<u64>(<u32>status));
  if (isFoldFaulty && faultFound == Fault.NONE) faultFound = Fault.SPAN;
  return status;
}

/** Reads the frames in [ptr, ptr + len). */
export function frames(ptr: usize, len: u32, packet: u32, isFromServer: bool): i32 {
  start(ptr, len);
  readerOpen(reader, ptr, len);
  while (readerLeft(reader) > 0) {
    const at = reader.at;
    const status = readAnyFrame(reader, packet, isFromServer);
    if (reader.at > reader.end || (reader.at <= at && status == Status.OK)) faultFound = Fault.STEP;
    if (status != Status.OK) return end(status);
    if (faultFound != Fault.NONE) return end(status);
    fold(anyFrameType);
    foldFrame(anyFrameType);
    if (isWritable(anyFrameType) && !isFoldFaulty) roundTrip(packet, isFromServer, ptr, len);
  }
  return end(Status.OK);
}

/** Writes the frame that was read last, reads that, and compares what both say. */
function roundTrip(packet: u32, isFromServer: bool, ptr: usize, len: u32): void {
  const before = digest;
  const type = anyFrameType;
  foldStart(ptr, len);
  foldFrame(type);
  const first = digest;
  writerOpen(writer, written, INPUT_BYTES);
  writeFrame(writer, type);
  const writtenLen = <u32>(writer.at - written);
  readerOpen(again, written, writtenLen);
  const status = readAnyFrame(again, packet, isFromServer);
  foldStart(written, writtenLen);
  foldFrame(anyFrameType);
  if (status != Status.OK || digest != first || again.at != writer.at || writer.failed != 0) {
    faultFound = Fault.ROUND_TRIP;
  }
  foldStart(ptr, len);
  fold(before);
}

/** Reads the packets of the datagram [ptr, ptr + len). Answers how many steps it took. */
export function packets(ptr: usize, len: u32, localIdLen: u32, isServer: bool, isGreased: bool): i32 {
  start(ptr, len);
  datagramOpen(datagram, ptr, len, localIdLen, isServer, isGreased);
  let steps = 0;
  while (datagramHasMore(datagram)) {
    const at = datagram.at;
    const status = datagramNext(datagram);
    steps++;
    if (datagram.at <= at || datagram.at > datagram.end || datagram.packetAt != at) {
      faultFound = Fault.STEP;
      break;
    }
    fold(<u64>(<u32>status));
    fold(packetLength);
    fold(packetVersion);
    foldSpan(packetDestinationPtr, packetDestinationLen);
    foldSpan(packetSourcePtr, packetSourceLen);
    foldSpan(packetTokenPtr, packetTokenLen);
    if (status != Status.OK) continue;
    fold(packetType);
    if (packetType == PacketType.RETRY) {
      fold(u64(retryTagIsValid(packetVersion, ptr, 8, at, packetLength - 16, at + packetLength - 16)));
    }
    const hasNumber = packetType <= PacketType.ONE_RTT;
    if (hasNumber && packetNumberOffset >= packetLength) faultFound = Fault.STEP;
  }
  return end(steps);
}

/** Reads the transport parameters in [ptr, ptr + len). */
export function transportParameters(ptr: usize, len: u32, isFromServer: bool): i32 {
  start(ptr, len);
  const status = readTransportParameters(parameters, ptr, len, isFromServer);
  const parametersPtr = changetype<usize>(parameters);
  fold(hashOf(parametersPtr));
  if (status != Status.OK) return end(status);
  writerOpen(writer, written, INPUT_BYTES);
  // A client that chose a version which is not spoken here offers it in a form that is not kept.
  const hasVersions = parameterIsPresent(parameters, Parameter.VERSION_INFORMATION);
  if (hasVersions && !isSupportedVersion(parameters.chosenVersion)) return end(status);
  writeTransportParameters(writer, parameters, isFromServer);
  const rereadStatus = readTransportParameters(reread, written, <u32>(writer.at - written), isFromServer);
  // A number that is declared as what it would be without that is not written.
  const numbers = numberBits();
  reread.present = (reread.present & ~numbers) | (parameters.present & numbers);
  if (rereadStatus != Status.OK || hashOf(changetype<usize>(reread)) != hashOf(parametersPtr)) {
    faultFound = Fault.ROUND_TRIP;
  }
  return end(status);
}

/** The bits of `present` that stand for numbers. */
function numberBits(): u32 {
  let bits: u32 = 0;
  for (let parameter: u64 = 0; parameter <= <u64>Parameter.MAX_DATAGRAM_FRAME_SIZE; parameter++) {
    if (parameterIsNumber(parameter)) bits |= 1 << parameterBit(parameter);
  }
  return bits;
}

function hashOf(ptr: usize): u64 {
  const before = digest;
  foldStart(ptr, offsetof<TransportParameters>());
  foldSpan(ptr, offsetof<TransportParameters>());
  const hash = digest;
  foldStart(input, INPUT_BYTES);
  fold(before);
  return hash;
}

/** Makes the keys of everything that is sealed and opened from now on. */
export function setKeys(suite: Suite, version: u32, seed: u32): void {
  memory.fill(secret, <u8>seed, HASH_LENGTH_MAX);
  store<u32>(secret, seed);
  drbgSeed(secret, 4);
  packetKeysDerive(keys, suite, version, secret);
}

/** Seals the packet at `ptr`, a header of `headerLen` bytes with its number at the end, and frames. Answers its length. */
export function seal(ptr: usize, headerLen: u32, numberLen: u32, number: u32, payloadLen: u32): u32 {
  assert(payloadLen >= payloadBytesMin(numberLen), "there is no sample");
  packetNumberWrite(ptr + headerLen - numberLen, number, numberLen);
  return protectPacket(keys, ptr, headerLen, numberLen, number, payloadLen);
}

/** Opens the packet [ptr, ptr + len), whose number is `numberOffset` bytes behind its start. */
export function open(ptr: usize, len: u32, numberOffset: u32, largest: f64): i32 {
  start(ptr, len);
  const status = unprotectHeader(keys, ptr, len, numberOffset, <i64>largest);
  if (status != Status.OK) return end(status);
  const opened = unprotectPayload(keys, ptr, len, numberOffset);
  if (opened != Status.OK) return end(opened);
  fold(unprotectedNumber);
  foldSpan(unprotectedPayloadPtr, unprotectedPayloadLen);
  return end(opened);
}
