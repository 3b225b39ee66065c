/**
 * The parameters of permessage-deflate (RFC 7692 §7.1) in one number, so that an offer, an agreement or an endpoint's own
 * wishes are values. Zero is "no compression".
 *
 *     15 … 12          11 … 8        7 … 4         3           2          1          0
 *   ┌────────────────┬─────────────┬─────────────┬───────────┬──────────┬──────────┬───────────┐
 *   │ least server   │ client      │ server      │ client    │ client   │ server   │ permessage│
 *   │ window bits    │ window bits │ window bits │ window    │ no       │ no       │ -deflate  │
 *   │ (wishes only)  │             │             │ hint      │ context  │ context  │           │
 *   └────────────────┴─────────────┴─────────────┴───────────┴──────────┴──────────┴───────────┘
 *
 * Window bits of 0 are not stated, which means 15. "Server" is who compresses, not who states it: the server's window is
 * what the client's inflater needs.
 *
 * This file is read by both compilers (AssemblyScript and TypeScript): it keeps to their common subset.
 */
export const enum Deflate {
  NONE = 0,
  ON = 1,
  SERVER_NO_CONTEXT_TAKEOVER = 2,
  CLIENT_NO_CONTEXT_TAKEOVER = 4,
  /** In an offer: client_max_window_bits without a value. The server may choose one. */
  CLIENT_WINDOW_HINT = 8,
  SERVER_WINDOW_SHIFT = 4,
  CLIENT_WINDOW_SHIFT = 8,
  /** In a server's wishes: the smallest window its deflater can keep to. Offers that ask for less are declined. */
  LEAST_SERVER_WINDOW_SHIFT = 12,
  WINDOW_MASK = 15,
}

export const WINDOW_BITS_LEAST: i32 = 8;
export const WINDOW_BITS_MOST: i32 = 15;

/** Window bits of the server's compressor. */
export function serverWindowBits(parameters: i32): i32 {
  return windowBits(parameters >> Deflate.SERVER_WINDOW_SHIFT);
}

/** Window bits of the client's compressor. */
export function clientWindowBits(parameters: i32): i32 {
  return windowBits(parameters >> Deflate.CLIENT_WINDOW_SHIFT);
}

function windowBits(shifted: i32): i32 {
  const stated = shifted & Deflate.WINDOW_MASK;
  return stated == 0 ? WINDOW_BITS_MOST : stated;
}
