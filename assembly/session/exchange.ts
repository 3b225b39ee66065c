/**
 * Exchanges: one request and its response, the same for every version of HTTP, and the table that gives them handles.
 *
 * The front of the struct is the message head that the host reads (abi/message.ts), lane for lane. Records and bytes of the
 * received head follow the struct in the same slab block, so that one allocation holds the whole and one frees it.
 *
 *     +-------------------------------+-----------+---------------+----------------------+
 *     | Exchange (message head first) | ByteQueue | field records | bytes of the head    |
 *     +-------------------------------+-----------+---------------+----------------------+
 *
 * An exchange is freed once both directions are complete or it was aborted, and the host has released it.
 */
import { Counter } from "../abi/counter.ts";
import { Limit } from "../abi/limit.ts";
import { FieldLane } from "../abi/message.ts";
import { ByteQueue, byteQueueClear } from "../core/byte_queue.ts";
import {
  handleCreate,
  handleFree,
  handleMove,
  handleResolve,
  HandleTable,
  handleTableInitialize,
} from "../core/handle_table.ts";
import { slabAllocate, slabFree } from "../core/slab.ts";
import { Connection } from "./connection.ts";
import { count } from "./counters.ts";
import { limitHit, limitU32 } from "./limits.ts";
import { exchangeSlots } from "./regions.ts";
import { retireBlock } from "./retired.ts";
import { tunnelFree } from "./tunnel_block.ts";

export const enum ExchangeFlag {
  NONE = 0,
  /** The received message is complete. */
  RECEIVED = 1,
  /** The head of the sent message has been written. */
  HEAD_SENT = 2,
  /** The sent message is complete. */
  SENT = 4,
  /** The host holds it no longer. */
  RELEASED = 8,
  /** A 100 (Continue) is owed when the host first asks for the content. */
  CONTINUE_OWED = 16,
  /** `sendBody` took less than offered: WRITABLE is owed. */
  WRITABLE_OWED = 32,
  /** The host was told that the exchange ended before its time. */
  ABORTED = 64,
  /** Received content is thrown away. */
  DISCARD = 128,
  /** The exchange has become a tunnel. */
  TUNNEL = 256,
  /** A response to HEAD: content is counted but not sent. */
  HEAD_ONLY = 512,
  /** Chunk data written by the host itself awaits its CRLF. */
  CHUNK_OPEN = 1024,
  /** Trailers may follow the sent content. */
  TRAILERS = 2048,
  /** The connection ends with this exchange. */
  LAST = 4096,
  /** The request asked for a tunnel or an upgrade, and the host has not yet answered. */
  UNDECIDED = 8192,
}

/** How the end of the sent content is marked. */
export const enum BodyFraming {
  NONE = 0,
  LENGTH = 1,
  CHUNKED = 2,
  UNTIL_CLOSE = 3,
}


@unmanaged
export class Exchange {
  // The message head, in the order of MessageLane.
  handle: u32;
  kind: u32;
  methodPtr: usize;
  methodLen: u32;
  targetPtr: usize;
  targetLen: u32;
  authorityPtr: usize;
  authorityLen: u32;
  bytesPtr: usize;
  fieldsPtr: usize;
  fieldCount: u32;
  contentLengthLow: u32;
  contentLengthHigh: u32;
  trailerBytesPtr: usize;
  trailerFieldsPtr: usize;
  trailerCount: u32;
  statusCode: u32;
  streamId: u32;

  // What follows is the engine's own.
  connection: usize;
  /** Neighbours among the open exchanges of the connection, in the order in which they began. */
  next: usize;
  previous: usize;
  flags: u32;
  framing: u32;
  /** Content still to be sent with BodyFraming.LENGTH. */
  sendRemaining: u64;
  /** Content received so far. */
  receivedBytes: u64;
  /** Content told to the host that it has not yet said it consumed. */
  unconsumedBytes: u32;
  /** Slab block of a received head that did not come with the exchange (client role); 0 when there is none. */
  headBlock: usize;
  /** Slab block of a received trailer section; 0 when there is none. */
  trailerBlock: usize;
  /** Output that waits for the exchanges before this one. */
  output: ByteQueue;
  /** What reads the bytes of a tunnel in the host's place (session/tunnel.ts); 0 when there is none. */
  tunnel: usize;
}

const EXCHANGE_BYTES: u32 = <u32>offsetof<Exchange>();
const VECTOR_MASK: u32 = sizeof<v128>() - 1;
const table: HandleTable = changetype<HandleTable>(memory.data(offsetof<HandleTable>(), 8));

export function exchangesInitialize(): void {
  handleTableInitialize(table, exchangeSlots(), limitU32(Limit.EXCHANGE_COUNT));
}

/**
 * Allocates and registers an exchange with room for `fieldCount` records and `byteCount` bytes behind it, and appends it
 * to its connection's list. `fieldsPtr` and `bytesPtr` point at that room, the rest is zero. 0 when a pool is full.
 * A room that extends `Exchange` gives the bytes of its own struct.
 */
export function exchangeCreate(
  connection: Connection,
  fieldCount: u32,
  byteCount: u32,
  structBytes: u32 = EXCHANGE_BYTES,
): usize {
  const recordBytes = fieldCount * (FieldLane.COUNT * sizeof<u32>());
  // In whole vectors, so that they can be zeroed by them.
  const fixedBytes = (structBytes + <u32>offsetof<ByteQueue>() + VECTOR_MASK) & ~VECTOR_MASK;
  const ptr = slabAllocate(fixedBytes + recordBytes + byteCount);
  if (ptr == 0) {
    count(Counter.POOL_REFUSALS);
    return 0;
  }
  const handle = handleCreate(table, ptr);
  if (handle == 0) {
    slabFree(ptr);
    limitHit(Limit.EXCHANGE_COUNT);
    count(Counter.POOL_REFUSALS);
    return 0;
  }
  const zero = i64x2.splat(0);
  for (let at = ptr; at < ptr + fixedBytes; at += sizeof<v128>()) v128.store(at, zero);
  const exchange = changetype<Exchange>(ptr);
  exchange.handle = handle;
  exchange.connection = changetype<usize>(connection);
  exchange.output = changetype<ByteQueue>(ptr + structBytes);
  exchange.fieldsPtr = ptr + fixedBytes;
  exchange.bytesPtr = ptr + fixedBytes + recordBytes;
  exchange.fieldCount = fieldCount;
  exchange.streamId = ++connection.exchangeOrdinal;
  exchange.previous = connection.lastExchange;
  if (connection.lastExchange != 0) {
    changetype<Exchange>(connection.lastExchange).next = ptr;
  } else {
    connection.firstExchange = ptr;
  }
  connection.lastExchange = ptr;
  connection.openExchangeCount++;
  count(Counter.EXCHANGES_OPEN);
  return ptr;
}

/**
 * Gives back the memory of a received head that nobody reads any more, by moving an exchange that no room has extended to a block
 * of its own. Answers where it is now, which is where it was when the memory is full. The head stays as it is until the events
 * told so far were handled; whoever points to the exchange has to be told.
 */
export function exchangeShedHead(exchange: Exchange): usize {
  const old = changetype<usize>(exchange);
  const ptr = slabAllocate(EXCHANGE_BYTES + <u32>offsetof<ByteQueue>());
  if (ptr == 0) return old;
  memory.copy(ptr, old, EXCHANGE_BYTES + offsetof<ByteQueue>());
  memory.fill(
    ptr + offsetof<Exchange>("methodPtr"),
    0,
    offsetof<Exchange>("statusCode") - offsetof<Exchange>("methodPtr"),
  );
  changetype<Exchange>(ptr).output = changetype<ByteQueue>(ptr + EXCHANGE_BYTES);
  const connection = changetype<Connection>(exchange.connection);
  if (exchange.previous != 0) changetype<Exchange>(exchange.previous).next = ptr;
  else connection.firstExchange = ptr;
  if (exchange.next != 0) changetype<Exchange>(exchange.next).previous = ptr;
  else connection.lastExchange = ptr;
  handleMove(table, exchange.handle, ptr);
  retireBlock(old);
  return ptr;
}

/** Takes an exchange off its connection's list. */
export function exchangeDetach(exchange: Exchange): void {
  const connection = changetype<Connection>(exchange.connection);
  if (exchange.previous != 0) changetype<Exchange>(exchange.previous).next = exchange.next;
  else connection.firstExchange = exchange.next;
  if (exchange.next != 0) changetype<Exchange>(exchange.next).previous = exchange.previous;
  else connection.lastExchange = exchange.previous;
  exchange.next = 0;
  exchange.previous = 0;
  exchange.connection = 0;
  connection.openExchangeCount--;
}

/** Frees an exchange that is on no list any more. */
export function exchangeDestroy(exchange: Exchange): void {
  byteQueueClear(exchange.output);
  if (exchange.headBlock != 0) slabFree(exchange.headBlock);
  if (exchange.trailerBlock != 0) slabFree(exchange.trailerBlock);
  if (exchange.tunnel != 0) tunnelFree(exchange.tunnel);
  handleFree(table, exchange.handle);
  slabFree(changetype<usize>(exchange));
  count(Counter.EXCHANGES_OPEN, -1);
}

/** The exchange's address, or 0 when the handle is stale. */
// @ts-ignore: decorator
@inline
export function exchangeOf(handle: u32): usize {
  return handleResolve(table, handle);
}

// @ts-ignore: decorator
@inline
export function hasFlag(exchange: Exchange, flag: ExchangeFlag): bool {
  return (exchange.flags & flag) != 0;
}
