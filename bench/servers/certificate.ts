/*
 * The one certificate that all servers with TLS present, so that no peer has a cheaper handshake or key than another.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { certificateFolder } from "../paths.ts";

export function readCertificate(): { key: string; cert: string } {
  const read = (file: string) => readFileSync(join(certificateFolder, file), "utf8");
  return { key: read("key.pem"), cert: read("cert.pem") };
}
