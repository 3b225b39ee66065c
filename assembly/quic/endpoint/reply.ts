/**
 * Datagrams that belong to no connection: Version Negotiation, Retry, refusals and stateless resets. They wait in the endpoint's
 * queue, which is bounded: under a flood most of them are never sent, and nothing is lost by that (RFC 9000 §5.2.2, §6.1, §10.3).
 */
import { Counter } from "../../abi/counter.ts";
import { Limit } from "../../abi/limit.ts";
import { ADDRESS_BYTES, DatagramRecord } from "../../abi/quic.ts";
import { Status } from "../../abi/status.ts";
import { byteQueueRead, byteQueueWrite } from "../../core/byte_queue.ts";
import { Writer, writerOpen } from "../../core/writer.ts";
import { AEAD_TAG_BYTES } from "../../crypto/aead.ts";
import { randomFill } from "../../crypto/drbg.ts";
import { count } from "../../session/counters.ts";
import { clockUnixMs, nowMs } from "../../session/deadline.ts";
import { limitHit, limitU32 } from "../../session/limits.ts";
import { addressTokenKeys, idGenerator, resetKey } from "../connection/identity.ts";
import { idGenerate, LOCAL_ID_BYTES } from "../ids/id_generator.ts";
import { Address } from "../path/address.ts";
import { initialKeysDerive } from "../protection/initial_secrets.ts";
import {
  PACKET_KEYS_BYTES,
  PacketKeys,
  packetKeysClear,
  packetKeysForget,
} from "../protection/packet_keys.ts";
import { protectPacket, unprotectHeader, unprotectPayload } from "../protection/packet_protection.ts";
import { retryTagWrite } from "../protection/retry_integrity.ts";
import { ADDRESS_TOKEN_BYTES_MAX, sealRetryToken } from "../token/address_token.ts";
import { statelessResetIsAllowed, writeStatelessReset } from "../token/stateless_reset.ts";
import { writeConnectionClose } from "../wire/connection_close.ts";
import { TransportError } from "../wire/error_code.ts";
import {
  packetDestinationLen,
  packetDestinationPtr,
  packetLength,
  packetNumberOffset,
  packetSourceLen,
  packetSourcePtr,
  packetVersion,
  writeLongHeader,
  writeLongLength,
  writeRetry,
  writeVersionNegotiation,
} from "../wire/packet_header.ts";
import { PacketType } from "../wire/packet_type.ts";
import { Endpoint, repliesOf, resetsOf } from "./endpoint_state.ts";

/** A Version Negotiation packet may repeat two IDs of 255 bytes. */
const REPLY_BYTES_MAX: u32 = 640;
const record: usize = memory.data(DatagramRecord.PAYLOAD + REPLY_BYTES_MAX, 8);
const payload: usize = record + DatagramRecord.PAYLOAD;
const writer = changetype<Writer>(memory.data(offsetof<Writer>(), 8));
const source: usize = memory.data(LOCAL_ID_BYTES, 8);
const token: usize = memory.data(ADDRESS_TOKEN_BYTES_MAX, 8);
const seed: usize = memory.data(4, 4);
const readKeys = changetype<PacketKeys>(memory.data(PACKET_KEYS_BYTES, 16));
const writeKeys = changetype<PacketKeys>(memory.data(PACKET_KEYS_BYTES, 16));

/** Queues the `len` bytes at `payload`. */
function queue(endpoint: Endpoint, address: Address, local: u32, len: u32): void {
  if (len == 0) return;
  const replies = repliesOf(endpoint);
  const bytes = DatagramRecord.PAYLOAD + len;
  if (replies.length + bytes > limitU32(Limit.QUIC_REPLY_BYTES)) {
    limitHit(Limit.QUIC_REPLY_BYTES);
    return;
  }
  memory.fill(record, 0, DatagramRecord.PAYLOAD);
  store<u16>(record, <u16>len, DatagramRecord.LENGTH);
  memory.copy(record + DatagramRecord.ADDRESS, changetype<usize>(address), ADDRESS_BYTES);
  store<u32>(record, local, DatagramRecord.LOCAL);
  byteQueueWrite(replies, record, bytes);
}

/** Moves the first reply to `dest` as a record of a batch. Answers its bytes, padding included; 0 when there is none or no room. */
export function repliesPoll(endpoint: Endpoint, dest: usize, capacity: u32): u32 {
  const replies = repliesOf(endpoint);
  if (
    replies.length == 0 ||
    capacity < <u32>DatagramRecord.PAYLOAD + REPLY_BYTES_MAX + DatagramRecord.ALIGNMENT
  )
    return 0;
  byteQueueRead(replies, dest, DatagramRecord.PAYLOAD);
  const len: u32 = load<u16>(dest, DatagramRecord.LENGTH);
  byteQueueRead(replies, dest + DatagramRecord.PAYLOAD, len);
  count(Counter.QUIC_DATAGRAMS_SENT);
  count(Counter.QUIC_REPLIES);
  const bytes = DatagramRecord.PAYLOAD + len;
  return (bytes + DatagramRecord.ALIGNMENT - 1) & ~(DatagramRecord.ALIGNMENT - 1);
}

/** RFC 9000 §6: answers the packet whose header was read last, of a version that is not spoken here. */
export function replyVersions(endpoint: Endpoint, address: Address, local: u32): void {
  randomFill(seed, 4);
  writerOpen(writer, payload, REPLY_BYTES_MAX);
  writeVersionNegotiation(
    writer,
    packetDestinationPtr,
    packetDestinationLen,
    packetSourcePtr,
    packetSourceLen,
    load<u32>(seed),
  );
  if (writer.failed == 0) queue(endpoint, address, local, <u32>(writer.at - payload));
}

/** RFC 9000 §8.1.2: asks the client of the Initial whose header was read last to prove its address. */
export function replyRetry(endpoint: Endpoint, address: Address, local: u32): void {
  idGenerate(idGenerator, source);
  const tokenLen = sealRetryToken(
    addressTokenKeys,
    address,
    packetDestinationPtr,
    packetDestinationLen,
    source,
    LOCAL_ID_BYTES,
    clockUnixMs(),
    token,
  );
  writerOpen(writer, payload, REPLY_BYTES_MAX - AEAD_TAG_BYTES);
  writeRetry(
    writer,
    packetVersion,
    packetSourcePtr,
    packetSourceLen,
    source,
    LOCAL_ID_BYTES,
    token,
    tokenLen,
  );
  if (writer.failed != 0) return;
  const len = <u32>(writer.at - payload);
  if (!retryTagWrite(packetVersion, packetDestinationPtr, packetDestinationLen, payload, len, writer.at))
    return;
  count(Counter.QUIC_RETRIES);
  queue(endpoint, address, local, len + AEAD_TAG_BYTES);
}

/**
 * Whether the Initial at `ptr`, whose header was read last, came as it was sent: what was damaged on the way is dropped, not refused.
 * It is decrypted where it lies.
 */
export function initialIsGenuine(ptr: usize): bool {
  packetKeysClear(readKeys);
  packetKeysClear(writeKeys);
  initialKeysDerive(packetVersion, packetDestinationPtr, packetDestinationLen, readKeys, writeKeys);
  const isGenuine =
    unprotectHeader(readKeys, ptr, packetLength, packetNumberOffset, -1) == Status.OK &&
    unprotectPayload(readKeys, ptr, packetLength, packetNumberOffset) == Status.OK;
  packetKeysForget(readKeys, false);
  packetKeysForget(writeKeys, false);
  return isGenuine;
}

/** RFC 9000 §5.2.2, §8.1.2: refuses the Initial whose header was read last, without any state, with that error code. */
export function replyRefusal(endpoint: Endpoint, address: Address, local: u32, code: TransportError): void {
  packetKeysClear(readKeys);
  packetKeysClear(writeKeys);
  initialKeysDerive(packetVersion, packetDestinationPtr, packetDestinationLen, readKeys, writeKeys);
  writerOpen(writer, payload, REPLY_BYTES_MAX - AEAD_TAG_BYTES);
  const lengthAt = writeLongHeader(
    writer,
    PacketType.INITIAL,
    packetVersion,
    packetSourcePtr,
    packetSourceLen,
    packetDestinationPtr,
    packetDestinationLen,
    0,
    0,
    0,
    1,
  );
  const headerLen = <u32>(writer.at - payload);
  writeConnectionClose(writer, code, 0, 0, 0);
  if (lengthAt != 0 && writer.failed == 0) {
    const payloadLen = <u32>(writer.at - payload) - headerLen;
    writeLongLength(lengthAt, 1 + payloadLen + AEAD_TAG_BYTES);
    queue(endpoint, address, local, protectPacket(writeKeys, payload, headerLen, 1, 0, payloadLen));
  }
  packetKeysForget(readKeys, false);
  packetKeysForget(writeKeys, false);
}

/** RFC 9000 §10.3: tells that nothing is known of the connection that the short header read last, of `len` bytes, was for. */
export function replyReset(endpoint: Endpoint, address: Address, local: u32, len: u32): void {
  if (!statelessResetIsAllowed(resetsOf(endpoint), nowMs)) return;
  queue(
    endpoint,
    address,
    local,
    writeStatelessReset(resetKey, packetDestinationPtr, packetDestinationLen, len, payload),
  );
}
