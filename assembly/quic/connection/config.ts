/**
 * What the connections of one listener, or of one client, have in common: the configuration of TLS, and QUIC's own options.
 *
 * Held by its creator, by endpoints that listen with it and by every connection made of it.
 */
import { QuicConfigFlag, QuicOption } from "../../abi/quic.ts";
import { Status } from "../../abi/status.ts";
import { slabAllocate, slabFree } from "../../core/slab.ts";
import { Suite } from "../../crypto/aead.ts";
import {
  ClientAuth,
  ConfigFlag,
  TlsConfig,
  tlsConfigCreate,
  tlsConfigOnly,
  tlsConfigRelease,
} from "../../tls/config.ts";
import { CongestionAlgorithm } from "../recovery/congestion_state.ts";
import { Version } from "../wire/version.ts";


@unmanaged
export class QuicConfig {
  tls: TlsConfig;
  holders: u32;
  retry: u32;
  /** QuicConfigFlag. */
  flags: u32;
  /** CongestionAlgorithm. */
  congestion: u32;
  datagramBytes: u32;
  /** What a client begins with, and what a server goes over to where the client speaks it, 0 for what it begins with. */
  version: u32;
  preferredVersion: u32;
  /** A Version Negotiation packet has led to the version. */
  isNegotiated: u32;
  bidiStreams: u32;
  uniStreams: u32;
  mtuMost: u32;
  /** A server's preferred_address as RFC 9000 §18.2 has it: IPv4 address and port, then those of IPv6. */
  preferred0: u64;
  preferred8: u64;
  preferred16: u64;
}

/** UDP payload over IPv4 on Ethernet; over IPv6 it is 20 bytes less, which discovery finds out. */
const MTU_MOST_DEFAULT: u32 = 1472;
const MTU_LEAST: u32 = 1200;
const MTU_LIMIT: u32 = 1500;

/** A configuration with the defaults. 0 when the slab is full. */
export function quicConfigCreate(): usize {
  const tls = tlsConfigCreate();
  if (tls == 0) return 0;
  const ptr = slabAllocate(<u32>offsetof<QuicConfig>());
  if (ptr == 0) {
    tlsConfigRelease(changetype<TlsConfig>(tls));
    return 0;
  }
  memory.fill(ptr, 0, offsetof<QuicConfig>());
  const config = changetype<QuicConfig>(ptr);
  config.tls = changetype<TlsConfig>(tls);
  config.holders = 1;
  config.version = Version.V1;
  config.mtuMost = MTU_MOST_DEFAULT;
  return ptr;
}

export function quicConfigHold(config: QuicConfig): void {
  config.holders++;
}

export function quicConfigRelease(config: QuicConfig): void {
  config.holders--;
  if (config.holders != 0) return;
  tlsConfigRelease(config.tls);
  slabFree(changetype<usize>(config));
}

/** Address of a server's preferred_address, PREFERRED_ADDRESS_BYTES; all zero where there is none. */
export function preferredAddressOf(config: QuicConfig): usize {
  return changetype<usize>(config) + offsetof<QuicConfig>("preferred0");
}

/** Sets a QuicOption. INVALID_ARGUMENT when there is no such option, or it has no such value. */
export function quicConfigOption(config: QuicConfig, option: u32, value: u32): i32 {
  switch (option) {
    case QuicOption.RETRY:
      if (value > 1) return Status.INVALID_ARGUMENT;
      config.retry = value;
      return Status.OK;
    case QuicOption.FLAGS:
      config.flags = value;
      setTlsFlags(config);
      return Status.OK;
    case QuicOption.SUITE:
      if (value < <u32>Suite.AES_128_GCM_SHA256 || value > <u32>Suite.CHACHA20_POLY1305_SHA256)
        return Status.INVALID_ARGUMENT;
      tlsConfigOnly(config.tls, value);
      return Status.OK;
    case QuicOption.CONGESTION:
      if (value > <u32>CongestionAlgorithm.BBR) return Status.INVALID_ARGUMENT;
      config.congestion = value;
      return Status.OK;
    case QuicOption.DATAGRAM_BYTES:
      config.datagramBytes = min(value, 65535);
      return Status.OK;
    case QuicOption.VERSION:
      config.isNegotiated = value >> 2;
      value &= 3;
      if (config.isNegotiated > 1 || value - 1 > 1) return Status.INVALID_ARGUMENT;
      config.version = value == 2 ? Version.V2 : Version.V1;
      config.preferredVersion = config.version;
      return Status.OK;
    case QuicOption.CLIENT_AUTH:
      if (value > <u32>ClientAuth.REQUIRED) return Status.INVALID_ARGUMENT;
      config.tls.clientAuth = value;
      return Status.OK;
    case QuicOption.BIDI_STREAMS:
      config.bidiStreams = value;
      return Status.OK;
    case QuicOption.UNI_STREAMS:
      config.uniStreams = value;
      return Status.OK;
    case QuicOption.MTU_MOST:
      if (value < MTU_LEAST || value > MTU_LIMIT) return Status.INVALID_ARGUMENT;
      config.mtuMost = value;
      return Status.OK;
  }
  return Status.INVALID_ARGUMENT;
}

function setTlsFlags(config: QuicConfig): void {
  let flags: u32 = 0;
  if (config.flags & QuicConfigFlag.EARLY_DATA) flags |= ConfigFlag.EARLY_DATA;
  if (config.flags & QuicConfigFlag.KEY_LOG) flags |= ConfigFlag.KEY_LOG;
  if (config.flags & QuicConfigFlag.ANY_CERTIFICATE) flags |= ConfigFlag.ANY_CERTIFICATE;
  config.tls.flags = flags;
}
