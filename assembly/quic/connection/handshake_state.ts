/**
 * What a connection needs until its handshake is confirmed: the keys and CRYPTO streams of the levels below 1-RTT, the first
 * connection IDs, and a client's token. One slab block.
 */
import { slabAllocate, slabFree } from "../../core/slab.ts";
import { PACKET_KEYS_BYTES, PacketKeys, packetKeysForget } from "../protection/packet_keys.ts";
import { CONNECTION_ID_BYTES, ConnectionId } from "../wire/connection_id.ts";
import { CRYPTO_STREAM_BYTES, cryptoClear, CryptoStream } from "./crypto_stream.ts";

/** Keys, by their place in the block. */
export const enum HandshakeKeys {
  INITIAL_READ = 0,
  INITIAL_WRITE = 1,
  HANDSHAKE_READ = 2,
  HANDSHAKE_WRITE = 3,
  /** 0-RTT: read by a server, written by a client. */
  EARLY = 4,
  COUNT = 5,
}


@unmanaged
export class HandshakeState {
  /** A client's token, from a Retry or an earlier connection; a block, 0 for none. */
  tokenPtr: usize;
  tokenLen: u32;
  hasRetrySource: bool;
}

const IDS_OFFSET: u32 = (<u32>offsetof<HandshakeState>() + 15) & ~15;
const KEYS_OFFSET: u32 = (IDS_OFFSET + 3 * CONNECTION_ID_BYTES + 15) & ~15;
const CRYPTO_OFFSET: u32 = KEYS_OFFSET + HandshakeKeys.COUNT * PACKET_KEYS_BYTES;
const HANDSHAKE_STATE_BYTES: u32 = CRYPTO_OFFSET + 2 * CRYPTO_STREAM_BYTES;

export function handshakeStateCreate(): usize {
  const ptr = slabAllocate(HANDSHAKE_STATE_BYTES);
  if (ptr != 0) memory.fill(ptr, 0, HANDSHAKE_STATE_BYTES);
  return ptr;
}

export function handshakeStateFree(state: HandshakeState): void {
  for (let index: u32 = 0; index < <u32>HandshakeKeys.COUNT; index++)
    packetKeysForget(handshakeKeys(state, index), false);
  cryptoClear(cryptoStreamAt(state, 0));
  cryptoClear(cryptoStreamAt(state, 1));
  if (state.tokenPtr != 0) slabFree(state.tokenPtr);
  slabFree(changetype<usize>(state));
}

/** The destination of a client's first Initial. */
export function originalDestinationOf(state: HandshakeState): ConnectionId {
  return changetype<ConnectionId>(changetype<usize>(state) + IDS_OFFSET);
}

/** The source of the server's Retry, where there was one. */
export function retrySourceOf(state: HandshakeState): ConnectionId {
  return changetype<ConnectionId>(changetype<usize>(state) + IDS_OFFSET + CONNECTION_ID_BYTES);
}

/** The source of the peer's first packet, which its transport parameters repeat. */
export function peerSourceOf(state: HandshakeState): ConnectionId {
  return changetype<ConnectionId>(changetype<usize>(state) + IDS_OFFSET + 2 * CONNECTION_ID_BYTES);
}

export function handshakeKeys(state: HandshakeState, index: u32): PacketKeys {
  return changetype<PacketKeys>(changetype<usize>(state) + KEYS_OFFSET + index * PACKET_KEYS_BYTES);
}

/** 0: Initial, 1: Handshake. */
export function cryptoStreamAt(state: HandshakeState, index: u32): CryptoStream {
  return changetype<CryptoStream>(changetype<usize>(state) + CRYPTO_OFFSET + index * CRYPTO_STREAM_BYTES);
}
