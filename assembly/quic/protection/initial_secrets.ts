/**
 * Keys of Initial packets, RFC 9001 §5.2, RFC 9369 §3.3.1: from the destination of the client's first Initial, which anybody can
 * see. They keep nothing secret; they tell that a packet was meant to be QUIC in this version, and not damaged.
 */
import { Suite } from "../../crypto/aead.ts";
import { HashId, hashLength } from "../../crypto/hash.ts";
import { hkdfExpandAscii, hkdfExtract } from "../../crypto/hkdf.ts";
import { Version } from "../wire/version.ts";
import { PacketKeys, packetKeysDerive } from "./packet_keys.ts";

const SALT_BYTES: u32 = 20;
const SECRET_BYTES_MAX: u32 = 32;

/** RFC 9001 §5.2. */
// prettier-ignore
const saltV1: usize = memory.data<u8>([
  0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a,
]);
/** RFC 9369 §3.3.1. */
// prettier-ignore
const saltV2: usize = memory.data<u8>([
  0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9,
]);

const initialSecret: usize = memory.data(SECRET_BYTES_MAX, 16);
const sideSecret: usize = memory.data(SECRET_BYTES_MAX, 16);

/** Makes the keys of both directions. `client` protects what the client sends, `server` what the server sends. */
export function initialKeysDerive(
  version: u32,
  destination: usize,
  destinationLen: u32,
  client: PacketKeys,
  server: PacketKeys,
): void {
  const salt = version == Version.V2 ? saltV2 : saltV1;
  hkdfExtract(HashId.SHA_256, salt, SALT_BYTES, destination, destinationLen, initialSecret);
  deriveSide("client in", version, client);
  deriveSide("server in", version, server);
}

function deriveSide(label: string, version: u32, keys: PacketKeys): void {
  const len = hashLength(HashId.SHA_256);
  hkdfExpandAscii(HashId.SHA_256, initialSecret, label, 0, 0, sideSecret, len);
  packetKeysDerive(keys, Suite.AES_128_GCM_SHA256, version, sideSecret);
}
