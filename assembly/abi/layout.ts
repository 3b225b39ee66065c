/**
 * The layout table: where the regions shared with the host lie. `layout()` gives its address; it never moves, and all of
 * its lanes are fixed once `initialize` has answered.
 *
 *   receive   the host writes a peer's bytes here, then calls `receive`; followed by slack that scans may read
 *   transmit  `pollTransmit` leaves bytes for the peer here; the host copies them out before its next call
 *   command   field blocks and bodies that accompany a command
 *   pinned    the same, but the engine and the host's own calls leave it alone: field blocks that the host sends often
 *
 * A field block is a sequence of entries without padding, least significant byte first:
 *
 *        +-----------+-------------+--------------+------------+-------------+
 *        | nameId u16| nameLen u16 | valueLen u32 | name bytes | value bytes |
 *        +-----------+-------------+--------------+------------+-------------+
 *
 * With a nameId other than 0 (abi/field_name.ts) nameLen is 0 and the name is left out.
 *
 * This file is read by both compilers (AssemblyScript and TypeScript): it keeps to their common subset.
 */
export const ABI_VERSION: i32 = 1;

export const enum Layout {
  ABI_VERSION = 0,
  RECEIVE_PTR = 1,
  RECEIVE_LEN = 2,
  TRANSMIT_PTR = 3,
  TRANSMIT_LEN = 4,
  COMMAND_PTR = 5,
  COMMAND_LEN = 6,
  PINNED_PTR = 7,
  PINNED_LEN = 8,
  /** Event ring: address of its records, capacity in records, addresses of the write and read counters (u32, wrapping). */
  EVENT_PTR = 9,
  EVENT_CAPACITY = 10,
  EVENT_WRITE_PTR = 11,
  EVENT_READ_PTR = 12,
  /** Limits: f64 by Limit (abi/limit.ts). Written by the host before `initialize`, read-only afterwards. */
  LIMIT_PTR = 13,
  LIMIT_COUNT = 14,
  /** Counters: f64 by Counter (abi/counter.ts), then f64 hits by Limit. */
  COUNTER_PTR = 15,
  COUNTER_COUNT = 16,
  LIMIT_HIT_PTR = 17,
  /** 32 bytes of entropy, written by the host before `initialize` and before each `addEntropy`; wiped when taken. */
  ENTROPY_PTR = 18,
  ENTROPY_LEN = 19,
  /**
   * For a host that keeps what connections are given, to give it again. TRACE_PTR: a u32 that the host sets to 1 before
   * `initialize`, so that `receiveDatagrams`, `pollDatagrams` and `handleTimeout` serve one connection at a call, and behind it the
   * handle of that connection, 0 when the call served none. RANDOM_PTR: the 32 bytes of the random generator's key, from which all
   * follows that it draws after an `addEntropy`. It is as secret as the engine's whole memory.
   */
  TRACE_PTR = 20,
  RANDOM_PTR = 21,
  COUNT = 22,
}

/** Bytes before name and value in an entry of a field block. */
export const FIELD_ENTRY_HEADER_BYTES: i32 = 8;
