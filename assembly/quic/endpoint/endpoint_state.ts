/**
 * An endpoint: what stands behind one or more sockets of the host's, with all the connections that go through them. RFC 9000 §5.2.
 *
 * It is the host's to say when datagrams came and to ask for those to be sent; an endpoint without a configuration to listen with
 * takes no new connections.
 */
import { ByteQueue } from "../../core/byte_queue.ts";
import { TokenBucket } from "../../core/token_bucket.ts";


@unmanaged
export class Endpoint {
  handle: u32;
  /** The QuicConfig of new connections; 0 where none are taken. */
  config: usize;
  /** Connections that may have something to send (connection/dirty.ts). */
  dirtyHead: usize;
  dirtyTail: usize;
  connectionCount: u32;
  /** Servers' connections whose clients have not shown that they are where they say. */
  halfOpenCount: u32;
  isDraining: u32;
}

/** Behind it lie the bucket of stateless resets and the queue of datagrams that belong to no connection: Retry, Version Negotiation, stateless resets. */
const RESETS: usize = (offsetof<Endpoint>() + 7) & ~7;
const REPLIES: usize = RESETS + offsetof<TokenBucket>();
export const ENDPOINT_BYTES: u32 = <u32>(REPLIES + offsetof<ByteQueue>());

// @ts-ignore: decorator
@inline
export function resetsOf(endpoint: Endpoint): TokenBucket {
  return changetype<TokenBucket>(changetype<usize>(endpoint) + RESETS);
}

// @ts-ignore: decorator
@inline
export function repliesOf(endpoint: Endpoint): ByteQueue {
  return changetype<ByteQueue>(changetype<usize>(endpoint) + REPLIES);
}
