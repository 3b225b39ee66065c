/**
 * signature_algorithms and signature_algorithms_cert, RFC 8446 §4.2.3: what is taken of a peer, in order of preference.
 *
 * PKCS #1 is taken in certificates only, which is what the second list is for.
 */
import { Writer, writeU16 } from "../core/writer.ts";
import { SignatureScheme } from "../x509/signature_algorithm.ts";
import { ExtensionType } from "./extension.ts";

/** Schemes of a CertificateVerify: all that `isHandshakeScheme` knows. */
const HANDSHAKE_SCHEME_COUNT: u32 = 6;
const CERTIFICATE_SCHEME_COUNT: u32 = HANDSHAKE_SCHEME_COUNT + 3;

/** Both extensions. */
export function writeSchemes(writer: Writer): void {
  writeHead(writer, ExtensionType.SIGNATURE_ALGORITHMS, HANDSHAKE_SCHEME_COUNT);
  writeHandshakeSchemes(writer);
  writeHead(writer, ExtensionType.SIGNATURE_ALGORITHMS_CERT, CERTIFICATE_SCHEME_COUNT);
  writeHandshakeSchemes(writer);
  writeU16(writer, SignatureScheme.RSA_PKCS1_SHA256);
  writeU16(writer, SignatureScheme.RSA_PKCS1_SHA384);
  writeU16(writer, SignatureScheme.RSA_PKCS1_SHA512);
}

function writeHead(writer: Writer, type: ExtensionType, count: u32): void {
  writeU16(writer, type);
  writeU16(writer, 2 + (count << 1));
  writeU16(writer, count << 1);
}

function writeHandshakeSchemes(writer: Writer): void {
  writeU16(writer, SignatureScheme.ECDSA_SECP256R1_SHA256);
  writeU16(writer, SignatureScheme.ED25519);
  writeU16(writer, SignatureScheme.ECDSA_SECP384R1_SHA384);
  writeU16(writer, SignatureScheme.RSA_PSS_RSAE_SHA256);
  writeU16(writer, SignatureScheme.RSA_PSS_RSAE_SHA384);
  writeU16(writer, SignatureScheme.RSA_PSS_RSAE_SHA512);
}
