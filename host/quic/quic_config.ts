// Options of raw QUIC, checked, and put into a configuration of the engine.

import { randomBytes, type KeyObject } from "node:crypto";
import { QuicConfigFlag, QuicOption } from "../engine/index.ts";
import { Group } from "../crypto/key_exchange.ts";
import { checked } from "../engine/engine_error.ts";
import type { LimitOptions } from "../engine/limits.ts";
import { CONGESTION_NAMES, type CongestionControl, congestionNumber } from "./congestion.ts";
import type { QlogTarget } from "./qlog.ts";
import type { QuicCommands } from "../engine/quic_commands.ts";
import type { ModuleSource } from "../engine/module.ts";
import { certificatesOf, type Credential, type KeyPair, readCredential } from "./credentials.ts";

/** Cipher suites of TLS 1.3 by their registered names. */
export type CipherName = "TLS_AES_128_GCM_SHA256" | "TLS_AES_256_GCM_SHA384" | "TLS_CHACHA20_POLY1305_SHA256";
/** Groups of the key exchange. */
export type GroupName = "x25519" | "P-256";

/** What both roles take. */
export interface QuicOptions {
  /** Application protocols in the order of preference; one is required. */
  readonly alpn: readonly string[];
  /** The only suite to use. Default: all three of RFC 8446 §B.4, ChaCha20 first. */
  readonly cipher?: CipherName;
  /** Groups of the key exchange in the order of preference. Default: x25519, P-256. */
  readonly groups?: readonly GroupName[];
  /** How this side finds out how fast it may send. Default: "cubic". */
  readonly congestion?: CongestionControl;
  /** The largest datagram (RFC 9221) that is taken. Default 65535; 0 for none. */
  readonly datagramBytes?: number;
  /** Streams that the peer may have open. Default: the limits quicBidiStreamCount and quicUniStreamCount. */
  readonly bidiStreams?: number;
  readonly uniStreams?: number;
  /** The largest datagram of UDP that is probed for. Default 1472; 1200 turns discovery off. */
  readonly mtuMost?: number;
  /** 0-RTT. Default false. */
  readonly earlyData?: boolean;
  /** Is told lines for a key log. */
  readonly keyLog?: (lines: string) => void;
  /**
   * Keeps a qlog of every connection: a folder for the files, or a function that is called with the name of each trace and answers
   * what it is written to. It says when what was sent and how long, and nothing of what.
   */
  readonly qlog?: QlogTarget;
  /** Turns the spin bit on (RFC 9000 §17.4). Default false. */
  readonly spin?: boolean;
  readonly limits?: LimitOptions;
  readonly memoryMiB?: number;
  readonly module?: ModuleSource;
}

const CIPHERS: Readonly<Record<CipherName, number>> = {
  TLS_AES_128_GCM_SHA256: 0x1301,
  TLS_AES_256_GCM_SHA384: 0x1302,
  TLS_CHACHA20_POLY1305_SHA256: 0x1303,
};
const GROUPS: Readonly<Record<GroupName, Group>> = { x25519: Group.X25519, "P-256": Group.SECP256R1 };
const DATAGRAM_BYTES = 65535;
const TICKET_KEY_BYTES = 48;

export interface ServerCredentials {
  readonly tls: KeyPair & {
    readonly passphrase?: string;
    readonly ca?: string | Uint8Array;
    readonly requestCert?: boolean;
    readonly rejectUnauthorized?: boolean;
    readonly names?: Readonly<Record<string, KeyPair>>;
  };
}

/** Throws a TypeError that names an option, its value and what is allowed. */
export function optionError(name: string, value: unknown, allowed: string): never {
  throw new TypeError(
    `QUIC option ${name} is ${JSON.stringify(value) ?? String(value)}; it must be ${allowed}`,
  );
}

/** A configuration with what both roles share. */
export function makeConfig(quic: QuicCommands, options: QuicOptions, flags: number): number {
  const { alpn, cipher, groups, congestion, qlog } = options;
  if (qlog !== undefined && typeof qlog !== "function" && (typeof qlog !== "string" || qlog === ""))
    optionError("qlog", qlog, "the name of a folder, or a function that answers a writer");
  const isName = (name: unknown) => typeof name === "string" && name.length > 0 && name.length < 256;
  if (!Array.isArray(alpn) || alpn.length === 0 || !alpn.every(isName))
    optionError("alpn", alpn, "an array of one or more protocol names");
  if (cipher !== undefined && CIPHERS[cipher] === undefined)
    optionError("cipher", cipher, `one of ${Object.keys(CIPHERS).join(", ")}`);
  const algorithm = congestionNumber(congestion ?? "cubic");
  if (algorithm === undefined) optionError("congestion", congestion, CONGESTION_NAMES);
  const config = checked(quic.createConfig(), "making a QUIC configuration");
  const set = (option: QuicOption, value: number, name: string) => {
    if (quic.setOption(config, option, value) < 0) optionError(name, value, "within its range");
  };
  checked(quic.setAlpn(config, alpn), "setting ALPN");
  if (cipher !== undefined) set(QuicOption.SUITE, CIPHERS[cipher], "cipher");
  set(QuicOption.CONGESTION, algorithm, "congestion");
  set(
    QuicOption.DATAGRAM_BYTES,
    whole("datagramBytes", options.datagramBytes ?? DATAGRAM_BYTES),
    "datagramBytes",
  );
  if (options.bidiStreams !== undefined)
    set(QuicOption.BIDI_STREAMS, whole("bidiStreams", options.bidiStreams), "bidiStreams");
  if (options.uniStreams !== undefined)
    set(QuicOption.UNI_STREAMS, whole("uniStreams", options.uniStreams), "uniStreams");
  if (options.mtuMost !== undefined) set(QuicOption.MTU_MOST, whole("mtuMost", options.mtuMost), "mtuMost");
  if (groups !== undefined) {
    const unknown = groups.find((name) => GROUPS[name] === undefined);
    if (unknown !== undefined || groups.length === 0)
      optionError("groups", groups, `one or more of ${Object.keys(GROUPS).join(", ")}`);
    checked(
      quic.setGroups(
        config,
        groups.map((name) => GROUPS[name]),
        1,
      ),
      "setting groups",
    );
  }
  let bits = flags;
  if (options.earlyData === true) bits |= QuicConfigFlag.EARLY_DATA;
  if (options.keyLog !== undefined) bits |= QuicConfigFlag.KEY_LOG;
  if (options.qlog !== undefined) bits |= QuicConfigFlag.PACKET_LOG;
  if (options.spin === true) bits |= QuicConfigFlag.SPIN;
  set(QuicOption.FLAGS, bits, "flags");
  return config;
}

function whole(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff)
    optionError(name, value, "a whole number, 0 or more");
  return value;
}

/** Adds a server's certificates; answers their private keys, by the numbers that the engine asks with. */
export function addCredentials(quic: QuicCommands, config: number, options: ServerCredentials): KeyObject[] {
  const { tls } = options;
  const all: Credential[] = [readCredential(tls, tls.passphrase)];
  for (const [name, pair] of Object.entries(tls.names ?? {}))
    all.push(readCredential(pair, tls.passphrase, [name.toLowerCase()]));
  all.forEach(({ chain, names, schemes }, keyId) => {
    checked(quic.addCertificate(config, { keyId, chain, names, schemes }), "adding a certificate");
  });
  if (tls.requestCert === true) {
    if (tls.ca === undefined)
      optionError("tls.ca", undefined, "given where requestCert is: who signs clients' certificates");
    const isRequired = tls.rejectUnauthorized !== false;
    checked(quic.setOption(config, QuicOption.CLIENT_AUTH, isRequired ? 2 : 1), "asking for certificates");
    addRoots(quic, config, tls.ca, "");
  }
  checked(quic.rotateTicketKey(config, randomBytes(TICKET_KEY_BYTES)), "setting a ticket key");
  return all.map(({ key }) => key);
}

/** Trusts the roots in `ca`, or else those of the runtime (`readRuntimeRoots`). */
export function addRoots(
  quic: QuicCommands,
  config: number,
  ca: string | Uint8Array | undefined,
  runtimeRoots: string,
): void {
  for (const der of certificatesOf(ca ?? runtimeRoots)) {
    // A root of a kind that the engine does not know is one that it trusts nothing by.
    const status = quic.addRoot(config, der);
    if (status < 0 && ca !== undefined) checked(status, "adding a root");
  }
}

/** The roots that the runtime trusts, in PEM. */
export async function readRuntimeRoots(): Promise<string> {
  const { rootCertificates } = await import("node:tls");
  return rootCertificates.join("\n");
}
